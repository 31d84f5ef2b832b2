package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.guard.ServiceGuards;
import io.mirante.gateway.problem.Problem;
import io.mirante.gateway.problem.Problems;
import io.mirante.platform.web.RequestIds;
import io.netty.handler.timeout.ReadTimeoutException;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.cloud.gateway.filter.GlobalFilter;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import org.springframework.core.Ordered;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;

/**
 * Passes a request on through its service's bulkhead and breaker, once more when a read was not answered at all, and says
 * which service is down or busy (503) or too slow (504), as a problem.
 */
@Component
final class PassOn implements GlobalFilter, Ordered {

    private static final Logger LOG = LoggerFactory.getLogger(PassOn.class);

    private static final Duration BEFORE_RETRY = Duration.ofMillis(100);

    private final ServiceGuards guards;
    private final Problems problems;
    private final GatewaySettings settings;

    PassOn(ServiceGuards guards, Problems problems, GatewaySettings settings) {
        this.guards = guards;
        this.problems = problems;
        this.settings = settings;
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, GatewayFilterChain chain) {
        if (!(exchange.getAttribute(DoorFilter.ROUTE) instanceof Routes.Route route)) {
            return chain.filter(exchange);
        }
        var service = route.service().fullName();
        var attempt =
                guards.throughBreaker(
                        service,
                        error -> failed(bodyArrived(exchange), error),
                        answered -> {
                            exchange.getResponse()
                                    .beforeCommit(() -> {
                                        answered.run();
                                        return Mono.empty();
                                    });
                            return chain.filter(exchange);
                        });
        return guards.inBulkhead(
                        service,
                        route.timed(),
                        readOnly(exchange, route) ? onceMore(exchange, attempt) : attempt)
                .onErrorResume(error -> answer(exchange, route, error));
    }

    /** A read that the service did not answer at all is asked again, once; what it may have acted on never is. */
    private static Mono<Void> onceMore(ServerWebExchange exchange, Mono<Void> attempt) {
        return attempt.retryWhen(
                Retry.backoff(1, BEFORE_RETRY)
                        .filter(error ->
                                caused(error, IOException.class)
                                        && !exchange.getResponse().isCommitted())
                        .doBeforeRetry(signal -> ServerWebExchangeUtils.reset(exchange))
                        .onRetryExhaustedThrow((spec, signal) -> signal.failure()));
    }

    private static boolean readOnly(ServerWebExchange exchange, Routes.Route route) {
        var method = exchange.getRequest().getMethod();
        return route.timed()
                && (HttpMethod.GET.equals(method) || HttpMethod.HEAD.equals(method))
                && PassedBody.withoutBody(exchange.getRequest());
    }

    /** Whether the service failed; a request that broke off or never came to its end is the client's trouble. */
    static boolean failed(boolean bodyArrived, Throwable error) {
        return caused(error, ConnectException.class)
                || (bodyArrived && (slow(error) || caused(error, IOException.class)));
    }

    private static boolean bodyArrived(ServerWebExchange exchange) {
        return exchange.getAttribute(DoorFilter.BODY) instanceof PassedBody body && body.arrived();
    }

    private static boolean slow(Throwable error) {
        return caused(error, TimeoutException.class)
                || caused(error, ReadTimeoutException.class)
                || (error instanceof ResponseStatusException status
                        && status.getStatusCode().isSameCodeAs(HttpStatus.GATEWAY_TIMEOUT));
    }

    private Mono<Void> answer(ServerWebExchange exchange, Routes.Route route, Throwable error) {
        if (exchange.getResponse().isCommitted()) {
            return Mono.error(error);
        }
        var problem =
                problemOf(
                        error,
                        route.service().fullName(),
                        bodyArrived(exchange),
                        settings,
                        RequestIds.of(exchange));
        return problem == null ? Mono.error(error) : problems.answer(exchange, problem);
    }

    /**
     * What is answered when a call of a service ended with an error.
     *
     * @param bodyArrived whether the client had sent all it announced
     * @return null for an error that is none of the service's, the guards' or the client's
     */
    static @Nullable Problem problemOf(
            Throwable error,
            String service,
            boolean bodyArrived,
            GatewaySettings settings,
            String requestId) {
        if (caused(error, DataBufferLimitException.class)) {
            return Problem.bodyTooLarge(settings.maxBodyBytes());
        }
        if (slow(error)) {
            return bodyArrived
                    ? Problem.tooSlow(service, settings.timeout())
                    : Problem.bodyTooLate(settings.timeout());
        }
        if (error instanceof ServiceGuards.FullException full) {
            return Problem.busy(service, String.valueOf(full.getMessage()));
        }
        if (ServiceGuards.isOpen(error)) {
            return Problem.unavailable(service);
        }
        if (caused(error, IOException.class)) {
            LOG.atWarn()
                    .addKeyValue("request_id", requestId)
                    .log("{} does not answer: {}", service, error.toString());
            return Problem.unavailable(service);
        }
        return null;
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
