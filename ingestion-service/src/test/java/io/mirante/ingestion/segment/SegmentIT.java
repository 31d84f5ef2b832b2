package io.mirante.ingestion.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;

@MeshTest
class SegmentIT {

    @Autowired Mesh mesh;

    @Test
    void theSevenCallsAreAnsweredAsSegmentAnswersAndAreInKafka() {
        var tenant = mesh.newTenant();
        succeed(
                tenant,
                "identify",
                "{\"messageId\": \"m1\", \"userId\": \"u\", \"traits\": {\"plan\": \"gold\"}}");
        succeed(
                tenant,
                "track",
                "{\"messageId\": \"m2\", \"userId\": \"u\", \"event\": \"Order Completed\", \"properties\": {\"revenue\": 3}}");
        succeed(
                tenant,
                "page",
                "{\"messageId\": \"m3\", \"anonymousId\": \"a\", \"name\": \"Home\"}");
        succeed(tenant, "screen", "{\"messageId\": \"m4\", \"userId\": \"u\", \"name\": \"Cart\"}");
        succeed(tenant, "group", "{\"messageId\": \"m5\", \"userId\": \"u\", \"groupId\": \"g\"}");
        succeed(
                tenant,
                "alias",
                "{\"messageId\": \"m6\", \"userId\": \"u\", \"previousId\": \"a\"}");
        succeed(
                tenant,
                "batch",
                """
                {"batch": [{"type": "track", "messageId": "m7", "userId": "u", "event": "Song Played"},
                           {"type": "identify", "messageId": "m8", "userId": "u", "traits": {}}],
                 "sentAt": "2026-11-20T10:00:00Z", "writeKey": "not-kept"}
                """);
        succeed(tenant, "batch", "{\"batch\": []}");

        var records = of(tenant, "mirante.events.raw");
        assertThat(records)
                .extracting(r -> header(r, CloudHeaders.ID))
                .containsExactlyInAnyOrder("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8");
        assertThat(records)
                .extracting(r -> header(r, CloudHeaders.TYPE))
                .containsExactlyInAnyOrder(
                        "identify",
                        "purchase",
                        "page_view",
                        "screen_view",
                        "group",
                        "alias",
                        "song_played",
                        "identify");
        assertThat(records).allMatch(r -> header(r, CloudHeaders.SOURCE).equals("/segment"));
        assertThat(records)
                .noneMatch(r -> new String(r.value(), StandardCharsets.UTF_8).contains("not-kept"));
    }

    @Test
    void aRetryWithAnotherSendingTimeIsTheSameEvent() {
        var tenant = mesh.newTenant();
        for (var sentAt : List.of("2026-11-20T10:00:01Z", "2026-11-20T10:05:00Z")) {
            succeed(
                    tenant,
                    "batch",
                    """
                    {"batch": [{"type": "track", "messageId": "again", "userId": "u", "event": "x",
                                "timestamp": "2026-11-20T10:00:00Z"}], "sentAt": "%s"}
                    """
                            .formatted(sentAt));
        }
        assertThat(of(tenant, "mirante.events.raw"))
                .hasSize(2)
                .extracting(r -> header(r, CloudHeaders.CONTENT_HASH))
                .satisfies(hashes -> assertThat(hashes.get(0)).isEqualTo(hashes.get(1)));
    }

    @Test
    void whatIsNotValidIsAnswered200AndKeptWithItsReason() {
        var tenant = mesh.newTenant();
        succeed(tenant, "track", "{\"messageId\": \"noone\", \"event\": \"x\"}");
        succeed(
                tenant,
                "batch",
                """
                {"batch": [{"type": "track", "messageId": "good", "userId": "u", "event": "x"},
                           {"type": "track", "messageId": "nameless", "userId": "u"},
                           {"type": "track", "messageId": "large", "userId": "u", "event": "x", "properties": {"t": "%s"}},
                           7]}
                """
                        .formatted("x".repeat(40_000)));
        assertThat(of(tenant, "mirante.events.raw")).hasSize(1);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        mesh.client(tenant)
                                .get()
                                .uri("/api/v1/events/rejected")
                                .exchange()
                                .expectBody()
                                .jsonPath("$.items[*].reason")
                                .value(reasons ->
                                        assertThat((List<?>) reasons)
                                                .map(Object::toString)
                                                .containsExactlyInAnyOrder(
                                                        "identity",
                                                        "contract",
                                                        "size",
                                                        "malformed"))
                                .jsonPath("$.items[0].source")
                                .isEqualTo("/segment"));
    }

    @Test
    void badJsonAndWhatIsTooLargeAre400() throws IOException {
        var tenant = mesh.newTenant();
        post(tenant, "track", "{\"userId\": ").expectStatus().isBadRequest();
        post(tenant, "track", "[]").expectStatus().isBadRequest();
        post(tenant, "track", "").expectStatus().isBadRequest();
        post(tenant, "batch", "{}").expectStatus().isBadRequest();
        post(tenant, "batch", "{\"batch\": {}}").expectStatus().isBadRequest();
        var large = "{\"userId\": \"u\", \"event\": \"x\", \"properties\": {\"t\": \"%s\"}}";
        post(tenant, "track", large.formatted("x".repeat(32 * 1024)))
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].code")
                .isEqualTo("too_large");
        post(tenant, "track", large.formatted("x".repeat(30 * 1024))).expectStatus().isOk();
        post(tenant, "batch", "{\"batch\": [\"%s\"]}".formatted("x".repeat(500 * 1024)))
                .expectStatus()
                .isBadRequest();
        var bomb = new ByteArrayOutputStream();
        try (var packed = new GZIPOutputStream(bomb)) {
            packed.write("{\"batch\": [\"".getBytes(StandardCharsets.UTF_8));
            packed.write(new byte[9 * 1024 * 1024]);
        }
        mesh.client(tenant)
                .post()
                .uri("/v1/batch")
                .header("Content-Encoding", "gzip")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(bomb.toByteArray())
                .exchange()
                .expectStatus()
                .isBadRequest();
        assertThat(of(tenant, "mirante.events.raw")).hasSize(1);
    }

    @Test
    void theScopeIsNeeded() {
        var tenant = mesh.newTenant();
        mesh.client(tenant, "analytics.view")
                .post()
                .uri("/v1/track")
                .bodyValue("{}")
                .exchange()
                .expectStatus()
                .isForbidden();
        mesh.anonymous()
                .post()
                .uri("/v1/batch")
                .bodyValue("{}")
                .exchange()
                .expectStatus()
                .isUnauthorized();
        post(tenant, "dance", "{}").expectStatus().isNotFound();
    }

    private void succeed(String tenant, String call, String body) {
        post(tenant, call, body)
                .expectStatus()
                .isOk()
                .expectBody()
                .json("{\"success\": true}", org.springframework.test.json.JsonCompareMode.STRICT);
    }

    private WebTestClient.ResponseSpec post(String tenant, String call, String body) {
        return mesh.client(tenant)
                .post()
                .uri("/v1/" + call)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange();
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
