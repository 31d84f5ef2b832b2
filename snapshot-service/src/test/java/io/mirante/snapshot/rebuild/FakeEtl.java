package io.mirante.snapshot.rebuild;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.ReplayEnded;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import tools.jackson.databind.JsonNode;

/** etl's side of a rebuild: real HTTP, and a replay of what the test says is in the log, when the test says so. */
final class FakeEtl {

    private final Map<String, JsonNode> asked = new ConcurrentHashMap<>();
    final List<String> begun = new CopyOnWriteArrayList<>();
    volatile String status = "running";
    volatile int answer = 202;
    private final DisposableServer server;

    FakeEtl() {
        server =
                HttpServer.create()
                        .host("127.0.0.1")
                        .port(0)
                        .route(r ->
                                r.post("/api/v1/etl/replays", this::begin)
                                        .get("/api/v1/jobs/{id}", this::job))
                        .bindNow();
    }

    String url() {
        return "http://127.0.0.1:" + server.port();
    }

    /** What the rebuild asked for; null = it has not. */
    @Nullable JsonNode asked(String rebuildId) {
        return asked.get(rebuildId);
    }

    /** Sends events of the log, those of the range that was asked for. */
    void replay(Mesh mesh, String rebuildId, List<CleanEvent> log) {
        var range = asked.get(rebuildId);
        var start = Instant.parse(range.path("start_time").stringValue());
        var end = Instant.parse(range.path("end_time").stringValue());
        mesh.sendAll(
                log.stream()
                        .filter(e ->
                                !e.occurredAt().isBefore(start) && e.occurredAt().isBefore(end))
                        .map(e ->
                                new Outgoing(
                                        Topics.EVENTS_REPLAY.name(),
                                        null,
                                        Keys.of(e.tenantId(), String.valueOf(e.personId())),
                                        Json.mapper().writeValueAsBytes(e),
                                        Map.of(
                                                CloudHeaders.TENANT,
                                                e.tenantId(),
                                                CloudHeaders.TYPE,
                                                e.eventType(),
                                                CloudHeaders.REBUILD_ID,
                                                rebuildId)))
                        .toList());
    }

    /** Says on every partition that the replay has ended. */
    static void end(Mesh mesh, ReplayEnded ended) {
        mesh.sendAll(
                IntStream.range(0, Topics.PARTITIONS)
                        .mapToObj(partition ->
                                new Outgoing(
                                        Topics.EVENTS_REPLAY.name(),
                                        partition,
                                        Keys.of(ended.tenantId(), ended.rebuildId()),
                                        Json.mapper().writeValueAsBytes(ended),
                                        Map.of(
                                                CloudHeaders.TENANT,
                                                ended.tenantId(),
                                                CloudHeaders.TYPE,
                                                ReplayEnded.TYPE,
                                                CloudHeaders.REBUILD_ID,
                                                ended.rebuildId())))
                        .toList());
    }

    private org.reactivestreams.Publisher<Void> begin(
            HttpServerRequest request, HttpServerResponse response) {
        return request.receive()
                .aggregate()
                .asString()
                .map(Json.mapper()::readTree)
                .doOnNext(body -> {
                    begun.add(body.path("rebuild_id").stringValue());
                    asked.put(body.path("rebuild_id").stringValue(), body);
                })
                .then(
                        Mono.defer(
                                () -> Mono.from(json(response, answer, "{\"job_id\":\"etl_1\"}"))));
    }

    private org.reactivestreams.Publisher<Void> job(
            HttpServerRequest request, HttpServerResponse response) {
        return json(response, 200, "{\"status\":\"%s\",\"progress\":0.5}".formatted(status));
    }

    private static org.reactivestreams.Publisher<Void> json(
            HttpServerResponse response, int status, String body) {
        return response.status(status)
                .header("Content-Type", "application/json")
                .sendString(Mono.just(body));
    }
}
