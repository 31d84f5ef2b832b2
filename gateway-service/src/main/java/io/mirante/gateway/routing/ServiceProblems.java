package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.problem.Problems;
import io.mirante.platform.web.RequestIds;
import java.io.IOException;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.cloud.gateway.filter.GlobalFilter;
import org.springframework.core.Ordered;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** Says which service is down (503) or too slow (504), as a problem. */
@Component
final class ServiceProblems implements GlobalFilter, Ordered {

    private static final Logger LOG = LoggerFactory.getLogger(ServiceProblems.class);

    private final Problems problems;
    private final GatewaySettings settings;

    ServiceProblems(Problems problems, GatewaySettings settings) {
        this.problems = problems;
        this.settings = settings;
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, GatewayFilterChain chain) {
        return chain.filter(exchange).onErrorResume(error -> answer(exchange, error));
    }

    private Mono<Void> answer(ServerWebExchange exchange, Throwable error) {
        if (exchange.getResponse().isCommitted()
                || !(exchange.getAttribute(DoorFilter.ROUTE) instanceof Routes.Route route)) {
            return Mono.error(error);
        }
        var service = route.service().fullName();
        if (caused(error, DataBufferLimitException.class)) {
            return problems.answer(
                    exchange,
                    HttpStatus.CONTENT_TOO_LARGE,
                    "too-large",
                    "the body is larger than %d bytes; send it in parts"
                            .formatted(settings.maxBodyBytes()));
        }
        if (caused(error, TimeoutException.class)
                || (error instanceof ResponseStatusException status
                        && status.getStatusCode().isSameCodeAs(HttpStatus.GATEWAY_TIMEOUT))) {
            return problems.tooSlow(exchange, service, settings.timeout());
        }
        if (caused(error, IOException.class)) {
            LOG.atWarn()
                    .addKeyValue("request_id", RequestIds.of(exchange))
                    .log("{} does not answer: {}", service, error.toString());
            return problems.unavailable(exchange, service);
        }
        return Mono.error(error);
    }

    private static boolean caused(Throwable error, Class<? extends Throwable> type) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }
}
