package io.mirante.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.Progress;
import io.mirante.core.CoreApplication.Event;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** The promises of the delivery core, on real Kafka and PostgreSQL. */
@MeshTest
class DeliveryCoreIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    @Autowired Mesh mesh;
    @Autowired TenantDatabase tenants;
    @Autowired AsOf asOf;

    private Outgoing event(String tenant, String id, int weight, Map<String, String> headers) {
        return new Outgoing(
                Topics.EVENTS_CLEAN.name(),
                3,
                Keys.of(tenant, id),
                CoreApplication.json(new Event(tenant, id, weight)),
                headers);
    }

    private Outgoing event(String tenant, String id) {
        return event(tenant, id, 1, Map.of());
    }

    private Outgoing bytes(String tenant, String value) {
        return new Outgoing(
                Topics.EVENTS_CLEAN.name(),
                3,
                Keys.of(tenant, "poison"),
                value.getBytes(StandardCharsets.UTF_8),
                Map.of(CoreApplication.TENANT, tenant));
    }

    private Map<String, Integer> counted(String tenant) {
        return Objects.requireNonNull(
                tenants.many(
                                tenant,
                                db ->
                                        db.sql("SELECT event_id, times FROM counted")
                                                .map(row ->
                                                        Map.entry(
                                                                row.get(0, String.class),
                                                                row.get(1, Integer.class)))
                                                .all())
                        .collectMap(Map.Entry::getKey, Map.Entry::getValue)
                        .block());
    }

    private long deadOf(String tenant) {
        return mesh.read(Topics.dead("alert").name()).stream()
                .filter(r ->
                        new String(r.value(), StandardCharsets.UTF_8).contains(tenant)
                                || (r.headers().lastHeader(CoreApplication.TENANT) != null
                                        && new String(
                                                        r.headers()
                                                                .lastHeader(CoreApplication.TENANT)
                                                                .value(),
                                                        StandardCharsets.UTF_8)
                                                .equals(tenant)))
                .count();
    }

    @Test
    void neighboursOfPoisonAreStoredOnceAndPoisonIsKeptWithItsReason() {
        var tenant = mesh.newTenant();
        mesh.sendAll(
                List.of(
                        event(tenant, "a"),
                        event(tenant, "b"),
                        bytes(tenant, "{not json"),
                        event(tenant, "c"),
                        bytes(tenant, "{\"tenant_id\": 5"),
                        event(tenant, "d")));
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(counted(tenant))
                                .isEqualTo(Map.of("a", 1, "b", 1, "c", 1, "d", 1)));
        await().atMost(SOON).untilAsserted(() -> assertThat(deadOf(tenant)).isEqualTo(2));
        var dead =
                mesh.read(Topics.dead("alert").name()).stream()
                        .filter(r ->
                                new String(r.value(), StandardCharsets.UTF_8).equals("{not json"))
                        .toList()
                        .getLast();
        assertThat(
                        new String(
                                dead.headers().lastHeader(CloudHeaders.REASON).value(),
                                StandardCharsets.UTF_8))
                .isEqualTo("bad_json");
    }

    @Test
    void whatBreaksTheHandlerIsFoundRecordByRecord() {
        var tenant = mesh.newTenant();
        var poll = new ArrayList<Outgoing>();
        IntStream.range(0, 20).forEach(i -> poll.add(event(tenant, "e" + i)));
        poll.add(10, event(tenant, "breaks", -1, Map.of()));
        mesh.sendAll(poll);
        await().atMost(SOON).untilAsserted(() -> assertThat(counted(tenant)).hasSize(20));
        assertThat(counted(tenant).values()).allMatch(times -> times == 1);
        await().atMost(SOON).untilAsserted(() -> assertThat(deadOf(tenant)).isEqualTo(1));
    }

    @Test
    void aSecondCopyOfASourcePositionCountsNothing() {
        var tenant = mesh.newTenant();
        var first =
                Map.of(
                        CloudHeaders.SOURCE_TOPIC, "raw-" + tenant,
                        CloudHeaders.SOURCE_PARTITION, "0",
                        CloudHeaders.SOURCE_OFFSET, "41");
        var second = new HashMap<>(first);
        second.put(CloudHeaders.SOURCE_OFFSET, "42");
        mesh.sendAll(
                List.of(
                        event(tenant, "a", 1, first),
                        event(tenant, "a", 1, first),
                        event(tenant, "b", 1, second),
                        event(tenant, "a", 1, first),
                        event(tenant, "b", 1, second),
                        event(tenant, "end")));
        await().atMost(SOON).untilAsserted(() -> assertThat(counted(tenant)).containsKey("end"));
        assertThat(counted(tenant)).isEqualTo(Map.of("a", 1, "b", 1, "end", 1));
    }

    @Test
    void aPollOfAHundredTenantsIsStoredAndEachSeesItsOwn() {
        var all = IntStream.range(0, 100).mapToObj(i -> mesh.newTenant()).toList();
        mesh.sendAll(all.stream().map(t -> event(t, "of-" + t)).toList());
        for (var tenant : all) {
            await().atMost(SOON)
                    .untilAsserted(
                            () -> assertThat(counted(tenant)).isEqualTo(Map.of("of-" + tenant, 1)));
        }
        assertThat(counted("nobody")).isEmpty();
    }

    @Test
    void withoutATenantTheAppRoleSeesNothingAndCannotWrite() throws Exception {
        var tenant = mesh.newTenant();
        mesh.send(event(tenant, "a"));
        await().atMost(SOON).untilAsserted(() -> assertThat(counted(tenant)).hasSize(1));
        try (var app = mesh.jdbc("app");
                var statement = app.createStatement()) {
            var rows = statement.executeQuery("SELECT count(*) FROM counted");
            rows.next();
            assertThat(rows.getInt(1)).isZero();
            assertThat(
                            statement.executeUpdate(
                                    "UPDATE counted SET times = 9 WHERE tenant_id = '"
                                            + tenant
                                            + "'"))
                    .isZero();
        }
        assertThat(counted(tenant)).isEqualTo(Map.of("a", 1));
    }

    @Test
    void asOfMovesPastAnIdlePartitionAndNotPastAnUnreadOne() {
        var tenant = mesh.newTenant();
        var now = Instant.now();
        var sent = mesh.send(event(tenant, "a"));
        var messages = new ArrayList<Outgoing>();
        for (var source : List.of(Topics.EVENTS_RAW, Topics.EVENTS_CRITICAL)) {
            for (int i = 0; i < source.partitions(); i++) {
                long end = i == sent.partition() ? sent.offset() + 1 : 0;
                messages.add(progress(source.name(), i, end, now));
            }
        }
        mesh.sendAll(messages);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(asOf.of("countEvents").block()).isEqualTo(now));
        // One source goes on to an offset nobody has read: the others may move, as_of must not.
        var later = now.plusSeconds(60);
        mesh.sendAll(
                IntStream.range(0, Topics.EVENTS_RAW.partitions())
                        .mapToObj(i ->
                                progress(
                                        Topics.EVENTS_RAW.name(), i, i == 7 ? 1_000_000 : 0, later))
                        .toList());
        mesh.sendAll(
                IntStream.range(0, Topics.EVENTS_CRITICAL.partitions())
                        .mapToObj(i -> progress(Topics.EVENTS_CRITICAL.name(), i, 0, later))
                        .toList());
        await().during(Duration.ofSeconds(1))
                .atMost(SOON)
                .untilAsserted(() -> assertThat(asOf.of("countEvents").block()).isEqualTo(now));
    }

    private static Outgoing progress(String topic, int partition, long cleanEnd, Instant time) {
        return new Outgoing(
                Topics.PROGRESS.name(),
                null,
                Keys.of(topic, Integer.toString(partition)),
                Json.mapper()
                        .writeValueAsBytes(
                                new Progress(
                                        topic,
                                        partition,
                                        cleanEnd,
                                        Topics.EVENTS_CLEAN.name(),
                                        Map.of(partition, cleanEnd),
                                        time)),
                Map.of());
    }
}
