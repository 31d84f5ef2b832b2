package io.mirante.alert.webhook;

import java.time.Duration;
import java.time.Instant;

/**
 * A message on its way to one recipient.
 *
 * @param id the same on every attempt; the webhook-id
 * @param payload the body, byte for byte the same on every attempt
 * @param attempts those begun, this one included; 1 or more
 */
record Delivery(
        String id,
        String recipientId,
        String url,
        String secret,
        String payload,
        int attempts,
        Instant createdAt) {

    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofHours(1);

    /** After which a message nobody takes is given up. */
    static final Duration LIFETIME = Duration.ofDays(3);

    /**
     * Pause before the next attempt: doubling from 1 s up to an hour, and a tenth more or less, so that many do not come
     * back together.
     *
     * @param spread [0, 1)
     */
    Duration pause(double spread) {
        long doubled = FIRST_PAUSE.toMillis() << Math.min(attempts - 1, 20);
        double jitter = 0.9 + 0.2 * spread;
        return Duration.ofMillis((long) (Math.min(doubled, LONGEST_PAUSE.toMillis()) * jitter));
    }

    boolean isTooOld(Instant now) {
        return !now.isBefore(createdAt.plus(LIFETIME));
    }
}
