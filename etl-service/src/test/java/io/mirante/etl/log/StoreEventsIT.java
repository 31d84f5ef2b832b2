package io.mirante.etl.log;

import static io.mirante.etl.RawRecords.event;
import static io.mirante.etl.RawRecords.id;
import static io.mirante.etl.RawRecords.pageView;
import static io.mirante.etl.RawRecords.raw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.PersonNumbered;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.etl.RawRecords;
import io.mirante.platform.messaging.Outgoing;
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
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@MeshTest
class StoreEventsIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant AT = Instant.parse("2026-11-20T10:00:00.123456Z");

    @Autowired Mesh mesh;
    @Autowired MeterRegistry meters;

    @Test
    void anEventGoesFromRawToCleanOnItsOwnPartitionWithItsPersonAndSource() throws Exception {
        var tenant = mesh.newTenant();
        var event = pageView("ana", AT);
        var sent = raw(tenant, event);
        var at = mesh.send(sent);
        awaitStored(tenant, 1);

        var clean = clean(tenant, 1).getFirst();
        assertThat(clean.partition()).isEqualTo(at.partition());
        assertThat(clean.key()).isEqualTo(sent.key());
        assertThat(header(clean, CloudHeaders.ID)).isEqualTo(event.eventId());
        assertThat(header(clean, CloudHeaders.TYPE)).isEqualTo("page_view");
        assertThat(header(clean, CloudHeaders.TIME)).isEqualTo(AT.toString());
        assertThat(header(clean, CloudHeaders.PERSON_NO)).isEqualTo("1");
        assertThat(header(clean, CloudHeaders.RECEIVED_AT))
                .isEqualTo(sent.headers().get(CloudHeaders.RECEIVED_AT));
        assertThat(header(clean, CloudHeaders.CONTENT_HASH)).isEqualTo(event.contentHash());
        assertThat(header(clean, CloudHeaders.SOURCE_TOPIC)).isEqualTo(at.topic());
        assertThat(header(clean, CloudHeaders.SOURCE_PARTITION))
                .isEqualTo(Integer.toString(at.partition()));
        assertThat(header(clean, CloudHeaders.SOURCE_OFFSET)).isEqualTo(Long.toString(at.offset()));
        var value = Json.mapper().readValue(clean.value(), CleanEvent.class);
        assertThat(value.tenantId()).isEqualTo(tenant);
        assertThat(value.eventId()).isEqualTo(event.eventId());
        assertThat(value.userId()).isEqualTo("ana");
        assertThat(value.occurredAt()).isEqualTo(AT);
        assertThat(value.receivedAt())
                .isEqualTo(Instant.parse(sent.headers().get(CloudHeaders.RECEIVED_AT)));
        assertThat(value.personNo()).isEqualTo(1);
        assertThat(value.data()).isEqualTo(event.data());

        var numbered = persons(tenant).getFirst();
        assertThat(numbered.kind()).isEqualTo("user");
        assertThat(numbered.id()).isEqualTo("ana");
        assertThat(numbered.personNo()).isEqualTo(1);
    }

    @Test
    void aCriticalEventTakesItsOwnWayToTheSameCleanTopic() throws Exception {
        var tenant = mesh.newTenant();
        var event =
                event(id(), "ticket.sla_breached", "tickets", null, AT, "{\"ticket_id\":\"t-1\"}");
        mesh.send(raw(tenant, event, Topics.EVENTS_CRITICAL.name(), null));
        awaitStored(tenant, 1);
        var clean = clean(tenant, 1).getFirst();
        assertThat(header(clean, CloudHeaders.SOURCE_TOPIC))
                .isEqualTo(Topics.EVENTS_CRITICAL.name());
        assertThat(header(clean, CloudHeaders.PERSON_NO)).isNull();
        assertThat(persons(tenant)).isEmpty();
    }

    @Test
    void personsAreNumberedFromOneInTheOrderOfAppearanceAndKeepTheirNumbers() throws Exception {
        var tenant = mesh.newTenant();
        for (var user : List.of("a", "b", "a", "c", "b")) {
            mesh.send(raw(tenant, pageView(user, AT), Topics.EVENTS_RAW.name(), 4));
        }
        awaitStored(tenant, 5);
        assertThat(clean(tenant, 5))
                .extracting(r -> header(r, CloudHeaders.PERSON_NO))
                .containsExactly("1", "2", "1", "3", "2");
    }

    @Test
    void aThousandDuplicatesAreOneEvent() throws Exception {
        var tenant = mesh.newTenant();
        var event = pageView("ana", AT);
        double before = outcome("duplicate");
        mesh.sendAll(IntStream.rangeClosed(0, 1_000).mapToObj(i -> raw(tenant, event)).toList());
        await().atMost(SOON).until(() -> count("analytics_event_meta", tenant) == 1_000);
        assertThat(count("analytics_event", tenant)).isEqualTo(1);
        assertThat(clean(tenant, 1)).hasSize(1);
        await().atMost(SOON).until(() -> outcome("duplicate") >= before + 1_000);
    }

    @Test
    void theSameIdWithAnotherContentIsRejectedAndTheFirstStands() throws Exception {
        var tenant = mesh.newTenant();
        var id = id();
        mesh.send(raw(tenant, event(id, "page_view", "web", "ana", AT, "{\"url\":\"/a\"}")));
        awaitStored(tenant, 1);
        mesh.send(raw(tenant, event(id, "page_view", "web", "ana", AT, "{\"url\":\"/b\"}")));
        await().atMost(SOON).until(() -> rejected(tenant).size() == 1);

        var rejected = rejected(tenant).getFirst();
        assertThat(rejected.reason()).isEqualTo("id_conflict");
        assertThat(rejected.eventId()).isEqualTo(id);
        assertThat(rejected.original()).contains("/b");
        assertThat(count("analytics_event", tenant)).isEqualTo(1);
        assertThat(text("SELECT payload #>> '{data,url}' FROM analytics_event", tenant))
                .isEqualTo("/a");
    }

    @Test
    void theTraceTellsWhereAnEventIsAndWhatRepeatedItToItsTenantAlone() throws Exception {
        var tenant = mesh.newTenant();
        var id = id();
        var first = event(id, "page_view", "web", "ana", AT, "{\"url\":\"/a\"}");
        var at = mesh.send(raw(tenant, first));
        awaitStored(tenant, 1);
        var repeated = mesh.send(raw(tenant, first));
        mesh.send(raw(tenant, event(id, "page_view", "web", "ana", AT, "{\"url\":\"/b\"}")));
        await().atMost(SOON).until(() -> count("analytics_event_meta", tenant) == 2);

        mesh.client(tenant, "ingest")
                .get()
                .uri("/api/v1/etl/events/{id}/trace", id)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .json(
                        """
                        {"event_id": "%s", "duplicates": 1, "conflicts": 1,
                         "stored": {"topic": "%s", "partition": %d, "offset": %d, "occurred_at": "%s",
                                    "event_type": "page_view", "user_id": "ana", "person_no": 1}}
                        """
                                .formatted(id, at.topic(), at.partition(), at.offset(), AT))
                .jsonPath("$.others[?(@.status == 'conflict')].error")
                .isEqualTo("id_conflict")
                .jsonPath("$.others[?(@.status == 'duplicate')].offset")
                .isEqualTo((int) repeated.offset())
                .jsonPath("$.others[?(@.processing_time_ms > 0)].retries")
                .isEqualTo(List.of(0, 0))
                .jsonPath("$.as_of")
                .isNotEmpty();
        mesh.client(mesh.newTenant())
                .get()
                .uri("/api/v1/etl/events/{id}/trace", id)
                .exchange()
                .expectStatus()
                .isNotFound();
        mesh.client(tenant, "admin")
                .get()
                .uri("/api/v1/etl/events/{id}/trace", id)
                .exchange()
                .expectStatus()
                .isForbidden();
    }

    @Test
    void whatCannotBeProcessedIsInTheTraceOfItsTenantAlone() throws Exception {
        var tenant = mesh.newTenant();
        var event = pageView("ana", AT);
        var headers = RawRecords.headers(tenant, event);
        headers.put(CloudHeaders.RECEIVED_AT, "yesterday");
        var at = mesh.send(critical(event.toJson(), headers));
        headers.remove(CloudHeaders.ID);
        headers.put(CloudHeaders.TENANT, "\u0000");
        var nobodys = mesh.send(critical(event.toJson(), headers));
        await().atMost(SOON).until(() -> count("analytics_event_meta", tenant) == 1);
        await().atMost(SOON)
                .until(() ->
                        text(
                                        "SELECT string_agg(status || ' ' || error, ', ') FILTER (WHERE event_id"
                                                + " IS NULL AND record_offset = "
                                                + nobodys.offset()
                                                + " AND topic = '"
                                                + nobodys.topic()
                                                + "') FROM analytics_event_meta",
                                        EventMeta.NO_TENANT)
                                != null);

        mesh.client(tenant, "analytics.view")
                .get()
                .uri("/api/v1/etl/events/{id}/trace", event.eventId())
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .json(
                        """
                        {"stored": null, "duplicates": 0, "conflicts": 0, "failures": 1, "others": [
                            {"status": "failed", "topic": "%s", "partition": 3, "offset": %d, "retries": 0,
                             "error": "bad_header"}]}
                        """
                                .formatted(at.topic(), at.offset()));
        mesh.client(mesh.newTenant())
                .get()
                .uri("/api/v1/etl/events/{id}/trace", event.eventId())
                .exchange()
                .expectStatus()
                .isNotFound();
    }

    private static Outgoing critical(byte[] value, Map<String, String> headers) {
        return new Outgoing(Topics.EVENTS_CRITICAL.name(), 3, new byte[] {1}, value, headers);
    }

    @Test
    void theSameIdOnTwoPartitionsAtOnceIsKeptOnce() throws Exception {
        var tenant = mesh.newTenant();
        var events = IntStream.range(0, 500).mapToObj(i -> pageView("u" + i % 7, AT)).toList();
        var records = new ArrayList<Outgoing>();
        for (var event : events) {
            records.add(raw(tenant, event, Topics.EVENTS_RAW.name(), 0));
            records.add(raw(tenant, event, Topics.EVENTS_CRITICAL.name(), 1));
        }
        for (var event : events.reversed()) {
            records.add(raw(tenant, event, Topics.EVENTS_RAW.name(), 7));
        }
        mesh.sendAll(records);
        await().atMost(SOON).until(() -> count("analytics_event_meta", tenant) == 1_000);
        assertThat(count("analytics_event", tenant)).isEqualTo(500);
        assertThat(clean(tenant, 500))
                .hasSize(500)
                .extracting(r -> header(r, CloudHeaders.ID))
                .doesNotHaveDuplicates();
        assertThat(count("person", tenant)).isEqualTo(7);
    }

    @Test
    void onePollOfAHundredTenantsShowsEachItsOwnRowsAlone() throws Exception {
        Map<String, Integer> expected = new HashMap<>();
        var records = new ArrayList<Outgoing>();
        var id = id();
        for (int i = 0; i < 100; i++) {
            var tenant = mesh.newTenant();
            for (int n = 0; n <= i % 5; n++) {
                records.add(raw(tenant, pageView("u" + n, AT), Topics.EVENTS_RAW.name(), 2));
            }
            // the same id with every tenant: ids are unique within a tenant only
            records.add(
                    raw(
                            tenant,
                            event(id, "click", "web", "u", AT, "{}"),
                            Topics.EVENTS_RAW.name(),
                            2));
            expected.put(tenant, i % 5 + 2);
        }
        mesh.sendAll(records);
        await().atMost(SOON).until(() -> owned(expected.keySet()) == records.size());
        for (var tenant : expected.keySet()) {
            assertThat(visibleAs(tenant, "analytics_event")).isEqualTo((long) expected.get(tenant));
            assertThat(visibleAs(tenant, "event_identity")).isEqualTo((long) expected.get(tenant));
        }
        for (var table :
                List.of(
                        "analytics_event",
                        "event_identity",
                        "analytics_event_meta",
                        "person",
                        "person_counter",
                        "user_mark",
                        "user_feature_state",
                        "user_feature_values")) {
            assertThat(visibleAs(null, table)).as(table).isZero();
        }
        await().atMost(SOON)
                .until(() -> {
                    var found = new HashMap<String, Integer>();
                    for (var record : mesh.read(Topics.EVENTS_CLEAN.name())) {
                        found.merge(
                                String.valueOf(header(record, CloudHeaders.TENANT)),
                                1,
                                Integer::sum);
                    }
                    return expected.entrySet().stream()
                            .allMatch(e -> e.getValue().equals(found.get(e.getKey())));
                });
    }

    @Test
    void poisonInTheMiddleIsKeptWithItsReasonAndItsNeighboursAreStoredOnce() throws Exception {
        var tenant = mesh.newTenant();
        var good = IntStream.range(0, 8).mapToObj(i -> pageView("u" + i, AT)).toList();
        var records = new ArrayList<Outgoing>();
        var reasons = new ArrayList<String>();
        for (int i = 0; i < good.size(); i++) {
            records.add(raw(tenant, good.get(i), Topics.EVENTS_RAW.name(), 5));
            var poison = poison(tenant, i);
            records.add(poison.record());
            reasons.add(poison.reason());
        }
        mesh.sendAll(records);
        awaitStored(tenant, good.size());
        assertThat(clean(tenant, good.size()))
                .extracting(r -> header(r, CloudHeaders.ID))
                .containsExactlyElementsOf(good.stream().map(e -> e.eventId()).toList());
        await().atMost(SOON).until(() -> dead(tenant).size() >= reasons.size());
        assertThat(dead(tenant))
                .extracting(r -> header(r, CloudHeaders.REASON))
                .containsExactlyElementsOf(reasons);
        assertThat(dead(tenant))
                .allMatch(r -> !String.valueOf(header(r, CloudHeaders.REASON_DETAIL)).isBlank());
        reasons.remove("missing_header");
        assertThat(
                        text(
                                "SELECT string_agg(error, ',' ORDER BY record_offset) FROM analytics_event_meta",
                                tenant))
                .as("all but the one that names no tenant")
                .isEqualTo(String.join(",", reasons));
    }

    private record Poison(Outgoing record, String reason) {}

    private static Poison poison(String tenant, int kind) {
        var event = pageView("poison", AT);
        var headers = RawRecords.headers(tenant, event);
        headers.put("test_tenant", tenant);
        var json = new String(event.toJson(), StandardCharsets.UTF_8);
        var reason = "bad_event";
        switch (kind) {
            case 0 -> {
                json = json.substring(0, json.length() / 2);
                reason = "bad_json";
            }
            case 1 -> {
                headers.remove(CloudHeaders.TENANT);
                reason = "missing_header";
            }
            case 2 -> json = json.replace("\"schema_version\":1", "\"schema_version\":\"one\"");
            case 3 -> json = json.replace("\"/\"", "\"a\\u0000b\"");
            case 4 -> json = json.replace("\"/\"", "\"\\ud800\"");
            case 5 -> json = json.replace("\"/\"", "1e40000");
            case 6 -> {
                headers.put(CloudHeaders.RECEIVED_AT, "yesterday");
                reason = "bad_header";
            }
            default -> {
                headers.put(CloudHeaders.CONTENT_HASH, "0".repeat(63));
                reason = "bad_header";
            }
        }
        return new Poison(
                new Outgoing(
                        Topics.EVENTS_RAW.name(),
                        5,
                        new byte[] {1},
                        json.getBytes(StandardCharsets.UTF_8),
                        headers),
                reason);
    }

    @Test
    void everyRecordIsAccountedFor() throws Exception {
        var tenant = mesh.newTenant();
        var event = pageView("ana", AT);
        mesh.sendAll(
                List.of(
                        raw(tenant, event),
                        raw(tenant, event),
                        poison(tenant, 0).record(),
                        raw(tenant, pageView("ben", AT))));
        awaitStored(tenant, 2);
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(
                                        outcome("stored")
                                                + outcome("duplicate")
                                                + outcome("conflict")
                                                + outcome("redelivered")
                                                + outcome("dead"))
                                .isEqualTo(
                                        received("storeRawEvents")
                                                + received("storeCriticalEvents"))
                                .isPositive());
    }

    @Test
    void identitiesOfAUserAreServed() throws Exception {
        var tenant = mesh.newTenant();
        var event = pageView("ana@x", AT);
        var both =
                new io.mirante.contracts.events.CanonicalEvent(
                        id(),
                        "click",
                        "web",
                        "ana@x",
                        "cookie-7",
                        null,
                        AT,
                        null,
                        false,
                        1,
                        RawRecords.json("{}"),
                        RawRecords.json("{}"),
                        RawRecords.json("{}"));
        mesh.sendAll(List.of(raw(tenant, event), raw(tenant, both)));
        awaitStored(tenant, 2);
        mesh.client(tenant)
                .get()
                .uri("/api/v1/users/{id}/identities", "ana@x")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .json(
                        """
                        {"user_id": "ana@x", "person_no": 1, "identities": [
                            {"kind": "user", "id": "ana@x", "person_no": 1},
                            {"kind": "anonymous", "id": "cookie-7", "person_no": null}]}\
                        """);
        mesh.client(mesh.newTenant())
                .get()
                .uri("/api/v1/users/{id}/identities", "ana@x")
                .exchange()
                .expectStatus()
                .isNotFound();
    }

    private void awaitStored(String tenant, int events) {
        await().atMost(SOON).until(() -> count("analytics_event", tenant) == events);
    }

    private List<ConsumerRecord<byte[], byte[]>> clean(String tenant, int atLeast) {
        await().atMost(SOON)
                .until(() -> ofTenant(Topics.EVENTS_CLEAN.name(), tenant).size() >= atLeast);
        return ofTenant(Topics.EVENTS_CLEAN.name(), tenant);
    }

    private List<ConsumerRecord<byte[], byte[]>> dead(String tenant) {
        return mesh.read(Topics.dead("etl").name()).stream()
                .filter(r -> tenant.equals(header(r, "test_tenant")))
                .toList();
    }

    private List<PersonNumbered> persons(String tenant) {
        return ofTenant(Topics.IDENTITIES.name(), tenant).stream()
                .map(r -> Json.mapper().readValue(r.value(), PersonNumbered.class))
                .toList();
    }

    private List<RejectedEvent> rejected(String tenant) {
        return ofTenant(Topics.EVENTS_REJECTED.name(), tenant).stream()
                .map(r -> Json.mapper().readValue(r.value(), RejectedEvent.class))
                .toList();
    }

    private List<ConsumerRecord<byte[], byte[]>> ofTenant(String topic, String tenant) {
        return mesh.read(topic).stream()
                .filter(r -> tenant.equals(header(r, CloudHeaders.TENANT)))
                .toList();
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    private double received(String consumer) {
        return meters.counter("mirante.records.received", "consumer", consumer).count();
    }

    private double outcome(String outcome) {
        var counters = meters.find("mirante.etl.events").tag("outcome", outcome).meters();
        return counters.stream().mapToDouble(m -> m.measure().iterator().next().getValue()).sum();
    }

    private long count(String table, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT count(*) FROM " + table + " WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getLong(1);
        }
    }

    private long owned(java.util.Set<String> tenants) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT count(*) FROM analytics_event WHERE tenant_id = ANY(?)")) {
            query.setArray(1, connection.createArrayOf("text", new HashSet<>(tenants).toArray()));
            var rows = query.executeQuery();
            rows.next();
            return rows.getLong(1);
        }
    }

    private String text(String select, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query = connection.prepareStatement(select + " WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getString(1);
        }
    }

    /** Rows the service's role for requests sees of a table. */
    private long visibleAs(String tenant, String table) throws SQLException {
        try (var connection = mesh.jdbc("app")) {
            connection.setAutoCommit(false);
            if (tenant != null) {
                try (var enter =
                        connection.prepareStatement(
                                "SELECT set_config('mirante.tenant', ?, true)")) {
                    enter.setString(1, tenant);
                    enter.execute();
                }
            }
            try (var query = connection.prepareStatement("SELECT count(*) FROM " + table)) {
                var rows = query.executeQuery();
                rows.next();
                return rows.getLong(1);
            }
        }
    }
}
