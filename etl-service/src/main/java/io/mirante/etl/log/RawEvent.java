package io.mirante.etl.log;

import io.mirante.contracts.OfPerson;
import io.mirante.contracts.events.CanonicalEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An accepted event as ingestion wrote it.
 *
 * @param contentHash hex SHA-256, tells a repetition from a conflict
 * @param receivedAt when ingestion accepted it, in microseconds
 * @param source the way in, such as {@code /http}
 * @param event as it counts: without ids that name nobody
 * @param given the same with all ids
 * @param visitor the anonymous person whom the event says to be its user; null for most events
 */
record RawEvent(
        String tenantId,
        String contentHash,
        Instant receivedAt,
        String source,
        CanonicalEvent event,
        CanonicalEvent given,
        @Nullable Person visitor)
        implements OfPerson<RawEvent> {

    @Override
    public @Nullable String userId() {
        return event.userId();
    }

    @Override
    public Instant knownAt() {
        return receivedAt;
    }

    /** Still stored and counted, as nobody's. */
    @Override
    public RawEvent withoutPerson() {
        var nobodys = event.withoutPerson();
        return new RawEvent(tenantId, contentHash, receivedAt, source, nobodys, nobodys, null);
    }

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

    /** Whose event it is, and the visitor; none, one or two. */
    List<Person> persons() {
        var persons = new ArrayList<Person>(2);
        var person = person();
        if (person != null) {
            persons.add(person);
        }
        if (visitor != null) {
            persons.add(visitor);
        }
        return persons;
    }

    /** Key of its records, as ingestion chose it. */
    String partitionKey() {
        return given.partitionKey(tenantId);
    }
}
