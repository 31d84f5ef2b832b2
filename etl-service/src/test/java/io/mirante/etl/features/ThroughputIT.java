package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.etl.RawRecords;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;

/**
 * A whole customer base at once: an import, or a day's refresh. Prints what it measured. Too long for every build: runs
 * with the fault tests.
 */
@MeshTest
@Tag("fault")
class ThroughputIT {

    private static final Logger LOG = LoggerFactory.getLogger(ThroughputIT.class);
    private static final int USERS = 25_000;
    private static final int EVENTS = 75_000;

    @Autowired Mesh mesh;

    @Test
    void twentyFiveThousandUsersAreCurrentAndPublishedWithinTwoMinutes() throws Exception {
        var tenant = mesh.newTenant();
        var records = new ArrayList<Outgoing>(EVENTS);
        var start = Instant.parse("2026-01-01T00:00:00Z");
        for (int i = 0; i < EVENTS; i++) {
            records.add(
                    RawRecords.raw(
                            tenant,
                            RawRecords.purchase(
                                    "u" + i % USERS, start.plusSeconds(60L * i), i % 90 + ".50")));
        }
        long begin = System.nanoTime();
        mesh.sendAll(records);
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(200))
                .until(() -> number("SELECT count(*) FROM analytics_event", tenant) == EVENTS);
        double stored = seconds(begin);
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(200))
                .until(() ->
                        number(
                                        "SELECT count(*) FILTER (WHERE (features ->> 'orders')::float8 = 3 AND"
                                                + " published_revision = revision) FROM user_feature_state JOIN user_feature_values USING (tenant_id, user_id)",
                                        tenant)
                                == USERS);
        double current = seconds(begin);
        LOG.info(
                "stored {} events in {} s ({}/s); {} users current and published after {} s",
                EVENTS,
                stored,
                Math.round(EVENTS / stored),
                USERS,
                current);
        assertThat(number("SELECT count(*) FROM person", tenant)).isEqualTo(USERS);
    }

    private static double seconds(long begin) {
        return Math.round((System.nanoTime() - begin) / 1e8) / 10.0;
    }

    private long number(String select, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query = connection.prepareStatement(select + " WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getLong(1);
        }
    }
}
