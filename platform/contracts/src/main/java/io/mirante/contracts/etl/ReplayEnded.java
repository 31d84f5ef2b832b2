package io.mirante.contracts.etl;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The last record of a replay on each partition of {@code mirante.events.replay}: every event of the range that the log
 * held when the replay began has been sent before it. After a crash records may come twice, also this one.
 *
 * @param rebuildId as in {@code ce_rebuildid}
 * @param events sent, over all partitions
 * @param logBeginsAt receipt of the oldest event that the log holds of the tenant; null when it holds none. What was
 *     received before may be missing
 */
public record ReplayEnded(
        String tenantId, String rebuildId, long events, @Nullable Instant logBeginsAt) {

    /** Value of the header {@code ce_type}, which tells it from a {@link CleanEvent}. */
    public static final String TYPE = "replay_ended";
}
