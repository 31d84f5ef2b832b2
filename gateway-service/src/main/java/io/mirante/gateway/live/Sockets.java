package io.mirante.gateway.live;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.gateway.keys.Door;
import io.mirante.gateway.keys.Principal;
import io.mirante.gateway.limits.Admission;
import io.mirante.gateway.problem.Problem;
import io.mirante.gateway.problem.Problems;
import io.mirante.platform.web.RequestIds;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakeException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.util.StringUtils;
import org.springframework.web.reactive.socket.CloseStatus;
import org.springframework.web.reactive.socket.WebSocketHandler;
import org.springframework.web.reactive.socket.WebSocketMessage;
import org.springframework.web.reactive.socket.WebSocketSession;
import org.springframework.web.reactive.socket.client.WebSocketClient;
import org.springframework.web.reactive.socket.server.support.HandshakeWebSocketService;
import org.springframework.web.reactive.socket.server.upgrade.ReactorNettyRequestUpgradeStrategy;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.http.server.WebsocketServerSpec;

/**
 * Joins a client's WebSocket with one to the service behind it: frames flow both ways as fast as the slower side reads,
 * close codes are passed on. A socket ends when its key does (4401) and when the gateway shuts down (1012). Thread-safe.
 *
 * <p>With a key from the request the service is asked first, so that its refusal is an HTTP answer; when the key is to come
 * as the first message, the client's socket is open before and every refusal is a close code: 4401 for the key, 4403 for a
 * missing scope, 4429 for too many requests, 1013 when something is down.
 */
