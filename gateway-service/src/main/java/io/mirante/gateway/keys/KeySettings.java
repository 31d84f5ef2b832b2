package io.mirante.gateway.keys;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of keys.
 *
 * @param environment 1 to 16 of {@code a-z0-9}, part of every key made here: tells installations apart
 * @param bootstrapRateLimit requests a minute of each key of {@code API_KEYS}; null = the tenant's limit, 0 = none
 * @param maxRateLimit highest limit that scope {@code admin} may give a key where its tenant has none, 1 or more
 * @param lastUseEvery how often last uses are written; more than zero
 * @param rotationGrace how long the old secret goes on after a rotation that does not say; zero or more
 */
@ConfigurationProperties("mirante.gateway.keys")
record KeySettings(
        @DefaultValue("live") String environment,
        @Nullable Integer bootstrapRateLimit,
        @DefaultValue("1000") int maxRateLimit,
        @DefaultValue("10s") Duration lastUseEvery,
        @DefaultValue("PT24H") Duration rotationGrace) {

    KeySettings {
        if (!environment.matches("[a-z0-9]{1,16}")) {
            throw new IllegalArgumentException(
                    "mirante.gateway.keys.environment (MIRANTE_ENVIRONMENT) must be 1 to 16 of a-z"
                            + " and 0-9, was "
                            + environment);
        }
        if (!(bootstrapRateLimit == null || bootstrapRateLimit >= 0)) {
            throw new IllegalArgumentException(
                    "mirante.gateway.keys.bootstrap-rate-limit must be 0 (no limit) or more, was "
                            + bootstrapRateLimit);
        }
        if (!(maxRateLimit >= 1)) {
            throw new IllegalArgumentException(
                    "mirante.gateway.keys.max-rate-limit (RATE_LIMIT_PER_MINUTE) must be 1 or more,"
                            + " was "
                            + maxRateLimit);
        }
        if (!(lastUseEvery.isPositive() && !rotationGrace.isNegative())) {
            throw new IllegalArgumentException(
                    "mirante.gateway.keys.last-use-every must be more than zero and rotation-grace"
                            + " not negative, were %s and %s"
                                    .formatted(lastUseEvery, rotationGrace));
        }
    }
}
