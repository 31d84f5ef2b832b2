package io.mirante.etl.log;

import io.mirante.etl.log.SortedPoll.Identity;
import io.mirante.etl.log.SortedPoll.Sorted;
import io.mirante.platform.messaging.Position;
import io.mirante.platform.messaging.Received;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Which events exist, and which records only repeat them. Runs in the poll's transaction. Thread-safe. */
@Component
final class EventIdentities {

    /** One order for all transactions, so that two with the same ids wait for each other instead of deadlocking. */
    private static final Comparator<Received<RawEvent>> ORDER =
            Comparator.<Received<RawEvent>, EventKey>comparing(r -> r.value().key())
                    .thenComparing(r -> r.position().topic())
                    .thenComparing(r -> r.position().partition())
                    .thenComparing(r -> r.position().offset());

    /** Claims the ids of a poll; of several records with one id the first by position is kept. */
    Mono<SortedPoll> sort(List<Received<RawEvent>> poll, DatabaseClient db) {
        return insert(poll.stream().sorted(ORDER).toList(), db)
                .flatMap(inserted ->
                        known(poll, inserted, db)
                                .map(known -> SortedPoll.of(poll, inserted, known)))
                .flatMap(sorted -> record(sorted.repeats(), db).map(sorted::withRecorded));
    }

    private static Mono<Set<Position>> insert(List<Received<RawEvent>> ordered, DatabaseClient db) {
        return db.sql(
                        """
                        INSERT INTO event_identity
                            (tenant_id, event_id, content_hash, topic, partition_no, record_offset, received_at)
                        SELECT * FROM UNNEST(
                            $1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::timestamptz[])
                        ON CONFLICT DO NOTHING
                        RETURNING topic, partition_no, record_offset\
                        """)
                .bind(0, strings(ordered, r -> r.value().tenantId()))
                .bind(1, strings(ordered, r -> r.value().event().eventId()))
                .bind(2, strings(ordered, r -> r.value().contentHash()))
                .bind(3, strings(ordered, r -> r.position().topic()))
                .bind(
                        4,
                        ordered.stream().map(r -> r.position().partition()).toArray(Integer[]::new))
                .bind(5, ordered.stream().map(r -> r.position().offset()).toArray(Long[]::new))
                .bind(6, ordered.stream().map(r -> r.value().receivedAt()).toArray(Instant[]::new))
                .map(EventIdentities::position)
                .all()
                .collect(Collectors.toCollection(HashSet::new))
                .map(positions -> (Set<Position>) positions);
    }

    private static Mono<Map<EventKey, Identity>> known(
            List<Received<RawEvent>> poll, Set<Position> inserted, DatabaseClient db) {
        Collection<EventKey> keys =
                poll.stream()
                        .filter(r -> !inserted.contains(r.position()))
                        .map(r -> r.value().key())
                        .collect(Collectors.toCollection(HashSet::new));
        if (keys.isEmpty()) {
            return Mono.just(Map.of());
        }
        return db.sql(
                        """
                        SELECT i.topic, i.partition_no, i.record_offset, i.tenant_id, i.event_id, i.content_hash
                        FROM event_identity i
                        JOIN UNNEST($1::text[], $2::text[]) AS wanted(tenant_id, event_id) USING (tenant_id, event_id)\
                        """)
                .bind(0, keys.stream().map(EventKey::tenantId).toArray(String[]::new))
                .bind(1, keys.stream().map(EventKey::eventId).toArray(String[]::new))
                .map(row ->
                        Map.entry(
                                new EventKey(text(row, 3), text(row, 4)),
                                new Identity(position(row), text(row, 5))))
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    /** Notes repetitions, each record once; answers the positions that were new. */
    private static Mono<Set<Position>> record(List<Sorted> repeats, DatabaseClient db) {
        if (repeats.isEmpty()) {
            return Mono.just(Set.of());
        }
        return db.sql(
                        """
                        INSERT INTO event_repeat (tenant_id, topic, partition_no, record_offset, event_id, kind)
                        SELECT * FROM UNNEST($1::text[], $2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[])
                        ON CONFLICT DO NOTHING
                        RETURNING topic, partition_no, record_offset\
                        """)
                .bind(0, repeats.stream().map(s -> s.event().tenantId()).toArray(String[]::new))
                .bind(
                        1,
                        repeats.stream()
                                .map(s -> s.received().position().topic())
                                .toArray(String[]::new))
                .bind(
                        2,
                        repeats.stream()
                                .map(s -> s.received().position().partition())
                                .toArray(Integer[]::new))
                .bind(
                        3,
                        repeats.stream()
                                .map(s -> s.received().position().offset())
                                .toArray(Long[]::new))
                .bind(
                        4,
                        repeats.stream()
                                .map(s -> s.event().event().eventId())
                                .toArray(String[]::new))
                .bind(
                        5,
                        repeats.stream()
                                .map(s -> s.verdict().name().toLowerCase(Locale.ROOT))
                                .toArray(String[]::new))
                .map(EventIdentities::position)
                .all()
                .collect(Collectors.toCollection(HashSet::new))
                .map(positions -> (Set<Position>) positions);
    }

    private static Position position(Readable row) {
        return new Position(
                text(row, 0),
                Objects.requireNonNull(row.get(1, Integer.class)),
                Objects.requireNonNull(row.get(2, Long.class)));
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }

    private static String[] strings(
            List<Received<RawEvent>> records,
            java.util.function.Function<Received<RawEvent>, String> value) {
        return records.stream().map(value).toArray(String[]::new);
    }
}
