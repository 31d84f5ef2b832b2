package io.mirante.bench.etl;

import io.mirante.bench.client.MeshException;
import io.mirante.bench.etl.EtlBench.Figures;
import io.mirante.bench.mesh.BenchMesh;
import io.mirante.bench.mesh.Lag;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.CanonicalEvent;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The service as it is drains {@code mirante.events.raw}: identities claimed, persons numbered, events stored, users marked, clean
 * events published, offsets committed. Counted from when the last event waits until none does. The probe L5 copies the same rows
 * of {@code analytics_event} into a table with the same columns and indexes, which is less: it claims no identity.
 */
final class EventLogBench {
    private static final String TENANT = "demo";
    private static final String STORED = "event log, stored and published (rows/s)";
    private static final String COPIED = "L5 COPY of the same rows (rows/s)";
    private static final int PERSONS = 20_000;
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final int WARM_UP_ROUNDS = 6;

    private final PrintStream out;
    private final Path folder;
    private final BenchPostgres postgres;
    private final BenchMesh.Part kafka;
    private final BenchMesh.Part etl;
    private final Figures figures;
    private long sent;

    EventLogBench(
            PrintStream out,
            Path folder,
            BenchPostgres postgres,
            BenchMesh.Part kafka,
            BenchMesh.Part etl,
            Figures figures) {
        this.out = out;
        this.folder = folder;
        this.postgres = postgres;
        this.kafka = kafka;
        this.etl = etl;
        this.figures = figures;
    }

    void measure(int ids, int events, int rounds) throws InterruptedException {
        out.printf("Event log: %,d ids already there, %,d events a round …%n", ids, events);
        postgres.execute(
                """
                INSERT INTO etl.event_identity
                    (tenant_id, event_id, content_hash, topic, partition_no, record_offset, received_at)
                SELECT '%s', 'old-' || gen_random_uuid(), encode(sha256(i::text::bytea), 'hex'), '%s', i %% 12, -i,
                    now() - interval '1 day'
                FROM generate_series(1, %d) i\
                """
                        .formatted(TENANT, Topics.EVENTS_RAW.name(), ids));
        // What filling it leaves to be done is no part of the ids' being there.
        postgres.execute("VACUUM (ANALYZE) etl.event_identity");
        postgres.execute("CHECKPOINT");
        postgres.execute("CREATE SCHEMA bench");
        postgres.execute(
                "CREATE TABLE bench.event (LIKE etl.analytics_event INCLUDING ALL EXCLUDING GENERATED)");
        try (Lag lag = new Lag("127.0.0.1:" + kafka.port());
                var producer = producer()) {
            for (int round = 1 - WARM_UP_ROUNDS; round <= rounds; round++) {
                double perSecond = drained(lag, producer, round + WARM_UP_ROUNDS, events);
                double copied =
                        postgres.copy(
                                "SELECT * FROM etl.analytics_event WHERE tenant_id = '%s' AND id LIKE 'bench-%d-%%'"
                                        .formatted(TENANT, round + WARM_UP_ROUNDS),
                                folder.resolve("events.copy"),
                                "bench.event");
                out.printf(
                        "  %s: %,.0f rows/s; L5 %,.0f rows/s%n",
                        round > 0 ? "round " + round : "warm", perSecond, events / copied);
                if (round > 0) {
                    figures.note(STORED, perSecond);
                    figures.note(COPIED, events / copied);
                }
            }
        }
        long stored =
                postgres.count("SELECT count(*) FROM etl.analytics_event WHERE id LIKE 'bench-%'");
        long wanted = (long) events * (rounds + WARM_UP_ROUNDS);
        if (stored != wanted) {
            throw new MeshException("%d events were stored, not %d".formatted(stored, wanted));
        }
        figures.ratio(
                "event log ÷ L5 (must / aim)",
                figures.median(STORED) / figures.median(COPIED),
                "0.35 / 0.50");
    }

