package io.mirante.etl.log;

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
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@MeshTest
class RelearnPersonsIT {

    private static final Instant AT = Instant.parse("2026-11-20T10:00:00Z");

    @Autowired Mesh mesh;
    @Autowired RelearnPersons relearn;

    @Test
    void afterAnOlderDatabaseWasRestoredPersonsKeepTheirNumbersAndNewOnesGetOthers()
            throws Exception {
        var tenant = mesh.newTenant();
        var records = new ArrayList<Outgoing>();
        for (int i = 0; i < 30; i++) {
            records.add(RawRecords.raw(tenant, RawRecords.pageView("u" + i, AT)));
        }
        mesh.sendAll(records);
        awaitPersons(tenant, 30);
        relearn.relearn();
        var before = numbers(tenant);

        // the database as it was after the tenth person, which did not know where the topic would
        // end
        sql("DELETE FROM person WHERE tenant_id = ? AND person_no > 10", tenant);
        sql("UPDATE person_counter SET next_no = 11 WHERE tenant_id = ?", tenant);
        sql("DELETE FROM person_relearned WHERE ? <> ''", tenant);

        assertThat(relearn.relearn()).isGreaterThanOrEqualTo(20);
        assertThat(numbers(tenant)).isEqualTo(before);
        assertThat(relearn.relearn()).as("nothing new").isZero();

        mesh.send(RawRecords.raw(tenant, RawRecords.pageView("new", AT)));
        awaitPersons(tenant, 31);
        assertThat(numbers(tenant)).containsEntry("new", 31L).containsAllEntriesOf(before);
    }

    @Test
    void afterAnOlderDatabaseWasRestoredPeopleAreWhoTheyWereAndWhatWasUndoneStaysUndone()
            throws Exception {
        var tenant = mesh.newTenant();
        mesh.sendAll(
                java.util.List.of(
                        RawRecords.raw(tenant, RawRecords.identify("ana", "a", AT)),
                        RawRecords.raw(tenant, RawRecords.identify("bob", "b", AT))));
        await().atMost(Duration.ofMinutes(2)).until(() -> published(tenant) == 2);
        relearn.relearn();
        var older = merges(tenant);
        var undone = older.keySet().stream().filter(m -> older.get(m).startsWith("b ")).findFirst();
        mesh.client(tenant)
                .post()
                .uri("/api/v1/users/bob/identities/{id}/undo", undone.orElseThrow())
                .exchange()
                .expectStatus()
                .isOk();
        mesh.send(RawRecords.raw(tenant, RawRecords.identify("bob", "c", AT)));
        await().atMost(Duration.ofMinutes(2)).until(() -> published(tenant) == 3);
        var before = merges(tenant);
        assertThat(before.values())
                .containsExactlyInAnyOrder("a ana merged", "b bob undone", "c bob merged");

        // as it was when ana and bob had just been merged, save what is lost of ana's
        sql("DELETE FROM person_merge WHERE tenant_id = ? AND id IN ('a', 'c')", tenant);
        sql(
                "UPDATE person_merge SET state = 'merged', revision = 1, published_revision = 1 WHERE tenant_id = ?",
                tenant);
        sql("DELETE FROM person_relearned WHERE ? <> ''", tenant);
        relearn.relearn();
        assertThat(merges(tenant)).isEqualTo(before);
        assertThat(published(tenant)).as("nothing to tell again").isEqualTo(3);
    }

    private Map<String, String> merges(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT merge_id, concat_ws(' ', id, user_id, state) FROM person_merge WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            Map<String, String> merges = new HashMap<>();
            while (rows.next()) {
                merges.put(rows.getString(1), rows.getString(2));
            }
            return merges;
        }
    }

    /** Rows of the ledger that the topic knows as they are. */
    private int published(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT count(*) FROM person_merge WHERE tenant_id = ? AND revision = published_revision")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getInt(1);
        }
    }

    private void awaitPersons(String tenant, int persons) {
        await().atMost(Duration.ofMinutes(2)).until(() -> numbers(tenant).size() == persons);
        // published with the Kafka transaction that follows the commit
        await().atMost(Duration.ofMinutes(2))
                .until(() ->
                        mesh.read("mirante.identities").stream()
                                        .filter(r ->
                                                new String(
                                                                r.key(),
                                                                java.nio.charset.StandardCharsets
                                                                        .UTF_8)
                                                        .startsWith(tenant + "\n"))
                                        .map(r ->
                                                new String(
                                                        r.key(),
                                                        java.nio.charset.StandardCharsets.UTF_8))
                                        .distinct()
                                        .count()
                                == persons);
    }

    private Map<String, Long> numbers(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT id, person_no FROM person WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            Map<String, Long> numbers = new HashMap<>();
            while (rows.next()) {
                numbers.put(rows.getString(1), rows.getLong(2));
            }
            return numbers;
        }
    }

    private void sql(String statement, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var update = connection.prepareStatement(statement)) {
            update.setString(1, tenant);
            update.executeUpdate();
        }
    }
}
