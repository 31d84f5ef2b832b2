package io.mirante.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.AuditEntry;
import io.mirante.core.CoreApplication.Event;
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
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

/** Dead letters over HTTP: listed to whom they belong, replayed once. */
@MeshTest
class DeadLettersIT {

    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String PATH = "/api/v1/admin/dead-letters?service=alert";
    private static final String REPLAY = "/api/v1/admin/dead-letters/replay?service=alert";
    private static final String DEAD = Topics.dead("alert").name();

    @Autowired Mesh mesh;

    private Outgoing record(String tenant, byte[] value, Map<String, String> more) {
        var headers = new HashMap<>(more);
        headers.put(CloudHeaders.TENANT, tenant);
        headers.put(CloudHeaders.TYPE, "page_view");
        return new Outgoing(Topics.EVENTS_CLEAN.name(), 5, Keys.of(tenant, "k"), value, headers);
    }

    private Outgoing event(String tenant, String id) {
        return record(tenant, CoreApplication.json(new Event(tenant, id, 1)), Map.of());
    }

    private Outgoing poison(String tenant, String value) {
        return record(tenant, value.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    private static String id() {
        return "e-" + UUID.randomUUID();
    }

    private int counted(String tenant, String id) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT coalesce(sum(times), 0) FROM counted WHERE tenant_id = ? AND event_id = ?")) {
            query.setString(1, tenant);
            query.setString(2, id);
            var rows = query.executeQuery();
            rows.next();
            return rows.getInt(1);
        }
    }

    private WebTestClient admin(String tenant) {
        return as(tenant, "admin");
    }

    private WebTestClient as(String tenant, String... scopes) {
        return mesh.client(tenant, scopes);
    }

    private static JsonNode get(WebTestClient client, String uri) {
        return client.get()
                .uri(uri)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(JsonNode.class)
                .returnResult()
                .getResponseBody();
    }

    private static JsonNode replay(WebTestClient client, String body) {
        return client.post()
                .uri(REPLAY)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(JsonNode.class)
                .returnResult()
                .getResponseBody();
    }

    /** Waits for the tenant's letters. */
    private JsonNode letters(String tenant, int count) {
        return await().atMost(SOON)
                .until(
                        () -> get(admin(tenant), PATH).path("items"),
                        items -> items.size() == count);
    }

    /** An event that the handler could not apply, and now could. */
    private String repaired(String tenant, String id) {
        CoreApplication.BROKEN.add(id);
        mesh.send(event(tenant, id));
        var letter = letters(tenant, 1).path(0);
        CoreApplication.BROKEN.remove(id);
        return letter.path("id").stringValue();
    }

    private static String ids(String id) {
        return "{\"ids\": [\"" + id + "\"]}";
    }

    private List<ConsumerRecord<byte[], byte[]>> onTopic(String tenant) {
        return mesh.read(DEAD).stream()
                .filter(r -> tenant.equals(header(r, CloudHeaders.TENANT)))
                .toList();
    }

