package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.guard.ServiceGuards;
import io.mirante.gateway.keys.Door;
import io.mirante.gateway.keys.PresentedKey;
import io.mirante.gateway.keys.Principal;
import io.mirante.gateway.limits.Admission;
import io.mirante.gateway.limits.RequestLimits;
import io.mirante.gateway.limits.Verdict;
import io.mirante.gateway.problem.Problem;
import io.mirante.gateway.problem.Problems;
import io.mirante.platform.web.RequestIds;
import io.mirante.platform.web.ShortWay;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.MediaType;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;

/**
 * The {@link ShortWay} through the gateway: what {@link DoorFilter}, {@link PassOn} and Spring Cloud Gateway do for one path,
 * for small bodies and keys that this gateway has seen to be good. The key is looked up as for any call, the request
 * counted, and bulkhead and breaker of the service are the same; what overtaxes the service is refused at once. Thread-safe.
 */
final class QuickPass implements ShortWay {

    /**
     * Bodies up to 16 KiB are gathered, which is about what one read from a connection brings; larger ones flow through
     * the usual way.
     */
    static final int MAX_BYTES = 16 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(QuickPass.class);
    private static final AsciiString API_KEY = AsciiString.cached("x-api-key");
    private static final String FORWARDED = "x-forwarded-";

    /** Names in lower case; of one connection only, or written anew. */
    private static final Set<String> NOT_PASSED_ON =
            Set.of(
                    "authorization",
                    "connection",
                    "content-length",
                    "cookie",
                    "forwarded",
                    "host",
                    "keep-alive",
                    "proxy-authenticate",
                    "proxy-authorization",
                    "te",
                    "trailer",
                    "transfer-encoding",
                    "upgrade",
                    "x-api-key",
                    "x-application-context",
                    "x-request-id");

    private final String path;
    private final Routes.Route route;
    private final Door door;
    private final RequestLimits limits;
    private final ServiceGuards guards;
    private final Problems problems;
    private final GatewaySettings settings;
    private final HttpClient.RequestSender client;

