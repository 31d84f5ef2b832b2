package io.mirante.snapshot;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.Progress;
import io.mirante.testkit.Mesh;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes clean events and progress as etl does: in Kafka transactions, each record with its source position. */
public final class CleanLog implements AutoCloseable {

    private static final long[] NEXT_SOURCE = new long[Topics.PARTITIONS];
    private static final long[] CLEAN_END = new long[Topics.PARTITIONS];

    private final KafkaProducer<byte[], byte[]> producer;

    public CleanLog(Mesh mesh) {
        producer =
                new KafkaProducer<>(
                        Map.of(
                                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                mesh.infrastructure().bootstrapServers(),
                                ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
                                ByteArraySerializer.class,
                                ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG,
                                ByteArraySerializer.class,
                                ProducerConfig.TRANSACTIONAL_ID_CONFIG,
                                "clean-log-" + UUID.randomUUID()));
        producer.initTransactions();
    }

    /** An event of a person; a context of a Brazilian phone. */
    public static CleanEvent event(
            String tenant, String id, String type, long person, String at, String data) {
        return event(tenant, id, type, person, Instant.parse(at), null, data);
    }

    public static CleanEvent event(
            String tenant,
            String id,
            String type,
            long person,
            Instant at,
            String sessionId,
            String data) {
        return new CleanEvent(
                tenant,
                id,
                type,
                "web",
                person == 0 ? null : "user-" + person,
                null,
                sessionId,
                at,
                Instant.parse("2026-11-20T12:00:00Z"),
                person,
                Json.mapper().readTree(data),
                Json.mapper().readTree("{}"),
                Json.mapper()
                        .readTree(
                                "{\"device\":{\"device_type\":\"Mobile\"},\"location\":{\"country\":\"BR\"}}"));
    }

    public void send(CleanEvent... events) {
        send(List.of(events));
    }

    /** Sends events in one transaction. */
    public void send(List<CleanEvent> events) {
        transaction(events.stream().map(CleanLog::next).toList());
    }

    /** Sends records in one transaction. */
    public void transaction(List<ProducerRecord<byte[], byte[]>> records) {
        producer.beginTransaction();
        var sent = new ArrayList<Future<RecordMetadata>>();
        records.forEach(r -> sent.add(producer.send(r)));
        producer.commitTransaction();
        synchronized (CLEAN_END) {
            for (var future : sent) {
                var metadata = future.resultNow();
                CLEAN_END[metadata.partition()] =
                        Math.max(CLEAN_END[metadata.partition()], metadata.offset() + 1);
            }
        }
    }

    /** The event as a record, with the next position of its source partition. */
    public static ProducerRecord<byte[], byte[]> next(CleanEvent event) {
        int partition = partition(event);
        long offset;
        synchronized (NEXT_SOURCE) {
            offset = NEXT_SOURCE[partition]++;
        }
        return record(event, offset);
    }

    /** The event as a record from a given source position. */
    public static ProducerRecord<byte[], byte[]> record(CleanEvent event, long sourceOffset) {
        return record(event, Json.mapper().writeValueAsBytes(event), sourceOffset);
    }

    /** Any bytes where the event would stand. */
    public static ProducerRecord<byte[], byte[]> record(
            CleanEvent event, byte[] value, long sourceOffset) {
        int partition = partition(event);
        var record =
                new ProducerRecord<>(
                        Topics.EVENTS_CLEAN.name(),
                        partition,
                        Keys.of(event.tenantId(), String.valueOf(event.personId())),
                        value);
        Map.of(
                        CloudHeaders.TENANT, event.tenantId(),
                        CloudHeaders.ID, event.eventId(),
                        CloudHeaders.TYPE, event.eventType(),
                        CloudHeaders.SOURCE_TOPIC, Topics.EVENTS_RAW.name(),
                        CloudHeaders.SOURCE_PARTITION, Integer.toString(partition),
                        CloudHeaders.SOURCE_OFFSET, Long.toString(sourceOffset))
                .forEach((name, text) ->
                        record.headers().add(name, text.getBytes(StandardCharsets.UTF_8)));
        return record;
    }

    public static long takeSourceOffset(CleanEvent event) {
        synchronized (NEXT_SOURCE) {
            return NEXT_SOURCE[partition(event)]++;
        }
    }

    private static int partition(CleanEvent event) {
        return Math.floorMod((event.tenantId() + event.personId()).hashCode(), Topics.PARTITIONS);
    }

    /** Says of every source partition that everything accepted before the time is on clean. */
    public void progress(Instant time) {
        progress(time, 0);
    }

    /** The same of more than is there yet. */
    public void progressAhead(Instant time) {
        progress(time, 1_000_000);
    }

    private void progress(Instant time, long ahead) {
        producer.beginTransaction();
        for (int p = 0; p < Topics.PARTITIONS; p++) {
            long end;
            synchronized (CLEAN_END) {
                end = CLEAN_END[p] + ahead;
            }
            for (var source : List.of(Topics.EVENTS_RAW, Topics.EVENTS_CRITICAL)) {
                var progress =
                        new Progress(
                                source.name(),
                                p,
                                end,
                                Topics.EVENTS_CLEAN.name(),
                                Map.of(p, end),
                                time);
                producer.send(
                        new ProducerRecord<>(
                                Topics.PROGRESS.name(),
                                0,
                                Keys.of(source.name(), Integer.toString(p)),
                                Json.mapper().writeValueAsBytes(progress)));
            }
        }
        producer.commitTransaction();
    }

    @Override
    public void close() {
        producer.close();
    }
}
