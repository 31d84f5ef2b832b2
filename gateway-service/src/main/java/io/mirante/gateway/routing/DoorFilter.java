package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.keys.Door;
import io.mirante.gateway.keys.PresentedKey;
import io.mirante.gateway.keys.Principal;
import io.mirante.gateway.limits.Admission;
import io.mirante.gateway.limits.RequestLimits;
import io.mirante.gateway.live.Sockets;
import io.mirante.gateway.problem.Problem;
import io.mirante.gateway.problem.Problems;
import io.mirante.platform.web.RequestIds;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.Ordered;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * The door: rewrites the path, asks for the key, finds the route, and passes the request on with a token in place of
 * everything by which a client could claim to be someone. The gateway's own paths pass without a key.
 */
@Component
final class DoorFilter implements WebFilter, Ordered {

    /** Attribute of the exchange: its {@link Routes.Route}. */
    static final String ROUTE = "mirante.route";

    /** Attribute of the exchange: its {@link PassedBody}. */
    static final String BODY = "mirante.body";

    private static final Logger LOG = LoggerFactory.getLogger(DoorFilter.class);
    private static final String TENANT = "mirante.tenant";
    private static final String LIVE_EVENTS = "/api/v1/live";
    private static final String DEPRECATED_SINCE =
            "@" + Instant.parse("2026-11-21T00:00:00Z").getEpochSecond();
    private static final List<String> CLAIMS = List.of("x-tenant", "x-mirante", "x-user", "x-auth");

    private final Door door;
    private final Problems problems;
    private final Sockets sockets;
    private final RequestLimits limits;
    private final GatewaySettings settings;

    DoorFilter(
            Door door,
            Problems problems,
            Sockets sockets,
            RequestLimits limits,
            GatewaySettings settings) {
        this.door = door;
        this.problems = problems;
        this.sockets = sockets;
        this.limits = limits;
        this.settings = settings;
    }

    /** After the request's id and Spring Security's firewall. */
    @Override
    public int getOrder() {
        return 0;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        var request = exchange.getRequest();
        return PassedBody.withoutBody(request) && !Sockets.wanted(exchange)
                ? PassedBody.ended(request).then(Mono.defer(() -> answer(exchange, chain)))
                : answer(exchange, chain);
    }

    private Mono<Void> answer(ServerWebExchange exchange, WebFilterChain chain) {
        var request = exchange.getRequest();
        var meant = Paths.of(request.getPath().value());
        if (own(meant.path())) {
            return chain.filter(
                    meant.path().equals(request.getPath().value())
                            ? exchange
                            : exchange.mutate()
                                    .request(request.mutate().path(meant.path()).build())
                                    .build());
        }
        if (meant.deprecated()) {
            var headers = exchange.getResponse().getHeaders();
            headers.set("Deprecation", DEPRECATED_SINCE);
            headers.set(HttpHeaders.LINK, "<" + meant.path() + ">; rel=\"successor-version\"");
        }
        boolean live = meant.path().equals("/ws");
        var hash = PresentedKey.hashOf(request.getHeaders());
        if (hash == null && live) {
            hash = PresentedKey.hashOfQuery(request.getURI().getRawQuery());
        }
        if (hash == null) {
            return live && Sockets.wanted(exchange)
                    ? sockets.openWithKeyToCome(
                            meantAs(exchange, meant.path(), true),
                            target(Service.SNAPSHOT, request, meant.path(), true),
                            keyHash -> admit(exchange, keyHash))
                    : problems.answer(exchange, Problem.unauthorized());
        }
        var keyHash = hash;
        return admit(exchange, keyHash)
                .onErrorResume(e -> {
                    LOG.atWarn()
                            .addKeyValue("request_id", RequestIds.of(exchange))
                            .log("the key cannot be checked: {}", e.getMessage());
                    return Mono.just(Admission.UNKNOWABLE);
                })
                .flatMap(admission -> {
                    var principal = admission.principal();
                    return principal == null
                            ? refuse(exchange, admission)
                            : enter(principal, keyHash, meant.path(), live, exchange, chain);
                });
    }

    /** Looks a key up and counts the request; the exchange's answer says what is left. */
    private Mono<Admission> admit(ServerWebExchange exchange, String keyHash) {
        var client = exchange.getRequest().getRemoteAddress();
        if (!door.knows(keyHash)) {
            var left = limits.unknownKeysOf(client);
            if (!left.passes()) {
                limits.count(left);
                return Mono.just(Admission.late(left));
            }
        }
        return door.open(keyHash)
                .flatMap(who -> {
                    exchange.getAttributes().put(TENANT, who.tenant());
                    return limits.take(who)
                            .map(verdict -> {
                                if (!exchange.getResponse().isCommitted()) {
                                    verdict.write(exchange.getResponse().getHeaders());
                                }
                                return verdict.passes()
                                        ? Admission.of(who)
                                        : Admission.late(verdict);
                            })
                            .defaultIfEmpty(Admission.of(who));
                })
                .switchIfEmpty(
                        Mono.fromSupplier(() -> {
                            limits.wrongKeyOf(client);
                            return Admission.NOBODY;
                        }));
    }

    private Mono<Void> refuse(ServerWebExchange exchange, Admission admission) {
        var late = admission.late();
        if (late != null) {
            late.write(exchange.getResponse().getHeaders());
        }
        return problems.answer(exchange, refusal(admission));
    }