@Component
public final class Sockets implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

    /** How long a socket may stay without a key. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Duration KEY_CHECK = Duration.ofSeconds(1);
    private static final int MAX_CLIENT_FRAME_BYTES = 64 * 1024;
    private static final int UNAUTHENTICATED = 4401;
    private static final int FORBIDDEN = 4403;
    private static final int TOO_MANY = 4429;
    private static final String AUTHENTICATED = "{\"type\":\"Authenticated\"}";

    private final Door door;
    private final Problems problems;
    private final WebSocketClient services;
    private final HandshakeWebSocketService upgrade =
            new HandshakeWebSocketService(
                    new ReactorNettyRequestUpgradeStrategy(() ->
                            WebsocketServerSpec.builder()
                                    .maxFramePayloadLength(MAX_CLIENT_FRAME_BYTES)));
    private final AtomicInteger open = new AtomicInteger();
    private volatile Sinks.Empty<Void> closing = Sinks.empty();
    private volatile boolean running;

    Sockets(Door door, Problems problems, WebSocketClient services, MeterRegistry meters) {
        this.door = door;
        this.problems = problems;
        this.services = services;
        Gauge.builder("mirante.gateway.sockets", open, AtomicInteger::get)
                .description("WebSockets that are joined with a service")
                .register(meters);
    }

    /**
     * Where a socket leads.
     *
     * @param service full name, for problems
     * @param url http or https, with path and query
     */
    public record Target(String service, URI url) {

        URI webSocketUrl() {
            return URI.create("ws" + url.toString().substring("http".length()));
        }
    }

    /** Whether the request asks for a WebSocket. */
    public static boolean wanted(ServerWebExchange exchange) {
        return "websocket".equalsIgnoreCase(exchange.getRequest().getHeaders().getUpgrade());
    }

    /** Opens a socket for a key that came with the request. */
    public Mono<Void> open(
            ServerWebExchange exchange, Target target, Principal principal, String keyHash) {
        var protocols = protocols(exchange.getRequest().getHeaders());
        return services.execute(
                        target.webSocketUrl(),
                        headers(principal, exchange),
                        speaking(protocols, service -> upgraded(exchange, service, keyHash)))
                .onErrorResume(
                        e -> !exchange.getResponse().isCommitted(),
                        e -> refuse(exchange, target, e));
    }

    /** Lasts as long as the client's socket: the upgrade itself completes as soon as it is made. */
    private Mono<Void> upgraded(
            ServerWebExchange exchange, WebSocketSession service, String keyHash) {
        var ended = Sinks.<Void>empty();
        return upgrade.handleRequest(
                        exchange,
                        speaking(
                                chosen(service),
                                client ->
                                        join(
                                                        client,
                                                        Uncancelled.of(client.receive()),
                                                        service,
                                                        Flux.empty(),
                                                        keyHash)
                                                .doFinally(signal -> ended.tryEmitEmpty())))
                .then(ended.asMono());
    }

    /**
     * Opens a socket whose key is to come as the first message.
     *
     * @param admit what becomes of a key's hash; an error when that cannot be known now
     */
    public Mono<Void> openWithKeyToCome(
            ServerWebExchange exchange, Target target, Function<String, Mono<Admission>> admit) {
        return upgrade.handleRequest(
                exchange,
                client -> {
                    var spoken = new AtomicBoolean();
                    var late = new AtomicBoolean();
                    return Mono.firstWithSignal(
                            Uncancelled.of(client.receive())
                                    .switchOnFirst((first, messages) -> {
                                        var message = first.get();
                                        if (message == null) {
                                            return late.get()
                                                    ? Mono.<Void>never()
                                                    : Mono.<Void>empty();
                                        }
                                        spoken.set(true);
                                        var hash = FirstMessage.keyHashOf(message);
                                        return hash == null
                                                ? close(
                                                        client,
                                                        UNAUTHENTICATED,
                                                        "the first message must be Authenticate"
                                                                + " with payload.api_key")
                                                : admitted(
                                                        exchange,
                                                        target,
                                                        client,
                                                        messages.skip(1),
                                                        hash,
                                                        admit);
                                    })
                                    .then(),
                            Mono.delay(PATIENCE)
                                    .flatMap(tick -> {
                                        if (spoken.get()) {
                                            return Mono.never();
                                        }
                                        late.set(true);
                                        return close(client, UNAUTHENTICATED, "no key within 5 s");
                                    }));
                });
    }

    private Mono<Void> admitted(
            ServerWebExchange exchange,
            Target target,
            WebSocketSession client,
            Flux<WebSocketMessage> messages,
            String keyHash,
            Function<String, Mono<Admission>> admit) {
        return admit.apply(keyHash)
                .flatMap(admission -> {
                    var principal = admission.principal();
                    if (principal == null) {
                        return admission.late() == null
                                ? close(client, UNAUTHENTICATED, "no valid key")
                                : close(client, TOO_MANY, "too many requests; try again later");
                    }
                    return services.execute(
                            target.webSocketUrl(),
                            headers(principal, exchange),
                            service ->
                                    join(
                                            client,
                                            messages,
                                            service,
                                            Flux.just(client.textMessage(AUTHENTICATED)),
                                            keyHash));
                })
                .onErrorResume(e -> {
                    var handshake = refusedWith(e);
                    if (handshake == HttpStatus.FORBIDDEN.value()) {
                        return close(client, FORBIDDEN, "the key lacks the scope for this call");
                    }
                    LOG.atWarn()
                            .addKeyValue("request_id", RequestIds.of(exchange))
                            .log("{} takes no socket: {}", target.service(), e.toString());
                    return close(
                            client,
                            CloseStatus.SERVICE_OVERLOAD.getCode(),
                            target.service() + " does not answer at the moment; try again");
                });
    }

    /** Ends, with both sockets closed, when either side, the key or the gateway does. */
    private Mono<Void> join(
            WebSocketSession client,
            Flux<WebSocketMessage> fromClient,
            WebSocketSession service,
            Flux<WebSocketMessage> greeting,
            String keyHash) {
        return Mono.firstWithSignal(
                        pass(
                                client,
                                fromClient.doOnNext(WebSocketMessage::retain),
                                service,
                                CloseStatus.GOING_AWAY),
                        pass(
                                service,
                                greeting.concatWith(
                                        Uncancelled.of(service.receive())
                                                .doOnNext(WebSocketMessage::retain)),
                                client,
                                CloseStatus.SERVICE_RESTARTED),
                        keyGone(keyHash)
                                .then(close(client, UNAUTHENTICATED, "the key is no longer valid")),
                        closing.asMono().then(close(client, CloseStatus.SERVICE_RESTARTED)))
                .doOnSubscribe(s -> open.incrementAndGet())
                .doFinally(signal -> open.decrementAndGet());
    }

    private static Mono<Void> pass(
            WebSocketSession from,
            Flux<WebSocketMessage> messages,
            WebSocketSession to,
            CloseStatus withoutOne) {
        return to.send(messages)
                .onErrorComplete()
                .then(from.closeStatus().onErrorComplete().defaultIfEmpty(withoutOne))
                .flatMap(status -> close(to, sendable(status, withoutOne)));
    }

    /** A close status that may stand in a frame; 1005, 1006 and 1015 may not. */
    private static CloseStatus sendable(CloseStatus status, CloseStatus withoutOne) {
        return switch (status.getCode()) {
            case 1005 -> CloseStatus.NORMAL;
            case 1004, 1006, 1015 -> withoutOne;
            default -> status;
        };
    }

    /** Completes once the key is no longer valid; while that cannot be known it goes on. */
    private Mono<Void> keyGone(String keyHash) {
        return Flux.interval(KEY_CHECK)
                .onBackpressureDrop()
                .concatMap(
                        tick -> door.open(keyHash).hasElement().onErrorReturn(true), /* prefetch */
                        1)
                .filter(valid -> !valid)
                .next()
                .then();
    }

    /** Completes when the gateway shuts down or the key is no longer valid: for answers that never end by themselves. */
    public Mono<Void> ended(String keyHash) {
        return Mono.firstWithSignal(keyGone(keyHash), closing.asMono());
    }

    private Mono<Void> refuse(ServerWebExchange exchange, Target target, Throwable error) {
        int status = refusedWith(error);
        if (status == HttpStatus.FORBIDDEN.value()) {
            return problems.answer(
                    exchange,
                    HttpStatus.FORBIDDEN,
                    "missing-scope",
                    "the key lacks the scope for this call");
        }
        LOG.atWarn()
                .addKeyValue("request_id", RequestIds.of(exchange))
                .log("{} takes no socket: {}", target.service(), error.toString());
        return problems.answer(exchange, Problem.unavailable(target.service()));
    }

    /** The HTTP status with which the service refused the handshake; 0 when it did not answer. */
    private static int refusedWith(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof WebSocketClientHandshakeException handshake
                    && handshake.response() != null) {
                return handshake.response().status().code();
            }
        }
        return 0;
    }

    private HttpHeaders headers(Principal principal, ServerWebExchange exchange) {
        var headers = new HttpHeaders();
        headers.setBearerAuth(door.token(principal));
        headers.set(RequestIds.HEADER, RequestIds.of(exchange));
        return headers;
    }

    private static Mono<Void> close(WebSocketSession client, int code, String reason) {
        return close(client, new CloseStatus(code, reason));
    }

    /** Not undone by a cancellation: closing one side ends the other, which cancels whoever closes, before the frame is out. */
    private static Mono<Void> close(WebSocketSession session, CloseStatus status) {
        return Mono.defer(() -> session.close(status).cache());
    }

    private static List<String> protocols(HttpHeaders headers) {
        return headers.getOrEmpty("Sec-WebSocket-Protocol").stream()
                .flatMap(value -> List.of(StringUtils.tokenizeToStringArray(value, ",")).stream())
                .toList();
    }

    private static List<String> chosen(WebSocketSession service) {
        var protocol = service.getHandshakeInfo().getSubProtocol();
        return protocol == null ? List.of() : List.of(protocol);
    }

    private static WebSocketHandler speaking(
            List<String> protocols, Function<WebSocketSession, Mono<Void>> handler) {
        return new WebSocketHandler() {
            @Override
            public List<String> getSubProtocols() {
                return protocols;
            }

            @Override
            public Mono<Void> handle(WebSocketSession session) {
                return handler.apply(session);
            }
        };
    }

    @Override
    public void start() {
        closing = Sinks.empty();
        running = true;
    }

    /** Runs before the web server waits for what is in flight, which a socket always is. */
    @Override
    public void stop() {
        running = false;
        closing.tryEmitEmpty();
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
