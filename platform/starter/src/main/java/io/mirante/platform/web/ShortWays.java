package io.mirante.platform.web;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
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
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.boot.reactor.netty.NettyRouteProvider;
import org.springframework.http.HttpStatus;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.http.server.HttpServerRoutes;
import tools.jackson.databind.json.JsonMapper;

/**
 * Answers calls that take a {@link ShortWay} with what every answer has: the request's id, the access log's line, {@code
 * http.server.requests}, problems. Thread-safe.
 */
final class ShortWays implements NettyRouteProvider {

    static final AsciiString JSON = AsciiString.cached("application/json");

    private static final AttributeKey<Taken> CALL = AttributeKey.valueOf("mirante.short-way");

    /** Of Linux's {@code tcp_states.h}. */
    private static final int TCP_ESTABLISHED = 1;

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

    /**
     * A call that takes a short way.
     *
     * @param bytes of its body, which have their place among those that are gathered
     */
    private record Taken(ShortWay.Call call, int bytes) {}

    private final List<? extends ShortWay> ways;
    private final long room;
    private final AtomicLong gathered = new AtomicLong();
    private final Draining draining;
    private final MeterRegistry meters;
    private final JsonMapper json;
    private final Map<Measured, Timer> meterOf = new ConcurrentHashMap<>();
    private final Map<EventLoop, Scheduler> timers = new ConcurrentHashMap<>();

    /** What a timer stands for; {@code status} 0 = the caller left before there was an answer. */
    private record Measured(String path, int status, String exception) {}

    /**
     * Answers calls of these ways.
     *
     * @param room bytes of all bodies that are gathered at a time; a call whose body finds none takes the usual way
     */
    ShortWays(
            List<? extends ShortWay> ways,
            long room,
            Draining draining,
            MeterRegistry meters,
            JsonMapper json) {
        this.ways = List.copyOf(ways);
        this.room = room;
        this.draining = draining;
        this.meters = meters;
        this.json = json;
    }

    private static Map.Entry<AsciiString, AsciiString> always(String name, String value) {
        return Map.entry(AsciiString.cached(name), AsciiString.cached(value));
    }

    /** Adds the headers that Spring Security adds to every answer of a service. */
    static void addAlways(HttpHeaders headers) {
        for (var each : ALWAYS) {
            headers.set(each.getKey(), each.getValue());
        }
    }

    @Override
    public HttpServerRoutes apply(HttpServerRoutes routes) {
        for (var way : ways) {
            routes.route(
                    request -> takes(way, request),
                    (request, response) -> answer(way, request, response));
        }
        return routes;
    }

    /** Whether the call is in its plain form; notes what answers it. */
    private boolean takes(ShortWay way, HttpServerRequest request) {
        if (!request.uri().equals(way.path()) || !HttpMethod.POST.equals(request.method())) {
            return false;
        }
        var headers = request.requestHeaders();
        var call = plain(headers) ? way.enter(headers) : null;
        int bytes = length(headers.get(HttpHeaderNames.CONTENT_LENGTH));
        if (call == null || bytes < 1 || bytes > way.maxBytes() || !gather(bytes)) {
            return false;
        }
        request.withConnection(
                connection -> connection.channel().attr(CALL).set(new Taken(call, bytes)));
        return true;
    }

    private boolean gather(int bytes) {
        if (gathered.addAndGet(bytes) <= room) {
            return true;
        }
        gathered.addAndGet(-bytes);
        return false;
    }

    private static boolean plain(HttpHeaders headers) {
        var accept = headers.get(HttpHeaderNames.ACCEPT);
        return JSON.contentEqualsIgnoreCase(headers.get(HttpHeaderNames.CONTENT_TYPE, ""))
                && (accept == null || accept.equals("*/*") || JSON.contentEquals(accept))
                && !headers.contains(HttpHeaderNames.CONTENT_ENCODING)
                && !headers.contains(HttpHeaderNames.TRANSFER_ENCODING)
                && !headers.contains(HttpHeaderNames.EXPECT)
                && !headers.contains(HttpHeaderNames.ORIGIN);
    }

    /** What a Content-Length says; 0 when it is missing or no plain number of up to nine digits. */
    private static int length(@Nullable String length) {
        if (length == null || length.length() > 9) {
            return 0;
        }
        int bytes = 0;
        for (int i = 0; i < length.length(); i++) {
            char c = length.charAt(i);
            if (c < '0' || c > '9') {
                return 0;
            }
            bytes = bytes * 10 + c - '0';
        }
        return bytes;
    }

