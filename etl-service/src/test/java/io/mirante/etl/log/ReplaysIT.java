package io.mirante.etl.log;

import static io.mirante.etl.RawRecords.event;
import static io.mirante.etl.RawRecords.pageView;
import static io.mirante.etl.RawRecords.purchase;
import static io.mirante.etl.RawRecords.raw;
import static io.mirante.etl.RawRecords.visit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.ReplayEnded;
import io.mirante.etl.RawRecords;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import tools.jackson.databind.JsonNode;

/** What is replayed is what was published. */
@MeshTest
class ReplaysIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant DAY = Instant.parse("2026-11-20T00:00:00Z");

    @Autowired private Mesh mesh;

    @Test
    void aRangeIsSentAsItWasPublishedAndEndsOnEveryPartition() throws Exception {
        var tenant = mesh.newTenant();
        var records = new ArrayList<Outgoing>();
        for (int i = 0; i < 900; i++) {
            // Many at one moment, so that chunks end between events of the same time.
            var at = DAY.plusSeconds(60L * (i / 300));
            records.add(
                    raw(
                            tenant,
                            switch (i % 3) {
                                case 0 -> pageView("user-" + i % 20, at);
                                case 1 -> purchase("user-" + i % 20, at, i + ".50");
                                default -> visit("visitor-" + i % 7, at);
                            }));
        }
        records.add(
                raw(
                        tenant,
                        event(
                                "odd",
                                "purchase",
                                "commerce",
                                "user-1",
                                DAY,
                                "{\"amount\":1e2,\"z\":{\"b\":[1,null,\"\\u00e9\"],\"a\":true},\"currency\":\"BRL\"}")));
        records.add(raw(tenant, pageView("before", DAY.minusMillis(1))));
        records.add(raw(tenant, pageView("after", DAY.plusSeconds(3_600))));
        mesh.sendAll(records);
        mesh.send(records.getFirst());
        await().atMost(SOON).until(() -> count(tenant) == records.size());

        var job = replay(tenant, "rebuild-1", DAY, DAY.plusSeconds(3_600));
        assertThat(completed(tenant, job).path("events").asInt()).isEqualTo(901);

        var wanted = new TreeMap<String, CleanEvent>();
        var headers = new TreeMap<String, Map<String, String>>();
        for (var record : of(Topics.EVENTS_CLEAN.name(), tenant)) {
            var event = Json.mapper().readValue(record.value(), CleanEvent.class);
            if (!event.occurredAt().isBefore(DAY)
                    && event.occurredAt().isBefore(DAY.plusSeconds(3_600))) {
                wanted.put(event.eventId(), event);
                headers.put(event.eventId(), headers(record));
            }
        }
        assertThat(wanted).hasSize(901);
        var replayed = new TreeMap<String, CleanEvent>();
        var ends = new ArrayList<Integer>();
        for (var record : of(Topics.EVENTS_REPLAY.name(), tenant)) {
            assertThat(header(record, CloudHeaders.REBUILD_ID)).isEqualTo("rebuild-1");
            if (ReplayEnded.TYPE.equals(header(record, CloudHeaders.TYPE))) {
                var ended = Json.mapper().readValue(record.value(), ReplayEnded.class);
                assertThat(ended.events()).isEqualTo(901);
                assertThat(ended.logBeginsAt()).isNotNull();
                ends.add(record.partition());
                continue;
            }
            assertThat(ends).as("nothing follows the end").doesNotContain(record.partition());
            var event = Json.mapper().readValue(record.value(), CleanEvent.class);
            assertThat(replayed.put(event.eventId(), event)).as("once").isNull();
            var own = headers(record);
            own.remove(CloudHeaders.REBUILD_ID);
            assertThat(headers.get(event.eventId())).containsAllEntriesOf(own);
        }
        assertThat(ends).hasSize(Topics.PARTITIONS).doesNotHaveDuplicates();
        assertThat(replayed.keySet()).isEqualTo(wanted.keySet());
        replayed.forEach(
                (id, event) -> assertThat(numbers(event)).isEqualTo(numbers(wanted.get(id))));

        assertThat(replay(tenant, "rebuild-1", DAY, DAY.plusSeconds(3_600)))
                .as("asked again")
                .isEqualTo(job);
    }

    @Test
    void aReplayGoesOnWhereItWasAndLeavesErasedPersonsOut() throws Exception {
        var tenant = mesh.newTenant();
        var ids = new ArrayList<String>();
        for (int i = 0; i < 5; i++) {
            var event = purchase(i == 4 ? "erase-me" : "user", DAY.plusSeconds(i), "1.00");
            ids.add(event.eventId());
            mesh.send(raw(tenant, event));
        }
        await().atMost(SOON).until(() -> count(tenant) == 5);
        mesh.erase(tenant, "erase-me");
        // As a crash leaves it: begun, and the first two sent.
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute(
                    """
                    INSERT INTO event_replay (tenant_id, rebuild_id, job_id, starts_at, ends_at, after_occurred_at,
                        after_id, events)
                    VALUES ('%1$s', 'r', 'etl_crashed-%1$s', '%2$s', '%3$s', '%4$s', '%5$s', 2);
                    INSERT INTO job (id, tenant_id, kind, payload, status, lease_owner, lease_until)
                    VALUES ('etl_crashed-%1$s', '%1$s', 'event_replay', '{"rebuild_id": "r"}', 'running', 'dead',
                        now() - interval '1 second')
                    """
                            .formatted(
                                    tenant,
                                    DAY,
                                    DAY.plusSeconds(60),
                                    DAY.plusSeconds(1),
                                    ids.get(1)));
        }
        assertThat(completed(tenant, "etl_crashed-" + tenant).path("events").asInt()).isEqualTo(5);
        var replayed =
                of(Topics.EVENTS_REPLAY.name(), tenant).stream()
                        .filter(r -> !ReplayEnded.TYPE.equals(header(r, CloudHeaders.TYPE)))
                        .map(r -> Json.mapper().readValue(r.value(), CleanEvent.class))
                        .toList();
        assertThat(replayed.stream().map(CleanEvent::eventId))
                .containsExactlyInAnyOrderElementsOf(ids.subList(2, 5));
        var erased =
                replayed.stream()
                        .filter(e -> e.eventId().equals(ids.getLast()))
                        .findAny()
                        .orElseThrow();
        assertThat(erased.userId()).isNull();
        assertThat(erased.personNo()).isPositive();
        assertThat(erased.data().path("amount").asString("")).isEqualTo("1.00");
    }

    @Test
    void onlyServicesMayAsk() {
        var tenant = mesh.newTenant();
        mesh.client(tenant, "admin", "analytics.manage", "analytics.view")
                .post()
                .uri("/api/v1/etl/replays")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"rebuild_id\":\"r\"}")
                .exchange()
                .expectStatus()
                .isForbidden();
        mesh.client(tenant, "internal")
                .post()
                .uri("/api/v1/etl/replays")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"rebuild_id\":\"r\"}")
                .exchange()
                .expectStatus()
                .isBadRequest();
    }

    private String replay(String tenant, String rebuild, Instant start, Instant end) {
        var body =
                mesh.client(tenant, "internal")
                        .post()
                        .uri("/api/v1/etl/replays")
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(
                                "{\"rebuild_id\":\"%s\",\"start_time\":\"%s\",\"end_time\":\"%s\"}"
                                        .formatted(rebuild, start, end))
                        .exchange()
                        .expectStatus()
                        .isAccepted()
                        .expectBody()
                        .returnResult()
                        .getResponseBody();
        return Json.mapper().readTree(body).path("job_id").stringValue();
    }

    private JsonNode completed(String tenant, String job) {
        return await().atMost(SOON)
                .until(
                        () ->
                                Json.mapper()
                                        .readTree(
                                                mesh.client(tenant)
                                                        .get()
                                                        .uri("/api/v1/jobs/" + job)
                                                        .exchange()
                                                        .expectBody()
                                                        .returnResult()
                                                        .getResponseBody()),
                        answer -> answer.path("status").asString("").equals("completed"))
                .path("result");
    }

    /** jsonb writes numbers its own way. */
    private static CleanEvent numbers(CleanEvent e) {
        return new CleanEvent(
                e.tenantId(),
                e.eventId(),
                e.eventType(),
                e.module(),
                e.userId(),
                e.anonymousId(),
                e.sessionId(),
                e.occurredAt(),
                e.receivedAt(),
                e.personNo(),
                RawRecords.json(e.data().toString().replace("1E+2", "100")),
                e.metadata(),
                e.context());
    }

    private long count(String tenant) throws java.sql.SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement();
                var result =
                        statement.executeQuery(
                                "SELECT count(*) FROM analytics_event WHERE tenant_id = '%s'"
                                        .formatted(tenant))) {
            result.next();
            return result.getLong(1);
        }
    }

    private List<ConsumerRecord<byte[], byte[]>> of(String topic, String tenant) {
        return mesh.read(topic).stream()
                .filter(r -> tenant.equals(header(r, CloudHeaders.TENANT)))
                .toList();
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return headers(record).get(name);
    }

    private static Map<String, String> headers(ConsumerRecord<byte[], byte[]> record) {
        Map<String, String> headers = new TreeMap<>();
        record.headers()
                .forEach(h -> headers.put(h.key(), new String(h.value(), StandardCharsets.UTF_8)));
        return headers;
    }
}
