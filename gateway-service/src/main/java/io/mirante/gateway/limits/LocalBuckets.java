package io.mirante.gateway.limits;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;

/** Buckets of this process; one that was not used for two minutes is full again, and forgotten. Thread-safe. */
final class LocalBuckets {

    private static final int MOST = 100_000;

    private record Name(String name, long perMinute) {}

    private final TimeMeter time;
    private final Cache<Name, Bucket> buckets =
            Caffeine.newBuilder()
                    .maximumSize(MOST)
                    .expireAfterAccess(Duration.ofMinutes(2))
                    .build();

    LocalBuckets(TimeMeter time) {
        this.time = time;
    }

    /** Takes one token from the bucket of this name and size, which begins full and fills evenly. */
    Verdict take(String name, long perMinute) {
        return Verdict.of(bucket(name, perMinute).tryConsumeAndReturnRemaining(1), perMinute);
    }

    /** What a take would say, without taking. */
    Verdict look(String name, long perMinute) {
        var bucket = bucket(name, perMinute);
        var estimate = bucket.estimateAbilityToConsume(1);
        return new Verdict(
                estimate.canBeConsumed(),
                perMinute,
                estimate.getRemainingTokens(),
                Duration.ofMinutes(1),
                Duration.ofNanos(estimate.getNanosToWaitForRefill()));
    }

    private Bucket bucket(String name, long perMinute) {
        return buckets.get(
                new Name(name, perMinute),
                n ->
                        Bucket.builder()
                                .withCustomTimePrecision(time)
                                .addLimit(limit ->
                                        limit.capacity(perMinute)
                                                .refillGreedy(perMinute, Duration.ofMinutes(1)))
                                .build());
    }
}
