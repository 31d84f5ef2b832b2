package io.mirante.etl.log;

import io.mirante.etl.log.SortedPoll.Identity;
import io.mirante.platform.messaging.Position;
import io.mirante.platform.messaging.Received;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
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

    private final EventMeta meta;

    EventIdentities(EventMeta meta) {
        this.meta = meta;
    }

    /** Claims the ids of a poll; of several records with one id the first by position is kept. */
    Mono<SortedPoll> sort(List<Received<RawEvent>> poll, DatabaseClient db) {
        long begun = System.nanoTime();
        return insert(poll.stream().sorted(ORDER).toList(), db)
                .flatMap(inserted ->
                        known(poll, inserted, db)
                                .map(known -> SortedPoll.of(poll, inserted, known)))
                .flatMap(sorted ->
                        meta.repeated(
                                        sorted.repeats(),
                                        Duration.ofNanos(System.nanoTime() - begun),
                                        db)
                                .map(sorted::withRecorded));
    }

    private static Mono<Set<Position>> insert(List<Received<RawEvent>> ordered, DatabaseClient db) {
        // All are new most of the time: which ones is told when they are not, and then in one row.
        return db.sql(
                        """
                        WITH claimed AS (
                            INSERT INTO event_identity
                                (tenant_id, event_id, content_hash, topic, partition_no, record_offset, received_at)
                            SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::int[],
                                $6::bigint[], $7::timestamptz[])
                            ON CONFLICT DO NOTHING
                            RETURNING topic, partition_no, record_offset
                        )
                        SELECT count(*), CASE WHEN count(*) < cardinality($2::text[]) THEN array_agg(topic) END,
                            CASE WHEN count(*) < cardinality($2::text[]) THEN array_agg(partition_no) END,
                            CASE WHEN count(*) < cardinality($2::text[]) THEN array_agg(record_offset) END
                        FROM claimed\
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
                .map(row -> claimed(ordered, row))
                .one();
    }

    private static Set<Position> claimed(List<Received<RawEvent>> ordered, Readable row) {
        long count = Objects.requireNonNull(row.get(0, Long.class));
        var positions = HashSet.<Position>newHashSet((int) count);
        if (count == ordered.size()) {
            ordered.forEach(r -> positions.add(r.position()));
        } else if (count > 0) {
            var topics = Objects.requireNonNull(row.get(1, String[].class));
            var partitions = Objects.requireNonNull(row.get(2, Integer[].class));
            var offsets = Objects.requireNonNull(row.get(3, Long[].class));
            for (int i = 0; i < count; i++) {
                positions.add(new Position(topics[i], partitions[i], offsets[i]));
            }
        }
        return positions;
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
                        SELECT i.topic, i.partition_no, i.record_offset, i.tenant_id, i.event_id, i.content_hash, i.received_at
                        FROM event_identity i
                        JOIN UNNEST($1::text[], $2::text[]) AS wanted(tenant_id, event_id) USING (tenant_id, event_id)\
                        """)
                .bind(0, keys.stream().map(EventKey::tenantId).toArray(String[]::new))
                .bind(1, keys.stream().map(EventKey::eventId).toArray(String[]::new))
                .map(row ->
                        Map.entry(
                                new EventKey(text(row, 3), text(row, 4)),
                                new Identity(
                                        EventMeta.position(row),
                                        Objects.requireNonNull(row.get(6, Instant.class)),
                                        text(row, 5))))
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
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
