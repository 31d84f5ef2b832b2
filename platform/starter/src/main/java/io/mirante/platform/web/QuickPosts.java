package io.mirante.platform.web;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.mirante.platform.security.CachingJwtDecoder;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.util.AsciiString;
import io.netty.util.AttributeKey;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.boot.reactor.netty.NettyRouteProvider;
import org.springframework.http.HttpStatus;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.http.server.HttpServerRoutes;
import tools.jackson.databind.json.JsonMapper;

/**
 * Answers {@link QuickPost}s with what every answer has: the request's id, the headers Spring Security adds, the access
 * log's line, {@code http.server.requests}, problems. Thread-safe.
 */
final class QuickPosts implements NettyRouteProvider {

    private static final AttributeKey<Caller> CALLER = AttributeKey.valueOf("mirante.quick-caller");
    private static final String BEARER = "Bearer ";
    private static final AsciiString JSON = AsciiString.cached("application/json");
    private static final AsciiString PROBLEM = AsciiString.cached("application/problem+json");
    private static final AsciiString REQUEST_ID = AsciiString.cached(RequestIds.HEADER);

    /** As Spring Security writes them. */
    private static final List<Map.Entry<AsciiString, AsciiString>> ALWAYS =
            List.of(
                    always("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"),
                    always("Pragma", "no-cache"),
                    always("Expires", "0"),
                    always("X-Content-Type-Options", "nosniff"),
                    always("X-Frame-Options", "DENY"),
                    always("X-XSS-Protection", "0"),
                    always("Referrer-Policy", "no-referrer"));

    private final List<QuickPost> posts;
    private final CachingJwtDecoder tokens;
    private final Draining draining;
    private final MeterRegistry meters;
    private final JsonMapper json;
    private final Map<Measured, Timer> timers = new ConcurrentHashMap<>();

    /** What a timer stands for; {@code status} 0 = the caller left before there was an answer. */
    private record Measured(String path, int status, String exception) {}

    QuickPosts(
            List<QuickPost> posts,
            CachingJwtDecoder tokens,
            Draining draining,
            MeterRegistry meters,
            JsonMapper json) {
        this.posts = List.copyOf(posts);
        this.tokens = tokens;
        this.draining = draining;
        this.meters = meters;
        this.json = json;
    }

    private static Map.Entry<AsciiString, AsciiString> always(String name, String value) {
        return Map.entry(AsciiString.cached(name), AsciiString.cached(value));
    }

    @Override
    public HttpServerRoutes apply(HttpServerRoutes routes) {
        for (var post : posts) {
            routes.route(
                    request -> takes(post, request),
                    (request, response) -> answer(post, request, response));
        }
        return routes;
    }

    /** Whether the call is in its plain form; notes who is calling. */
    private boolean takes(QuickPost post, HttpServerRequest request) {
        if (!request.uri().equals(post.path()) || !HttpMethod.POST.equals(request.method())) {
            return false;
        }
        var headers = request.requestHeaders();
        var caller = plain(post, headers) ? callerOf(headers) : null;
        if (caller == null || !caller.scopes().contains(post.scope())) {
            return false;
        }
        request.withConnection(connection -> connection.channel().attr(CALLER).set(caller));
        return true;
    }

    private static boolean plain(QuickPost post, HttpHeaders headers) {
        var accept = headers.get(HttpHeaderNames.ACCEPT);
        return JSON.contentEqualsIgnoreCase(headers.get(HttpHeaderNames.CONTENT_TYPE, ""))
                && (accept == null || accept.equals("*/*") || JSON.contentEquals(accept))
                && fits(headers.get(HttpHeaderNames.CONTENT_LENGTH), post.maxBytes())
                && !headers.contains(HttpHeaderNames.CONTENT_ENCODING)
                && !headers.contains(HttpHeaderNames.TRANSFER_ENCODING)
                && !headers.contains(HttpHeaderNames.EXPECT)
                && !headers.contains(HttpHeaderNames.ORIGIN);
    }

