package io.mirante.contracts.etl;

import io.mirante.contracts.OfPerson;
import io.mirante.contracts.events.Depersonalised;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

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
        JsonNode context)
        implements OfPerson<CleanEvent> {

    public CleanEvent {
        if (!(personNo >= 0)) {
            throw new IllegalArgumentException("personNo must be 0 or more, was " + personNo);
        }
    }

    @Override
    public Instant knownAt() {
        return receivedAt;
    }

    /** Still counted, for the number, which leads nowhere. */
    @Override
    public CleanEvent withoutPerson() {
        return new CleanEvent(
                tenantId,
                eventId,
                eventType,
                module,
                null,
                null,
                null,
                occurredAt,
                receivedAt,
                personNo,
                Depersonalised.data(data),
                JsonNodeFactory.instance.objectNode(),
                Depersonalised.context(context));
    }

    /** The known user, else the anonymous visitor, else null. */
    public @Nullable String personId() {
        return userId != null ? userId : anonymousId;
    }
}
