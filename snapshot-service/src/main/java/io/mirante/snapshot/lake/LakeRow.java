package io.mirante.snapshot.lake;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An event as it is in the lake.
 *
 * @param personNo 0 = no person
 * @param occurredAt to the microsecond, as the other time
 * @param data JSON
 */
public record LakeRow(
        long personNo,
        Instant occurredAt,
        String eventId,
        String eventType,
        @Nullable String mainProperty,
        @Nullable String sessionId,
        @Nullable String userId,
        @Nullable String anonymousId,
        @Nullable String country,
        @Nullable String device,
        String data,
        Instant receivedAt) {}
