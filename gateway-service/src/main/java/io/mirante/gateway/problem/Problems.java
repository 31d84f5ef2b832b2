package io.mirante.gateway.problem;

import io.mirante.platform.web.ProblemHandler;
import io.mirante.platform.web.RequestIds;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;

/** Writes problem details outside of controllers. Thread-safe. */
@Component
public final class Problems {

    private final JsonMapper json;

    Problems(JsonMapper json) {
        this.json = json;
    }

    /** Ends the exchange with a problem. */
    public Mono<Void> answer(
            ServerWebExchange exchange, HttpStatus status, String kind, String detail) {
        return answer(exchange, new Problem(status, kind, detail));
    }

    /** Ends the exchange with a problem. */
    public Mono<Void> answer(ServerWebExchange exchange, Problem problem) {
        var response = exchange.getResponse();
        response.setStatusCode(problem.status());
        problem.headers().forEach(response.getHeaders()::set);
        response.getHeaders().setContentType(MediaType.APPLICATION_PROBLEM_JSON);
        return response.writeWith(
                Mono.fromSupplier(() ->
                        response.bufferFactory()
                                .wrap(
                                        body(
                                                problem,
                                                exchange.getRequest().getPath().value(),
                                                RequestIds.of(exchange)))));
    }

    /** A problem's JSON. */
    public byte[] body(Problem problem, String path, String requestId) {
        Map<String, Object> body =
                new LinkedHashMap<>(
                        ProblemHandler.body(
                                problem.status(),
                                problem.kind(),
                                problem.detail(),
                                path,
                                requestId));
        body.putAll(problem.more());
        return json.writeValueAsBytes(body);
    }
}