    private static @Nullable String header(ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    @Test
    void aTenantsLettersAreListedNewestFirstMaskedAndToNobodyElse() {
        var tenant = mesh.newTenant();
        var before = Instant.now().minusSeconds(5);
        var sent =
                mesh.sendAll(
                        List.of(
                                poison(tenant, "{not json, ana@example.com"),
                                poison(
                                        tenant,
                                        """
                                        {"tenant_id": "x", "event_id": "y", "weight": "heavy",
                                         "email": "ana@example.com", "password": "secret-1"}\
                                        """),
                                poison(tenant, "{\"tenant_id\": \"" + "x".repeat(40_000))));
        var items = letters(tenant, 3);
        assertThat(items.findValuesAsString("offset"))
                .containsExactly(
                        Long.toString(sent.get(2).offset()),
                        Long.toString(sent.get(1).offset()),
                        Long.toString(sent.get(0).offset()));
        var readable = items.path(1);
        assertThat(readable.path("id").stringValue())
                .startsWith("mirante.events.clean-5@" + sent.get(1).offset() + ":");
        assertThat(readable.path("service").stringValue()).isEqualTo("alert");
        assertThat(readable.path("consumer").stringValue()).isEqualTo("countEvents");
        assertThat(readable.path("tenant_id").stringValue()).isEqualTo(tenant);
        assertThat(readable.path("event_type").stringValue()).isEqualTo("page_view");
        assertThat(readable.path("reason").stringValue()).isEqualTo("bad_json");
        assertThat(readable.path("detail").stringValue()).isNotEmpty();
        assertThat(readable.path("topic").stringValue()).isEqualTo("mirante.events.clean");
        assertThat(readable.path("partition").intValue()).isEqualTo(5);
        assertThat(Instant.parse(readable.path("dead_at").stringValue())).isAfter(before);
        assertThat(readable.path("replayed_at").isNull()).isTrue();
        assertThat(readable.path("truncated").booleanValue()).isFalse();
        assertThat(readable.path("value").stringValue())
                .contains("heavy", "email:")
                .doesNotContain("ana@example.com", "secret-1");
        assertThat(readable.has("origin")).isFalse();
        assertThat(items.path(2).path("value").stringValue())
                .contains("not json")
                .doesNotContain("ana@example.com");
        assertThat(items.path(0).path("truncated").booleanValue()).isTrue();
        assertThat(items.path(0).path("value").stringValue()).hasSize(16_384);

        var other = mesh.newTenant();
        assertThat(get(admin(other), PATH).path("items")).isEmpty();
        admin(other)
                .get()
                .uri(PATH + "&tenant_id=" + tenant)
                .exchange()
                .expectStatus()
                .isNotFound();
        assertThat(get(as(other, "platform"), PATH + "&tenant_id=" + tenant).path("items"))
                .hasSize(3);
        as(tenant, "analytics.view", "analytics.manage", "ingest")
                .get()
                .uri(PATH)
                .exchange()
                .expectStatus()
                .isForbidden();
    }

    @Test
    void aLetterWithoutATenantIsForThePlatformAlone() {
        var tenant = mesh.newTenant();
        var at =
                mesh.send(
                        new Outgoing(
                                Topics.EVENTS_CLEAN.name(),
                                5,
                                Keys.of("k"),
                                "{not json".getBytes(StandardCharsets.UTF_8),
                                Map.of()));
        var id = "mirante.events.clean-5@" + at.offset() + ":";
        await().atMost(SOON)
                .until(
                        () -> get(as(tenant, "platform"), PATH).path("items"),
                        items ->
                                items.findValuesAsString("id").stream()
                                        .anyMatch(one -> one.startsWith(id)));
        assertThat(get(admin(tenant), PATH).path("items")).isEmpty();
    }

    @Test
    void pagesAndFiltersShowEachLetterOnce() {
        var tenant = mesh.newTenant();
        for (int i = 0; i < 5; i++) {
            mesh.send(poison(tenant, "{bad " + i));
        }
        CoreApplication.BROKEN.add(tenant);
        mesh.send(event(tenant, tenant));
        var all = letters(tenant, 6).findValuesAsString("id");
        var seen = new ArrayList<String>();
        var uri = PATH + "&limit=4";
        var page = get(admin(tenant), uri);
        seen.addAll(page.path("items").findValuesAsString("id"));
        assertThat(seen).hasSize(4);
        while (!page.path("next_cursor").isNull()) {
            page = get(admin(tenant), uri + "&cursor=" + page.path("next_cursor").stringValue());
            seen.addAll(page.path("items").findValuesAsString("id"));
        }
        assertThat(seen).isEqualTo(all);

        var now = Instant.now();
        Map.of(
                        "reason=handler_failed",
                        1,
                        "reason=bad_json",
                        5,
                        "consumer=countEvents",
                        6,
                        "consumer=another",
                        0,
                        "topic=mirante.events.clean",
                        6,
                        "topic=mirante.events.raw",
                        0,
                        "start_time=" + now.minusSeconds(600),
                        6,
                        "start_time=" + now.plusSeconds(600),
                        0,
                        "end_time=" + now.plusSeconds(600),
                        6,
                        "end_time=" + now.minusSeconds(600),
                        0)
                .forEach((filter, count) ->
                        assertThat(get(admin(tenant), PATH + "&" + filter).path("items"))
                                .as(filter)
                                .hasSize(count));
    }

    @Test
    void whatTheHandlerCanApplyNowIsAppliedOnceHoweverOftenItIsReplayed() throws Exception {
        var tenant = mesh.newTenant();
        var event = id();
        var letter = repaired(tenant, event);
        assertThat(counted(tenant, event)).isZero();

        var dry = replay(admin(tenant), "{\"ids\": [\"" + letter + "\"], \"dry_run\": true}");
        assertThat(dry.path("dry_run").booleanValue()).isTrue();
        assertThat(dry.path("replayable").intValue()).isEqualTo(1);
        assertThat(dry.path("replayed").intValue()).isZero();
        assertThat(counted(tenant, event)).isZero();

        var first = replay(admin(tenant), ids(letter));
        assertThat(first.path("service").stringValue()).isEqualTo("alert");
        assertThat(first.path("matched").intValue()).isEqualTo(1);
        assertThat(first.path("replayed").intValue()).isEqualTo(1);
        assertThat(first.path("results").path(0).path("id").stringValue()).isEqualTo(letter);
        assertThat(first.path("results").path(0).path("status").stringValue())
                .isEqualTo("replayed");
        assertThat(counted(tenant, event)).isEqualTo(1);

        for (var body : List.of(ids(letter), "{}", "{\"reason\": \"handler_failed\"}")) {
            var again = replay(admin(tenant), body);
            assertThat(again.path("replayed").intValue()).as(body).isZero();
            assertThat(again.path("already_replayed").intValue()).as(body).isEqualTo(1);
            assertThat(again.path("next_cursor").isNull()).as(body).isTrue();
        }
        assertThat(counted(tenant, event)).isEqualTo(1);
        assertThat(letters(tenant, 1).path(0).path("replayed_at").isNull()).isFalse();
        assertThat(onTopic(tenant)).hasSize(1);
    }

    @Test
    void aReplayOfManyGoesOnWhereTheCallBeforeStopped() {
        var tenant = mesh.newTenant();
        var poison = new ArrayList<Outgoing>();
        for (int i = 0; i < 505; i++) {
            poison.add(poison(tenant, "{bad " + i));
        }
        mesh.sendAll(poison);
        await().atMost(SOON).until(() -> onTopic(tenant).size() >= 505);
        var seen = new HashSet<String>();
        var first = replay(admin(tenant), "{}");
        assertThat(first.path("matched").intValue()).isEqualTo(500);
        assertThat(first.path("failed").intValue()).isEqualTo(500);
        seen.addAll(first.path("results").findValuesAsString("id"));
        var rest =
                replay(
                        admin(tenant),
                        "{\"cursor\": \"" + first.path("next_cursor").stringValue() + "\"}");
        assertThat(rest.path("matched").intValue()).isEqualTo(5);
        assertThat(rest.path("next_cursor").isNull()).isTrue();
        seen.addAll(rest.path("results").findValuesAsString("id"));
        assertThat(seen).hasSize(505);
    }

    @Test
    void replaysAtTheSameTimeApplyOnce() throws Exception {
        var tenant = mesh.newTenant();
        var event = id();
        var letter = repaired(tenant, event);
        Callable<JsonNode> once = () -> replay(admin(tenant), ids(letter));
        int replayed = 0;
        try (var threads = Executors.newFixedThreadPool(4)) {
            for (var answer : threads.invokeAll(List.of(once, once, once, once))) {
                replayed += answer.get().path("replayed").intValue();
            }
        }
        assertThat(replayed).isEqualTo(1);
        assertThat(counted(tenant, event)).isEqualTo(1);
    }

    @Test
    void whatFailsAgainSaysWhyAndStaysTheOneLetterItWas() throws Exception {
        var tenant = mesh.newTenant();
        var event = id();
        CoreApplication.BROKEN.add(event);
        mesh.send(poison(tenant, "{not json"));
        mesh.send(event(tenant, event));
        letters(tenant, 2);
        var answer = replay(admin(tenant), "{}");
        assertThat(answer.path("failed").intValue()).isEqualTo(2);
        assertThat(answer.path("replayed").intValue()).isZero();
        assertThat(answer.path("results").findValuesAsString("reason"))
                .containsExactly("bad_json", "handler_failed");
        assertThat(answer.toString()).doesNotContain("ana@example.com");
        assertThat(onTopic(tenant)).hasSize(2);
        // The failed attempt left nothing behind that would stop a later one.
        CoreApplication.BROKEN.remove(event);
        assertThat(replay(admin(tenant), "{}").path("replayed").intValue()).isEqualTo(1);
        assertThat(counted(tenant, event)).isEqualTo(1);
    }

    @Test
    void nobodyReplaysAnotherTenantsLettersExceptThePlatform() throws Exception {
        var tenant = mesh.newTenant();
        var event = id();
        var letter = repaired(tenant, event);
        var other = mesh.newTenant();
        var answer = replay(admin(other), ids(letter));
        assertThat(answer.path("matched").intValue()).isZero();
        assertThat(answer.path("not_found").intValue()).isEqualTo(1);
        assertThat(replay(admin(other), "{}").path("matched").intValue()).isZero();
        as(tenant, "analytics.manage")
                .post()
                .uri(REPLAY)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(ids(letter))
                .exchange()
                .expectStatus()
                .isForbidden();
        assertThat(counted(tenant, event)).isZero();
        assertThat(replay(as(other, "platform"), ids(letter)).path("replayed").intValue())
                .isEqualTo(1);
        assertThat(counted(tenant, event)).isEqualTo(1);
        await().atMost(SOON)
                .until(() ->
                        mesh.read(Topics.AUDIT.name()).stream()
                                .map(r -> Json.mapper().readValue(r.value(), AuditEntry.class))
                                .anyMatch(e ->
                                        e.tenantId().equals(other)
                                                && e.kind().equals(AuditEntry.CHANGE)
                                                && e.action()
                                                        .equals(
                                                                "POST /api/v1/admin/dead-letters/replay")));
    }

    @Test
    void aSecondCopyOfAFailedRecordIsNotAppliedBesideItsReplay() throws Exception {
        var tenant = mesh.newTenant();
        var event = id();
        var copy =
                record(
                        tenant,
                        CoreApplication.json(new Event(tenant, event, 1)),
                        Map.of(
                                CloudHeaders.SOURCE_TOPIC, "raw-" + tenant,
                                CloudHeaders.SOURCE_PARTITION, "0",
                                CloudHeaders.SOURCE_OFFSET, "41"));
        CoreApplication.BROKEN.add(event);
        mesh.send(copy);
        var letter = letters(tenant, 1).path(0).path("id").stringValue();
        CoreApplication.BROKEN.remove(event);
        mesh.send(copy);
        mesh.send(event(tenant, "end"));
        await().atMost(SOON).until(() -> counted(tenant, "end") == 1);
        assertThat(counted(tenant, event)).isZero();
        assertThat(replay(admin(tenant), ids(letter)).path("replayed").intValue()).isEqualTo(1);
        assertThat(counted(tenant, event)).isEqualTo(1);
    }

    /** What is noted of a record goes when the record itself has left its topic; the next one that dies sweeps. */
    @Test
    void whatIsNotedOfDeadRecordsGoesAfterThirtyDays() throws Exception {
        var tenant = mesh.newTenant();
        var old = mesh.send(poison(tenant, "{bad 1"));
        var recent = mesh.send(poison(tenant, "{bad 2"));
        letters(tenant, 2);
        assertThat(noted(old, "30 days 1 minute")).isOne();
        assertThat(noted(recent, "29 days 23 hours")).isOne();
        var latest = mesh.send(poison(tenant, "{bad 3"));
        letters(tenant, 3);
        assertThat(noted(latest, "0")).isOne();
        assertThat(noted(recent, "0")).isOne();
        assertThat(noted(old, "0")).isZero();
    }

    /** How many rows note that a record died, made to look so old. */
    private int noted(RecordMetadata record, String age) throws SQLException {
        try (var connection = mesh.jdbc();
                var update =
                        connection.prepareStatement(
                                "UPDATE dead_letter SET buried_at = now() - ?::interval WHERE consumer = 'countEvents'"
                                        + " AND topic = ? AND partition_no = ? AND record_offset = ?")) {
            update.setString(1, age);
            update.setString(2, record.topic());
            update.setInt(3, record.partition());
            update.setLong(4, record.offset());
            return update.executeUpdate();
        }
    }

    @Test
    void aLetterOfAnAttemptThatWasRolledBackIsNotReplayed() throws Exception {
        var tenant = mesh.newTenant();
        var event = id();
        var applied = event(tenant, event);
        var at = mesh.send(applied);
        await().atMost(SOON).until(() -> counted(tenant, event) == 1);
        mesh.send(
                letter(
                        applied,
                        Map.of(
                                "deadletter_consumer", "countEvents",
                                "deadletter_topic", at.topic(),
                                "deadletter_partition", Integer.toString(at.partition()),
                                "deadletter_offset", Long.toString(at.offset()))));
        letters(tenant, 1);
        var answer = replay(admin(tenant), "{}");
        assertThat(answer.path("not_replayable").intValue()).isEqualTo(1);
        assertThat(answer.path("results").path(0).path("reason").stringValue())
                .isEqualTo("not_dead");
        assertThat(counted(tenant, event)).isEqualTo(1);
    }

    @Test
    void aLetterThatDoesNotNameItsConsumerIsForTheOneThatReadsItsTopic() throws Exception {
        var tenant = mesh.newTenant();
        var event = id();
        repaired(tenant, event);
        var newer = onTopic(tenant).getFirst();
        mesh.send(
                letter(
                        event(tenant, event),
                        Map.of(
                                "deadletter_topic", header(newer, "deadletter_topic"),
                                "deadletter_partition", header(newer, "deadletter_partition"),
                                "deadletter_offset", header(newer, "deadletter_offset"))));
        letters(tenant, 2);
        var answer = replay(admin(tenant), "{}");
        assertThat(answer.path("replayed").intValue()).isEqualTo(1);
        assertThat(answer.path("already_replayed").intValue()).isEqualTo(1);
        assertThat(counted(tenant, event)).isEqualTo(1);
    }

    @Test
    void stateThatIsPublishedAgainIsNotReplayed() {
        var tenant = mesh.newTenant();
        mesh.send(
                letter(
                        event(tenant, id()),
                        Map.of(
                                "deadletter_topic", Topics.CLUSTERS.name(),
                                "deadletter_partition", "0",
                                "deadletter_offset", "0")));
        letters(tenant, 1);
        var answer = replay(admin(tenant), "{\"dry_run\": true}");
        assertThat(answer.path("not_replayable").intValue()).isEqualTo(1);
        assertThat(answer.path("results").path(0).path("reason").stringValue())
                .isEqualTo("superseded");
    }

    @Test
    void whatIsAskedWronglyIsSaidByName() {
        var admin = admin(mesh.newTenant());
        for (var uri :
                Map.of(
                                "?service=snapshot", "?service",
                                "", "?service",
                                "?service=alert&start_time=yesterday", "?start_time",
                                "?service=alert&cursor=bm9uZQ", "?cursor",
                                "?service=alert&limit=501", "?limit")
                        .entrySet()) {
            admin.get()
                    .uri("/api/v1/admin/dead-letters" + uri.getKey())
                    .exchange()
                    .expectStatus()
                    .isBadRequest()
                    .expectBody()
                    .jsonPath("$.errors[0].pointer")
                    .isEqualTo(uri.getValue());
        }
        for (var body :
                Map.of(
                                "{\"service\": \"etl\"}", "?service",
                                "{\"ids\": []}", "/ids",
                                "{\"ids\": [\"x\"]}", "/ids/0",
                                "{\"ids\": [\"a-1@2:3\"], \"reason\": \"bad_json\"}", "/ids",
                                "{\"cursor\": \"x\"}", "/cursor",
                                "{\"reasons\": \"bad_json\"}", "/reasons")
                        .entrySet()) {
            admin.post()
                    .uri(REPLAY)
                    .contentType(MediaType.APPLICATION_JSON)
                    .bodyValue(body.getKey())
                    .exchange()
                    .expectStatus()
                    .isBadRequest()
                    .expectBody()
                    .jsonPath("$.errors[0].pointer")
                    .isEqualTo(body.getValue());
        }
        var missing = replay(admin, ids("mirante.events.clean-5@1:999999"));
        assertThat(missing.path("not_found").intValue()).isEqualTo(1);
    }

    private static Outgoing letter(Outgoing record, Map<String, String> more) {
        var headers = new HashMap<>(record.headers());
        headers.putAll(more);
        headers.put(CloudHeaders.REASON, "handler_failed");
        return new Outgoing(DEAD, null, Keys.of("k"), record.value(), headers);
    }
}
