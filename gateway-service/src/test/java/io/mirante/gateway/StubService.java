package io.mirante.gateway;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import tools.jackson.databind.json.JsonMapper;

/** Stands for a service: answers with what it was asked, and with its health. */
public final class StubService {

    private final String name;
    private volatile DisposableServer server;
    private volatile String health = "{\"status\":\"UP\"}";
    private volatile boolean hanging;

    public StubService(String name) {
        this.name = name;
        this.server = start(0);
    }

    public String url() {
        return "http://127.0.0.1:" + server.port();
    }

    void health(String json) {
        health = json;
    }

    /** Its health takes longer than anyone waits. */
    void hang(boolean on) {
        hanging = on;
    }

    void stop() {
        server.disposeNow();
    }

    void startAgain() {
        server = start(server.port());
    }

    private DisposableServer start(int port) {
        return HttpServer.create().host("127.0.0.1").port(port).handle(this::answer).bindNow();
    }

    private Publisher<Void> answer(HttpServerRequest request, HttpServerResponse response) {
        var path = request.uri();
        if (path.startsWith("/actuator/health")) {
            var body =
                    response.header("Content-Type", "application/json")
                            .sendString(Mono.just(health));
            return hanging ? Mono.delay(Duration.ofSeconds(30)).then() : body;
        }
        if (path.startsWith("/actuator/prometheus")) {
            return response.header("Content-Type", "text/plain")
                    .sendString(Mono.just("# HELP up x\n# TYPE up gauge\nup 1.0\n"));
        }
        if (path.startsWith("/ws")) {
            return response.sendWebsocket((in, out) ->
                    out.sendString(Mono.just(path + " " + in.headers().get("Authorization"))));
        }
        var seen = new TreeMap<String, Object>();
        seen.put("service", name);
        seen.put("method", request.method().name());
        seen.put("uri", path);
        var headers = new TreeMap<String, String>();
        request.requestHeaders()
                .forEach(h ->
                        headers.put(h.getKey().toLowerCase(java.util.Locale.ROOT), h.getValue()));
        seen.put("headers", headers);
        var delay = path.contains("slow") ? Duration.ofMillis(1_500) : Duration.ZERO;
        return request.receive()
                .map(ByteBuf::readableBytes)
                .reduce(0, Integer::sum)
                .delayElement(delay)
                .flatMap(bytes -> {
                    seen.put("bytes", bytes);
                    return response.status(path.contains("forbidden") ? 403 : 200)
                            .header("Content-Type", "application/json")
                            .header("X-Request-Id", "the-service's-own")
                            .sendByteArray(Mono.just(json(seen)))
                            .then();
                });
    }

    private static byte[] json(Map<String, Object> seen) {
        return JsonMapper.shared().writeValueAsString(seen).getBytes(StandardCharsets.UTF_8);
    }
}
