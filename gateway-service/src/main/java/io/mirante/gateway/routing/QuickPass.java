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

/**
 * The {@link ShortWay} through the gateway: what {@link DoorFilter}, {@link PassOn} and Spring Cloud Gateway do for one path,
 * for small bodies and keys that this gateway has seen to be good. The key is looked up as for any call, the request
 * counted, and bulkhead and breaker of the service are the same; what overtaxes the service is refused at once. Thread-safe.
 */
final class QuickPass implements ShortWay {

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

    private final Posts posts;
    private final int maxBytes;
    private final Routes.Route route;
    private final Door door;
    private final RequestLimits limits;
    private final ServiceGuards guards;
    private final Problems problems;
    private final GatewaySettings settings;
    private final QuickClient client;

    /**
     * Which calls.
     *
     * @param path of a POST that has a time limit and a body limit
     * @param maxBytes of bodies that are gathered; larger ones flow through the usual way
     * @param brief whether they take milliseconds, so that no more are let in at a time than are answered soon
     */
    record Posts(String path, int maxBytes, boolean brief) {}

    /**
     * What does the work.
     *
     * @param client of the service that the path's route leads to
     */
    record Parts(
            Door door,
            RequestLimits limits,
            ServiceGuards guards,
            Problems problems,
            GatewaySettings settings,
            QuickClient client) {}

    QuickPass(Posts posts, Parts parts) {
        this.posts = posts;
        this.route = Routes.find("POST", posts.path()).orElseThrow();
        if (!route.timed() || !route.bodyLimited()) {
            throw new IllegalArgumentException("no short way for streams: " + posts.path());
        }
        this.door = parts.door();
        this.limits = parts.limits();
        this.guards = parts.guards();
        this.problems = parts.problems();
        this.settings = parts.settings();
        this.client = parts.client();
        this.maxBytes = (int) Math.min(posts.maxBytes(), settings.maxBodyBytes());
    }

    @Override
    public String path() {
        return posts.path();
    }

    @Override
    public int maxBytes() {
        return maxBytes;
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
        var call =
                guards.throughBreaker(
                        service,
                        error -> PassOn.failed(true, error),
                        answered -> ask(who, request, answered));
        return (posts.brief()
                        ? guards.inQuickLimit(service, call)
                        : guards.inBulkhead(service, true, call))
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
        return Mono.defer(() -> {
            var passed = QuickClient.headers();
            for (var all = asked.headers().iteratorAsString(); all.hasNext(); ) {
                var header = all.next();
                if (passes(header.getKey())) {
                    passed.add(header.getKey(), header.getValue());
                }
            }
            passed.set(HttpHeaderNames.AUTHORIZATION, "Bearer " + door.token(who));
            passed.set(RequestIds.HEADER, asked.id());
            return client.post(asked.loop(), posts.path(), passed, asked.body())
                    .map(reply -> {
                        answered.run();
                        return answerOf(reply);
                    });
        });
    }

    private static boolean passes(String name) {
        var lower = name.toLowerCase(Locale.ROOT);
        return !NOT_PASSED_ON.contains(lower)
                && !lower.startsWith(FORWARDED)
                && !DoorFilter.claims(lower);
    }

    private static Answer answerOf(QuickClient.Reply reply) {
        var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        for (var all = reply.headers().iteratorAsString(); all.hasNext(); ) {
            var header = all.next();
            if (!NOT_PASSED_ON.contains(header.getKey().toLowerCase(Locale.ROOT))) {
                headers.add(header.getKey(), header.getValue());
            }
        }
        return new Answer(reply.status(), headers, reply.body(), null);
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
                        problems.body(problem, posts.path(), requestId),
                        error));
    }

    private static void write(@Nullable Verdict verdict, HttpHeaders headers) {
        if (verdict != null) {
            verdict.write(headers::set);
        }
    }
}
