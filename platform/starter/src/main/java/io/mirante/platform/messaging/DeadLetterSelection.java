package io.mirante.platform.messaging;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which dead letters are meant; what is null does not limit.
 *
 * @param tenantId null = of all tenants, and those without one
 * @param reason code, such as {@code bad_json}
 * @param topic where the record was read
 * @param from earliest time of the letter, included
 * @param to latest, not included
 */
record DeadLetterSelection(
        @Nullable String tenantId,
        @Nullable String reason,
        @Nullable String topic,
        @Nullable String consumer,
        @Nullable Instant from,
        @Nullable Instant to) {

    /** Whether a letter is meant. */
    boolean matches(DeadLetter letter) {
        return (tenantId == null || tenantId.equals(letter.tenantId()))
                && (reason == null || reason.equals(letter.reason()))
                && (topic == null || topic.equals(letter.read().topic()))
                && (consumer == null || consumer.equals(letter.consumer()))
                && (from == null || !letter.deadAt().isBefore(from))
                && (to == null || letter.deadAt().isBefore(to));
    }
}
