package io.mirante.ingestion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.github.luben.zstd.Zstd;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.events.TelemetryReading;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.ingestion.rejected.RejectedRetention;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.setup.TopicSetup;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.http.MediaType;
import org.springframework.http.client.MultipartBodyBuilder;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.BodyInserters;
import tools.jackson.databind.JsonNode;

@MeshTest
@ExtendWith(OutputCaptureExtension.class)
class IngestionIT {

    private static final String RAW = "mirante.events.raw";
    private static final String PURCHASE =
            """
            {"event_id": "%s", "user_id": "user_001", "session_id": "sess_456", "timestamp": "2026-11-20T10:00:00Z",
             "event_type": {"type": "Purchase", "data": {"amount": "35.14", "currency": "USD"}},
             "campaign": "autumn"}
            """;

    @Autowired Mesh mesh;
    @Autowired RejectedRetention retention;

    @Test
    void rejectedOriginalsThatNameAnErasedPersonGo() {
        var tenant = mesh.newTenant();
        post(
                        tenant,
                        "/events/batch",
                        """
                        {"events": [
                          {"event_id": "x1", "user_id": "u1", "event_type": "purchase", "payload": {"amount": "twelve"}},
                          {"event_id": "x2", "user_id": "u2", "event_type": "purchase", "payload": {"amount": "of u1"}},
                          {"event_id": "x3", "event_type": "login", "payload": {"friend": "u1"}}]}
                        """)
                .expectStatus()
                .isEqualTo(207);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(items(tenant, "")).hasSize(3));

        assertThat(mesh.erase(tenant, "u1", 1L).removed())
                .containsExactly(new Removal("rejected_event", Removal.DELETED, 2));

