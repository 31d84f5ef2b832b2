package io.mirante.etl.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.etl.EtlApplication;
import io.mirante.etl.RawRecords;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Position;
import io.mirante.testkit.FaultPointAutoConfiguration;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.beans.factory.annotation.Autowired;

/**
 * Replicas come, go and die between their PostgreSQL commit and their Kafka transaction while events, duplicates,
 * conflicts and poison flow. What must hold afterwards are I1–I3 and I5 of the promise, on the log and on the clean topic
 * as its readers see it; nothing that was only redelivered may be counted as a duplicate.
 */
@MeshTest
class ReplicasIT {

    private static final Duration START = Duration.ofMinutes(4);
    private static final Duration QUIET = Duration.ofMinutes(2);
    private static final Instant AT = Instant.parse("2026-11-20T10:00:00Z");

    @Autowired Mesh mesh;

    static List<Long> seeds() {
        long first = Long.getLong("mirante.fault.seed", System.currentTimeMillis());
        return List.of(first, first + 1);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void killedBetweenCommitAndPublicationNothingIsLostOrCountedTwice(long seed) throws Exception {
        var traffic = new Traffic(mesh.newTenant(), new Random(seed));
        int polls = 1 + traffic.random.nextInt(4);
        try (var replica =
                mesh.replica(
                        EtlApplication.class,
                        Map.of("mirante.fault.halt", "after-commit:" + polls))) {
            traffic.flowUntil(() -> !replica.isAlive(), START);
            assertThat(replica.awaitExit(Duration.ofSeconds(1)))
                    .as(() -> "seed " + seed + ": " + replica.text())
                    .isEqualTo(FaultPointAutoConfiguration.KILLED);
            traffic.send(200);
        }
        traffic.verify("seed " + seed);
    }

    @Test
    void aReplicaThatJoinsAndLeavesChangesNothing() throws Exception {
        long seed = System.currentTimeMillis();
        var traffic = new Traffic(mesh.newTenant(), new Random(seed));
        try (var replica = mesh.replica(EtlApplication.class, Map.of())) {
            traffic.flowUntil(replica::isReady, START);
            traffic.send(1_000);
            var end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
            traffic.flowUntil(() -> System.nanoTime() > end, Duration.ofSeconds(30));
            replica.terminate();
            traffic.send(500);
        }
        traffic.verify("seed " + seed);
    }

    /** Sends, remembers what Kafka acknowledged, and compares. */
    private final class Traffic {

        private final String tenant;
        private final Random random;
        private final List<CanonicalEvent> events = new ArrayList<>();
        private int duplicates;
        private int conflicts;
        private int poison;

        Traffic(String tenant, Random random) {
            this.tenant = tenant;
            this.random = random;
        }

        void flowUntil(BooleanSupplier end, Duration limit) {
            await().atMost(limit)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        send(30);
                        return end.getAsBoolean();
                    });
        }

        void send(int count) {
            var records = new ArrayList<Outgoing>();
            for (int i = 0; i < count; i++) {
                int kind = events.isEmpty() ? 9 : random.nextInt(10);
                if (kind == 0) {
                    records.add(anywhere(events.get(random.nextInt(events.size()))));
                    duplicates++;
                } else if (kind == 1) {
                    var first = events.get(random.nextInt(events.size()));
                    records.add(anywhere(first.withData(RawRecords.json("{\"url\":\"/other\"}"))));
                    conflicts++;
                } else if (kind == 2) {
                    records.add(poison());
                    poison++;
                } else {
                    var event = RawRecords.pageView("u" + random.nextInt(300), AT);
                    events.add(event);
                    records.add(anywhere(event));
                }
            }
            mesh.sendAll(records);
        }

        /** A repetition may come by another way than the first. */
        private Outgoing anywhere(CanonicalEvent event) {
            boolean critical = random.nextInt(10) == 0;
            return RawRecords.raw(
                    tenant,
                    event,
                    (critical ? Topics.EVENTS_CRITICAL : Topics.EVENTS_RAW).name(),
                    random.nextInt(Topics.PARTITIONS));
        }

