package io.mirante.contracts.etl;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * An event that was counted: stored once in the event log, its person numbered. On {@code mirante.events.clean}.
 *
 * @param eventType snake_case, such as {@code page_view} or {@code ticket.created}
 * @param occurredAt the event's own time, as the client gave it
 * @param receivedAt when ingestion accepted it
 * @param personNo number of the person within the tenant, 1 or more; 0 = the event has no person
 */
public record CleanEvent(
        String tenantId,
        String eventId,
        String eventType,
        String module,
        @Nullable String userId,
        @Nullable String anonymousId,
        @Nullable String sessionId,
        Instant occurredAt,
        Instant receivedAt,
        long personNo,
        JsonNode data,
        JsonNode metadata,
        JsonNode context) {

    public CleanEvent {
        if (!(personNo >= 0)) {
            throw new IllegalArgumentException("personNo must be 0 or more, was " + personNo);
        }
    }

    /** The known user, else the anonymous visitor, else null. */
    public @Nullable String personId() {
        return userId != null ? userId : anonymousId;
    }
}
