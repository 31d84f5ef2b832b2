package io.mirante.gateway.limits;

import io.mirante.platform.limits.SharedBuckets;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How often a key may ask.
 *
 * @param requestsPerMinute of a key without a limit of its own, and of wrong keys from one address; 1 to 10,000,000
 * @param redisUrl where replicas share their counts, such as {@code redis://host:6379}; null or empty = each for itself
 */
@ConfigurationProperties("mirante.gateway.limits")
public record LimitSettings(
        @DefaultValue("1000") int requestsPerMinute, @Nullable String redisUrl) {

    public LimitSettings {
        if (!(requestsPerMinute >= 1 && requestsPerMinute <= 10_000_000)) {
            throw new IllegalArgumentException(
                    "RATE_LIMIT_PER_MINUTE must be 1 to 10000000, was " + requestsPerMinute);
        }
        redisUrl = SharedBuckets.url(redisUrl);
    }
}
