package io.mirante.etl.log;

import io.mirante.contracts.events.CanonicalEvent;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An accepted event as ingestion wrote it.
 *
 * @param contentHash hex SHA-256, tells a repetition from a conflict
 * @param receivedAt when ingestion accepted it, in microseconds
 * @param source the way in, such as {@code /http}
 */
record RawEvent(
        String tenantId,
        String contentHash,
        Instant receivedAt,
        String source,
        CanonicalEvent event) {

    EventKey key() {
        return new EventKey(tenantId, event.eventId());
    }

    /** Whose event it is, or null. */
    @Nullable Person person() {
        var userId = event.userId();
        if (userId != null) {
            return new Person(tenantId, Person.USER, userId);
        }
        var anonymousId = event.anonymousId();
        return anonymousId == null ? null : new Person(tenantId, Person.ANONYMOUS, anonymousId);
    }
}
