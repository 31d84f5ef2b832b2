package io.mirante.ingestion.rejected;

import io.mirante.contracts.ingestion.RejectedEvent;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A rejected event as stored.
 *
 * @param original the event as it came, decrypted; null when its key is not known here
 * @param form of the original, see {@link Retranslation}; null = an event
 * @param truncated {@code original} is only its beginning
 * @param replayed when it was sent again; null when it was not
 */
public record Rejected(
        String rejectionId,
        @Nullable String eventId,
        @Nullable String eventType,
        String reason,
        List<RejectedEvent.Fault> errors,
        String source,
        Instant rejectedAt,
        byte @Nullable [] original,
        @Nullable String form,
        boolean truncated,
        @Nullable Instant replayed) {

    public Rejected {
        errors = List.copyOf(errors);
    }
}