        private Outgoing poison() {
            return new Outgoing(
                    Topics.EVENTS_RAW.name(),
                    random.nextInt(Topics.PARTITIONS),
                    new byte[] {1},
                    "{".getBytes(StandardCharsets.UTF_8),
                    Map.of(
                            CloudHeaders.TENANT, tenant,
                            CloudHeaders.CONTENT_HASH, "0".repeat(64),
                            CloudHeaders.RECEIVED_AT, AT.toString()));
        }

        void verify(String what) throws Exception {
            Set<String> accepted = new HashSet<>();
            events.forEach(e -> accepted.add(e.eventId()));
            await().alias(what)
                    .atMost(QUIET)
                    .untilAsserted(() -> {
                        assertThat(ids("SELECT id FROM analytics_event WHERE tenant_id = ?"))
                                .as("the log: I1, I2, I3")
                                .hasSize(accepted.size())
                                .containsExactlyInAnyOrderElementsOf(accepted);
                        assertThat(
                                        ids(
                                                "SELECT status FROM analytics_event_meta WHERE tenant_id = ?"))
                                .as("duplicates, conflicts and what failed: I5")
                                .hasSize(duplicates + conflicts + poison)
                                .filteredOn("failed"::equals)
                                .hasSize(poison);
                        assertThat(deadPositions()).as("dead: I5").hasSize(poison);
                    });
            await().alias(what)
                    .atMost(QUIET)
                    .untilAsserted(() ->
                            assertThat(cleanAsReadersSeeIt())
                                    .as("clean")
                                    .containsOnlyKeys(accepted));
            // one source position per event, which readers take as its identity; the first number
            // is the last
            assertThat(cleanAsReadersSeeIt().values()).allMatch(seen -> seen.size() == 1);
        }

        private Map<String, Set<Object>> cleanAsReadersSeeIt() {
            Map<String, Set<Object>> seen = new HashMap<>();
            for (var record : mesh.read(Topics.EVENTS_CLEAN.name())) {
                if (tenant.equals(text(record.headers().lastHeader(CloudHeaders.TENANT)))) {
                    seen.computeIfAbsent(
                                    text(record.headers().lastHeader(CloudHeaders.ID)),
                                    id -> new HashSet<>())
                            .add(
                                    List.of(
                                            new Position(
                                                    text(
                                                            record.headers()
                                                                    .lastHeader(
                                                                            CloudHeaders
                                                                                    .SOURCE_TOPIC)),
                                                    Integer.parseInt(
                                                            text(
                                                                    record.headers()
                                                                            .lastHeader(
                                                                                    CloudHeaders
                                                                                            .SOURCE_PARTITION))),
                                                    Long.parseLong(
                                                            text(
                                                                    record.headers()
                                                                            .lastHeader(
                                                                                    CloudHeaders
                                                                                            .SOURCE_OFFSET)))),
                                            text(
                                                    record.headers()
                                                            .lastHeader(CloudHeaders.PERSON_NO))));
                }
            }
            return seen;
        }

        private Set<String> deadPositions() {
            Set<String> positions = new HashSet<>();
            for (var record : mesh.read(Topics.dead("etl").name())) {
                if (tenant.equals(text(record.headers().lastHeader(CloudHeaders.TENANT)))) {
                    positions.add(new String(record.key(), StandardCharsets.UTF_8));
                }
            }
            return positions;
        }

        private List<String> ids(String select) throws SQLException {
            try (var connection = mesh.jdbc();
                    var query = connection.prepareStatement(select)) {
                query.setString(1, tenant);
                var rows = query.executeQuery();
                var ids = new ArrayList<String>();
                while (rows.next()) {
                    ids.add(rows.getString(1));
                }
                return ids;
            }
        }

        private static String text(org.apache.kafka.common.header.Header header) {
            return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
        }
    }
}
