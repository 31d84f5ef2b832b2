package io.mirante.contracts.ingestion;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An event that was not accepted, with its reason. On {@code mirante.events.rejected}, written by ingestion and, for
 * {@code id_conflict}, by etl.
 *
 * @param rejectionId identifies this rejection, so that a second copy is stored once
 * @param reason wire name: malformed, contract, size, identity, id_conflict or version
 * @param original what was masked before it came here, as text; null when {@code sealed} holds it
 * @param sealed the event's own bytes, encrypted for the tenant, in Base64: nobody knows what their fields are, so they
 *     cannot be masked; null when {@code original} holds it
 * @param form of the original when it is not an event's own: segment, cloudevent or import; null = an event's own
 * @param truncated the original is only its beginning, because it is larger than what is kept
 */
public record RejectedEvent(
        String rejectionId,
        String tenantId,
        @Nullable String eventId,
        @Nullable String eventType,
        String reason,
        List<Fault> errors,
        String source,
        Instant rejectedAt,
        @Nullable String original,
        @Nullable String sealed,
        @Nullable String form,
        boolean truncated) {

    /** One whose original was masked before. */
    public RejectedEvent(
            String rejectionId,
            String tenantId,
            @Nullable String eventId,
            @Nullable String eventType,
            String reason,
            List<Fault> errors,
            String source,
            Instant rejectedAt,
            String original) {
        this(
                rejectionId,
                tenantId,
                eventId,
                eventType,
                reason,
                errors,
                source,
                rejectedAt,
                original,
                null,
                null,
                false);
    }

    /** What is wrong, where (a JSON pointer into the event), in words that name the remedy. */
    public record Fault(String pointer, String code, String message) {}
}
