package io.mirante.gateway.keys;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A key as lists show it: everything but the key.
 *
 * @param orgUnits null = not limited
 * @param rateLimit requests a minute; null = the tenant's limit, 0 = none
 * @param createdBy id of the key or person that made it; empty for one of {@code API_KEYS}
 * @param source {@code api}, or {@code API_KEYS} for a key that the settings hold
 * @param previousValidUntil until when the secret before the last rotation goes on; null when it does not
 */
record KeyView(
        String id,
        String tenantId,
        String name,
        List<String> scopes,
        @Nullable List<String> orgUnits,
        @Nullable Instant expiresAt,
        @Nullable Integer rateLimit,
        Instant createdAt,
        String createdBy,
        @Nullable Instant lastUsedAt,
        @Nullable Instant rotatedAt,
        @Nullable Instant previousValidUntil,
        String source) {

    boolean fromSettings() {
        return source.equals("API_KEYS");
    }
}
