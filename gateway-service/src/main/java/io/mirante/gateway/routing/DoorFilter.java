package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.keys.Door;
import io.mirante.gateway.keys.PresentedKey;
import io.mirante.gateway.keys.Principal;
import io.mirante.gateway.problem.Problems;
import io.mirante.platform.web.RequestIds;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
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

    private static final Logger LOG = LoggerFactory.getLogger(DoorFilter.class);
    private static final String TENANT = "mirante.tenant";
    private static final String ADMINISTRATION = "/api/v1/admin/";
    private static final String DEPRECATED_SINCE =
            "@" + Instant.parse("2026-11-21T00:00:00Z").getEpochSecond();
    private static final List<String> CLAIMS = List.of("x-tenant", "x-mirante", "x-user", "x-auth");

    private final Door door;
    private final Problems problems;
    private final GatewaySettings settings;

    DoorFilter(Door door, Problems problems, GatewaySettings settings) {
        this.door = door;
        this.problems = problems;
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
        boolean webSocket = meant.path().equals("/ws");
        var hash = PresentedKey.hashOf(request.getHeaders());
        if (hash == null && webSocket) {
            hash = PresentedKey.hashOfQuery(request.getURI().getRawQuery());
        }
        if (hash == null) {
            return problems.unauthorized(exchange);
        }
        return door.open(hash)
                .map(Optional::of)
                .defaultIfEmpty(Optional.empty())
                .map(Entry::of)
                .onErrorResume(e -> {
                    LOG.atWarn()
                            .addKeyValue("request_id", RequestIds.of(exchange))
                            .log("the key cannot be checked: {}", e.getMessage());
                    return Mono.just(Entry.UNKNOWN);
                })
                .flatMap(entry -> enter(entry, meant.path(), webSocket, exchange, chain));
    }

    /** The result of a look-up: a principal, nobody, or that it cannot be known. */
    private record Entry(@Nullable Principal principal, boolean known) {
        static final Entry UNKNOWN = new Entry(null, false);

        static Entry of(Optional<Principal> found) {
            return new Entry(found.orElse(null), true);
        }
    }

    private Mono<Void> enter(
            Entry entry,
            String path,
            boolean webSocket,
            ServerWebExchange exchange,
            WebFilterChain chain) {
        if (!entry.known()) {
            return problems.unavailable(exchange, Service.GATEWAY.fullName());
        }
        var principal = entry.principal();
        if (principal == null) {
            return problems.unauthorized(exchange);
        }
        exchange.getAttributes().put(TENANT, principal.tenant());
        if (path.startsWith(ADMINISTRATION)) {
            return administer(principal, path, exchange, chain);
        }
        var route = Routes.find(exchange.getRequest().getMethod().name(), path);
        if (route.isEmpty() || route.get().service() == Service.GATEWAY) {
            return problems.answer(
                    exchange, HttpStatus.NOT_FOUND, "not-found", "no service answers this path");
        }
        var request = exchange.getRequest();
        if (route.get().bodyLimited()
                && request.getHeaders().getContentLength() > settings.maxBodyBytes()) {
            return tooLarge(exchange);
        }
        var passed = passedOn(request, path, webSocket, principal, RequestIds.of(exchange));
        if (route.get().bodyLimited() && request.getHeaders().getContentLength() < 0) {
            passed = new LimitedBody(passed, settings.maxBodyBytes());
        }
        exchange.getAttributes().put(ROUTE, route.get());
        return chain.filter(exchange.mutate().request(passed).build());
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

    private Mono<Void> tooLarge(ServerWebExchange exchange) {
        return problems.answer(
                exchange,
                HttpStatus.CONTENT_TOO_LARGE,
                "too-large",
                "the body is larger than %d bytes; send it in parts"
                        .formatted(settings.maxBodyBytes()));
    }

    private ServerHttpRequest passedOn(
            ServerHttpRequest request,
            String path,
            boolean webSocket,
            Principal principal,
            String requestId) {
        var builder = request.mutate();
        var uri = request.getURI();
        var query = webSocket ? PresentedKey.withoutKey(uri.getRawQuery()) : uri.getRawQuery();
        if (webSocket || !path.equals(uri.getRawPath())) {
            builder.uri(
                    URI.create(
                            uri.getScheme()
                                    + "://"
                                    + uri.getRawAuthority()
                                    + path
                                    + (query == null ? "" : "?" + query)));
            builder.path(path);
        }
        return builder.headers(
                        headers -> {
                            strip(headers);
                            headers.set(
                                    HttpHeaders.AUTHORIZATION, "Bearer " + door.token(principal));
                            headers.set(RequestIds.HEADER, requestId);
                        })
                .build();
    }

    private static void strip(HttpHeaders headers) {
        headers.remove("x-api-key");
        headers.remove(HttpHeaders.COOKIE);
        List.copyOf(headers.headerNames()).stream()
                .filter(name -> {
                    var lower = name.toLowerCase(Locale.ROOT);
                    return CLAIMS.stream().anyMatch(lower::startsWith);
                })
                .forEach(headers::remove);
    }

    /** Served here, without a key: health, metrics (which asks itself), and the actuator, which is on its own port. */
    private static boolean own(String path) {
        return path.equals("/metrics")
                || path.equals("/health")
                || path.startsWith("/health/")
                || path.startsWith("/actuator");
    }
}
