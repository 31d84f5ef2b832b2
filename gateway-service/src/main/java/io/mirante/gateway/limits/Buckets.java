package io.mirante.gateway.limits;

import io.github.bucket4j.BucketConfiguration;
import java.time.Duration;
import reactor.core.publisher.Mono;

/** Where token buckets live. A bucket begins full and fills evenly. */
interface Buckets {

    /** Takes one token from the bucket of this name and size. */
    Mono<Verdict> take(String name, long perMinute);

    static BucketConfiguration of(long perMinute) {
        return BucketConfiguration.builder()
                .addLimit(limit ->
                        limit.capacity(perMinute).refillGreedy(perMinute, Duration.ofMinutes(1)))
                .build();
    }
}
