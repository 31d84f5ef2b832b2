package io.mirante.ingestion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.events.TelemetryReading;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;

@MeshTest
class IngestionIT {

    private static final String RAW = "mirante.events.raw";
    private static final String PURCHASE =
            """
            {"event_id": "%s", "user_id": "user_001", "session_id": "sess_456", "timestamp": "2026-11-20T10:00:00Z",
             "event_type": {"type": "Purchase", "data": {"amount": "35.14", "currency": "USD"}},
             "campaign": "autumn"}
            """;

    @Autowired Mesh mesh;

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

        await().atMost(Duration.ofSeconds(20))
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
                                .contains("nobody", "***@***")
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
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() ->
                        list(tenant, "").expectBody().jsonPath("$.items.length()").isEqualTo(3));

        var seen = new java.util.TreeSet<String>();
        String cursor = "";
        do {
            var page =
                    list(tenant, "?limit=2" + cursor)
                            .expectBody(tools.jackson.databind.JsonNode.class)
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
        await().atMost(Duration.ofSeconds(20))
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
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() ->
                        list(tenant, "?event_type=telemetry.reading")
                                .expectBody()
                                .jsonPath("$.items.length()")
                                .isEqualTo(2));
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
