package io.mirante.alert.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.sql.SQLException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.TestPropertySource;

@MeshTest
@TestPropertySource(properties = "mirante.alert.webhook-allowed-hosts=127.0.0.1")
class CleanUpIT {

    @Autowired Mesh mesh;
    @Autowired CleanUp cleanUp;

    @Test
    void deletesWhatIsTooOldOfEveryTenantAndNothingElse() throws SQLException {
        var tenants = new String[] {mesh.newTenant(), mesh.newTenant()};
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            for (var tenant : tenants) {
                statement.execute(
                        """
                        INSERT INTO metric_minute SELECT '%1$s', 'web.clicks', now() - make_interval(hours => h), '', '', '', 1
                        FROM UNNEST(ARRAY[1, 47, 49, 500]) AS h;
                        INSERT INTO counted_run SELECT '%1$s', 'run-' || h, 1, now() - make_interval(hours => h)
                        FROM UNNEST(ARRAY[1, 47, 49, 500]) AS h;
                        INSERT INTO alert (tenant_id, alert_id, rule_id, type, metric, state, value, threshold, started_at,
                        fired_at, resolved_at, revision, published_revision)
                        SELECT '%1$s', 'alert_' || d, 'manual', 't', 'm', 'resolved', 1, 1, now() - make_interval(days => d),
                        NULL, now() - make_interval(days => d), 1, 1 FROM UNNEST(ARRAY[89, 91]) AS d
                        """
                                .formatted(tenant));
            }
            cleanUp.once(Instant.now()).block();
            for (var tenant : tenants) {
                try (var rows =
                        statement.executeQuery(
                                """
                                SELECT (SELECT count(*) FROM metric_minute WHERE tenant_id = '%1$s'),
                                (SELECT count(*) FROM alert WHERE tenant_id = '%1$s'),
                                (SELECT count(*) FROM counted_run WHERE tenant_id = '%1$s')
                                """
                                        .formatted(tenant))) {
                    rows.next();
                    assertThat(rows.getInt(1)).isEqualTo(2);
                    assertThat(rows.getInt(2)).isEqualTo(1);
                    assertThat(rows.getInt(3)).isEqualTo(2);
                }
            }
        }
    }
}
