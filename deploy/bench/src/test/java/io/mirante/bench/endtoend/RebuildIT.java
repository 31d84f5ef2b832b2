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
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** Derived tables are dropped and rebuilt from the event log: the numbers are the same. */
@ExtendWith(RunningMesh.class)
class RebuildIT {

    private static final Duration LONG = Duration.ofMinutes(4);
    private static final Duration PACE = Duration.ofMillis(200);

    /** A week of its own among the tests'. */
    private static final Instant FIRST =
            Instant.now().truncatedTo(ChronoUnit.DAYS).minus(50, ChronoUnit.DAYS);

    private static final Instant END = FIRST.plus(7, ChronoUnit.DAYS);

    private static final List<String> TABLES =
            List.of(
                    "SELECT scope, granularity, starts_at, dimensions, ends_at FROM snapshot.metric_window WHERE"
                            + " tenant_id = 'demo' AND starts_at >= '%1$s' AND starts_at < '%2$s'",
                    "SELECT scope, granularity, starts_at, dimensions, metric, trim_scale(value) FROM"
                            + " snapshot.metric_value WHERE tenant_id = 'demo' AND starts_at >= '%1$s' AND starts_at <"
                            + " '%2$s'",
                    "SELECT * FROM snapshot.behaviour_event WHERE tenant_id = 'demo' AND occurred_at >= '%1$s' AND"
                            + " occurred_at < '%2$s'",
                    "SELECT p.* FROM snapshot.person p WHERE tenant_id = 'demo' AND user_id LIKE 'rebuild-%%' AND"
                            + " user_id <> 'rebuild-live'");

    @Test
    void droppedTablesComeBackTheSame(MeshUnderTest mesh) throws Exception {
        rebuild(mesh, false);
    }

    @Test
    @Tag("fault")
    void killedOnItsWayARebuildIsWholeAllTheSame(MeshUnderTest mesh) throws Exception {
        rebuild(mesh, true);
    }

    private static void rebuild(MeshUnderTest mesh, boolean kill) throws Exception {
        long seed = System.nanoTime();
        var oracle = new Oracle(mesh);
        try (MeshClient client = mesh.client()) {
            send(client, new Random(seed), kill ? 6_000 : 1_000);
            oracle.awaitQuiet(client);
            List<String> before = tables(mesh);
            drop(mesh);
            assertThat(tables(mesh)).isEmpty();

            // Others' events go on, outside of the days that are compared.
            var stop = new AtomicBoolean();
            var live = Thread.ofPlatform().start(() -> keepSending(client, stop));
            try {
                String job = recalculate(client);
                if (kill) {
                    await().atMost(LONG)
                            .until(() ->
                                    oracle.number(
                                                    "SELECT count(*) FROM etl.event_replay WHERE rebuild_id = '%s'"
                                                            .formatted(job))
                                            == 1);
                    mesh.kill("etl");
                    mesh.kill("snapshot");
                    mesh.up();
                }
                JsonNode result = completed(client, job);
                assertThat(result.path("windows_added").asInt(0)).as("%s", result).isPositive();
            } finally {
                stop.set(true);
                live.join();
            }
            assertThat(tables(mesh))
                    .as("seed %d", seed)
                    .containsExactlyInAnyOrderElementsOf(before);
            oracle.awaitQuiet(client);
            assertThat(Oracle.windowsThatDiffer(mesh))
                    .as("I4: windows are a recount of the log")
                    .isEmpty();
            JsonNode again = completed(client, recalculate(client));
            for (String name :
                    List.of(
                            "events_removed",
                            "events_written",
                            "persons_written",
                            "windows_added",
                            "windows_corrected")) {
                assertThat(again.path(name).asInt(-1)).as(name).isZero();
            }
        }
    }