    /** What is answered to who was not admitted. */
    static Problem refusal(Admission admission) {
        var late = admission.late();
        if (late != null) {
            return Problem.tooMany(late);
        }
        return admission.unknowable()
                ? Problem.unavailable(Service.GATEWAY.fullName())
                : Problem.unauthorized();
    }

    private Mono<Void> enter(
            Principal principal,
            String keyHash,
            String path,
            boolean live,
            ServerWebExchange exchange,
            WebFilterChain chain) {
        var route =
                Routes.find(
                        exchange.getRequest().getMethod().name(),
                        path,
                        () -> exchange.getRequest().getQueryParams().getFirst("service"));
        if (route.isEmpty()) {
            return problems.answer(
                    exchange, HttpStatus.NOT_FOUND, "not-found", "no service answers this path");
        }
        if (route.get().service() == Service.GATEWAY) {
            return administer(principal, path, exchange, chain);
        }
        var request = exchange.getRequest();
        var service = route.get().service();
        if (Sockets.wanted(exchange)) {
            return sockets.open(
                    meantAs(exchange, path, live),
                    target(service, request, path, live),
                    principal,
                    keyHash);
        }
        if (live) {
            exchange.getResponse().getHeaders().set(HttpHeaders.UPGRADE, "websocket");
            return problems.answer(
                    exchange,
                    HttpStatus.UPGRADE_REQUIRED,
                    "upgrade-required",
                    "this path speaks WebSocket only; over HTTP read /api/v1/live");
        }
        if (route.get().bodyLimited()
                && request.getHeaders().getContentLength() > settings.maxBodyBytes()) {
            return problems.answer(exchange, Problem.bodyTooLarge(settings.maxBodyBytes()));
        }
        var passed =
                new PassedBody(
                        passedOn(request, path, principal, RequestIds.of(exchange)),
                        route.get().bodyLimited() ? settings.maxBodyBytes() : Long.MAX_VALUE);
        exchange.getAttributes().put(ROUTE, route.get());
        exchange.getAttributes().put(BODY, passed);
        var answer = chain.filter(exchange.mutate().request(passed).build());
        return path.equals(LIVE_EVENTS)
                ? Mono.firstWithSignal(answer, sockets.ended(keyHash))
                : answer;
    }

    /** Answered by the gateway's own handlers, with the principal as their caller. */
    private static Mono<Void> administer(
            Principal principal, String path, ServerWebExchange exchange, WebFilterChain chain) {
        return chain.filter(
                        exchange.mutate()
                                .request(exchange.getRequest().mutate().path(path).build())
                                .build())
                .contextWrite(Door.asCaller(principal));
    }

    private ServerHttpRequest passedOn(
            ServerHttpRequest request, String path, Principal principal, String requestId) {
        return meantAs(request, path, false)
                .headers(headers -> {
                    strip(headers);
                    headers.set(HttpHeaders.AUTHORIZATION, "Bearer " + door.token(principal));
                    headers.set(RequestIds.HEADER, requestId);
                })
                .build();
    }

    /** The same exchange under the path that is meant, without a key in the query. */
    private static ServerWebExchange meantAs(
            ServerWebExchange exchange, String path, boolean cutKey) {
        return exchange.mutate()
                .request(meantAs(exchange.getRequest(), path, cutKey).build())
                .build();
    }

    private static ServerHttpRequest.Builder meantAs(
            ServerHttpRequest request, String path, boolean cutKey) {
        var builder = request.mutate();
        var uri = request.getURI();
        if (cutKey || !path.equals(uri.getRawPath())) {
            builder.uri(
                    URI.create(
                            uri.getScheme()
                                    + "://"
                                    + uri.getRawAuthority()
                                    + pathAndQuery(request, path, cutKey)));
            builder.path(path);
        }
        return builder;
    }

    private static String pathAndQuery(ServerHttpRequest request, String path, boolean cutKey) {
        var query = request.getURI().getRawQuery();
        var kept = cutKey ? PresentedKey.withoutKey(query) : query;
        return kept == null ? path : path + "?" + kept;
    }

    private Sockets.Target target(
            Service service, ServerHttpRequest request, String path, boolean cutKey) {
        var base = Objects.requireNonNull(settings.services().get(service)).url().toString();
        var root = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
        return new Sockets.Target(
                service.fullName(), URI.create(root + pathAndQuery(request, path, cutKey)));
    }

    private static void strip(HttpHeaders headers) {
        headers.remove("x-api-key");
        headers.remove(HttpHeaders.COOKIE);
        List.copyOf(headers.headerNames()).stream()
                .filter(DoorFilter::claims)
                .forEach(headers::remove);
    }

    /** Whether a client could claim to be someone by a header of this name. */
    static boolean claims(String name) {
        for (var begin : CLAIMS) {
            if (name.regionMatches(true, 0, begin, 0, begin.length())) {
                return true;
            }
        }
        return false;
    }

    /**
     * Served here, without a key: health, metrics (which asks itself), the documents, and the actuator, which is on its own
     * port.
     */
    private static boolean own(String path) {
        return path.equals("/metrics")
                || path.equals("/docs")
                || path.startsWith("/docs/")
                || path.equals("/v3/api-docs")
                || path.equals("/health")
                || path.startsWith("/health/")
                || path.startsWith("/actuator");
    }
}
