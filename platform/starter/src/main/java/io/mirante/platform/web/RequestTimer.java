package io.mirante.platform.web;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.springframework.core.Ordered;
import org.springframework.http.server.reactive.observation.DefaultServerRequestObservationConvention;
import org.springframework.http.server.reactive.observation.ServerRequestObservationContext;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * {@code http.server.requests} with the tags Spring's observation gives it, at a tenth of the cost: an observation is
 * carried through each step of a request for tracers that are not there. Thread-safe.
 */
final class RequestTimer implements WebFilter, Ordered {

    private final MeterRegistry meters;
    private final DefaultServerRequestObservationConvention convention =
            new DefaultServerRequestObservationConvention();

    RequestTimer(MeterRegistry meters) {
        this.meters = meters;
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        var context =
                new ServerRequestObservationContext(
                        exchange.getRequest(), exchange.getResponse(), exchange.getAttributes());
        // Handlers note their errors there.
        exchange.getAttributes()
                .put(
                        ServerRequestObservationContext.CURRENT_OBSERVATION_CONTEXT_ATTRIBUTE,
                        context);
        long start = System.nanoTime();
        return chain.filter(exchange)
                .doOnError(context::setError)
                .doOnCancel(() -> context.setConnectionAborted(true))
                .doFinally(end -> record(context, System.nanoTime() - start));
    }

    private void record(ServerRequestObservationContext context, long nanos) {
        var error = context.getError();
        List<Tag> tags = new ArrayList<>(6);
        for (var value : convention.getLowCardinalityKeyValues(context)) {
            tags.add(Tag.of(value.getKey(), value.getValue()));
        }
        tags.add(Tag.of("error", error == null ? "none" : error.getClass().getSimpleName()));
        Timer.builder("http.server.requests")
                .tags(tags)
                .register(meters)
                .record(nanos, TimeUnit.NANOSECONDS);
    }
}
