package io.mirante.ingestion.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.setup.TopicSetup;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import org.springframework.http.client.MultipartBodyBuilder;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.BodyInserters;
import tools.jackson.databind.JsonNode;

/** What came in another form than an event's own is kept as it came, and becomes on replay what it would become now. */
@MeshTest
class RetranslationIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    @Autowired Mesh mesh;

    @Test
    void aCallOfSegmentIsKeptAsItCameAndReplayedAsItWouldComeNow() {
        var tenant = mesh.newTenant();
        mesh.settings(tenant, "{\"mode\": \"strict\"}");
        var batch =
                """
                {"writeKey": "secret-write-key", "context": {"page": {"url": "https://a/b"}}, "sentAt": "2026-11-20T10:00:00Z",
                 "batch": [{"type": "track", "messageId": "s1", "userId": "u", "event": "Made Up",
                            "timestamp": "2026-11-20T10:00:00Z", "writeKey": "secret-write-key", "properties": {"rest": 7}},
                           {"type": "page", "messageId": "s2", "timestamp": "2026-11-20T10:00:00Z"}]}
                """;
        json(tenant, "/v1/batch", batch).expectStatus().isOk();
        json(
                        tenant,
                        "/v1/track",
                        "{\"messageId\": \"s3\", \"userId\": \"u\", \"event\": \"Made Up\", \"timestamp\": \"2026-11-20T10:00:00Z\"}")
                .expectStatus()
                .isOk();
        var kept = rejected(tenant, 3);
        assertThat(kept).allMatch(i -> i.path("form").stringValue().equals("segment"));
        assertThat(kept)
                .extracting(i -> i.path("event_type").asString(""))
                .containsOnly("made_up", "page_view");
        assertThat(original(kept, "s1").path("batch").path(0).path("event").stringValue())
                .isEqualTo("Made Up");
        assertThat(original(kept, "s1").path("context").path("page").path("url").stringValue())
                .isEqualTo("https://a/b");
        assertThat(original(kept, "s3").path("batch").path(0).path("type").stringValue())
                .isEqualTo("track");
        assertThat(kept.toString()).doesNotContain("secret-write-key");

        assertThat(replay(tenant, "{\"dry_run\": true}").path("passed").intValue()).isZero();
        mesh.settings(tenant, "{\"mode\": \"open\"}");
        var dry = replay(tenant, "{\"dry_run\": true}");
        assertThat(dry.path("passed").intValue()).isEqualTo(2);
        assertThat(dry.path("rejected").intValue()).as("nobody's").isEqualTo(1);
        assertThat(replay(tenant, "{}").path("passed").intValue()).isEqualTo(2);
        assertThat(replay(tenant, "{}").path("passed").intValue()).as("sent once").isZero();

        var sent = raw(tenant, 2);
        json(tenant, "/v1/batch", batch).expectStatus().isOk();
        assertSameContent(sent, raw(tenant, 3), "s1");
    }

    @Test
    void aCloudEventIsKeptWithItsAttributesAndReplayedAsItWouldComeNow() {
        var tenant = mesh.newTenant();
        TopicSetup.createIngest(mesh.infrastructure().bootstrapServers(), tenant);
        mesh.settings(tenant, "{\"mode\": \"strict\"}");
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .contentType(MediaType.APPLICATION_JSON)
                .header("ce-specversion", "1.0")
                .header("ce-id", "c1")
                .header("ce-source", "/shop")
                .header("ce-type", "made_up")
                .header("ce-time", "2026-11-20T10:00:00Z")
                .header("ce-subject", "u")
                .header("ce-shelf", "7")
                .bodyValue("{\"rest\": 7}")
                .exchange()
                .expectStatus()
                .isBadRequest();
        mesh.send(
                new Outgoing(
                        Topics.ingest(tenant).name(),
                        null,
                        "k".getBytes(StandardCharsets.UTF_8),
                        "{\"rest\": 8}".getBytes(StandardCharsets.UTF_8),
                        Map.of(
                                "ce_specversion", "1.0",
                                "ce_source", "/till",
                                "ce_type", "made_up",
                                "ce_subject", "u")));
        var kept = rejected(tenant, 2);
        assertThat(kept).allMatch(i -> i.path("form").stringValue().equals("cloudevent"));
        assertThat(original(kept, "c1").path("shelf").stringValue()).isEqualTo("7");
        assertThat(original(kept, "c1").path("data").path("rest").intValue()).isEqualTo(7);

        mesh.settings(tenant, "{\"mode\": \"open\"}");
        assertThat(replay(tenant, "{\"dry_run\": true}").path("passed").intValue()).isEqualTo(2);
        assertThat(replay(tenant, "{}").path("passed").intValue()).isEqualTo(2);
        assertThat(replay(tenant, "{}").path("selected").intValue()).isZero();
        var sent = raw(tenant, 2);
        assertThat(sent)
                .extracting(r -> header(r, CloudHeaders.ID))
                .contains("c1")
                .as("the id made of the record's place")
                .containsAll(kept.stream().map(i -> i.path("event_id").stringValue()).toList());
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .contentType(MediaType.parseMediaType("application/cloudevents+json"))
                .bodyValue(
                        """
                        {"specversion": "1.0", "id": "c1", "source": "/shop", "type": "made_up", "subject": "u",
                         "time": "2026-11-20T10:00:00Z", "shelf": "7", "data": {"rest": 7}}
                        """)
                .exchange()
                .expectStatus()
                .isAccepted();
        assertSameContent(sent, raw(tenant, 3), "c1");
    }

    @Test
    void linesOfAnImportAreReplayedByAnotherMapping() {
        var tenant = mesh.newTenant();
        var csv = "customer,day,amount\nana,20261120,35.14\nbia,20261121,1.50\n,20261121,1\n";
        var wrong =
                """
                {"event_type": "purchase", "user_id": "customer", "timestamp": {"column": "day", "format": "yyyy-MM-dd"},
                 "data": {"amount": {"column": "amount", "type": "decimal"}, "currency": "=USD"}}
                """;
        var right = wrong.replace("yyyy-MM-dd", "yyyyMMdd");
        assertThat(imported(tenant, csv, wrong).path("rejected").intValue()).isEqualTo(3);
        var kept = rejected(tenant, 3);
        assertThat(kept).allMatch(i -> i.path("form").stringValue().equals("import"));
        assertThat(kept.toString()).contains("35.14", "20261120");

        assertThat(replay(tenant, "{\"dry_run\": true}").path("passed").intValue())
                .as("by the mapping it had")
                .isZero();
        var request = "{\"dry_run\": %s, \"source\": \"/import/shop\", \"mapping\": " + right + "}";
        var dry = replay(tenant, request.formatted(true));
        assertThat(dry.path("passed").intValue()).isEqualTo(2);
        assertThat(dry.path("rejected").intValue()).as("nobody's").isEqualTo(1);
        assertThat(replay(tenant, request.formatted(false)).path("passed").intValue()).isEqualTo(2);
        assertThat(replay(tenant, request.formatted(false)).path("passed").intValue()).isZero();

        var sent = raw(tenant, 2);
        assertThat(imported(tenant, csv, right).path("accepted").intValue()).isEqualTo(2);
        for (var one : sent) {
            assertSameContent(sent, raw(tenant, 4), header(one, CloudHeaders.ID));
        }
        json(tenant, "/api/v1/events/rejected/replay", "{\"mapping\": {\"user\": \"customer\"}}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo("/mapping/user");
    }

    /** One event, given to every door in its own form: what is counted once is what has one id and one hash. */
    @Test
    void theSameEventHasTheSameIdentityThroughEveryWayIn() {
        var tenant = mesh.newTenant();
        TopicSetup.createIngest(mesh.infrastructure().bootstrapServers(), tenant);
        var plain =
                """
                {"event_id": "same", "user_id": "u", "timestamp": "2026-11-20T10:00:00Z",
                 "event_type": "made_up", "payload": {"rest": 7.50, "name": "é"}}
                """
                        .replace("\n", "");
        json(tenant, "/api/v1/events", "{\"event\": " + plain + "}").expectStatus().isAccepted();
        json(tenant, "/api/v1/events/batch", "{\"events\": [" + plain + "]}").expectStatus().isOk();
        var cloud =
                """
                {"specversion": "1.0", "id": "same", "source": "/shop", "type": "made_up", "subject": "u",
                 "time": "2026-11-20T10:00:00Z", "data": {"name": "\\u00e9", "rest": 7.5}}
                """;
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .contentType(MediaType.parseMediaType("application/cloudevents+json"))
                .bodyValue(cloud)
                .exchange()
                .expectStatus()
                .isAccepted();
        json(
                        tenant,
                        "/v1/track",
                        """
                        {"messageId": "same", "userId": "u", "event": "made_up", "timestamp": "2026-11-20T10:00:00Z",
                         "properties": {"rest": 7.5, "name": "é"}, "sentAt": "2026-11-20T10:00:01Z"}
                        """)
                .expectStatus()
                .isOk();
        mesh.send(
                new Outgoing(
                        Topics.ingest(tenant).name(),
                        null,
                        "k".getBytes(StandardCharsets.UTF_8),
                        plain.getBytes(StandardCharsets.UTF_8),
                        Map.of()));
        assertThat(imported(tenant, "same.ndjson", plain, null).path("accepted").intValue())
                .isEqualTo(1);

        var records = raw(tenant, 6);
        assertThat(records)
                .extracting(r -> header(r, CloudHeaders.SOURCE))
                .containsExactlyInAnyOrder(
                        "/http", "/http", "/http", "/segment", "/kafka", "/import/shop");
        assertThat(records).allMatch(r -> header(r, CloudHeaders.ID).equals("same"));
        assertThat(records.stream().map(r -> header(r, CloudHeaders.CONTENT_HASH)).distinct())
                .hasSize(1);
    }

    private static void assertSameContent(
            List<ConsumerRecord<byte[], byte[]>> before,
            List<ConsumerRecord<byte[], byte[]>> after,
            String id) {
        assertThat(before).anyMatch(r -> header(r, CloudHeaders.ID).equals(id));
        assertThat(
                        after.stream()
                                .filter(r -> header(r, CloudHeaders.ID).equals(id))
                                .map(r -> header(r, CloudHeaders.CONTENT_HASH)))
                .hasSize(2)
                .as("counted once")
                .containsOnly(
                        before.stream()
                                .filter(r -> header(r, CloudHeaders.ID).equals(id))
                                .map(r -> header(r, CloudHeaders.CONTENT_HASH))
                                .findFirst()
                                .orElseThrow());
    }

    private static JsonNode original(List<JsonNode> kept, String id) {
        return kept.stream()
                .filter(i -> i.path("event_id").asString("").equals(id))
                .map(i -> Json.mapper().readTree(i.path("original").stringValue()))
                .findFirst()
                .orElseThrow();
    }

    private List<JsonNode> rejected(String tenant, int count) {
        return await().atMost(SOON)
                .until(
                        () ->
                                get(tenant, "/api/v1/events/rejected")
                                        .path("items")
                                        .valueStream()
                                        .toList(),
                        items -> items.size() == count);
    }

    private JsonNode replay(String tenant, String request) {
        return ended(tenant, json(tenant, "/api/v1/events/rejected/replay", request));
    }

    private JsonNode imported(String tenant, String csv, String mapping) {
        return imported(tenant, "shop.csv", csv, mapping);
    }

    private JsonNode imported(String tenant, String name, String text, String mapping) {
        var form = new MultipartBodyBuilder();
        form.part("file", text.getBytes(StandardCharsets.UTF_8)).filename(name);
        form.part("source", "shop");
        if (mapping != null) {
            form.part("mapping", mapping);
        }
        return ended(
                tenant,
                mesh.client(tenant)
                        .post()
                        .uri("/api/v1/events/import")
                        .body(BodyInserters.fromMultipartData(form.build()))
                        .exchange());
    }

    private JsonNode ended(String tenant, WebTestClient.ResponseSpec accepted) {
        var job = body(accepted.expectStatus().isAccepted()).path("job_id").stringValue();
        var found =
                await().atMost(SOON)
                        .until(
                                () -> get(tenant, "/api/v1/jobs/" + job),
                                j -> !j.path("finished_at").isNull());
        assertThat(found.path("status").stringValue()).isEqualTo("completed");
        return found.path("result");
    }

    private JsonNode get(String tenant, String path) {
        return body(mesh.client(tenant).get().uri(path).exchange());
    }

    private static JsonNode body(WebTestClient.ResponseSpec answer) {
        return Objects.requireNonNull(
                answer.expectBody(JsonNode.class).returnResult().getResponseBody());
    }

    private WebTestClient.ResponseSpec json(String tenant, String path, String body) {
        return mesh.client(tenant)
                .post()
                .uri(path)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange();
    }

    private List<ConsumerRecord<byte[], byte[]>> raw(String tenant, int count) {
        return await().atMost(SOON)
                .until(
                        () ->
                                mesh.read("mirante.events.raw").stream()
                                        .filter(r -> tenant.equals(header(r, CloudHeaders.TENANT)))
                                        .toList(),
                        records -> records.size() == count);
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }
}
