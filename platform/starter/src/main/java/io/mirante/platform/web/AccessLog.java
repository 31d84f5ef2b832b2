package io.mirante.platform.web;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.springframework.core.Ordered;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * Gives every request an id, answers with it, and logs one line per request with request and tenant ids (debug for
 * 2xx, since hot paths would drown in them). Never logs a query string: it may hold a key.
 */
final class AccessLog implements WebFilter, Ordered {

    private static final Logger LOG = LoggerFactory.getLogger("mirante.access");

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        var id = RequestIds.of(exchange);
        exchange.getResponse().getHeaders().set(RequestIds.HEADER, id);
        long start = System.nanoTime();
        return chain.filter(exchange)
                .doFinally(signal -> log(exchange, id, (System.nanoTime() - start) / 1_000_000.0));
    }

    /** Ids of persons, which a log must not keep. */
    private static final Pattern PERSON = Pattern.compile("/(users|fans|features)/[^/]+");

    private static void log(ServerWebExchange exchange, String id, double milliseconds) {
        @Nullable HttpStatusCode status = exchange.getResponse().getStatusCode();
        log(
                status == null ? 200 : status.value(),
                id,
                exchange.getAttributeOrDefault(TENANT, ""),
                milliseconds,
                exchange.getRequest().getMethod().name(),
                exchange.getRequest().getPath().value());
    }

    /** Logs the line of a request. */
    static void log(
            int code, String id, String tenant, double milliseconds, String method, String path) {
        var level = code >= 500 ? Level.WARN : code >= 400 ? Level.INFO : Level.DEBUG;
        if (!LOG.isEnabledForLevel(level)) {
            return;
        }
        LOG.atLevel(level)
                .addKeyValue("request_id", id)
                .addKeyValue("tenant_id", tenant)
                .addKeyValue("status", code)
                .addKeyValue("duration_ms", milliseconds)
                .log("{} {}", method, PERSON.matcher(path).replaceAll("/$1/{id}"));
    }

    /** Attribute of the exchange that holds the caller's tenant once it is known. */
    static final String TENANT = "mirante.tenant";
}
