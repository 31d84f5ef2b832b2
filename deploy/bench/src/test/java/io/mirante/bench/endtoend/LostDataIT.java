package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.springframework.util.FileSystemUtils;
import tools.jackson.databind.JsonNode;

/** After a loss: right numbers, or a clear stop that names the remedy. On a mesh of its own, whose Kafka forgets. */
@Tag("fault")
@Tag("rare")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LostDataIT {
    private static final long SEED = Long.getLong("mirante.fault.seed", System.currentTimeMillis());
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final List<String> FUNNEL = List.of("page_view", "purchase");
    private static final Map<String, String> LAKE = Map.of("MIRANTE_LAKE_FLUSHAFTER", "0s");
    private static final Map<String, String> ACCEPT =
            Map.of("MIRANTE_LAKE_FLUSHAFTER", "0s", "MIRANTE_ACCEPT_RECREATED_TOPICS", "true");

    /** Users of whom somebody holds other features than the log has events; features follow once the minute. */
    private static final String OTHER_FEATURES =
            """
            SELECT string_agg(format('%%s: log %%s, etl %%s, churn %%s, segmentation %%s', user_id, events,
                e.features->>'events_total', c.features->>'events_total', s.features->>'events_total'), chr(10))
            FROM (SELECT tenant_id, user_id, count(*) AS events FROM etl.analytics_event WHERE tenant_id = '%s' GROUP BY 1, 2) l
            LEFT JOIN etl.user_feature_values e USING (tenant_id, user_id)
            LEFT JOIN churn.feature_vector c USING (tenant_id, user_id)
            LEFT JOIN segmentation.user_vector s USING (tenant_id, user_id)
            WHERE events IS DISTINCT FROM (e.features->>'events_total')::numeric
                OR events IS DISTINCT FROM (c.features->>'events_total')::numeric
                OR events IS DISTINCT FROM (s.features->>'events_total')::numeric
            """;

    private static final String OTHER_EVENTS =
            """
            SELECT string_agg(coalesce(l.id, b.event_id), ' ')
            FROM (SELECT id, person_no FROM etl.analytics_event WHERE tenant_id = '%1$s') l
            FULL JOIN (SELECT event_id, person_no FROM snapshot.behaviour_event WHERE tenant_id = '%1$s') b
                ON b.event_id = l.id AND b.person_no = l.person_no
            WHERE l.id IS NULL OR b.event_id IS NULL
            """;

    private static final String PEOPLE =
            """
            SELECT count(DISTINCT v.user_id) || ' ' || count(DISTINCT v.user_id) FILTER (WHERE EXISTS (
                SELECT FROM etl.analytics_event p WHERE p.tenant_id = v.tenant_id AND p.user_id = v.user_id
                    AND p.event_type = 'purchase' AND p.occurred_at >= v.occurred_at))
            FROM etl.analytics_event v WHERE v.tenant_id = '%s' AND v.event_type = 'page_view'
            """;

    private static MeshUnderTest mesh;

    @BeforeAll
    static void start() {
        mesh = new MeshUnderTest("losses");
        mesh.up(LAKE);
    }

    @AfterAll
    static void stop() {
        mesh.close();
    }

    @Test
    @Order(1)
    void anOlderBackupIsBroughtUpToDateFromKafka() throws Exception {
        Path file = mesh.home().resolveSibling("losses.zip");
        Files.deleteIfExists(file);
        try (Traffic traffic = new Traffic(mesh, "backup", SEED)) {
            traffic.flows();
            await("files of both tenants in the lake")
                    .atMost(SOON)
                    .until(() ->
                            traffic.tenants().stream()
                                    .noneMatch(tenant -> files(tenant.id()).isEmpty()));
            traffic.flows();
            required("backup", file.toString());
            traffic.flows();
            traffic.flows();

            mesh.down();
            required("restore", file.toString());
            mesh.up(LAKE);
            traffic.flows();
            traffic.judge();
            assertAllAgree(traffic);
        }
    }

    @Test
    @Order(2)
    void withoutItsFolderOfKafkaTheMeshStopsWithTheRemedyAndTellsItsStateOnceTheLossIsAccepted()
            throws Exception {
        try (Traffic traffic = new Traffic(mesh, "kafka", SEED)) {
            traffic.flows();
            erase(traffic.clients().getFirst());
            traffic.judge();
            Map<String, Set<String>> state = state();
            assertThat(state.get(Topics.ERASURES.name())).isNotEmpty();

            mesh.down();
            assertThat(FileSystemUtils.deleteRecursively(mesh.home().resolve("kafka"))).isTrue();
            MeshUnderTest.Ended up = mesh.launcher(List.of("up", "--detach"), LAKE);
            assertThat(up.code()).as(up.output()).isEqualTo(1);
            assertThat(up.output().lines().toList().getLast())
                    .contains("was recreated")
                    .contains("Restore Kafka's folder")
                    .contains("MIRANTE_ACCEPT_RECREATED_TOPICS=true");

            mesh.up(ACCEPT);
            await("topics of state hold what they held")
                    .atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(state())
                                    .allSatisfy((topic, keys) ->
                                            assertThat(keys)
                                                    .as(topic)
                                                    .containsAll(
                                                            state.getOrDefault(topic, Set.of()))));
        }
    }

    private static void erase(MeshClient client) {
        String job =
                client.delete("/api/v1/users/somebody")
                        .required("an erasure")
                        .body()
                        .path("job_id")
                        .asString("");
        await("the erasure")
                .atMost(SOON)
                .until(() -> client.job(job).path("status").asString("").equals("completed"));
    }

    /** What others hold and answer, recounted from the log; and the lake, from what was counted. */
    private static void assertAllAgree(Traffic traffic) throws SQLException {
        for (int i = 0; i < traffic.tenants().size(); i++) {
            String tenant = traffic.tenants().get(i).id();
            MeshClient client = traffic.clients().get(i);
            assertThat(text(OTHER_EVENTS, tenant)).as("events counted otherwise").isNull();
            await("features everywhere")
                    .atMost(SOON)
                    .untilAsserted(
                            () -> assertThat(text(OTHER_FEATURES, tenant)).as("features").isNull());
            assertThat(people(client)).isEqualTo(text(PEOPLE, tenant));
            await("profiles").atMost(SOON).untilAsserted(() -> assertProfiles(tenant, client));
            assertLakeHoldsEachRowOnce(tenant);
        }
    }

    private static String people(MeshClient client) {
        List<String> steps = new ArrayList<>();
        for (JsonNode step : client.funnel(FUNNEL, null, null).path("steps")) {
            steps.add(step.path("users").asString(""));
        }
        return String.join(" ", steps);
    }

    private static void assertProfiles(String tenant, MeshClient client) throws SQLException {
        try (Connection database = mesh.database();
                Statement statement = database.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT user_id, count(*), coalesce(sum(amount), 0) FROM etl.analytics_event WHERE tenant_id = '%s' GROUP BY 1"
                                        .formatted(tenant))) {
            while (rows.next()) {
                String user = rows.getString(1);
                JsonNode profile = client.get("/api/v1/users/" + user).required("profile").body();
                assertThat(profile.path("events").path("total").asLong(0))
                        .as(user)
                        .isEqualTo(rows.getLong(2));
                BigDecimal revenue = MeshClient.decimal(profile.path("revenue").path("total"));
                assertThat(revenue).as(user).isEqualByComparingTo(rows.getBigDecimal(3));
            }
        }
    }

    /** The manifest's files, and the rows that are in none, are together the rows. */
    private static void assertLakeHoldsEachRowOnce(String tenant) throws SQLException {
        String row = "SELECT person_no || ' ' || event_id FROM ";
        String rows = row + "snapshot.behaviour_event WHERE tenant_id = '%1$s'".formatted(tenant);
        try (Connection database = mesh.database();
                Connection duckdb = DriverManager.getConnection("jdbc:duckdb:")) {
            database.setAutoCommit(false);
            database.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            List<String> all = list(database, rows);
            List<String> together =
                    list(
                            database,
                            rows
                                    + " AND stored_no > (SELECT flushed_no FROM snapshot.lake_tenant WHERE tenant_id = '%s')"
                                            .formatted(tenant));
            for (String file : files(database, tenant)) {
                Path path = mesh.home().resolve("files/snapshot/lake").resolve(file);
                together.addAll(list(duckdb, row + "read_parquet('" + path + "')"));
            }
            assertThat(together).isNotEmpty();
            assertThat(together.stream().sorted().toList())
                    .as("the lake")
                    .isEqualTo(all.stream().sorted().toList());
        }
    }

    private static List<String> files(String tenant) {
        try (Connection database = mesh.database()) {
            return files(database, tenant);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> files(Connection database, String tenant) throws SQLException {
        return list(
                database,
                "SELECT file FROM snapshot.lake_file WHERE tenant_id = '%s'".formatted(tenant));
    }

    private static List<String> list(Connection database, String query) throws SQLException {
        List<String> found = new ArrayList<>();
        try (Statement statement = database.createStatement();
                var rows = statement.executeQuery(query)) {
            while (rows.next()) {
                found.add(String.valueOf(rows.getString(1)));
            }
        }
        return found;
    }

    private static String text(String query, String tenant) throws SQLException {
        try (Connection database = mesh.database();
                Statement statement = database.createStatement();
                var rows = statement.executeQuery(query.formatted(tenant))) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** By compacted topic, keys that have a value. Persons' numbers go only to who restores an older PostgreSQL of that Kafka. */
    private static Map<String, Set<String>> state() {
        Oracle oracle = new Oracle(mesh);
        return Topics.all().stream()
                .filter(topic -> topic.compacted() && !topic.equals(Topics.IDENTITIES))
                .collect(
                        Collectors.toMap(
                                Topic::name,
                                topic -> {
                                    Set<String> keys = new TreeSet<>();
                                    oracle.read(topic.name()).stream()
                                            .filter(record -> record.value() != null)
                                            .map(record ->
                                                    new String(
                                                            record.key(), StandardCharsets.UTF_8))
                                            .forEach(keys::add);
                                    return keys;
                                }));
    }

    private static void required(String... command) {
        MeshUnderTest.Ended ended = mesh.launcher(List.of(command), Map.of());
        assertThat(ended.code()).as(ended.output()).isZero();
    }
}