        assertThat(items(tenant, "?event_id=x2")).hasSize(1);
        assertThat(items(tenant, "")).hasSize(1);
    }

    @Test
    void anEventIsInKafkaWithItsHeadersAndKeyWhenTheAnswerArrives() {
        var tenant = mesh.newTenant();

        post(tenant, "/events", "{\"event\": " + PURCHASE.formatted("evt_1") + "}")
                .expectStatus()
                .isAccepted()
                .expectBody()
                .json("{\"event_id\": \"evt_1\", \"status\": \"accepted\"}");

        var records = of(tenant, RAW);
        assertThat(records).hasSize(1);
        var record = records.getFirst();
        var event = CanonicalEvent.fromJson(record.value());
        assertThat(record.key())
                .isEqualTo((tenant + "\nuser_001").getBytes(StandardCharsets.UTF_8));
        assertThat(header(record, CloudHeaders.ID)).isEqualTo("evt_1");
        assertThat(header(record, CloudHeaders.TYPE)).isEqualTo("purchase");
        assertThat(header(record, CloudHeaders.SOURCE)).isEqualTo("/http");
        assertThat(header(record, CloudHeaders.TIME)).isEqualTo("2026-11-20T10:00:00Z");
        assertThat(header(record, CloudHeaders.SUBJECT)).isEqualTo("user_001");
        assertThat(header(record, CloudHeaders.SCHEMA_VERSION)).isEqualTo("1");
        assertThat(header(record, CloudHeaders.CONTENT_HASH)).isEqualTo(event.contentHash());
        assertThat(header(record, CloudHeaders.RECEIVED_AT)).startsWith("20").endsWith("Z");
        assertThat(event.data().path("amount").stringValue()).isEqualTo("35.14");
        assertThat(event.metadata().path("_extra").path("campaign").stringValue())
                .isEqualTo("autumn");
    }

    @Test
    void theSameIdIsAcceptedAgain() {
        var tenant = mesh.newTenant();
        for (int i = 0; i < 2; i++) {
            post(tenant, "/events", "{\"event\": " + PURCHASE.formatted("twice") + "}")
                    .expectStatus()
                    .isAccepted();
        }
        assertThat(of(tenant, RAW))
                .hasSize(2)
                .allMatch(r -> header(r, CloudHeaders.ID).equals("twice"));
    }

    @Test
    void criticalEventsGoAheadOfTheRest() {
        var tenant = mesh.newTenant();
        post(
                        tenant,
                        "/events/batch",
                        """
                        {"events": [
                          {"event_id": "c1", "user_id": "u", "event_type": "login", "priority": "critical"},
                          {"event_id": "c2", "event_type": "payment.failed", "user_id": "u"},
                          {"event_id": "n1", "user_id": "u", "event_type": "login"}]}
                        """)
                .expectStatus()
                .isOk()
                .expectBody()
                .json("{\"accepted\": 3, \"rejected\": 0, \"results\": []}");
        assertThat(of(tenant, "mirante.events.critical"))
                .extracting(r -> header(r, CloudHeaders.ID))
                .containsExactly("c1", "c2");
        assertThat(of(tenant, RAW)).hasSize(1);
    }

    @Test
    void whatIsRejectedIsKeptWithItsReasonForItsTenantAlone() throws SQLException {
        var tenant = mesh.newTenant();
        var other = mesh.newTenant();
        post(
                        tenant,
                        "/events/batch",
                        """
                        {"events": [
                          {"event_id": "good", "user_id": "u", "event_type": "login"},
                          {"event_id": "nobody", "event_type": "login", "payload": {"mail": "ann@example.com"}},
                          {"event_id": "nul", "user_id": "u\\u0000", "event_type": "login"},
                          {"event_id": "half", "user_id": "u", "event_type": "login", "payload": {"t": "\\ud800"}},
                          {"event_id": "huge", "user_id": "u", "event_type": "login", "payload": {"n": 1e400}},
                          {"event_id": "typed", "user_id": 7, "event_type": "login"},
                          {"event_id": "newer", "user_id": "u", "event_type": "login", "schema_version": 99},
                          {"event_id": "fields", "user_id": "u", "event_type": "purchase", "payload": {}},
                          {"event_id": "large", "user_id": "u", "event_type": "x", "payload": {"t": "%s"}}]}
                        """
                                .formatted("x".repeat(65_536)))
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .jsonPath("$.accepted")
                .isEqualTo(1)
                .jsonPath("$.rejected")
                .isEqualTo(8)
                .jsonPath("$.results.length()")
                .isEqualTo(8);
        assertThat(of(tenant, RAW)).hasSize(1);

        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        list(tenant, "").expectBody().jsonPath("$.items.length()").isEqualTo(8));
        list(tenant, "?reason=identity")
                .expectBody()
                .json(
                        """
                        {"items": [{"event_id": "nobody", "event_type": "login", "reason": "identity", "source": "/http",
                          "errors": [{"pointer": "/user_id", "code": "required"}]}], "next_cursor": null}
                        """)
                .jsonPath("$.items[0].original")
                .value(original ->
                        assertThat((String) original)
                                .contains("nobody", "\"email:")
                                .doesNotContain("ann@example.com"));
        list(tenant, "?reason=malformed").expectBody().jsonPath("$.items.length()").isEqualTo(3);
        list(tenant, "?reason=size")
                .expectBody()
                .jsonPath("$.items[0].event_id")
                .isEqualTo("large");
        list(tenant, "?reason=version").expectBody().jsonPath("$.items.length()").isEqualTo(1);
        list(tenant, "?reason=contract&event_type=purchase")
                .expectBody()
                .jsonPath("$.items[0].event_id")
                .isEqualTo("fields");
        list(other, "").expectBody().jsonPath("$.items.length()").isEqualTo(0);
        try (var app = mesh.jdbc("app");
                var rows =
                        app.createStatement().executeQuery("SELECT count(*) FROM rejected_event")) {
            rows.next();
            assertThat(rows.getLong(1)).as("rows without a tenant").isZero();
        }
    }

    @Test
    void theListOfRejectedEventsHasPages() {
        var tenant = mesh.newTenant();
        post(
                        tenant,
                        "/events/batch",
                        "{\"events\": [{\"event_id\": \"a\"}, {\"event_id\": \"b\"}, {\"event_id\": \"c\"}]}")
                .expectStatus()
                .isEqualTo(207);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        list(tenant, "").expectBody().jsonPath("$.items.length()").isEqualTo(3));

        var seen = new java.util.TreeSet<String>();
        String cursor = "";
        do {
            var page =
                    list(tenant, "?limit=2" + cursor)
                            .expectBody(JsonNode.class)
                            .returnResult()
                            .getResponseBody();
            assertThat(page).isNotNull();
            page.path("items").forEach(item -> seen.add(item.path("event_id").stringValue()));
            var next = page.path("next_cursor");
            cursor = next.isString() ? "&cursor=" + next.stringValue() : "";
        } while (!cursor.isEmpty());
        assertThat(seen).containsExactly("a", "b", "c");
        list(tenant, "?cursor=bm9uc2Vuc2U", 400);
        list(tenant, "?reason=whatever", 400);
    }

    @Test
    void aSingleRejectedEventIs400WithPointersIntoTheBodyAndIsKept() {
        var tenant = mesh.newTenant();
        post(tenant, "/events", "{\"event\": {\"event_id\": \"x\", \"event_type\": \"login\"}}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .json(
                        """
                        {"status": 400, "errors": [{"pointer": "/event/user_id", "code": "required"}]}
                        """)
                .jsonPath("$.request_id")
                .isNotEmpty();
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        list(tenant, "")
                                .expectBody()
                                .jsonPath("$.items[0].event_id")
                                .isEqualTo("x"));
    }

    @Test
    void anEventOfOneMegabyteIsTooLarge() {
        var event =
                "{\"event\": {\"user_id\": \"u\", \"event_type\": \"x\", \"payload\": {\"t\": \"%s\"}}}"
                        .formatted("x".repeat(1_000_000));
        post(mesh.newTenant(), "/events", event).expectStatus().isEqualTo(413);
    }

    @Test
    void aBodyAboveTheLimitIsTooLarge() {
        post(mesh.newTenant(), "/events", "{\"event\": \"" + "x".repeat(9 * 1024 * 1024) + "\"}")
                .expectStatus()
                .isEqualTo(413);
    }

    @Test
    void readingsAreInKafkaUnderTheirDevice() {
        var tenant = mesh.newTenant();
        var reading =
                "{\"device_id\": \"press-1\", \"device_type\": \"press\", \"timestamp\":"
                        + " \"2026-11-20T10:00:00Z\", \"metrics\": {\"temperature\": 75.5}}";
        post(tenant, "/industry40/iot/ingest", reading)
                .expectStatus()
                .isAccepted()
                .expectBody()
                .json("{\"device_id\": \"press-1\", \"status\": \"accepted\"}");
        post(
                        tenant,
                        "/industry40/iot/ingest",
                        "{\"readings\": [%s, {\"device_id\": \"press-2\", \"metrics\": {\"rpm\": \"fast\"}}]}"
                                .formatted(reading))
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .json(
                        """
                        {"accepted": 1, "rejected": 1, "results": [
                          {"index": 1, "device_id": "press-2", "status": "rejected",
                           "errors": [{"pointer": "/metrics/rpm", "code": "wrong_type"}]}]}
                        """);
        post(tenant, "/industry40/iot/ingest", "{\"readings\": [" + reading + "]}")
                .expectStatus()
                .isOk();
        post(tenant, "/industry40/iot/ingest", "{\"readings\": []}").expectStatus().isBadRequest();
        post(tenant, "/industry40/iot/ingest", "{\"metrics\": {\"a\": 1}}")
                .expectStatus()
                .isBadRequest();

        var records = of(tenant, "mirante.telemetry.raw");
        assertThat(records).hasSize(3);
        var record = records.getFirst();
        assertThat(record.key()).isEqualTo((tenant + "\npress-1").getBytes(StandardCharsets.UTF_8));
        assertThat(header(record, CloudHeaders.SUBJECT)).isEqualTo("press-1");
        assertThat(header(record, CloudHeaders.TYPE)).isEqualTo("telemetry.reading");
        assertThat(TelemetryReading.fromJson(record.value()).metrics())
                .containsEntry("temperature", 75.5);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        list(tenant, "?event_type=telemetry.reading")
                                .expectBody()
                                .jsonPath("$.items.length()")
                                .isEqualTo(2));
    }

    @Test
    void rejectedEventsAreFilteredByIdSourceAndTime() {
        var tenant = mesh.newTenant();
        var before = Instant.now().minusSeconds(60);
        post(
                        tenant,
                        "/events/batch",
                        "{\"events\": [{\"event_id\": \"a\"}, {\"event_id\": \"b\"}]}")
                .expectStatus()
                .isEqualTo(207);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(items(tenant, "")).hasSize(2));
        assertThat(items(tenant, "?event_id=b")).hasSize(1);
        assertThat(items(tenant, "?source=/http")).hasSize(2);
        assertThat(items(tenant, "?source=/kafka")).isEmpty();
        assertThat(items(tenant, "?start_time=" + before)).hasSize(2);
        assertThat(items(tenant, "?end_time=" + before)).isEmpty();
        list(tenant, "?start_time=yesterday", 400);
    }

    @Test
    void replayCountsWhatWouldPassAndSendsItOnceWithTheSameIdentity() {
        var tenant = mesh.newTenant();
        mesh.send(tenants(tenant, "{\"mode\": \"strict\"}", 1));
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        post(
                                        tenant,
                                        "/events",
                                        "{\"event\": {\"event_id\": \"%s\", \"user_id\": \"u\", \"event_type\": \"made_up\"}}"
                                                .formatted("r1"))
                                .expectStatus()
                                .isBadRequest());
        post(
                        tenant,
                        "/events/batch",
                        """
                        {"events": [{"event_id": "r2", "user_id": "u", "event_type": "made_up", "payload": {"mail": "ann@example.com"}},
                                    {"event_id": "r3", "event_type": "login"}]}
                        """)
                .expectStatus()
                .isEqualTo(207);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(items(tenant, "?event_id=r3")).hasSize(1));
        int contract = items(tenant, "?reason=contract&limit=500").size();
        assertThat(replay(tenant, "{\"dry_run\": true}").path("passed").intValue()).isZero();

        mesh.send(tenants(tenant, "{\"mode\": \"open\"}", 2));
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> {
                    var dry = replay(tenant, "{\"dry_run\": true}");
                    assertThat(dry.path("passed").intValue()).isEqualTo(contract);
                    assertThat(dry.path("reasons").path("identity").intValue()).isEqualTo(1);
                });
        int sentBefore = of(tenant, RAW).size();

        assertThat(replay(tenant, "{\"event_id\": \"r2\"}").path("passed").intValue()).isEqualTo(1);
        assertThat(replay(tenant, "{\"event_id\": \"r2\"}").path("selected").intValue())
                .as("replayed once is enough")
                .isZero();
        var sent = of(tenant, RAW);
        assertThat(sent).hasSize(sentBefore + 1);
        var event = CanonicalEvent.fromJson(sent.getLast().value());
        assertThat(event.eventId()).isEqualTo("r2");
        assertThat(event.data().path("mail").stringValue()).startsWith("email:");
        assertThat(items(tenant, "?event_id=r2").getFirst().path("replayed_at").isString())
                .isTrue();
        post(
                        tenant,
                        "/events/batch",
                        "{\"events\": [{\"event_id\": \"r2\", \"user_id\": \"u\", \"event_type\": \"made_up\", \"payload\": {\"mail\": \"ann@example.com\"}}]}")
                .expectStatus()
                .isOk();
        var again = of(tenant, RAW);
        assertThat(
                        again.stream()
                                .filter(r -> header(r, CloudHeaders.ID).equals("r2"))
                                .map(r -> header(r, CloudHeaders.CONTENT_HASH))
                                .distinct())
                .as("days later through another door it is the same event")
                .hasSize(1);
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events/rejected/replay")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"reason\": \"whatever\"}")
                .exchange()
                .expectStatus()
                .isBadRequest();
    }

    /** Personal data in every place, through every way in, good events and bad: none of it is stored readable. */
    @Test
    void noneOfACorpusOfPersonalDataIsFoundInKafkaPostgresFilesOrLogs(CapturedOutput output)
            throws Exception {
        var tenant = mesh.newTenant();
        var run = Long.toString(System.nanoTime() % 1_000_000_000, 36);
        var secrets =
                List.of(
                        "ann" + run + "@example.com",
                        "+55 11 98765-4321",
                        "(21) 99876-5432",
                        "529.982.247-25",
                        "11144477735",
                        "4111 1111 1111 1111",
                        "5555555555554444",
                        "203.0.113.77",
                        "2001:db8:1:2:3:4:5:6",
                        "hunter2" + run);
        var fields = new StringBuilder();
        for (int i = 0; i < secrets.size() - 1; i++) {
            fields.append(
                    "\"a%d\": \"%s\", \"t%d\": \"x %s y\", "
                            .formatted(i, secrets.get(i), i, secrets.get(i)));
        }
        fields.append("\"password\": \"%s\"".formatted(secrets.getLast()));
        var pii = "{" + fields + "}";
        var bodies =
                List.of(
                        "{\"event_id\": \"g1\", \"user_id\": \"u\", \"event_type\": \"made_up\", \"payload\": %s, \"metadata\": %s, \"context\": %s, \"extra\": %s}"
                                .formatted(pii, pii, pii, pii),
                        "{\"event_id\": \"g2\", \"user_id\": \"u\", \"event_type\": {\"type\": \"Made Up\", \"data\": {\"deep\": [%s]}, \"more\": %s}}"
                                .formatted(pii, pii),
                        "{\"event_id\": \"b1\", \"event_type\": \"login\", \"payload\": %s}"
                                .formatted(pii),
                        "{\"event_id\": \"b2\", \"user_id\": \"u\", \"event_type\": \"x\", \"a\": 1, \"a\": %s}"
                                .formatted(pii),
                        "{\"event_id\": \"b3\", \"user_id\": \"u\", \"schema_version\": \"%s\", \"event_type\": \"login\"}"
                                .formatted(secrets.getFirst()),
                        "{\"event_id\": \"b4\", \"user_id\": \"u\", \"event_type\": \"login\", \"priority\": \"%s\", \"x\": nope%s}"
                                .formatted(secrets.getFirst(), secrets.getFirst()));
        post(tenant, "/events/batch", "{\"events\": [" + String.join(",", bodies) + "]}")
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .jsonPath("$.accepted")
                .isEqualTo(2);
        bodies.forEach(b -> post(tenant, "/events", "{\"event\": " + b + "}"));
        send(
                mesh.client(tenant),
                "/industry40/iot/ingest",
                "{\"device_id\": \"d\", \"device_type\": \"%s\", \"metrics\": {\"a\": 1}}"
                        .formatted(secrets.getFirst()));
        send(
                mesh.client(tenant),
                "/industry40/iot/ingest",
                "{\"device_id\": \"d\", \"metrics\": %s}".formatted(pii));
        mesh.client(tenant)
                .post()
                .uri("/v1/batch")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(
                        """
                        {"batch": [
                          {"type": "track", "messageId": "s1", "userId": "u", "event": "Made Up", "properties": %s, "context": {"traits": %s}},
                          {"type": "identify", "messageId": "s2", "userId": "u", "traits": %s},
                          {"type": "dance", "messageId": "s3", "userId": "u", "properties": %s}]}
                        """
                                .formatted(pii, pii, pii, pii))
                .exchange()
                .expectStatus()
                .isOk();
        cloudEvents(tenant, pii, secrets.getFirst());
        var onTopic = mesh.newTenant();
        TopicSetup.createIngest(mesh.infrastructure().bootstrapServers(), onTopic);
        for (var body : List.of(bodies.get(0), bodies.get(2), bodies.get(5))) {
            mesh.send(
                    new Outgoing(
                            Topics.ingest(onTopic).name(),
                            null,
                            "any".getBytes(StandardCharsets.UTF_8),
                            body.getBytes(StandardCharsets.UTF_8),
                            Map.of()));
        }
        var report =
                reportOfImport(
                        tenant,
                        String.join(
                                "\n",
                                bodies.get(0).replace("g1", "i1"),
                                bodies.get(2),
                                bodies.get(5)));
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> {
                    assertThat(items(tenant, "?limit=500")).hasSize(9 + 1 + 2 + 3);
                    assertThat(items(onTopic, "?limit=500")).hasSize(2);
                    assertThat(of(onTopic, RAW)).hasSize(1);
                });
        assertThat(of(tenant, RAW))
                .extracting(r -> header(r, CloudHeaders.ID))
                .contains("g1", "g2", "s1", "s2", "i1", "c1", "c2", "c3");

        var found = new StringBuilder(report);
        for (var topic :
                List.of(
                        RAW,
                        "mirante.events.critical",
                        "mirante.events.rejected",
                        "mirante.telemetry.raw")) {
            Stream.concat(of(tenant, topic).stream(), of(onTopic, topic).stream())
                    .forEach(r -> {
                        found.append(new String(r.value(), StandardCharsets.UTF_8));
                        r.headers()
                                .forEach(h ->
                                        found.append(
                                                new String(h.value(), StandardCharsets.UTF_8)));
                    });
        }
        try (var db = mesh.jdbc();
                var rows =
                        db.createStatement()
                                .executeQuery(
                                        "SELECT r::text, encode(original, 'escape') FROM rejected_event r WHERE tenant_id IN ('"
                                                + tenant
                                                + "', '"
                                                + onTopic
                                                + "')")) {
            while (rows.next()) {
                found.append(rows.getString(1)).append(rows.getString(2));
            }
        }
        items(tenant, "?limit=500").forEach(found::append);
        items(onTopic, "?limit=500").forEach(found::append);
        found.append(output.getAll());
        for (var secret : secrets) {
            assertThat(found.indexOf(secret)).as(secret).isNegative();
        }
        assertThat(found.toString()).contains("203.0.113.0", "2001:db8:1::");
        try (var files = Files.walk(mesh.infrastructure().folder().resolve("files"))) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                        .as("%s", file)
                        .doesNotContain(secrets);
            }
        }
    }

    /** Three good ones and three that are not, in binary, structured and batched mode. */
    private void cloudEvents(String tenant, String pii, String mail) {
        for (var type : List.of("made_up", "login; drop")) {
            mesh.client(tenant)
                    .post()
                    .uri("/api/v1/events")
                    .contentType(MediaType.APPLICATION_JSON)
                    .header("ce-specversion", "1.0")
                    .header("ce-id", "c1")
                    .header("ce-source", "/shop/" + mail)
                    .header("ce-type", type)
                    .header("ce-subject", "u")
                    .header("ce-mail", mail)
                    .header("ce-time", type.equals("made_up") ? "2026-11-20T10:00:00Z" : mail)
                    .bodyValue(pii)
                    .exchange()
                    .expectStatus()
                    .isEqualTo(type.equals("made_up") ? 202 : 400);
        }
        var event =
                "{\"specversion\": \"%s\", \"id\": \"%s\", \"source\": \"/shop\", \"type\": \"made_up\", \"subject\": \"u\","
                        + " \"mail\": \"%s\", \"data\": %s}";
        for (var version : List.of("1.0", mail)) {
            mesh.client(tenant)
                    .post()
                    .uri("/api/v1/events")
                    .contentType(MediaType.parseMediaType("application/cloudevents+json"))
                    .bodyValue(event.formatted(version, "c2", mail, pii))
                    .exchange()
                    .expectStatus()
                    .isEqualTo(version.equals("1.0") ? 202 : 400);
        }
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .contentType(MediaType.parseMediaType("application/cloudevents-batch+json"))
                .bodyValue(
                        "[%s, %s]"
                                .formatted(
                                        event.formatted("1.0", "c3", mail, pii),
                                        event.formatted("0.3", "c4", mail, pii)))
                .exchange()
                .expectStatus()
                .isEqualTo(207);
    }

    @Test
    void aPathThatIsNobodysIsAProblemLikeAnyOther() {
        mesh.client(mesh.newTenant())
                .get()
                .uri("/api/v1/events/there/is/none")
                .exchange()
                .expectStatus()
                .isNotFound()
                .expectHeader()
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.type")
                .value(type -> assertThat(type.toString()).endsWith("not-found"))
                .jsonPath("$.detail")
                .isEqualTo("no service answers this path");
    }

    /** Every way in, with its content type and a body that it takes. */
    private static final Map<String, List<String>> WAYS =
            Map.of(
                    "/api/v1/events",
                    List.of(
                            "application/json",
                            "{\"event\": {\"user_id\": \"u\", \"event_type\": \"x\", \"payload\": {\"t\": §}}}"),
                    "/api/v1/events/batch",
                    List.of(
                            "application/json",
                            "{\"events\": [{\"event_id\": \"e\", \"user_id\": \"u\", \"event_type\": \"x\", \"payload\": {\"t\": §}}]}"),
                    "/api/v1/events?cloudevent",
                    List.of(
                            "application/cloudevents+json",
                            "{\"specversion\": \"1.0\", \"id\": \"e\", \"source\": \"/x\", \"type\": \"x\", \"subject\": \"u\", \"data\": {\"t\": §}}"),
                    "/api/v1/events?cloudevents",
                    List.of(
                            "application/cloudevents-batch+json",
                            "[{\"specversion\": \"1.0\", \"id\": \"e\", \"source\": \"/x\", \"type\": \"x\", \"subject\": \"u\", \"data\": {\"t\": §}}]"),
                    "/api/v1/industry40/iot/ingest",
                    List.of(
                            "application/json",
                            "{\"device_id\": \"d\", \"device_type\": §, \"metrics\": {\"t\": 1}}"),
                    "/v1/track",
                    List.of(
                            "application/json",
                            "{\"userId\": \"u\", \"event\": \"x\", \"properties\": {\"t\": §}}"),
                    "/v1/batch",
                    List.of(
                            "application/json",
                            "{\"batch\": [{\"type\": \"track\", \"userId\": \"u\", \"event\": \"x\", \"properties\": {\"t\": §}}]}"));

    @Test
    void whatIsNoTextOfOursOrNeverEndsIsRefusedByEveryWayIn() {
        var tenant = mesh.newTenant();
        WAYS.forEach((path, way) -> {
            var type = way.get(0);
            var good = way.get(1).replace("§", "\"é\"");
            assertThat(status(tenant, path, type, null, utf8(good))).as(path).isIn(200, 202);
            var latin = good.getBytes(StandardCharsets.ISO_8859_1);
            var cut = utf8(good.substring(0, good.indexOf('é') + 1));
            var bad =
                    Map.of(
                            "UTF-16 with its mark", good.getBytes(StandardCharsets.UTF_16),
                            "UTF-16", good.getBytes(StandardCharsets.UTF_16LE),
                            "UTF-32", good.getBytes(Charset.forName("UTF-32BE")),
                            "a byte order mark", utf8("\ufeff" + good),
                            "Latin-1", latin,
                            "half a letter", Arrays.copyOf(cut, cut.length - 1),
                            "overlong", replaced(good, (byte) 0xc0, (byte) 0xaf),
                            "half a character", replaced(good, (byte) 0xed, (byte) 0xa0),
                            "zeros", new byte[100],
                            "nothing", new byte[0]);
            bad.forEach((what, body) ->
                    assertThat(status(tenant, path, type, null, body))
                            .as("%s to %s", what, path)
                            .isEqualTo(400));
            for (var deep : List.of("[".repeat(10_000), "{\"a\":".repeat(5_000))) {
                assertThat(status(tenant, path, type, null, utf8(deep)))
                        .as("depth to %s", path)
                        .isEqualTo(400);
            }
            // Segment answers 400 where others answer 413, and 200 for a call that is not
            // valid:
            // its libraries retry the rest.
            int large = path.startsWith("/v1/") ? 400 : 413;
            assertThat(status(tenant, path, type, "gzip", gzip(100 << 20)))
                    .as("gzip bomb to %s", path)
                    .isEqualTo(large);
            assertThat(status(tenant, path, type, "zstd", Zstd.compress(new byte[100 << 20])))
                    .as("zstd bomb to %s", path)
                    .isEqualTo(large);
            for (var odd :
                    List.of("1e400", "\"\\u0000\"", "\"\\ud800\"", "1" + "0".repeat(5_000))) {
                assertThat(status(tenant, path, type, null, utf8(way.get(1).replace("§", odd))))
                        .as("%s to %s", odd.length() > 20 ? "a long number" : odd, path)
                        .isIn(200, 207, 400);
            }
        });
        // What was refused event by event is kept; none of it is in the log.
        assertThat(of(tenant, RAW)).hasSize(WAYS.size() - 1);
        assertThat(of(tenant, "mirante.telemetry.raw")).hasSize(1);
    }

    private int status(
            String tenant, String path, String type, @Nullable String packing, byte[] body) {
        var request =
                mesh.client(tenant)
                        .mutate()
                        .responseTimeout(Duration.ofSeconds(20))
                        .build()
                        .post()
                        .uri(path)
                        .contentType(MediaType.parseMediaType(type));
        if (packing != null) {
            request.header("Content-Encoding", packing);
        }
        var answer = request.bodyValue(body).exchange().returnResult(String.class);
        return answer.getStatus().value();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] replaced(String good, byte first, byte second) {
        var bytes = utf8(good);
        int at = utf8(good.substring(0, good.indexOf('é'))).length;
        bytes[at] = first;
        bytes[at + 1] = second;
        return bytes;
    }

    private static byte[] gzip(int zeros) {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(new byte[zeros]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** SQL, JSON, paths, templates, look-alikes: text is text, in ids, names, values, filters and pointers. */
    @Test
    void hostileTextIsStoredByteForByteAndNeverReachesAQuery() {
        var tenant = mesh.newTenant();
        var corpus =
                List.of(
                        "'; DROP TABLE rejected_event; --",
                        "' OR '1'='1",
                        "\\'; SELECT pg_sleep(10); --",
                        "$1 $2 :name ?",
                        "\"}],\"tenant_id\":\"other\",\"x\":[{\"",
                        "${jndi:ldap://localhost/x}",
                        "#{T(java.lang.Runtime).getRuntime()}",
                        "{{7*7}} %s %n %x",
                        "../../etc/passwd",
                        "<script>alert(1)</script>",
                        "a/b~1c~0d",
                        "%00%0d%0aX-Injected: 1",
                        "\u202eabc\u2066",
                        "😀 ﷽ e\u0301",
                        "=1+1");
        var mapper = Json.mapper();
        for (var text : corpus) {
            var event = mapper.createObjectNode();
            event.put("event_id", "g " + text).put("user_id", text).put("session_id", text);
            event.put("event_type", "made_up").put(text, text);
            event.putObject("payload").put(text, text);
            event.putObject("metadata").put(text, text);
            var bad = event.deepCopy().put("event_id", "b " + text).put("priority", text);
            var body = mapper.createObjectNode();
            body.putArray("events").add(event).add(bad);
            post(tenant, "/events/batch", body.toString())
                    .expectStatus()
                    .isEqualTo(207)
                    .expectBody()
                    .jsonPath("$.accepted")
                    .isEqualTo(1);
        }
        var stored = of(tenant, RAW);
        assertThat(stored).hasSize(corpus.size());
        for (var text : corpus) {
            var record =
                    stored.stream()
                            .filter(r -> header(r, CloudHeaders.ID).equals("g " + text))
                            .findFirst()
                            .orElseThrow();
            var event = CanonicalEvent.fromJson(record.value());
            assertThat(event.userId()).isEqualTo(text);
            assertThat(event.data().path(text).stringValue()).isEqualTo(text);
            assertThat(event.metadata().path(text).stringValue()).isEqualTo(text);
            assertThat(event.metadata().path("_extra").path(text).stringValue()).isEqualTo(text);
            assertThat(header(record, CloudHeaders.TENANT)).isEqualTo(tenant);
        }
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(
                        () -> assertThat(items(tenant, "?limit=500")).hasSize(corpus.size()));
        for (var text : corpus) {
            for (var filter : List.of("event_type", "source")) {
                filtered(tenant, filter, text)
                        .expectBody()
                        .jsonPath("$.items.length()")
                        .isEqualTo(0);
            }
            filtered(tenant, "event_id", "b " + text)
                    .expectBody()
                    .jsonPath("$.items[0].event_id")
                    .isEqualTo("b " + text);
            for (var filter : List.of("reason", "start_time", "cursor", "limit")) {
                mesh.client(tenant)
                        .get()
                        .uri(u ->
                                u.path("/api/v1/events/rejected")
                                        .queryParam(filter, "{x}")
                                        .build(text))
                        .exchange()
                        .expectStatus()
                        .isBadRequest();
            }
        }
    }

    @Test
    void theShortWayAndTheUsualOneGiveTheSameAnswers() {
        var client = mesh.client(mesh.newTenant());
        var good =
                "{\"event_id\": \"s1\", \"user_id\": \"u\", \"event_type\": \"login\", \"payload\": {}}";
        var bad =
                "{\"event_id\": \"s2\", \"event_type\": \"purchase\", \"payload\": {\"amount\": \"x\"}}";
        for (var call :
                List.of(
                        List.of("/events", "{\"event\": " + good + "}"),
                        List.of("/events", "{\"event\": " + bad + "}"),
                        List.of("/events", "{\"event\": 1, \"other\": 2}"),
                        List.of("/events", "no JSON"),
                        List.of("/events/batch", "{\"events\": [" + good + "]}"),
                        List.of("/events/batch", "{\"events\": [" + good + "," + bad + "]}"),
                        List.of("/events/batch", "{\"events\": []}"))) {
            // A query keeps a call from the short way, and so does a token not seen before.
            var usual = answer(client, call.getFirst() + "?usual=1", call.getLast());
            var quick = answer(client, call.getFirst(), call.getLast());
            assertThat(quick).as(call.toString()).isEqualTo(usual);
        }
    }

    /** Status, headers and body, without what differs from call to call. */
    private static String answer(WebTestClient client, String path, String body) {
        var result =
                client.post()
                        .uri("/api/v1" + path)
                        .header("X-Request-Id", "same")
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(body)
                        .exchange()
                        .expectBody(JsonNode.class)
                        .returnResult();
        return result.getStatus()
                + " "
                + new TreeMap<>(
                        result.getResponseHeaders().toSingleValueMap().entrySet().stream()
                                .collect(
                                        Collectors.toMap(
                                                e -> e.getKey().toLowerCase(Locale.ROOT),
                                                Map.Entry::getValue)))
                + " "
                + new TreeMap<>(Json.mapper().convertValue(result.getResponseBody(), Map.class));
    }

    private WebTestClient.ResponseSpec filtered(String tenant, String filter, String text) {
        return mesh.client(tenant)
                .get()
                .uri(u -> u.path("/api/v1/events/rejected").queryParam(filter, "{x}").build(text))
                .exchange()
                .expectStatus()
                .isOk();
    }

    @Test
    void theTraceOfARejectedEventNamesItsReasonAndWhoDidNotAnswer() {
        var tenant = mesh.newTenant();
        post(tenant, "/events/batch", "{\"events\": [{\"event_id\": \"a b\"}]}")
                .expectStatus()
                .isEqualTo(207);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(items(tenant, "")).hasSize(1));
        mesh.client(tenant)
                .get()
                .uri("/api/v1/events/{id}/trace", "a b")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .json(
                        """
                        {"event_id": "a b", "status": "rejected", "stored": null, "rejections": [{"reason": "contract"}],
                         "windows": [], "unanswered": ["etl"]}
                        """);
        mesh.client(mesh.newTenant())
                .get()
                .uri("/api/v1/events/{id}/trace", "a b")
                .exchange()
                .expectStatus()
                .isEqualTo(503);
    }

    @Test
    void originalsAreRemovedWhenTheirTimeIsOver() throws SQLException {
        var tenant = mesh.newTenant();
        post(
                        tenant,
                        "/events/batch",
                        "{\"events\": [{\"event_id\": \"old\"}, {\"event_id\": \"older\"}, {\"event_id\": \"new\"}]}")
                .expectStatus()
                .isEqualTo(207);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(items(tenant, "")).hasSize(3));
        try (var db = mesh.jdbc();
                var age =
                        db.prepareStatement(
                                "UPDATE rejected_event SET rejected_at = now() - make_interval(hours => ?) WHERE tenant_id = ? AND event_id = ?")) {
            for (var one : List.of("old", "older")) {
                age.setInt(1, one.equals("old") ? 14 * 24 - 1 : 14 * 24 + 1);
                age.setString(2, tenant);
                age.setString(3, one);
                age.executeUpdate();
            }
        }
        retention.removeOld();
        assertThat(items(tenant, ""))
                .extracting(i -> i.path("event_id").stringValue())
                .containsExactly("new", "old");
    }

    private List<JsonNode> items(String tenant, String query) {
        var page = list(tenant, query).expectBody(JsonNode.class).returnResult().getResponseBody();
        assertThat(page).isNotNull();
        return page.path("items").valueStream().toList();
    }

    private JsonNode replay(String tenant, String request) {
        var job =
                mesh.client(tenant)
                        .post()
                        .uri("/api/v1/events/rejected/replay")
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(request)
                        .exchange()
                        .expectStatus()
                        .isAccepted()
                        .expectBody(JsonNode.class)
                        .returnResult()
                        .getResponseBody();
        assertThat(job).isNotNull();
        var path = "/api/v1/jobs/" + job.path("job_id").stringValue();
        return await().atMost(Duration.ofMinutes(2))
                .until(
                        () ->
                                mesh.client(tenant)
                                        .get()
                                        .uri(path)
                                        .exchange()
                                        .expectBody(JsonNode.class)
                                        .returnResult()
                                        .getResponseBody(),
                        j -> j != null && j.path("status").asString("").equals("completed"))
                .path("result");
    }

    private static Outgoing tenants(String tenant, String patch, long revision) {
        var settings =
                TenantSettings.defaults(tenant).patched(Json.mapper().readTree(patch), revision);
        return new Outgoing(
                "mirante.tenants",
                null,
                tenant.getBytes(StandardCharsets.UTF_8),
                Json.mapper().writeValueAsBytes(settings),
                Map.of());
    }

    @Test
    void aKeyNeedsTheScopeAndATokenIsNeededAtAll() {
        var tenant = mesh.newTenant();
        var body = "{\"event\": " + PURCHASE.formatted("e") + "}";
        send(mesh.client(tenant, "analytics.view"), "/events", body).expectStatus().isForbidden();
        send(mesh.client(tenant, "ingest"), "/events", body).expectStatus().isAccepted();
        send(mesh.anonymous(), "/events", body).expectStatus().isUnauthorized();
        mesh.client(tenant, "admin")
                .get()
                .uri("/api/v1/events/rejected")
                .exchange()
                .expectStatus()
                .isForbidden();
        mesh.client(tenant, "ingest")
                .get()
                .uri("/api/v1/events/rejected")
                .exchange()
                .expectStatus()
                .isOk();
    }

    /** Imports lines of JSON; returns what the report says of those that were not taken. */
    private String reportOfImport(String tenant, String lines) {
        var form = new MultipartBodyBuilder();
        form.part("file", lines.getBytes(StandardCharsets.UTF_8)).filename("corpus.ndjson");
        var job =
                json(mesh.client(tenant)
                                .post()
                                .uri("/api/v1/events/import")
                                .body(BodyInserters.fromMultipartData(form.build()))
                                .exchange())
                        .path("job_id")
                        .stringValue();
        var ended =
                await().until(
                                () -> json(get(tenant, "/api/v1/jobs/" + job)),
                                found -> !found.path("finished_at").isNull());
        assertThat(ended.path("status").stringValue()).as("%s", ended).isEqualTo("completed");
        var report =
                get(tenant, ended.path("result").path("report_url").stringValue())
                        .expectBody(String.class)
                        .returnResult()
                        .getResponseBody();
        return Objects.requireNonNull(report);
    }

    private WebTestClient.ResponseSpec get(String tenant, String path) {
        return mesh.client(tenant).get().uri(path).exchange().expectStatus().isOk();
    }

    private static JsonNode json(WebTestClient.ResponseSpec answer) {
        return Objects.requireNonNull(
                answer.expectBody(JsonNode.class).returnResult().getResponseBody());
    }

    private WebTestClient.ResponseSpec post(String tenant, String path, String body) {
        return send(mesh.client(tenant), path, body);
    }

    private static WebTestClient.ResponseSpec send(WebTestClient client, String path, String body) {
        return client.post()
                .uri("/api/v1" + path)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange();
    }

    private WebTestClient.ResponseSpec list(String tenant, String query) {
        return list(tenant, query, 200);
    }

    private WebTestClient.ResponseSpec list(String tenant, String query, int status) {
        return mesh.client(tenant)
                .get()
                .uri("/api/v1/events/rejected" + query)
                .exchange()
                .expectStatus()
                .isEqualTo(status);
    }

    private List<ConsumerRecord<byte[], byte[]>> of(String tenant, String topic) {
        return mesh.read(topic).stream()
                .filter(r -> tenant.equals(header(r, CloudHeaders.TENANT)))
                .toList();
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }
}