    private static boolean fits(@Nullable String length, int maxBytes) {
        if (length == null || length.isEmpty() || length.length() > 9) {
            return false;
        }
        int bytes = 0;
        for (int i = 0; i < length.length(); i++) {
            char c = length.charAt(i);
            if (c < '0' || c > '9') {
                return false;
            }
            bytes = bytes * 10 + c - '0';
        }
        return bytes >= 1 && bytes <= maxBytes;
    }

    private @Nullable Caller callerOf(HttpHeaders headers) {
        var given = headers.getAll(HttpHeaderNames.AUTHORIZATION);
        return given.size() == 1 && given.getFirst().startsWith(BEARER)
                ? tokens.callerOf(given.getFirst().substring(BEARER.length()))
                : null;
    }

    private Publisher<Void> answer(
            QuickPost post, HttpServerRequest request, HttpServerResponse response) {
        long start = System.nanoTime();
        draining.asked();
        var id = RequestIds.of(request.requestHeaders().get(REQUEST_ID));
        var call = new Call(post, id, caller(request), start, response, new AtomicBoolean());
        return request.receive()
                .aggregate()
                .asByteArray()
                .flatMap(body -> post.work().answer(call.caller(), body))
                .flatMap(reply -> write(call, reply.status().value(), JSON, reply.body(), null))
                .onErrorResume(error -> refuse(call, error))
                .doOnCancel(() -> done(call, 0, null));
    }

    /**
     * A call on its way.
     *
     * @param told whether it was measured and logged
     */
    private record Call(
            QuickPost post,
            String id,
            Caller caller,
            long start,
            HttpServerResponse response,
            AtomicBoolean told) {}

    private static Caller caller(HttpServerRequest request) {
        var found = new Caller[1];
        request.withConnection(
                connection -> found[0] = connection.channel().attr(CALLER).getAndSet(null));
        return Objects.requireNonNull(found[0]);
    }

    private Mono<Void> refuse(Call call, Throwable error) {
        if (call.response().hasSentHeaders()) {
            return Mono.error(error);
        }
        var problem = ProblemHandler.of(error, call.post().path(), call.id());
        if (problem.retryAfter() != null) {
            call.response().header(HttpHeaderNames.RETRY_AFTER, problem.retryAfter());
        }
        return write(call, problem.status().value(), PROBLEM, problem.body(), error);
    }

    private Mono<Void> write(
            Call call, int status, AsciiString type, Object body, @Nullable Throwable error) {
        var bytes = json.writeValueAsBytes(body);
        var response = call.response().status(status);
        var headers = response.responseHeaders();
        headers.set(REQUEST_ID, call.id());
        headers.set(HttpHeaderNames.CONTENT_TYPE, type);
        headers.set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(bytes.length));
        for (var each : ALWAYS) {
            headers.set(each.getKey(), each.getValue());
        }
        if (draining.draining()) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        done(call, status, error);
        return response.sendByteArray(Mono.just(bytes)).then();
    }

    private void done(Call call, int status, @Nullable Throwable error) {
        if (!call.told().compareAndSet(false, true)) {
            return;
        }
        long nanos = System.nanoTime() - call.start();
        var exception = error == null ? "none" : error.getClass().getSimpleName();
        timers.computeIfAbsent(new Measured(call.post().path(), status, exception), this::timer)
                .record(nanos, TimeUnit.NANOSECONDS);
        AccessLog.log(
                status == 0 ? 200 : status,
                call.id(),
                call.caller().tenant(),
                nanos / 1_000_000.0,
                "POST",
                call.post().path());
    }

    /** The one that the usual way would take. */
    private Timer timer(Measured measured) {
        return Timer.builder("http.server.requests")
                .tag("method", "POST")
                .tag("uri", measured.path())
                .tag(
                        "status",
                        measured.status() == 0 ? "UNKNOWN" : Integer.toString(measured.status()))
                .tag("outcome", outcome(measured.status()))
                .tag("exception", measured.exception())
                .tag("error", measured.exception())
                .register(meters);
    }

    private static String outcome(int status) {
        var series = HttpStatus.Series.resolve(status);
        return series == null
                ? "UNKNOWN"
                : switch (series) {
                    case SUCCESSFUL -> "SUCCESS";
                    case REDIRECTION, INFORMATIONAL, CLIENT_ERROR, SERVER_ERROR -> series.name();
                };
    }
}
