package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import io.mirante.contracts.Topics;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Judges a mesh that has become quiet by its clients' ledgers: I1 to I6 of docs/reliability.md. Reads Kafka, and PostgreSQL
 * with the owner's rights.
 */
final class Oracle {
    private static final Duration QUIET = Duration.ofMinutes(3);
    private static final List<String> RAW =
            List.of(Topics.EVENTS_RAW.name(), Topics.EVENTS_CRITICAL.name());

    private final MeshUnderTest mesh;
    private final Accounts lost;

    Oracle(MeshUnderTest mesh) {
        this(mesh, new Accounts(0, 0, 0, 0, 0));
    }

    /** @param lost with Kafka's folder */
    Oracle(MeshUnderTest mesh, Accounts lost) {
        this.mesh = mesh;
        this.lost = lost;
    }

    /** Where the records of the raw topics are. */
    record Accounts(long records, long logged, long duplicates, long conflicts, long dead) {

        boolean balanced() {
            return records == logged + duplicates + conflicts + dead;
        }
    }

    /** Waits until every record is accounted for (I5) and counted for each of the tenants. */
    Accounts awaitQuiet(MeshClient... tenants) {
        Instant quiet = Instant.now();
        await().atMost(QUIET)
                .pollInterval(Duration.ofMillis(500))
                .untilAsserted(() ->
                        assertThat(accounts())
                                .as("I5: records = logged + duplicates + conflicts + dead")
                                .matches(Accounts::balanced));
        for (MeshClient tenant : tenants) {
            await().atMost(QUIET)
                    .untilAsserted(() ->
                            assertThat(
                                            MeshClient.asOf(
                                                    tenant.overview(
                                                            quiet.minus(1, ChronoUnit.DAYS),
                                                            quiet)))
                                    .isAfter(quiet));
        }
        return accounts();
    }

    /**
     * Compares the ledger with the event log, and the windows with a recount of the log.
     *
     * @param prefix of every id in the ledger, and of no other
     */
    void check(Ledger ledger, String prefix) {
        Map<Ledger.Key, Long> rows = rows(prefix);
        Set<Ledger.Key> stored = rows.keySet();
        assertThat(missing(ledger.acknowledged(), stored))
                .as("I1: acknowledged is stored")
                .isEmpty();
        assertThat(missing(stored, ledger.possible())).as("I2: stored was sent").isEmpty();
        assertThat(rows.values()).as("I3: one row per id").allMatch(count -> count == 1);
        assertThat(ledger.refused()).as("I6: refused is not stored").noneMatch(stored::contains);
        assertThat(windowsThatDiffer(mesh)).as("I4: windows are a recount of the log").isEmpty();
    }

    private static Set<Ledger.Key> missing(Set<Ledger.Key> these, Set<Ledger.Key> among) {
        Set<Ledger.Key> left = new HashSet<>(these);
        left.removeAll(among);
        return left;
    }

    Accounts accounts() {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            long records =
                    consumer.endOffsets(partitions(consumer, RAW)).values().stream()
                            .mapToLong(Long::longValue)
                            .sum();
            long dead =
                    read(consumer, Topics.dead("etl").name()).stream()
                            .filter(r -> RAW.contains(header(r, "deadletter_topic")))
                            .map(r ->
                                    header(r, "deadletter_topic")
                                            + header(r, "deadletter_partition")
                                            + "@"
                                            + header(r, "deadletter_offset"))
                            .distinct()
                            .count();
            return new Accounts(
                    records,
                    number("SELECT count(*) FROM etl.analytics_event") - lost.logged(),
                    number(
                                    "SELECT count(*) FROM etl.analytics_event_meta WHERE status = 'duplicate'")
                            - lost.duplicates(),
                    number(
                                    "SELECT count(*) FROM etl.analytics_event_meta WHERE status = 'conflict'")
                            - lost.conflicts(),
                    dead);
        }
    }

    /** How often an id that begins so came a second time, by status {@code duplicate} or {@code conflict}. */
    long repeats(String prefix, String status) {
        return number(
                "SELECT count(*) FROM etl.analytics_event_meta WHERE status = '%s' AND event_id LIKE '%s%%'"
                        .formatted(status, prefix));
    }

    long number(String sql) {
        try (Connection database = mesh.database();
                var statement = database.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        } catch (SQLException e) {
            throw new AssertionError(sql, e);
        }
    }

    /** Rows of the event log by event. */
    Map<Ledger.Key, Long> rows(String prefix) {
        Map<Ledger.Key, Long> found = new HashMap<>();
        try (Connection database = mesh.database();
                var statement = database.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT tenant_id, id, count(*) FROM etl.analytics_event WHERE id LIKE '"
                                        + prefix
                                        + "%' GROUP BY 1, 2")) {
            while (rows.next()) {
                found.put(new Ledger.Key(rows.getString(1), rows.getString(2)), rows.getLong(3));
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        return found;
    }

    /** Purchases and revenue of every hour and tenant by the log's own SQL against the windows: what differs. */
    static List<String> windowsThatDiffer(MeshUnderTest mesh) {
        String sql =
                """
                WITH log AS (
                    SELECT tenant_id, to_char(date_trunc('hour', occurred_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS starts_at,
                           count(*)::numeric AS purchases, sum(amount) AS revenue
                    FROM etl.analytics_event WHERE event_type = 'purchase' GROUP BY 1, 2),
                windows AS (
                    SELECT tenant_id, starts_at,
                           sum(value) FILTER (WHERE metric = 'purchases') AS purchases,
                           sum(value) FILTER (WHERE metric = 'revenue') AS revenue
                    FROM snapshot.metric_value
                    WHERE scope = 'commerce' AND granularity = 'hourly' AND metric IN ('purchases', 'revenue')
                    GROUP BY 1, 2)
                SELECT coalesce(l.tenant_id, w.tenant_id), coalesce(l.starts_at, w.starts_at),
                       l.purchases, w.purchases, l.revenue, w.revenue
                FROM log l FULL JOIN windows w USING (tenant_id, starts_at)
                WHERE l.purchases IS DISTINCT FROM w.purchases OR l.revenue IS DISTINCT FROM w.revenue
                """;
        List<String> differences = new ArrayList<>();
        try (Connection database = mesh.database();
                var statement = database.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                differences.add(
                        "%s %s: log %s purchases, windows %s; log %s revenue, windows %s"
                                .formatted(
                                        rows.getString(1),
                                        rows.getString(2),
                                        rows.getString(3),
                                        rows.getString(4),
                                        rows.getString(5),
                                        rows.getString(6)));
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        return differences;
    }

    /** All of a topic, as far as it goes now. */
    List<ConsumerRecord<byte[], byte[]>> read(String topic) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            return read(consumer, topic);
        }
    }

    private static List<ConsumerRecord<byte[], byte[]>> read(
            KafkaConsumer<byte[], byte[]> consumer, String topic) {
        var partitions = partitions(consumer, List.of(topic));
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        var ends = consumer.endOffsets(partitions);
        var records = new ArrayList<ConsumerRecord<byte[], byte[]>>();
        while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        }
        return records;
    }

    private static Set<TopicPartition> partitions(
            KafkaConsumer<byte[], byte[]> consumer, List<String> topics) {
        return topics.stream()
                .flatMap(topic ->
                        IntStream.range(0, consumer.partitionsFor(topic).size())
                                .mapToObj(p -> new TopicPartition(topic, p)))
                .collect(Collectors.toSet());
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        return new KafkaConsumer<>(
                Map.of("bootstrap.servers", mesh.kafka(), "enable.auto.commit", false),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }
}
