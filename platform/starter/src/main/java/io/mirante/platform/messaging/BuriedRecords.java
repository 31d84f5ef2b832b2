package io.mirante.platform.messaging;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.TopicPartition;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Table {@code dead_letter}: which records each consumer passed over as dead, and which of them were replayed; the only SQL
 * for it. Thread-safe.
 */
final class BuriedRecords {

    /** A record, by where it first stood and by where it was read. */
    record Buried(Position origin, Position read) {}

    /** What became of a record. */
    enum State {
        /** Passed over as dead, and not replayed yet. */
        BURIED,
        REPLAYED,
        /** Never passed over. */
        UNKNOWN
    }

    /** Notes records in the transaction that passes them over; those noted before stay as they are. */
    Mono<Void> bury(DatabaseClient db, String consumer, List<Buried> records) {
        if (records.isEmpty()) {
            return Mono.empty();
        }
        return db.sql(
                        """
                        WITH old AS (
                            DELETE FROM dead_letter WHERE ctid IN (
                                SELECT ctid FROM dead_letter WHERE buried_at < now() - interval '30 days'
                                LIMIT 1000 FOR UPDATE SKIP LOCKED))
                        INSERT INTO dead_letter
                            (consumer, topic, partition_no, record_offset, read_topic, read_partition)
                        SELECT $1, * FROM UNNEST($2::text[], $3::int[], $4::bigint[], $5::text[], $6::int[])
                        ON CONFLICT DO NOTHING\
                        """)
                .bind(0, consumer)
                .bind(1, records.stream().map(r -> r.origin().topic()).toArray(String[]::new))
                .bind(2, records.stream().map(r -> r.origin().partition()).toArray(Integer[]::new))
                .bind(3, records.stream().map(r -> r.origin().offset()).toArray(Long[]::new))
                .bind(4, records.stream().map(r -> r.read().topic()).toArray(String[]::new))
                .bind(5, records.stream().map(r -> r.read().partition()).toArray(Integer[]::new))
                .then();
    }

    /** What became of a record; to be relied on within a transaction that holds the consumer's position locked. */
    Mono<State> state(DatabaseClient db, String consumer, Position origin) {
        return db.sql(
                        "SELECT replayed_at IS NOT NULL FROM dead_letter WHERE consumer = $1 AND topic = $2"
                                + " AND partition_no = $3 AND record_offset = $4")
                .bind(0, consumer)
                .bind(1, origin.topic())
                .bind(2, origin.partition())
                .bind(3, origin.offset())
                .map(row ->
                        Boolean.TRUE.equals(row.get(0, Boolean.class))
                                ? State.REPLAYED
                                : State.BURIED)
                .one()
                .defaultIfEmpty(State.UNKNOWN);
    }

    /** Marks a record as replayed, in the transaction of its effect. */
    Mono<Void> markReplayed(DatabaseClient db, String consumer, Buried record) {
        return db.sql(
                        """
                        INSERT INTO dead_letter
                            (consumer, topic, partition_no, record_offset, read_topic, read_partition, replayed_at)
                        VALUES ($1, $2, $3, $4, $5, $6, now())
                        ON CONFLICT (consumer, topic, partition_no, record_offset)
                        DO UPDATE SET replayed_at = excluded.replayed_at\
                        """)
                .bind(0, consumer)
                .bind(1, record.origin().topic())
                .bind(2, record.origin().partition())
                .bind(3, record.origin().offset())
                .bind(4, record.read().topic())
                .bind(5, record.read().partition())
                .then();
    }

    /** A consumer's record. */
    record Of(String consumer, Position origin) {}

    /** When those of the records that were replayed were. */
    Mono<Map<Of, Instant>> replayed(DatabaseClient db, List<Of> records) {
        if (records.isEmpty()) {
            return Mono.just(Map.of());
        }
        return db.sql(
                        """
                        SELECT consumer, topic, partition_no, record_offset, replayed_at FROM dead_letter
                        JOIN UNNEST($1::text[], $2::text[], $3::int[], $4::bigint[])
                            AS wanted(consumer, topic, partition_no, record_offset)
                            USING (consumer, topic, partition_no, record_offset)
                        WHERE replayed_at IS NOT NULL\
                        """)
                .bind(0, records.stream().map(Of::consumer).toArray(String[]::new))
                .bind(1, records.stream().map(r -> r.origin().topic()).toArray(String[]::new))
                .bind(2, records.stream().map(r -> r.origin().partition()).toArray(Integer[]::new))
                .bind(3, records.stream().map(r -> r.origin().offset()).toArray(Long[]::new))
                .map(row ->
                        Map.entry(
                                new Of(
                                        Objects.requireNonNull(row.get(0, String.class)),
                                        new Position(
                                                Objects.requireNonNull(row.get(1, String.class)),
                                                Objects.requireNonNull(row.get(2, Integer.class)),
                                                Objects.requireNonNull(row.get(3, Long.class)))),
                                Objects.requireNonNull(row.get(4, Instant.class))))
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    /** Forgets what was read from a partition, whose offsets now mean other records. */
    static Mono<Void> forget(DatabaseClient db, String consumer, TopicPartition read) {
        return db.sql(
                        "DELETE FROM dead_letter WHERE consumer = $1 AND read_topic = $2 AND read_partition = $3")
                .bind(0, consumer)
                .bind(1, read.topic())
                .bind(2, read.partition())
                .then();
    }
}
