package io.mirante.etl.log;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.PersonNumbered;
import io.mirante.contracts.events.Reason;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.etl.log.SortedPoll.Sorted;
import io.mirante.etl.log.SortedPoll.Verdict;
import io.mirante.platform.messaging.Outgoing;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What goes out for a poll. The same poll gives the same records, also when nothing of it is stored again. */
final class CleanRecords {

    private CleanRecords() {}

    /** Clean events in the order of their sources, conflicts, and persons whose number may not be known outside. */
    static List<Outgoing> of(SortedPoll poll, NumberedPersons persons) {
        var records = new ArrayList<Outgoing>(poll.records().size());
        var tell = new LinkedHashSet<Person>();
        for (var sorted : poll.records()) {
            if (sorted.verdict() == Verdict.KEPT) {
                records.add(clean(sorted, persons.no(sorted.event().person())));
                for (var person : sorted.event().persons()) {
                    if (sorted.again() || persons.fresh().contains(person)) {
                        tell.add(person);
                    }
                }
            } else if (sorted.verdict() == Verdict.CONFLICT) {
                records.add(conflict(sorted));
            }
        }
        tell.forEach(person -> records.add(numbered(person, persons.number(person))));
        return records;
    }

    private static Outgoing clean(Sorted sorted, long personNo) {
        var raw = sorted.event();
        var event = raw.event();
        var position = sorted.received().position();
        var value =
                new CleanEvent(
                        raw.tenantId(),
                        event.eventId(),
                        event.eventType(),
                        event.module(),
                        event.userId(),
                        event.anonymousId(),
                        event.sessionId(),
                        event.occurredAt(),
                        raw.receivedAt(),
                        personNo,
                        event.data(),
                        event.metadata(),
                        event.context());
        var headers = headers(value, raw.source(), event.schemaVersion(), event.subject());
        headers.put(CloudHeaders.CONTENT_HASH, raw.contentHash());
        headers.put(CloudHeaders.SOURCE_TOPIC, position.topic());
        headers.put(CloudHeaders.SOURCE_PARTITION, Integer.toString(position.partition()));
        headers.put(CloudHeaders.SOURCE_OFFSET, Long.toString(position.offset()));
        return new Outgoing(
                Topics.EVENTS_CLEAN.name(),
                position.partition(),
                raw.partitionKey().getBytes(StandardCharsets.UTF_8),
                Json.mapper().writeValueAsBytes(value),
                headers);
    }

    /** Those that follow from the event itself. */
    static Map<String, String> headers(
            CleanEvent event, String source, int schemaVersion, @Nullable String subject) {
        Map<String, String> headers = new HashMap<>();
        headers.put(CloudHeaders.SPEC_VERSION, "1.0");
        headers.put(CloudHeaders.ID, event.eventId());
        headers.put(CloudHeaders.TYPE, event.eventType());
        headers.put(CloudHeaders.SOURCE, source);
        headers.put(CloudHeaders.TIME, event.occurredAt().toString());
        if (subject != null) {
            headers.put(CloudHeaders.SUBJECT, subject);
        }
        headers.put(CloudHeaders.TENANT, event.tenantId());
        headers.put(CloudHeaders.SCHEMA_VERSION, Integer.toString(schemaVersion));
        headers.put(CloudHeaders.RECEIVED_AT, event.receivedAt().toString());
        if (event.personNo() > 0) {
            headers.put(CloudHeaders.PERSON_NO, Long.toString(event.personNo()));
        }
        return headers;
    }

    /** The id follows from position and receipt, so that a second copy is recognised; so does the time, from the receipt. */
    private static Outgoing conflict(Sorted sorted) {
        var raw = sorted.event();
        var event = raw.given();
        var position = sorted.received().position();
        var rejected =
                new RejectedEvent(
                        "etl-%s-%d-%d-%d"
                                .formatted(
                                        position.topic(),
                                        position.partition(),
                                        position.offset(),
                                        raw.receivedAt().toEpochMilli()),
                        raw.tenantId(),
                        event.eventId(),
                        event.eventType(),
                        Reason.CONFLICT.wireName(),
                        List.of(
                                new RejectedEvent.Fault(
                                        "/event_id",
                                        Reason.CONFLICT.wireName(),
                                        "an event with this id and another content was accepted before and stands;"
                                                + " send this one with an id of its own")),
                        raw.source(),
                        raw.receivedAt(),
                        new String(event.toJson(), StandardCharsets.UTF_8));
        return new Outgoing(
                Topics.EVENTS_REJECTED.name(),
                null,
                Keys.of(raw.tenantId(), event.eventId()),
                Json.mapper().writeValueAsBytes(rejected),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        rejected.rejectionId(),
                        CloudHeaders.TYPE,
                        "event.rejected",
                        CloudHeaders.SOURCE,
                        raw.source(),
                        CloudHeaders.TIME,
                        rejected.rejectedAt().toString(),
                        CloudHeaders.TENANT,
                        raw.tenantId(),
                        CloudHeaders.REASON,
                        Reason.CONFLICT.wireName()));
    }

    private static Outgoing numbered(Person person, NumberedPersons.Number number) {
        return new Outgoing(
                Topics.IDENTITIES.name(),
                null,
                Keys.of(person.tenantId(), person.kind(), person.id()),
                Json.mapper()
                        .writeValueAsBytes(
                                new PersonNumbered(
                                        person.tenantId(),
                                        person.kind(),
                                        person.id(),
                                        number.no(),
                                        number.numberedAt())),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        person.kind() + ":" + person.id(),
                        CloudHeaders.TYPE,
                        PersonNumbered.TYPE,
                        CloudHeaders.SOURCE,
                        "/etl",
                        CloudHeaders.SUBJECT,
                        person.id(),
                        CloudHeaders.TIME,
                        number.numberedAt().toString(),
                        CloudHeaders.TENANT,
                        person.tenantId()));
    }
}
