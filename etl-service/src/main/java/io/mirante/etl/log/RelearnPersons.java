package io.mirante.etl.log;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.PersonMerge;
import io.mirante.contracts.etl.PersonNumbered;
import io.mirante.etl.features.ChangedUsers;
import io.mirante.platform.erasure.Erasures;
import io.mirante.platform.messaging.MessagingSettings;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;

/**
 * Reads {@code mirante.identities} to its end before the consumers start, and takes over persons' numbers and merges the
 * tables do not know. After an older PostgreSQL was restored, persons numbered since then keep the numbers that others
 * have stored, and go by whom they went; what was undone stays undone.
 *
 * <p>Reads on from where it ended the last time (in the same database, so a restored one remembers an earlier end); the
 * whole topic when it was recreated. Kept from starting by PostgreSQL or Kafka it tries again for two minutes, then the
 * service does not start.
 */
@Component
@CrossTenant("the topic holds all tenants, and so does each batch of it")
final class RelearnPersons implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(RelearnPersons.class);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration LIMIT = Duration.ofSeconds(70);
    private static final int BATCH = 5_000;
    private static final byte[] MERGE = PersonMerge.TYPE.getBytes(StandardCharsets.UTF_8);

    /** Before the bindings (near the largest phase) and before anything that serves. */
    static final int PHASE = 0;

    private final Persons persons;
    private final PersonMerges merges;
    private final ChangedUsers changedUsers;
    private final StreamDatabase stream;
    private final Admin admin;
    private final MessagingSettings settings;
    private final Erasures erasures;
    private volatile boolean running;

    RelearnPersons(
            Persons persons,
            PersonMerges merges,
            ChangedUsers changedUsers,
            StreamDatabase stream,
            Admin admin,
            MessagingSettings settings,
            Erasures erasures) {
        this.persons = persons;
        this.merges = merges;
        this.changedUsers = changedUsers;
        this.stream = stream;
        this.admin = admin;
        this.settings = settings;
        this.erasures = erasures;
    }

    /** What one transaction takes over. */
    private static final class Batch {
        private final List<PersonNumbered> persons = new ArrayList<>();
        private final List<PersonMerge> merges = new ArrayList<>();

        int size() {
            return persons.size() + merges.size();
        }
    }

    private record Seen(String topicId, long nextOffset) {}

    @Override
    public int getPhase() {
        return PHASE;
    }

    @Override
    public void start() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                long records = relearn();
                if (records > 0) {
                    LOG.info("read {} records of persons", records);
                }
                running = true;
                return;
            } catch (RuntimeException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                LOG.warn("cannot read the persons' numbers yet: {}", e.getMessage());
                LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
            }
        }
    }

    @Override
    public void stop() {
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** Catches up; answers how many records it read. */
    long relearn() {
        if (!erasures.awaitCaughtUp(LIMIT)) {
            throw new IllegalStateException("it is not known yet who was erased");
        }
        var topicId = topicId();
        Map<Integer, Seen> seen = seen();
        try (var consumer = consumer()) {
            var partitions =
                    consumer.partitionsFor(Topics.IDENTITIES.name()).stream()
                            .map(p -> new TopicPartition(p.topic(), p.partition()))
                            .toList();
            var first = consumer.beginningOffsets(partitions);
            var end = consumer.endOffsets(partitions);
            Map<TopicPartition, Long> next = new HashMap<>();
            for (var partition : partitions) {
                long from = first.getOrDefault(partition, 0L);
                long to = end.getOrDefault(partition, 0L);
                var last = seen.get(partition.partition());
                if (last != null && last.topicId().equals(topicId) && last.nextOffset() <= to) {
                    from = Math.max(from, last.nextOffset());
                }
                if (from < to) {
                    next.put(partition, from);
                }
            }
            return next.isEmpty() ? 0 : read(consumer, topicId, next, end);
        }
    }

    private long read(
            Consumer<byte[], byte[]> consumer,
            String topicId,
            Map<TopicPartition, Long> next,
            Map<TopicPartition, Long> end) {
        consumer.assign(next.keySet());
        next.forEach(consumer::seek);
        long records = 0;
        var batch = new Batch();
        while (next.keySet().stream()
                .anyMatch(p -> consumer.position(p) < end.getOrDefault(p, 0L))) {
            for (var record : consumer.poll(Duration.ofMillis(200))) {
                parse(record, batch);
                records++;
            }
            if (batch.size() >= BATCH) {
                store(batch, positions(consumer, next), topicId);
                batch = new Batch();
            }
        }
        store(batch, positions(consumer, next), topicId);
        return records;
    }

    private static Map<Integer, Long> positions(
            Consumer<byte[], byte[]> consumer, Map<TopicPartition, Long> partitions) {
        Map<Integer, Long> positions = new HashMap<>();
        partitions.keySet().forEach(p -> positions.put(p.partition(), consumer.position(p)));
        return positions;
    }

    /** Who was erased since is not learnt again, though their records may not be cleaned away yet. */
    private void parse(ConsumerRecord<byte[], byte[]> record, Batch batch) {
        if (record.value() == null) {
            return;
        }
        var type = record.headers().lastHeader(CloudHeaders.TYPE);
        try {
            if (type != null && Arrays.equals(type.value(), MERGE)) {
                var merge = Json.mapper().readValue(record.value(), PersonMerge.class);
                if (!erasures.cover(merge)) {
                    batch.merges.add(merge);
                }
            } else {
                var person = Json.mapper().readValue(record.value(), PersonNumbered.class);
                if (!erasures.covers(
                        person.tenantId(), person.id(), person.personNo(), person.numberedAt())) {
                    batch.persons.add(person);
                }
            }
        } catch (JacksonException e) {
            LOG.error(
                    "{}-{}@{} is neither a numbered person nor a merge: {}",
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    e.getOriginalMessage());
        }
    }

    private void store(Batch batch, Map<Integer, Long> positions, String topicId) {
        stream.inTransaction(db ->
                        learn(batch, db).then(remember(positions, topicId, db)).thenReturn(true))
                .block(LIMIT);
    }

    /** Users who gain or lose a visitor by it get new features. */
    private Mono<Void> learn(Batch batch, DatabaseClient db) {
        var numbers =
                batch.persons.isEmpty() ? Mono.<Void>empty() : persons.learn(batch.persons, db);
        return numbers.then(Mono.defer(() -> merges.learn(batch.merges, db).collectList()))
                .flatMap(learnt ->
                        changedUsers.mark(
                                learnt.stream()
                                        .filter(m -> !m.state().equals(PersonMerge.REFUSED))
                                        .map(PersonMerges::changeOf)
                                        .toList(),
                                db));
    }

    private static Mono<Void> remember(
            Map<Integer, Long> positions, String topicId, DatabaseClient db) {
        var entries = List.copyOf(positions.entrySet());
        return db.sql(
                        """
                        INSERT INTO person_relearned (partition_no, topic_id, next_offset)
                        SELECT partition_no, $1, next_offset
                        FROM UNNEST($2::int[], $3::bigint[]) AS p(partition_no, next_offset)
                        ORDER BY partition_no
                        ON CONFLICT (partition_no)
                        DO UPDATE SET topic_id = excluded.topic_id, next_offset = excluded.next_offset\
                        """)
                .bind(0, topicId)
                .bind(1, entries.stream().map(Map.Entry::getKey).toArray(Integer[]::new))
                .bind(2, entries.stream().map(Map.Entry::getValue).toArray(Long[]::new))
                .then();
    }

    private Map<Integer, Seen> seen() {
        return Objects.requireNonNull(
                stream.client()
                        .sql("SELECT partition_no, topic_id, next_offset FROM person_relearned")
                        .map(row ->
                                Map.entry(
                                        Objects.requireNonNull(row.get(0, Integer.class)),
                                        new Seen(
                                                Objects.requireNonNull(row.get(1, String.class)),
                                                Objects.requireNonNull(row.get(2, Long.class)))))
                        .all()
                        .collectMap(Map.Entry::getKey, Map.Entry::getValue)
                        .block(LIMIT));
    }

    private String topicId() {
        try {
            var topics =
                    admin.describeTopics(List.of(Topics.IDENTITIES.name()))
                            .allTopicNames()
                            .get(30, TimeUnit.SECONDS);
            return Objects.requireNonNull(topics.get(Topics.IDENTITIES.name()))
                    .topicId()
                    .toString();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(
                    "Kafka does not describe topic " + Topics.IDENTITIES.name(), e);
        }
    }

    private Consumer<byte[], byte[]> consumer() {
        var config = settings.consumer();
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, BATCH);
        return new KafkaConsumer<>(config);
    }
}