    private Publisher<Void> answer(
            ShortWay way, HttpServerRequest request, HttpServerResponse response) {
        long start = System.nanoTime();
        draining.asked();
        var headers = request.requestHeaders();
        var id = RequestIds.of(headers.get(REQUEST_ID));
        var taken = callOf(request);
        var call = taken.call();
        var asked = new Asked(way.path(), id, call.tenant(), start, response, new AtomicBoolean());
        var loop = loopOf(request);
        return body(way, request, loop)
                .flatMap(body ->
                        hasLeft(request)
                                ? Mono.never()
                                : call.answer(new ShortWay.Request(id, headers, body, loop)))
                .flatMap(answer -> write(asked, answer))
                .onErrorResume(error -> refuse(asked, error))
                .doOnCancel(() -> done(asked, 0, null))
                .doFinally(end -> gathered.addAndGet(-taken.bytes()));
    }

    /**
     * Whether the client has hung up; its connection is then closed, which cancels what waits. Of clients that give up, the
     * requests lie in the sockets of a server that is too busy to read them. They would otherwise take the time of those whose
     * clients still wait, and then those clients would give up.
     */
    private static boolean hasLeft(HttpServerRequest request) {
        var left = new boolean[1];
        request.withConnection(connection -> {
            if (connection.channel() instanceof EpollSocketChannel channel
                    && channel.isOpen()
                    && channel.tcpInfo().state() != TCP_ESTABLISHED) {
                left[0] = true;
                connection.dispose();
            }
        });
        return left[0];
    }

    /** The whole body, or 408; a timer on the event loop costs a tenth of one elsewhere. */
    private Mono<byte[]> body(ShortWay way, HttpServerRequest request, EventLoop loop) {
        var body = request.receive().aggregate().asByteArray();
        if (way.bodyWithin().isZero()) {
            return body;
        }
        return body.timeout(
                way.bodyWithin(),
                Mono.error(() ->
                        ProblemException.of(
                                HttpStatus.REQUEST_TIMEOUT,
                                "request-timeout",
                                "the body did not arrive within %d ms"
                                        .formatted(way.bodyWithin().toMillis()))),
                timers.computeIfAbsent(loop, Schedulers::fromExecutorService));
    }

    private static EventLoop loopOf(HttpServerRequest request) {
        var loop = new EventLoop[1];
        request.withConnection(connection -> loop[0] = connection.channel().eventLoop());
        return Objects.requireNonNull(loop[0]);
    }

    /**
     * A call on its way.
     *
     * @param told whether it was measured and logged
     */
    private record Asked(
            String path,
            String id,
            String tenant,
            long start,
            HttpServerResponse response,
            AtomicBoolean told) {}

    private static Taken callOf(HttpServerRequest request) {
        var found = new Taken[1];
        request.withConnection(
                connection -> found[0] = connection.channel().attr(CALL).getAndSet(null));
        return Objects.requireNonNull(found[0]);
    }

    private Mono<Void> refuse(Asked asked, Throwable error) {
        if (asked.response().hasSentHeaders()) {
            return Mono.error(error);
        }
        var problem = ProblemHandler.of(error, asked.path(), asked.id());
        var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        headers.set(HttpHeaderNames.CONTENT_TYPE, PROBLEM);
        addAlways(headers);
        if (problem.retryAfter() != null) {
            headers.set(HttpHeaderNames.RETRY_AFTER, problem.retryAfter());
        }
        return write(
                asked,
                new ShortWay.Answer(
                        problem.status().value(),
                        headers,
                        json.writeValueAsBytes(problem.body()),
                        error));
    }

    private Mono<Void> write(Asked asked, ShortWay.Answer answer) {
        var response = asked.response().status(answer.status());
        var headers = response.responseHeaders();
        headers.add(answer.headers());
        headers.set(REQUEST_ID, asked.id());
        headers.set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(answer.body().length));
        boolean unread = answer.status() == HttpStatus.REQUEST_TIMEOUT.value();
        if (unread || draining.draining()) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        done(asked, answer.status(), answer.error());
        return response.sendByteArray(Mono.just(answer.body())).then();
    }

    private void done(Asked asked, int status, @Nullable Throwable error) {
        if (!asked.told().compareAndSet(false, true)) {
            return;
        }
        long nanos = System.nanoTime() - asked.start();
        var exception = error == null ? "none" : error.getClass().getSimpleName();
        meterOf.computeIfAbsent(new Measured(asked.path(), status, exception), this::timer)
                .record(nanos, TimeUnit.NANOSECONDS);
        AccessLog.log(
                status == 0 ? 200 : status,
                asked.id(),
                asked.tenant(),
                nanos / 1_000_000.0,
                "POST",
                asked.path());
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
