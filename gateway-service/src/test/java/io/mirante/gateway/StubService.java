package io.mirante.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.http.websocket.WebsocketInbound;
import reactor.netty.http.websocket.WebsocketOutbound;
import tools.jackson.databind.json.JsonMapper;

/**
 * Stands for a service: answers with what it was asked, and with its health. A path, or a header {@code stub}, that says
 * slow, forbidden or break-off is answered so.
 */
public final class StubService {

    private final String name;
    private volatile DisposableServer server;
    private volatile String health = "{\"status\":\"UP\"}";
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Map<String, AtomicInteger> hits = new ConcurrentHashMap<>();
    private final AtomicLong framesSent = new AtomicLong();
    private volatile boolean hanging;
    private volatile int lastClose;

    public StubService(String name) {
        this.name = name;
        this.server = start(0);
    }

    public String url() {
        return "http://127.0.0.1:" + server.port();
    }

    public void health(String json) {
        health = json;
    }

    /** Its health takes longer than anyone waits. */
    public void hang(boolean on) {
        hanging = on;
    }

    public void stop() {
        server.disposeNow();
        connections.close().syncUninterruptibly();
    }

    public void startAgain() {
        server = start(server.port());
    }

    private DisposableServer start(int port) {
        return HttpServer.create()
                .host("127.0.0.1")
                .port(port)
                .doOnConnection(connection -> connections.add(connection.channel()))
                .handle(this::answer)
                .bindNow();
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
        if (path.equals("/v3/api-docs")) {
            return response.header("Content-Type", "application/json")
                    .sendString(
                            Mono.just(
                                    """
                                    {"openapi": "3.1.0", "paths": {
                                      "/api/v1/features/catalog": {"get": {}},
                                      "/api/v1/fans": {"get": {}},
                                      "/api/v1/jobs/{id}": {"get": {}, "delete": {}}}}
                                    """));
        }
        if (path.startsWith("/ws")) {
            return path.contains("forbidden")
                    ? response.status(403).send()
                    : response.sendWebsocket((in, out) -> speak(path, in, out));
        }
        if (path.startsWith("/api/v1/live")) {
            return response.sse()
                    .sendString(
                            Flux.interval(Duration.ZERO, Duration.ofMillis(100))
                                    .map(i -> "id: " + i + "\ndata: " + i + "\n\n"));
        }
        int hit = hits.computeIfAbsent(path, p -> new AtomicInteger()).incrementAndGet();
        var asked = path + " " + request.requestHeaders().get("stub", "");
        if (asked.contains("reset") && hit == 1 || asked.contains("break-off")) {
            return request.receive()
                    .then(Mono.fromRunnable(() -> request.withConnection(c -> c.channel().close())))
                    .then(Mono.never());
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
        var delay = asked.contains("slow") ? Duration.ofMillis(1_500) : Duration.ZERO;
        return request.receive()
                .map(ByteBuf::readableBytes)
                .reduce(0, Integer::sum)
                .delayElement(delay)
                .flatMap(bytes -> {
                    seen.put("bytes", bytes);
                    return response.status(asked.contains("forbidden") ? 403 : 200)
                            .header("Content-Type", "application/json")
                            .header("X-Request-Id", "the-service's-own")
                            .sendByteArray(Mono.just(json(seen)))
                            .then();
                });
    }

    /** Says who came; then echoes, closes or floods as it is told. */
    private Publisher<Void> speak(String path, WebsocketInbound in, WebsocketOutbound out) {
        var answers =
                in.receive()
                        .asString()
                        .concatMap(text -> {
                            if (text.startsWith("close ")) {
                                return out.sendClose(
                                                Integer.parseInt(text.substring(6)), "as you said")
                                        .cast(String.class);
                            }
                            if (text.startsWith("flood ")) {
                                return Flux.range(0, Integer.parseInt(text.substring(6)))
                                        .map(i -> i + " " + "x".repeat(10_000))
                                        .doOnNext(frame -> framesSent.incrementAndGet());
                            }
                            return Mono.just("echo " + text);
                        });
        var status = in.receiveCloseStatus().doOnNext(closed -> lastClose = closed.code());
        return Mono.when(
                out.sendString(
                        Flux.concat(
                                Mono.just(path + " " + in.headers().get("Authorization")),
                                answers)),
                status);
    }

    /** How often a path was asked for. */
    public int hits(String uri) {
        return hits.getOrDefault(uri, new AtomicInteger()).get();
    }

    /** Frames of floods that were taken from this service so far. */
    public long framesSent() {
        return framesSent.get();
    }

    /** The code with which the last socket was closed from the other side. */
    public int lastClose() {
        return lastClose;
    }

    private static byte[] json(Map<String, Object> seen) {
        return JsonMapper.shared().writeValueAsString(seen).getBytes(StandardCharsets.UTF_8);
    }
}
