package io.mirante.testkit;

import io.mirante.contracts.Json;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import tools.jackson.databind.JsonNode;

/** A service that is asked for a job: real HTTP, and answers as the test says. Thread-safe. */
public class FakeJobs {

    /** A job that goes on. */
    public static final String RUNNING = "{\"status\":\"running\",\"progress\":0.5}";

    /** Ids in the order they were asked for, again and again. */
    public final List<String> begun = new CopyOnWriteArrayList<>();

    /** Jobs that were cancelled. */
    public final List<String> cancelled = new CopyOnWriteArrayList<>();

    /** The job as it is shown. */
    public volatile String job = RUNNING;

    /** How requests for jobs are answered. */
    public volatile int answer = 202;

    private final Map<String, JsonNode> asked = new ConcurrentHashMap<>();
    private final String id;
    private final DisposableServer server;

    /**
     * Begins to answer.
     *
     * @param path of requests for jobs
     * @param id field of their body that tells them apart
     */
    public FakeJobs(String path, String id) {
        this.id = id;
        server =
                HttpServer.create()
                        .host("127.0.0.1")
                        .port(0)
                        .route(r ->
                                r.post(path, this::begin)
                                        .get(
                                                "/api/v1/jobs/{id}",
                                                (request, response) -> json(response, 200, job))
                                        .delete("/api/v1/jobs/{id}", this::cancel))
                        .bindNow();
    }

    public String url() {
        return "http://127.0.0.1:" + server.port();
    }

    /** What was asked under an id; null = nothing was. */
    public @Nullable JsonNode asked(String of) {
        return asked.get(of);
    }

    private Publisher<Void> begin(HttpServerRequest request, HttpServerResponse response) {
        return request.receive()
                .aggregate()
                .asString()
                .map(Json.mapper()::readTree)
                .doOnNext(body -> {
                    var of = body.path(id).asString("");
                    begun.add(of);
                    asked.put(of, body);
                })
                .flatMap(body ->
                        Mono.from(
                                json(
                                        response,
                                        answer,
                                        "{\"job_id\":\"of_%s\"}"
                                                .formatted(body.path(id).asString("")))));
    }

    private Publisher<Void> cancel(HttpServerRequest request, HttpServerResponse response) {
        cancelled.add(String.valueOf(request.param("id")));
        return json(response, 200, job);
    }

    private static Publisher<Void> json(HttpServerResponse response, int status, String body) {
        return response.status(status)
                .header("Content-Type", "application/json")
                .sendString(Mono.just(body));
    }
}
