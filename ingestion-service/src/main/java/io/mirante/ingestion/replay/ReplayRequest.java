package io.mirante.ingestion.replay;

import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.imports.ImportRetranslation;
import io.mirante.ingestion.rejected.Selection;
import io.mirante.platform.web.ProblemException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Which rejected events to send again; what is missing does not limit, and an empty request means all that were not
 * replayed yet.
 *
 * @param dryRun only count what would pass now
 * @param startTime earliest rejection, included
 * @param mapping for lines of imports, instead of the one each was imported with
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
        @Nullable List<String> rejectionIds,
        @Nullable JsonNode mapping) {

    private static final int MAX_IDS = 10_000;

    ReplayRequest {
        mapping = mapping == null || mapping.isNull() ? null : mapping;
        if (rejectionIds != null && rejectionIds.size() > MAX_IDS) {
            throw ProblemException.malformed(
                    "/rejection_ids",
                    "too_many",
                    "rejection_ids must hold at most %d, held %d"
                            .formatted(MAX_IDS, rejectionIds.size()));
        }
    }

    /** Throws a problem when it names no reason there is, or its mapping is none. */
    void check() {
        if (mapping != null) {
            ImportRetranslation.requireMapping(mapping);
        }
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
