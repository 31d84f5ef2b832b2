package io.mirante.ingestion.rejected;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which rejected events are meant; what is null or empty does not limit.
 *
 * @param reason wire name
 * @param eventType as the client named it
 * @param source the way in, such as {@code /http}
 * @param from earliest time of rejection, included
 * @param to latest, not included
 * @param ids of rejections
 * @param open those not replayed yet alone
 */
public record Selection(
        @Nullable String reason,
        @Nullable String eventType,
        @Nullable String eventId,
        @Nullable String source,
        @Nullable Instant from,
        @Nullable Instant to,
        List<String> ids,
        boolean open) {

    public Selection {
        ids = List.copyOf(ids);
    }
}
