package io.mirante.gateway.problem;

import io.mirante.platform.web.ProblemHandler;
import io.mirante.platform.web.RequestIds;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;

/** Writes problem details outside of controllers. Thread-safe. */
@Component
public final class Problems {

    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

    private final JsonMapper json;

    Problems(JsonMapper json) {
        this.json = json;
    }

    /** Ends the exchange with a problem. */
    public Mono<Void> answer(
            ServerWebExchange exchange, HttpStatus status, String kind, String detail) {
        return answer(exchange, status, kind, detail, Map.of());
    }

    /** 401, the same for every reason. */
    public Mono<Void> unauthorized(ServerWebExchange exchange) {
        exchange.getResponse().getHeaders().set(HttpHeaders.WWW_AUTHENTICATE, "Bearer");
        return answer(
                exchange,
                HttpStatus.UNAUTHORIZED,
                "unauthorized",
                "no valid key; send it as x-api-key, as a Bearer token or as the user of Basic",
                Map.of());
    }

    /** 503 with Retry-After, naming what is down in {@code service}. */
    public Mono<Void> unavailable(ServerWebExchange exchange, String service) {
        exchange.getResponse()
                .getHeaders()
                .set(HttpHeaders.RETRY_AFTER, Long.toString(RETRY_AFTER.toSeconds()));
        return answer(
                exchange,
                HttpStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                service + " does not answer at the moment; try again",
                Map.of("service", service));
    }

    /** 503 with Retry-After for a service that has enough to do, naming it in {@code service}. */
    public Mono<Void> busy(ServerWebExchange exchange, String service, String detail) {
        exchange.getResponse().getHeaders().set(HttpHeaders.RETRY_AFTER, "1");
        return answer(
                exchange,
                HttpStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                detail,
                Map.of("service", service));
    }

    /** 429; the caller has set Retry-After. */
    public Mono<Void> tooMany(ServerWebExchange exchange, String detail) {
        return answer(exchange, HttpStatus.TOO_MANY_REQUESTS, "rate-limited", detail, Map.of());
    }

    /** 504, naming what was too slow in {@code service}. */
    public Mono<Void> tooSlow(ServerWebExchange exchange, String service, Duration limit) {
        return answer(
                exchange,
                HttpStatus.GATEWAY_TIMEOUT,
                "timeout",
                "%s did not answer within %d ms".formatted(service, limit.toMillis()),
                Map.of("service", service));
    }

    private Mono<Void> answer(
            ServerWebExchange exchange,
            HttpStatus status,
            String kind,
            String detail,
            Map<String, Object> more) {
        var response = exchange.getResponse();
        response.setStatusCode(status);
        response.getHeaders().setContentType(MediaType.APPLICATION_PROBLEM_JSON);
        Map<String, Object> body =
                new LinkedHashMap<>(
                        ProblemHandler.body(
                                status,
                                kind,
                                detail,
                                exchange.getRequest().getPath().value(),
                                RequestIds.of(exchange)));
        body.putAll(more);
        return response.writeWith(
                Mono.fromSupplier(
                        () -> response.bufferFactory().wrap(json.writeValueAsBytes(body))));
    }
}
