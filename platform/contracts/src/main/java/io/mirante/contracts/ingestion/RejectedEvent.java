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
 * @param original the event as it came (text), cut to the event limit
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
        String original) {

    /** What is wrong, where (a JSON pointer into the event), in words that name the remedy. */
    public record Fault(String pointer, String code, String message) {}
}
