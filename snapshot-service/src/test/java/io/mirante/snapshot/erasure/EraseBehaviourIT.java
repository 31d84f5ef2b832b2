package io.mirante.snapshot.erasure;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.snapshot.CleanLog;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.node.ObjectNode;

@MeshTest
class EraseBehaviourIT {

    private static final String OVERVIEW =
            "/api/v1/analytics/overview?start_time=2026-11-10T00:00:00Z&end_time=2026-11-11T00:00:00Z";

    @Autowired private Mesh mesh;

    @Test
    void totalsStayAndNothingLeadsToThePersonNotEvenWhatComesLate() throws Exception {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        try (var log = new CleanLog(mesh)) {
            log.send(
                    event(tenant, "a", "page_view", 1, "s1", "{\"url\":\"/shop\"}"),
                    event(tenant, "b", "page_view", 1, "s1", "{\"url\":\"/of/user-1/x\"}"),
                    event(tenant, "c", "search", 1, "s2", "{\"query\":\"who is user-1\"}"),
                    event(
                            tenant,
                            "d",
                            "purchase",
                            1,
                            null,
                            "{\"amount\":\"12.50\",\"currency\":\"USD\",\"note\":\"for user-1\"}"),
                    event(tenant, "e", "page_view", 2, "s1", "{\"url\":\"/shop\"}"));
            counted(log, client);
            var before = figures(tenant);

            var answer = mesh.erase(tenant, "user-1", 1L);

            assertThat(answer.service()).isEqualTo("snapshot");
            assertThat(answer.removed())
                    .containsExactlyInAnyOrder(
                            new Removal("behaviour_event", Removal.BLANKED, 4),
                            new Removal("person", Removal.BLANKED, 1));
            assertThat(figures(tenant)).isEqualTo(before);
            assertThat(rowsNaming(tenant, "user-1")).isEmpty();
            assertThat(rowsNaming(tenant, "user-2")).isNotEmpty();

            // On its way while the person was erased; and one that comes afterwards, with a new
            // number.
            log.send(
                    event(tenant, "late", "search", 1, "s3", "{\"query\":\"user-1 again\"}"),
                    event(tenant, "new", "login", 7, null, "{}"));
            counted(log, client);
            assertThat(rowsNaming(tenant, "user-1")).isEmpty();
            assertThat(get(client, OVERVIEW).at("/events/value").asInt()).isEqualTo(7);
            assertThat(get(client, OVERVIEW).at("/users/value").asInt()).isEqualTo(3);
            assertThat(rowsNaming(tenant, "user-7")).isNotEmpty();

            // Again: nothing is left.
            assertThat(mesh.erase(tenant, "user-1", 1L).removed()).isEmpty();
        }
    }

    private ObjectNode figures(String tenant) {
        var overview = (ObjectNode) get(mesh.client(tenant), OVERVIEW);
        overview.remove("as_of");
        ((ObjectNode) overview.path("top")).remove("pages");
        return overview;
    }

    private List<String> rowsNaming(String tenant, String id) throws SQLException {
        var found = new ArrayList<String>();
        for (var table : List.of("behaviour_event", "person")) {
            try (var connection = mesh.jdbc();
                    var query =
                            connection.prepareStatement(
                                    "SELECT t::text FROM "
                                            + table
                                            + " t WHERE tenant_id = ? AND t::text LIKE ?")) {
                query.setString(1, tenant);
                query.setString(2, "%" + id + "%");
                var rows = query.executeQuery();
                while (rows.next()) {
                    found.add(rows.getString(1));
                }
            }
        }
        return found;
    }

    private static io.mirante.contracts.etl.CleanEvent event(
            String tenant, String id, String type, long person, String session, String data) {
        return CleanLog.event(
                tenant, id, type, person, Instant.parse("2026-11-10T10:00:00Z"), session, data);
    }
}