    /** Shuffled over the week, some twice. */
    private static void send(MeshClient client, Random random, int number) {
        String run = UUID.randomUUID().toString();
        List<Map<String, Object>> events = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            events.add(
                    event(
                            run + i,
                            i % 3 == 0 ? "purchase" : "page_view",
                            "rebuild-" + random.nextInt(200),
                            FIRST.plusMillis(random.nextLong(Duration.ofDays(7).toMillis())),
                            i % 3 == 0
                                    ? Map.of(
                                            "amount",
                                            random.nextInt(100) + ".25",
                                            "currency",
                                            "BRL")
                                    : Map.of("url", "/p/" + i % 9)));
            if (i % 20 == 0) {
                events.add(events.getLast());
            }
            if (events.size() >= 200) {
                client.post("/api/v1/events/batch", Map.of("events", events)).required("events");
                events.clear();
            }
        }
        client.post("/api/v1/events/batch", Map.of("events", events)).required("events");
    }

    private static void keepSending(MeshClient client, AtomicBoolean stop) {
        while (!stop.get()) {
            client.post(
                    "/api/v1/events",
                    Map.of(
                            "event",
                            event(
                                    UUID.randomUUID().toString(),
                                    "page_view",
                                    "rebuild-live",
                                    Instant.now(),
                                    Map.of("url", "/live"))));
            // Fewer than a key may send in a minute.
            LockSupport.parkNanos(PACE.toNanos());
        }
    }

    private static Map<String, Object> event(
            String id, String type, String user, Instant at, Map<String, Object> data) {
        return Map.of(
                "event_id",
                id,
                "user_id",
                user,
                "session_id",
                "session-" + user,
                "timestamp",
                at.toString(),
                "event_type",
                Map.of("type", type, "data", data),
                "context",
                Map.of(
                        "location",
                        Map.of("country", "BR"),
                        "device",
                        Map.of("device_type", "mobile")));
    }

    private static String recalculate(MeshClient client) {
        Answer accepted =
                client.post(
                        "/api/v1/jobs",
                        Map.of(
                                "kind",
                                "snapshot_recalc",
                                "payload",
                                Map.of(
                                        "start_time",
                                        FIRST.toString(),
                                        "end_time",
                                        END.toString())));
        assertThat(accepted.status()).as(accepted.text()).isEqualTo(202);
        return accepted.body().path("job_id").asString("");
    }

    private static JsonNode completed(MeshClient client, String job) {
        await().atMost(LONG)
                .untilAsserted(() ->
                        assertThat(client.job(job).path("status").asString(""))
                                .as("%s", client.job(job))
                                .isEqualTo("completed"));
        return client.job(job).path("result");
    }

    private static void drop(MeshUnderTest mesh) throws SQLException {
        try (Connection database = mesh.database();
                var statement = database.createStatement()) {
            statement.execute(
                    """
                    DELETE FROM snapshot.metric_value
                        WHERE tenant_id = 'demo' AND starts_at >= '%1$s' AND starts_at < '%2$s';
                    DELETE FROM snapshot.metric_window
                        WHERE tenant_id = 'demo' AND starts_at >= '%1$s' AND starts_at < '%2$s';
                    DELETE FROM snapshot.behaviour_event
                        WHERE tenant_id = 'demo' AND occurred_at >= '%1$s' AND occurred_at < '%2$s';
                    DELETE FROM snapshot.person WHERE tenant_id = 'demo' AND user_id LIKE 'rebuild-%%'
                        AND user_id <> 'rebuild-live'
                    """
                            .formatted(FIRST, END));
        }
    }

    private static List<String> tables(MeshUnderTest mesh) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Connection database = mesh.database();
                var statement = database.createStatement()) {
            for (String table : TABLES) {
                try (var result =
                        statement.executeQuery(
                                "SELECT t::text FROM (%s) t"
                                        .formatted(table.formatted(FIRST, END)))) {
                    while (result.next()) {
                        rows.add(result.getString(1));
                    }
                }
            }
        }
        return rows;
    }
}
