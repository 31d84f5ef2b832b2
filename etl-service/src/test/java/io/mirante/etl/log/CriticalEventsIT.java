package io.mirante.etl.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import io.mirante.etl.RawRecords;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;

/**
 * Critical events do not wait for others. All are of one tenant and each is of a person nobody knew, so that the two ways meet at
 * the tenant's counter of persons, which is the worst there is.
 */
@MeshTest
class CriticalEventsIT {

    private static final Logger LOG = LoggerFactory.getLogger(CriticalEventsIT.class);
    private static final Duration EVERY = Duration.ofMillis(25);
    private static final Duration LIMIT = Duration.ofMinutes(3);

    @Autowired Mesh mesh;

    @Test
    void criticalEventsAreCleanWhileOthersThatCameBeforeStillWait() {
        var seen = overtake(30_000, 40);
        assertThat(seen.othersClean())
                .as(
                        "of 30,000 others that came before, at the time the last critical one was clean")
                .isLessThan(20_000);
    }

    /** The figure: from acknowledged until a reader of the clean topic has it. */
    @Tag("fault")
    @Test
    void withAHundredThousandWaitingTheyAreCleanWithinASecond() {
        long begun = System.nanoTime();
        var seen = overtake(100_000, 200);
        var sorted = Arrays.stream(seen.millis()).sorted().toArray();
        var later = Arrays.stream(seen.millis()).skip(100).sorted().toArray();
        await().atMost(LIMIT).until(() -> stored(seen.tenant()) == 100_200);
        LOG.info(
                "critical events behind 100000 others: p50 {} ms, p99 {} ms; of the second hundred {} and {} ms; {} others"
                        + " were clean by then; all stored after {} s",
                sorted[100],
                sorted[197],
                later[50],
                later[98],
                seen.othersClean(),
                (System.nanoTime() - begun) / 1e9);
        assertThat(seen.othersClean()).as("others clean by then").isLessThan(100_000);
        // The target is 1,000; a machine that is busy otherwise does not make the build red.
        assertThat(sorted[197]).as("99th percentile, in ms").isLessThan(5_000);
    }

    private long stored(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT count(*) FROM analytics_event WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getLong(1);
        }
    }

    private record Seen(String tenant, double[] millis, int othersClean) {}

    private Seen overtake(int others, int critical) {
        var tenant = mesh.newTenant();
        var at = Instant.now();
        try (var clean = clean()) {
            mesh.sendAll(
                    IntStream.range(0, others)
                            .mapToObj(i ->
                                    RawRecords.raw(tenant, RawRecords.pageView("other-" + i, at)))
                            .toList());
            Map<String, Long> accepted = new HashMap<>();
            var millis = new double[critical];
            int arrived = 0;
            int othersClean = 0;
            long begun = System.nanoTime();
            while (arrived < critical) {
                assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(LIMIT);
                if (accepted.size() < critical
                        && System.nanoTime() - begun > accepted.size() * EVERY.toNanos()) {
                    var event = RawRecords.pageView("critical-" + accepted.size(), at);
                    mesh.send(RawRecords.raw(tenant, event, Topics.EVENTS_CRITICAL.name(), null));
                    accepted.put(event.eventId(), System.nanoTime());
                }
                for (var record : clean.poll(Duration.ofMillis(5))) {
                    if (!tenant.equals(header(record, CloudHeaders.TENANT))) {
                        continue;
                    }
                    var since = accepted.get(header(record, CloudHeaders.ID));
                    if (since == null) {
                        othersClean++;
                    } else {
                        millis[arrived++] = (System.nanoTime() - since) / 1e6;
                    }
                }
            }
            return new Seen(tenant, millis, othersClean);
        }
    }

    private KafkaConsumer<byte[], byte[]> clean() {
        var consumer =
                new KafkaConsumer<byte[], byte[]>(
                        Map.of(
                                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                mesh.infrastructure().bootstrapServers(),
                                ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
                                ByteArrayDeserializer.class,
                                ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG,
                                ByteArrayDeserializer.class,
                                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                                "read_committed",
                                ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                                20_000,
                                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                                false));
        var partitions =
                IntStream.range(0, Topics.PARTITIONS)
                        .mapToObj(i -> new TopicPartition(Topics.EVENTS_CLEAN.name(), i))
                        .toList();
        consumer.assign(partitions);
        consumer.seekToEnd(partitions);
        partitions.forEach(consumer::position);
        return consumer;
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }
}
