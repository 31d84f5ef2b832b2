package io.mirante.ingestion.intake;

import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.AsyncBucketProxy;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.gateway.Limits;
import io.mirante.platform.limits.SharedBuckets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Events per second of each tenant, over all ways in: a token bucket that holds {@code events_burst} (one second's by
 * default) and fills by {@code events_per_second}. Replicas share it where there is a Redis; while that does not answer, each
 * counts for itself and {@code mirante_ingestion_limit_redis_failures_total} goes up: nobody is refused because of it. A
 * change of the limits is in force with the next request. Thread-safe.
 */
public final class EventLimits implements AutoCloseable {

    private static final int MAX_BUCKETS = 100_000;
    private static final double NANOS = Duration.ofSeconds(1).toNanos();

    private final Function<String, Limits> limits;
    private final int defaultPerSecond;
    private final LongSupplier nanos;
    private final @Nullable SharedBuckets shared;
    private final Counter redisFailures;
    private final Map<String, Bucket> buckets = new ConcurrentHashMap<>();

    /**
     * @param limits of a tenant, as they are at the moment
     * @param defaultPerSecond of a tenant without a limit of its own; 0 is no limit
     * @param nanos a clock such as {@link System#nanoTime}, for what this replica counts alone
     * @param shared where replicas count together; null = each for itself. Closed with this
     */
    public EventLimits(
            Function<String, Limits> limits,
            int defaultPerSecond,
            LongSupplier nanos,
            @Nullable SharedBuckets shared,
            MeterRegistry meters) {
        this.limits = limits;
        this.defaultPerSecond = defaultPerSecond;
        this.nanos = nanos;
        this.shared = shared;
        this.redisFailures =
                Counter.builder("mirante.ingestion.limit.redis.failures")
                        .description(
                                "Takes from a tenant's events per second that this replica counted alone because"
                                        + " Redis did not answer")
                        .register(meters);
    }

    /** How a request takes what it wants. */
    private enum Way {
        /** As many as there are. */
        SOME,
        /** All or none; more than the bucket ever holds when it is full, and the next waits the longer. */
        ALL,
        /** As many as there are above half of what the bucket holds. */
        SPARE
    }

    /** A bucket's size; as many tokens are added each second, up to {@code capacity}. */
    private record Size(int perSecond, int capacity) {}

    /** How many of {@code wanted} events may come now; they count as come. */
    public Mono<Integer> take(String tenant, int wanted) {
        return take(tenant, wanted, Way.SOME);
    }

    /**
     * Whether {@code wanted} events may come now, all or none of them. More than the bucket ever holds may come when it is
     * full; the next wait the longer.
     */
    public Mono<Boolean> takeAll(String tenant, int wanted) {
        return take(tenant, wanted, Way.ALL).map(taken -> taken == wanted);
    }

    /**
     * {@link #take} for a way in that can wait: it leaves half of the bucket to those that cannot, so that an import makes no
     * request be refused.
     */
    public Mono<Integer> takeSpare(String tenant, int wanted) {
        return take(tenant, wanted, Way.SPARE);
    }

    private Mono<Integer> take(String tenant, int wanted, Way way) {
        var limit = limits.apply(tenant);
        var own = limit.eventsPerSecond();
        int perSecond = own == null ? defaultPerSecond : own;
        if (perSecond == 0 || wanted == 0) {
            return Mono.just(wanted);
        }
        var burst = limit.eventsBurst();
        var size =
                new Size(
                        perSecond,
                        burst == null || burst == 0 ? perSecond : Math.max(burst, perSecond));
        return shared == null
                ? Mono.just(local(tenant, wanted, way, size))
                : shared.ask(
                                "events/%s:%d:%d".formatted(tenant, perSecond, size.capacity()),
                                BucketConfiguration.builder()
                                        .addLimit(l ->
                                                l.capacity(size.capacity())
                                                        .refillGreedy(
                                                                perSecond, Duration.ofSeconds(1)))
                                        .build(),
                                bucket -> ask(bucket, wanted, way, size))
                        .map(Math::toIntExact)
                        .onErrorResume(e -> {
                            redisFailures.increment();
                            return Mono.just(local(tenant, wanted, way, size));
                        });
    }

    private int local(String tenant, int wanted, Way way, Size size) {
        if (buckets.size() > MAX_BUCKETS) {
            buckets.clear();
        }
        return buckets.computeIfAbsent(tenant, t -> new Bucket(size.capacity(), nanos.getAsLong()))
                .take(wanted, way, size, nanos.getAsLong());
    }

    private static CompletableFuture<Long> ask(
            AsyncBucketProxy bucket, int wanted, Way way, Size size) {
        return switch (way) {
            case SOME -> bucket.tryConsumeAsMuchAsPossible(wanted);
            case ALL -> {
                long there = Math.min(wanted, size.capacity());
                yield bucket.tryConsume(there)
                        .thenCompose(taken ->
                                !taken || there == wanted
                                        ? CompletableFuture.completedFuture(taken ? there : 0L)
                                        : bucket.consumeIgnoringRateLimits(wanted - there)
                                                .thenApply(wait -> (long) wanted));
            }
            case SPARE ->
                    bucket.getAvailableTokens()
                            .thenCompose(tokens -> {
                                long spare = Math.min(wanted, tokens - size.capacity() / 2);
                                return spare <= 0
                                        ? CompletableFuture.completedFuture(0L)
                                        : bucket.tryConsumeAsMuchAsPossible(spare);
                            });
        };
    }

    @Override
    public void close() {
        if (shared != null) {
            shared.close();
        }
    }

    /** Tokens at a moment; fewer than none after a request larger than the bucket. */
    private static final class Bucket {
        private double tokens;
        private long at;

        Bucket(double tokens, long at) {
            this.tokens = tokens;
            this.at = at;
        }

        synchronized int take(int wanted, Way way, Size size, long now) {
            tokens =
                    Math.min(
                            size.capacity(),
                            tokens + Math.max(0, now - at) / NANOS * size.perSecond());
            at = now;
            int taken =
                    switch (way) {
                        case SOME -> (int) Math.clamp(tokens, 0, wanted);
                        case ALL -> tokens >= Math.min(wanted, size.capacity()) ? wanted : 0;
                        case SPARE -> (int) Math.clamp(tokens - size.capacity() / 2, 0, wanted);
                    };
            tokens -= taken;
            return taken;
        }
    }
}
