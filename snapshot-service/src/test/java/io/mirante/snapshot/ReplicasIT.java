package io.mirante.snapshot;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.eventually;
import static io.mirante.snapshot.Asking.get;
import static io.mirante.snapshot.Asking.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import io.mirante.testkit.Replica;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;

/** Replicas join and leave, one by kill -9, while events flow: nothing is lost, nothing counted twice. */
@MeshTest
class ReplicasIT {

    private static final String FUNNEL =
            """
            {"funnel_name": "F", "window": "PT6H", "steps": [
              {"name": "Look", "condition_type": "page_view"},
              {"name": "Choose", "condition_type": "add_to_cart"},
              {"name": "Buy", "condition_type": "purchase"}]}
            """;

    @Autowired private Mesh mesh;
    @LocalServerPort private int port;

    @Test
    void replicasJoinAndLeaveWhileEventsFlow() throws Exception {
        long seed = System.nanoTime();
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        var stop = new AtomicBoolean();
        var sent = new AtomicLong();
        try (var log = new CleanLog(mesh)) {
            var writer = Thread.ofPlatform().start(() -> write(log, tenant, seed, stop, sent));
            try (var second = mesh.replica(SnapshotApplication.class, Map.of())) {
                ready(second);
                flow(sent, 1_000);
                try (var third = mesh.replica(SnapshotApplication.class, Map.of())) {
                    ready(third);
                    flow(sent, 1_000);
                    third.kill();
                }
                flow(sent, 1_000);
                stop.set(true);
                writer.join();
                counted(log, client);

                Recount.equalsWindows(mesh, tenant);
                assertThat(
                                Recount.count(
                                        mesh,
                                        "SELECT count(*) FROM behaviour_event WHERE tenant_id = ?",
                                        tenant))
                        .as("seed %d", seed)
                        .isEqualTo(sent.get());
                var other = mesh.client(second, tenant, "analytics.view");
                counted(log, other);
                var here = post(client, 200, "/api/v1/analytics/funnel", FUNNEL);
                var there = post(other, 200, "/api/v1/analytics/funnel", FUNNEL);
                assertThat(here.path("steps")).isEqualTo(there.path("steps"));
                assertThat(here.path("steps").get(2).path("users").asLong()).isPositive();
                assertThat(here.path("funnel_id")).isEqualTo(there.path("funnel_id"));
                assertThat(get(client, "/api/v1/snapshots?scope=event&limit=500").path("items"))
                        .isEqualTo(
                                get(other, "/api/v1/snapshots?scope=event&limit=500")
                                        .path("items"));
                assertSameFeed(log, tenant, port, second.port());
                sent.addAndGet(100);
                second.terminate();
            } finally {
                stop.set(true);
                writer.join();
            }
            // What was the replica's is taken over.
            log.send(CleanLog.event(tenant, "last", "login", 1, "2026-11-20T10:00:00Z", "{}"));
            sent.incrementAndGet();
            counted(log, client);
            Recount.equalsWindows(mesh, tenant);
        }
    }

    private void assertSameFeed(CleanLog log, String tenant, int here, int there) {
        var frames = List.of(frames(), frames());
        try (var http = HttpClient.newHttpClient()) {
            var sockets =
                    List.of(
                            subscribe(http, here, tenant, frames.get(0)),
                            subscribe(http, there, tenant, frames.get(1)));
            frames.forEach(f -> eventually(() -> assertThat(f).hasSize(1)));
            var events = new ArrayList<CleanEvent>();
            for (int i = 0; i < 100; i++) {
                events.add(
                        CleanLog.event(
                                tenant, "live" + i, "login", i % 7, "2026-11-20T10:00:00Z", "{}"));
            }
            log.send(events);
            eventually(() -> {
                assertThat(ids(frames.get(0))).hasSize(100);
                assertThat(ids(frames.get(1))).isEqualTo(ids(frames.get(0)));
            });
            sockets.forEach(WebSocket::abort);
        }
    }

    private static List<JsonNode> frames() {
        return new CopyOnWriteArrayList<>();
    }

    private static Set<String> ids(List<JsonNode> frames) {
        return frames.stream()
                .filter(f -> f.has("id"))
                .map(f -> f.path("id").stringValue())
                .collect(Collectors.toSet());
    }

    private WebSocket subscribe(HttpClient http, int port, String tenant, List<JsonNode> frames) {
        var socket =
                http.newWebSocketBuilder()
                        .header("Authorization", "Bearer " + mesh.token(tenant, "analytics.view"))
                        .buildAsync(
                                URI.create("ws://127.0.0.1:" + port + "/ws"),
                                new LiveReader(frames))
                        .join();
        socket.sendText("{\"type\":\"Subscribe\",\"payload\":{\"channels\":[\"events\"]}}", true)
                .join();
        return socket;
    }

    private static void ready(Replica replica) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(replica.isReady() || !replica.isAlive()).isTrue());
        assertThat(replica.isAlive()).as(replica.text()).isTrue();
    }

    private static void flow(AtomicLong sent, long more) {
        long until = sent.get() + more;
        eventually(() -> assertThat(sent.get()).isGreaterThanOrEqualTo(until));
    }

    private static void write(
            CleanLog log, String tenant, long seed, AtomicBoolean stop, AtomicLong sent) {
        var random = new Random(seed);
        var begin = Instant.parse("2026-11-01T00:00:00Z");
        var types = List.of("page_view", "add_to_cart", "purchase", "login");
        while (!stop.get()) {
            List<CleanEvent> events = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                events.add(
                        CleanLog.event(
                                tenant,
                                "e" + sent.get() + "-" + i,
                                types.get(random.nextInt(types.size())),
                                1 + random.nextInt(60),
                                begin.plusSeconds(random.nextInt(5 * 86_400)),
                                null,
                                "{\"url\":\"/\",\"amount\":\"%d.%02d\"}"
                                        .formatted(random.nextInt(90), random.nextInt(100))));
            }
            log.send(events);
            sent.addAndGet(events.size());
            Awaitility.await().pollDelay(Duration.ofMillis(20)).until(() -> true);
        }
    }
}
