package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** Derived tables are dropped, and rebuilt from the event log by services that are killed on the way. */
@ExtendWith(RunningMesh.class)
class RebuildFaultsIT {
    private static final Duration LONG = Duration.ofMinutes(4);
    private static final int EVENTS = 8_000;
    private static final int BATCH = 500;
    private static final List<String> FUNNEL = List.of("page_view", "purchase");
    private static final List<String> TABLES =
            List.of(
                    "SELECT scope, granularity, starts_at, dimensions, ends_at FROM snapshot.metric_window",
                    "SELECT scope, granularity, starts_at, dimensions, metric, trim_scale(value) FROM snapshot.metric_value",
                    "SELECT person_no, occurred_at, event_id, event_type, main_property, session_id, user_id, country, device,"
                            + " data, received_at FROM snapshot.behaviour_event",
                    "SELECT person_no, user_id, anonymous_id, first_seen_at, last_seen_at FROM snapshot.person");

    private final Instant first =
            Instant.now().truncatedTo(ChronoUnit.DAYS).minus(50, ChronoUnit.DAYS);

    @Test
    @Tag("fault")
    @Tag("rare")
    void killedWhileItFillsAndInItsSwapARebuildGivesTheSameNumbers(MeshUnderTest mesh) {
        mesh.up();
        long seed = Long.getLong("mirante.fault.seed", System.currentTimeMillis());
        System.out.println("rebuild: -Dmirante.fault.seed=" + seed);
        MeshUnderTest.Tenant tenant = mesh.newTenant("Rebuilt");
        try (MeshClient client = new MeshClient(mesh.url(), tenant.key());
                Traffic others = new Traffic(mesh, "rebuild", seed)) {
            send(client, new Random(seed));
            await("all is counted")
                    .atMost(LONG)
                    .untilAsserted(() ->
                            assertThat(
                                            number(
                                                    mesh,
                                                    tenant,
                                                    "SELECT count(*) FROM snapshot.behaviour_event"))
                                    .isEqualTo(EVENTS));
            List<String> before = tables(mesh, tenant);
            JsonNode funnel = steps(client);
            JsonNode overview = overview(client);
            drop(mesh, tenant);
            assertThat(tables(mesh, tenant)).as("the damage").isEmpty();

            String job = killed(mesh, tenant, client);
            JsonNode result = completed(client, job);
            assertThat(result.path("events_written").asInt(0)).as("%s", result).isEqualTo(EVENTS);

            assertThat(tables(mesh, tenant)).containsExactlyInAnyOrderElementsOf(before);
            assertThat(steps(client)).isEqualTo(funnel);
            assertThat(overview(client)).isEqualTo(overview);
            others.judge();
        }
    }

    /** Begins a rebuild, in which etl and snapshot are killed while it is filled, and snapshot just before its swap's commit. */
    private static String killed(
            MeshUnderTest mesh, MeshUnderTest.Tenant tenant, MeshClient client) {
        ProcessHandle etl = mesh.process("etl");
        ProcessHandle snapshot = mesh.process("snapshot");
        String job;
        try (Locked replay =
                new Locked(
                        mesh,
                        "SELECT 1 FROM etl.event_replay WHERE tenant_id = ? FOR UPDATE",
                        tenant.id())) {
            job = recalculate(client);
            replay.take();
            replay.awaitWaiting();
            MeshUnderTest.kill(etl);
            MeshUnderTest.kill(snapshot);
        }
        assertThat(number(mesh, tenant, "SELECT events FROM etl.event_replay"))
                .as("events known to be replayed")
                .isLessThan(EVENTS);
        try (Locked swap =
                new Locked(
                        mesh,
                        "SELECT 1 FROM snapshot.rebuild WHERE tenant_id = ? AND state = 'running' FOR UPDATE",
                        tenant.id())) {
            swap.take();
            mesh.up();
            swap.awaitWaiting();
            MeshUnderTest.kill(mesh.process("snapshot"));
        }
        assertThat(tables(mesh, tenant)).as("half a swap is none").isEmpty();
        mesh.up();
        return job;
    }

    /** Shuffled over a week. */
    private void send(MeshClient client, Random random) {
        List<Map<String, Object>> events = new ArrayList<>();
        for (int i = 0; i < EVENTS; i++) {
            boolean purchase = i % 3 == 0;
            events.add(
                    Map.of(
                            "event_id",
                            "rebuild-" + i,
                            "user_id",
                            "rebuild-" + random.nextInt(3_000),
                            "timestamp",
                            first.plusMillis(random.nextLong(Duration.ofDays(7).toMillis()))
                                    .toString(),
                            "event_type",
                            Map.of(
                                    "type",
                                    purchase ? "purchase" : "page_view",
                                    "data",
                                    purchase
                                            ? Map.of(
                                                    "amount",
                                                    random.nextInt(100) + ".25",
                                                    "currency",
                                                    "USD")
                                            : Map.of("url", "/p/" + i % 9))));
            if (events.size() == BATCH) {
                client.post("/api/v1/events/batch", Map.of("events", events)).required("events");
                events.clear();
            }
        }
    }

    private static String recalculate(MeshClient client) {
        Answer accepted =
                client.post("/api/v1/jobs", Map.of("kind", "snapshot_recalc", "payload", Map.of()));
        assertThat(accepted.status()).as(accepted.text()).isEqualTo(202);
        return accepted.body().path("job_id").asString("");
    }

    private static JsonNode completed(MeshClient client, String job) {
        await("the rebuild's end")
                .atMost(LONG)
                .untilAsserted(() ->
                        assertThat(client.job(job).path("status").asString(""))
                                .as("%s", client.job(job))
                                .isEqualTo("completed"));
        return client.job(job).path("result");
    }

    private static JsonNode steps(MeshClient client) {
        return client.funnel(FUNNEL, null, null).path("steps");
    }

    private JsonNode overview(MeshClient client) {
        return client.overview(first, first.plus(7, ChronoUnit.DAYS)).path("events");
    }

    private static void drop(MeshUnderTest mesh, MeshUnderTest.Tenant tenant) {
        try (Connection database = mesh.database();
                var statement = database.createStatement()) {
            for (String table :
                    List.of("metric_value", "metric_window", "behaviour_event", "person")) {
                statement.execute(
                        "DELETE FROM snapshot.%s WHERE tenant_id = '%s'"
                                .formatted(table, tenant.id()));
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static long number(MeshUnderTest mesh, MeshUnderTest.Tenant tenant, String query) {
        return new Oracle(mesh).number(query + " WHERE tenant_id = '" + tenant.id() + "'");
    }

    private static List<String> tables(MeshUnderTest mesh, MeshUnderTest.Tenant tenant) {
        List<String> rows = new ArrayList<>();
        try (Connection database = mesh.database();
                var statement = database.createStatement()) {
            for (String table : TABLES) {
                try (var result =
                        statement.executeQuery(
                                "SELECT t::text FROM (%s WHERE tenant_id = '%s') t"
                                        .formatted(table, tenant.id()))) {
                    while (result.next()) {
                        rows.add(result.getString(1));
                    }
                }
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        return rows;
    }
}
