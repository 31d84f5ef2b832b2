package io.mirante.ingestion.replay;

import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.rejected.Selection;
import io.mirante.platform.web.ProblemException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which rejected events to send again; what is missing does not limit, and an empty request means all that were not
 * replayed yet.
 *
 * @param dryRun only count what would pass now
 * @param startTime earliest rejection, included
 * @param endTime latest rejection, not included
 */
record ReplayRequest(
        @Nullable Boolean dryRun,
        @Nullable String reason,
        @Nullable String eventType,
        @Nullable String eventId,
        @Nullable String source,
        @Nullable Instant startTime,
        @Nullable Instant endTime,
        @Nullable List<String> rejectionIds) {

    private static final int MAX_IDS = 10_000;

    ReplayRequest {
        if (rejectionIds != null && rejectionIds.size() > MAX_IDS) {
            throw ProblemException.malformed(
                    "/rejection_ids",
                    "too_many",
                    "rejection_ids must hold at most %d, held %d"
                            .formatted(MAX_IDS, rejectionIds.size()));
        }
    }

    /** Throws a problem when it names no reason there is. */
    void check() {
        if (reason == null) {
            return;
        }
        try {
            Reason.ofWireName(reason);
        } catch (IllegalArgumentException e) {
            throw ProblemException.malformed(
                    "/reason",
                    "not_allowed",
                    "reason must be malformed, contract, size, identity, id_conflict or version");
        }
    }

    Selection selection() {
        return new Selection(
                reason,
                eventType,
                eventId,
                source,
                startTime,
                endTime,
                Objects.requireNonNullElse(rejectionIds, List.of()),
                true);
    }
}