    /** Rows a second that the service stored of those that waited once the last had been sent. */
    private double drained(Lag lag, KafkaProducer<byte[], byte[]> producer, int round, int events)
            throws InterruptedException {
        for (int i = 0; i < events; i++) {
            var unused = producer.send(event(round, i));
        }
        producer.flush();
        sent += events;
        long begin = System.nanoTime();
        long cpu = etl.cpuNanos();
        long waiting = behind(lag);
        Instant limit = Instant.now().plus(LIMIT);
        while (behind(lag) > 0) {
            if (Instant.now().isAfter(limit)) {
                throw new MeshException("events still wait after " + LIMIT);
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        figures.note(
                "event log, CPU microseconds of etl an event",
                (etl.cpuNanos() - cpu) / 1e3 / waiting);
        return waiting / seconds;
    }

    /** Events that the service has still to store. */
    private long behind(Lag lag) throws InterruptedException {
        return sent - lag.read("etl-service", Topics.EVENTS_RAW.name());
    }

    private KafkaProducer<byte[], byte[]> producer() {
        return new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        "127.0.0.1:" + kafka.port(),
                        ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
                        ByteArraySerializer.class,
                        ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG,
                        ByteArraySerializer.class,
                        ProducerConfig.LINGER_MS_CONFIG,
                        5,
                        ProducerConfig.BATCH_SIZE_CONFIG,
                        1 << 18,
                        ProducerConfig.COMPRESSION_TYPE_CONFIG,
                        "lz4"));
    }

    /** As ingestion writes it: a page view, and one purchase in five. */
    private static ProducerRecord<byte[], byte[]> event(int round, int number) {
        Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
        boolean purchase = number % 5 == 0;
        String user = "user_%05d".formatted((number * 7_919L + round) % PERSONS);
        var event =
                new CanonicalEvent(
                        "bench-%d-%09d".formatted(round, number),
                        purchase ? "purchase" : "page_view",
                        purchase ? "commerce" : "web",
                        user,
                        null,
                        "sess_%07d".formatted(number / 4),
                        now,
                        now.toString(),
                        false,
                        1,
                        Json.mapper()
                                .readTree(
                                        purchase
                                                ? "{\"amount\":\"%d.50\",\"currency\":\"USD\",\"category\":\"shoes\",\"items\":2}"
                                                        .formatted(number % 200)
                                                : "{\"url\":\"/products/%d\",\"title\":\"Products\",\"duration_ms\":5000}"
                                                        .formatted(number % 1_000)),
                        Json.mapper().readTree("{}"),
                        Json.mapper()
                                .readTree(
                                        "{\"device\":{\"device_type\":\"Desktop\",\"os\":\"Windows\",\"browser\":\"Chrome\"},\"location\":{\"country\":\"BR\",\"city\":\"Recife\"}}"));
        var record =
                new ProducerRecord<>(
                        Topics.EVENTS_RAW.name(),
                        event.partitionKey(TENANT).getBytes(StandardCharsets.UTF_8),
                        event.toJson());
        for (var header :
                List.of(
                        Map.entry(CloudHeaders.SPEC_VERSION, "1.0"),
                        Map.entry(CloudHeaders.ID, event.eventId()),
                        Map.entry(CloudHeaders.TYPE, event.eventType()),
                        Map.entry(CloudHeaders.SOURCE, "/http"),
                        Map.entry(CloudHeaders.TIME, now.toString()),
                        Map.entry(CloudHeaders.TENANT, TENANT),
                        Map.entry(CloudHeaders.SCHEMA_VERSION, "1"),
                        Map.entry(CloudHeaders.CONTENT_HASH, event.contentHash()),
                        Map.entry(CloudHeaders.RECEIVED_AT, now.toString()))) {
            record.headers()
                    .add(
                            new RecordHeader(
                                    header.getKey(),
                                    header.getValue().getBytes(StandardCharsets.UTF_8)));
        }
        return record;
    }
}
