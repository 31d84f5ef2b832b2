package io.mirante.platform.messaging;

import io.mirante.platform.persistence.StreamDatabase;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.TopicPartition;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/** Consumers' positions in the service's schema: the only SQL for them. Thread-safe. */
final class Positions {

    private final StreamDatabase stream;

    Positions(StreamDatabase stream) {
        this.stream = stream;
    }

    /** A stored position. */
    record Stored(String topicId, long nextOffset) {}

    /** Where a source partition's records stand within a partition read. */
    record SourceKey(TopicPartition read, String sourceTopic, int sourcePartition) {}

    /** What is stored for the partitions of a poll. */
    record Locked(Map<TopicPartition, Long> next, Map<SourceKey, Long> sources) {}

    /** All stored positions of a consumer. */
    Mono<Map<TopicPartition, Stored>> all(String consumer) {
        return stream.client()
                .sql(
                        "SELECT topic, partition_no, topic_id, next_offset FROM consumer_position WHERE consumer = $1")
                .bind(0, consumer)
                .map(row ->
                        Map.entry(
                                new TopicPartition(
                                        Objects.requireNonNull(row.get(0, String.class)),
                                        Objects.requireNonNull(row.get(1, Integer.class))),
                                new Stored(
                                        Objects.requireNonNull(row.get(2, String.class)),
                                        Objects.requireNonNull(row.get(3, Long.class)))))
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    /** Stores a first position where there is none. */
    Mono<Void> begin(String consumer, TopicPartition partition, String topicId, long nextOffset) {
        return stream.client()
                .sql(
                        "INSERT INTO consumer_position (consumer, topic, partition_no, topic_id, next_offset)"
                                + " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
                .bind(0, consumer)
                .bind(1, partition.topic())
                .bind(2, partition.partition())
                .bind(3, topicId)
                .bind(4, nextOffset)
                .then();
    }

    /** Starts a recreated topic anew: its positions, those of the sources read through it, and its dead records. */
    Mono<Void> restart(String consumer, TopicPartition partition, String topicId, long nextOffset) {
        return stream.inTransaction(db ->
                db.sql(
                                "DELETE FROM source_position WHERE consumer = $1 AND topic = $2 AND partition_no ="
                                        + " $3")
                        .bind(0, consumer)
                        .bind(1, partition.topic())
                        .bind(2, partition.partition())
                        .then()
                        .then(BuriedRecords.forget(db, consumer, partition))
                        .then(
                                db.sql(
                                                "UPDATE consumer_position SET topic_id = $4, next_offset = $5"
                                                        + " WHERE consumer = $1 AND topic = $2 AND partition_no ="
                                                        + " $3")
                                        .bind(0, consumer)
                                        .bind(1, partition.topic())
                                        .bind(2, partition.partition())
                                        .bind(3, topicId)
                                        .bind(4, nextOffset)
                                        .then()));
    }

    /** Reads and locks the positions of a poll's partitions, in one order, within the poll's transaction. */
    Mono<Locked> lock(DatabaseClient db, String consumer, Collection<TopicPartition> partitions) {
        var topics = partitions.stream().map(TopicPartition::topic).toArray(String[]::new);
        var numbers = partitions.stream().map(TopicPartition::partition).toArray(Integer[]::new);
        var next =
                db.sql(
                                "SELECT p.topic, p.partition_no, p.next_offset FROM consumer_position p JOIN"
                                        + " UNNEST($2::text[], $3::int[]) AS wanted(topic, partition_no) USING"
                                        + " (topic, partition_no) WHERE p.consumer = $1 ORDER BY p.topic, p.partition_no"
                                        + " FOR UPDATE OF p")
                        .bind(0, consumer)
                        .bind(1, topics)
                        .bind(2, numbers)
                        .map(row ->
                                Map.entry(
                                        new TopicPartition(
                                                Objects.requireNonNull(row.get(0, String.class)),
                                                Objects.requireNonNull(row.get(1, Integer.class))),
                                        Objects.requireNonNull(row.get(2, Long.class))))
                        .all()
                        .collectMap(Map.Entry::getKey, Map.Entry::getValue);
        var sources =
                db.sql(
                                "SELECT s.topic, s.partition_no, s.source_topic, s.source_partition, s.source_offset FROM"
                                        + " source_position s JOIN UNNEST($2::text[], $3::int[]) AS wanted(topic,"
                                        + " partition_no) USING (topic, partition_no) WHERE s.consumer = $1")
                        .bind(0, consumer)
                        .bind(1, topics)
                        .bind(2, numbers)
                        .map(row ->
                                Map.entry(
                                        new SourceKey(
                                                new TopicPartition(
                                                        Objects.requireNonNull(
                                                                row.get(0, String.class)),
                                                        Objects.requireNonNull(
                                                                row.get(1, Integer.class))),
                                                Objects.requireNonNull(row.get(2, String.class)),
                                                Objects.requireNonNull(row.get(3, Integer.class))),
                                        Objects.requireNonNull(row.get(4, Long.class))))
                        .all()
                        .collectMap(Map.Entry::getKey, Map.Entry::getValue);
        return next.flatMap(n -> sources.map(s -> new Locked(n, s)));
    }

    /** Moves positions forward, never back. */
    Mono<Void> advance(DatabaseClient db, String consumer, Map<TopicPartition, Long> next) {
        if (next.isEmpty()) {
            return Mono.empty();
        }
        var entries = List.copyOf(next.entrySet());
        return db.sql(
                        "UPDATE consumer_position p SET next_offset = greatest(p.next_offset, v.next_offset) FROM"
                                + " UNNEST($2::text[], $3::int[], $4::bigint[]) AS v(topic, partition_no,"
                                + " next_offset) WHERE p.consumer = $1 AND p.topic = v.topic AND p.partition_no ="
                                + " v.partition_no")
                .bind(0, consumer)
                .bind(1, entries.stream().map(e -> e.getKey().topic()).toArray(String[]::new))
                .bind(2, entries.stream().map(e -> e.getKey().partition()).toArray(Integer[]::new))
                .bind(3, entries.stream().map(Map.Entry::getValue).toArray(Long[]::new))
                .then();
    }

    /** Remembers the last source offsets applied. */
    Mono<Void> advanceSources(DatabaseClient db, String consumer, Map<SourceKey, Long> sources) {
        if (sources.isEmpty()) {
            return Mono.empty();
        }
        var entries = List.copyOf(new HashMap<>(sources).entrySet());
        return db.sql(
                        "INSERT INTO source_position (consumer, topic, partition_no, source_topic,"
                                + " source_partition, source_offset) SELECT $1, * FROM UNNEST($2::text[], $3::int[],"
                                + " $4::text[], $5::int[], $6::bigint[]) ON CONFLICT (consumer, topic, partition_no,"
                                + " source_topic, source_partition) DO UPDATE SET source_offset ="
                                + " greatest(source_position.source_offset, excluded.source_offset)")
                .bind(0, consumer)
                .bind(
                        1,
                        entries.stream().map(e -> e.getKey().read().topic()).toArray(String[]::new))
                .bind(
                        2,
                        entries.stream()
                                .map(e -> e.getKey().read().partition())
                                .toArray(Integer[]::new))
                .bind(3, entries.stream().map(e -> e.getKey().sourceTopic()).toArray(String[]::new))
                .bind(
                        4,
                        entries.stream()
                                .map(e -> e.getKey().sourcePartition())
                                .toArray(Integer[]::new))
                .bind(5, entries.stream().map(Map.Entry::getValue).toArray(Long[]::new))
                .then();
    }
}