    /**
     * A short way for POSTs of this path, which must have a time limit and a body limit.
     *
     * @param http the client that Spring Cloud Gateway uses
     */
    QuickPass(
            String path,
            Door door,
            RequestLimits limits,
            ServiceGuards guards,
            Problems problems,
            GatewaySettings settings,
            HttpClient http) {
        this.path = path;
        this.route = Routes.find("POST", path).orElseThrow();
        if (!route.timed() || !route.bodyLimited()) {
            throw new IllegalArgumentException("no short way for streams: " + path);
        }
        this.door = door;
        this.limits = limits;
        this.guards = guards;
        this.problems = problems;
        this.settings = settings;
        var base = Objects.requireNonNull(settings.services().get(route.service())).url();
        this.client =
                http.responseTimeout(settings.timeout()).post().uri(base.resolve(path).toString());
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public int maxBytes() {
        return (int) Math.min(MAX_BYTES, settings.maxBodyBytes());
    }

    @Override
    public Duration bodyWithin() {
        return settings.timeout();
    }

    @Override
    public @Nullable Call enter(HttpHeaders headers) {
        if (!plain(headers)) {
            return null;
        }
        var key =
                PresentedKey.hashOf(
                        headers.get(API_KEY), headers.get(HttpHeaderNames.AUTHORIZATION));
        var who = key == null ? null : door.known(key);
        return who == null ? null : new PassedCall(Objects.requireNonNull(key), who.tenant());
    }

    /** Whether it holds nothing that the firewall or the codec would have to look at. */
    private static boolean plain(HttpHeaders headers) {
        var connection = headers.get(HttpHeaderNames.CONNECTION);
        if (headers.contains(HttpHeaderNames.UPGRADE)
                || !(connection == null
                        || connection.equalsIgnoreCase("keep-alive")
                        || connection.equalsIgnoreCase("close"))) {
            return false;
        }
        for (var all = headers.iteratorCharSequence(); all.hasNext(); ) {
            var header = all.next();
            if (!printable(header.getKey()) || !printable(header.getValue())) {
                return false;
            }
        }
        return true;
    }

    private static boolean printable(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~') {
                return false;
            }
        }
        return true;
    }

    /** A call with a key that was good when it was last looked up. */
    private final class PassedCall implements Call {

        private final String key;
        private final String tenant;

        PassedCall(String key, String tenant) {
            this.key = key;
            this.tenant = tenant;
        }

        @Override
        public String tenant() {
            return tenant;
        }

        @Override
        public Mono<Answer> answer(Request request) {
            return door.open(key)
                    .map(Admission::of)
                    .defaultIfEmpty(Admission.NOBODY)
                    .onErrorResume(error -> {
                        LOG.atWarn()
                                .addKeyValue("request_id", request.id())
                                .log("the key cannot be checked: {}", error.getMessage());
                        return Mono.just(Admission.UNKNOWABLE);
                    })
                    .flatMap(admission -> admitted(admission, request));
        }
    }

    private Mono<Answer> admitted(Admission admission, Request request) {
        var who = admission.principal();
        if (who == null) {
            return refused(DoorFilter.refusal(admission), null, request.id(), null);
        }
        return limits.take(who)
                .map(Optional::of)
                .defaultIfEmpty(Optional.empty())
                .flatMap(taken -> {
                    var verdict = taken.orElse(null);
                    return verdict == null || verdict.passes()
                            ? passedOn(who, verdict, request)
                            : refused(
                                    DoorFilter.refusal(Admission.late(verdict)),
                                    verdict,
                                    request.id(),
                                    null);
                });
    }

    private Mono<Answer> passedOn(Principal who, @Nullable Verdict verdict, Request request) {
        var service = route.service().fullName();
        return guards.inQuickLimit(
                        service,
                        guards.throughBreaker(
                                service,
                                error -> PassOn.failed(true, error),
                                answered -> ask(who, request, answered)))
                .map(reply -> {
                    write(verdict, reply.headers());
                    return reply;
                })
                .onErrorResume(error -> {
                    var problem = PassOn.problemOf(error, service, true, settings, request.id());
                    return problem == null
                            ? Mono.error(error)
                            : refused(problem, verdict, request.id(), error);
                });
    }

    private Mono<Answer> ask(Principal who, Request asked, Runnable answered) {
        return client.send(
                        (request, outbound) -> {
                            var passed = request.requestHeaders();
                            for (var all = asked.headers().iteratorAsString(); all.hasNext(); ) {
                                var header = all.next();
                                if (passes(header.getKey())) {
                                    passed.add(header.getKey(), header.getValue());
                                }
                            }
                            passed.set(HttpHeaderNames.AUTHORIZATION, "Bearer " + door.token(who));
                            passed.set(RequestIds.HEADER, asked.id());
                            passed.set(
                                    HttpHeaderNames.CONTENT_LENGTH,
                                    Integer.toString(asked.body().length));
                            return outbound.send(
                                    Mono.fromSupplier(() -> Unpooled.wrappedBuffer(asked.body())));
                        })
                .responseSingle((response, content) -> {
                    answered.run();
                    return content.asByteArray()
                            .defaultIfEmpty(new byte[0])
                            .map(bytes -> answerOf(response, bytes));
                });
    }

    private static boolean passes(String name) {
        var lower = name.toLowerCase(Locale.ROOT);
        return !NOT_PASSED_ON.contains(lower)
                && !lower.startsWith(FORWARDED)
                && !DoorFilter.claims(lower);
    }

    private static Answer answerOf(HttpClientResponse response, byte[] body) {
        var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        for (var all = response.responseHeaders().iteratorAsString(); all.hasNext(); ) {
            var header = all.next();
            if (!NOT_PASSED_ON.contains(header.getKey().toLowerCase(Locale.ROOT))) {
                headers.add(header.getKey(), header.getValue());
            }
        }
        return new Answer(response.status().code(), headers, body, null);
    }

    private Mono<Answer> refused(
            Problem problem,
            @Nullable Verdict verdict,
            String requestId,
            @Nullable Throwable error) {
        var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        headers.set(HttpHeaderNames.CONTENT_TYPE, MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        write(verdict, headers);
        problem.headers().forEach(headers::set);
        return Mono.just(
                new Answer(
                        problem.status().value(),
                        headers,
                        problems.body(problem, path, requestId),
                        error));
    }

    private static void write(@Nullable Verdict verdict, HttpHeaders headers) {
        if (verdict != null) {
            verdict.write(headers::set);
        }
    }
}
