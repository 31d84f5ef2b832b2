package io.mirante.gateway.guard;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.micrometer.tagged.TaggedBulkheadMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedCircuitBreakerMetrics;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * A circuit breaker and two bulkheads per service: one for calls with a time limit and one for streams without. A service
 * that fails is left alone for a while instead of being waited for, and one that hangs takes its own share of the gateway
 * only. Calls of a short way have an {@link AdaptiveLimit} besides. Thread-safe.
 *
 * <p>A breaker counts calls that the service did not answer, not its error answers: those are for the client. It decides when
 * the answer's headers are there, so that a long download holds no place of a breaker that tries whether the service is back.
 * There is no time limiter here: it would count the client's upload.
 */
@Component
public final class ServiceGuards {

    /** A breaker looks at this many of the last calls, and at no fewer than half of them. */
    static final int WINDOW = 20;

    private final CircuitBreakerRegistry breakers;
    private final BulkheadRegistry calls;
    private final BulkheadRegistry streams;
    private final ConcurrentMap<String, AdaptiveLimit> quick = new ConcurrentHashMap<>();
    private final GuardSettings settings;
    private final MeterRegistry meters;

    ServiceGuards(GuardSettings settings, MeterRegistry meters) {
        this.settings = settings;
        this.meters = meters;
        breakers =
                CircuitBreakerRegistry.of(
                        CircuitBreakerConfig.custom()
                                .slidingWindowType(
                                        CircuitBreakerConfig.SlidingWindowType.COUNT_BASED)
                                .slidingWindowSize(WINDOW)
                                .minimumNumberOfCalls(WINDOW / 2)
                                .failureRateThreshold(50)
                                .waitDurationInOpenState(settings.openFor())
                                .permittedNumberOfCallsInHalfOpenState(3)
                                .maxWaitDurationInHalfOpenState(Duration.ofSeconds(30))
                                .build());
        calls = BulkheadRegistry.of(atMost(settings.calls()));
        streams = BulkheadRegistry.of(atMost(settings.streams()));
        TaggedCircuitBreakerMetrics.ofCircuitBreakerRegistry(breakers).bindTo(meters);
        TaggedBulkheadMetrics.ofBulkheadRegistry(calls).bindTo(meters);
        TaggedBulkheadMetrics.ofBulkheadRegistry(streams).bindTo(meters);
    }

    private static BulkheadConfig atMost(int calls) {
        return BulkheadConfig.custom()
                .maxConcurrentCalls(calls)
                .maxWaitDuration(Duration.ZERO)
                .build();
    }

    /** The service has as many requests in flight as it may have. */
    public static final class FullException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        FullException(String service, int most) {
            super(
                    "%s has %d requests in flight, and no more are passed on"
                            .formatted(service, most),
                    null,
                    false,
                    false);
        }
    }

    /** Whether an error says that the breaker is open. */
    public static boolean isOpen(Throwable error) {
        return error instanceof CallNotPermittedException;
    }

    /**
     * Runs a request in a service's bulkhead.
     *
     * @param timed whether its route has a time limit
     * @return the request's end, or {@link FullException}
     */
    public <T> Mono<T> inBulkhead(String service, boolean timed, Mono<T> request) {
        var bulkhead =
                timed ? calls.bulkhead(service + "-calls") : streams.bulkhead(service + "-streams");
        return Mono.defer(() ->
                bulkhead.tryAcquirePermission()
                        ? request.doFinally(signal -> bulkhead.onComplete())
                        : Mono.<T>error(full(service, bulkhead)));
    }

    private static FullException full(String service, Bulkhead bulkhead) {
        return new FullException(service, bulkhead.getBulkheadConfig().getMaxConcurrentCalls());
    }

    /**
     * Runs a call that takes milliseconds in a service's bulkhead, and no more of them at a time than are answered soon.
     *
     * @return the call's end, or {@link FullException}
     */
    public <T> Mono<T> inQuickLimit(String service, Mono<T> call) {
        var guarded = inBulkhead(service, true, call);
        return Mono.defer(() -> {
            var limit = quick.computeIfAbsent(service, this::quickLimit);
            int place = limit.enter();
            if (place == 0) {
                return Mono.error(new FullException(service, limit.limit()));
            }
            long begun = System.nanoTime();
            return guarded.doFinally(signal -> {
                long now = System.nanoTime();
                limit.leave(place, now, now - begun);
            });
        });
    }

    private AdaptiveLimit quickLimit(String service) {
        var limit = new AdaptiveLimit(settings.calls(), settings.quickWithin());
        Gauge.builder("mirante.gateway.quick.limit", limit, AdaptiveLimit::limit)
                .description("Calls of the short way that may be in flight to the service now")
                .tag("service", service)
                .register(meters);
        return limit;
    }

    /**
     * Runs an attempt unless the service's breaker is open; then it ends with an error for which {@link #isOpen} holds.
     *
     * @param failure which errors are the service's failure
     * @param attempt makes the attempt; to run what it is given once the service has answered, which it has at the latest
     *     when the attempt completes
     */
    public <T> Mono<T> throughBreaker(
            String service, Predicate<Throwable> failure, Function<Runnable, Mono<T>> attempt) {
        return Mono.defer(() -> {
            var breaker = breakers.circuitBreaker(service);
            if (!breaker.tryAcquirePermission()) {
                return Mono.error(
                        CallNotPermittedException.createCallNotPermittedException(breaker));
            }
            var told = new AtomicBoolean();
            long start = System.nanoTime();
            return attempt.apply(() -> succeeded(breaker, told, start))
                    .doOnSuccess(done -> succeeded(breaker, told, start))
                    .doOnError(error -> {
                        if (told.compareAndSet(false, true)) {
                            if (failure.test(error)) {
                                breaker.onError(
                                        System.nanoTime() - start, TimeUnit.NANOSECONDS, error);
                            } else {
                                breaker.releasePermission();
                            }
                        }
                    })
                    .doOnCancel(() -> {
                        if (told.compareAndSet(false, true)) {
                            breaker.releasePermission();
                        }
                    });
        });
    }

    private static void succeeded(CircuitBreaker breaker, AtomicBoolean told, long start) {
        if (told.compareAndSet(false, true)) {
            breaker.onSuccess(System.nanoTime() - start, TimeUnit.NANOSECONDS);
        }
    }
}
