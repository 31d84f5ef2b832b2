package io.mirante.ingestion.cloudevents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;

import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.web.reactive.server.WebTestClient;

/** The CloudEvents SDK is the client. */
@MeshTest
class CloudEventIT {

    @Autowired Mesh mesh;

    @Test
    void binaryStructuredAndBatchedEventsAreTheSameEvent() {
        var tenant = mesh.newTenant();
        binary(tenant, purchase("ce-1", "{\"amount\": \"35.14\"}"))
                .expectStatus()
                .isAccepted()
                .expectBody()
                .json("{\"event_id\": \"ce-1\", \"status\": \"accepted\"}");
        structured(tenant, purchase("ce-2", "{\"amount\": \"35.14\"}")).expectStatus().isAccepted();
        batched(
                        tenant,
                        Stream.of("ce-3", "ce-4")
                                .map(id -> purchase(id, "{\"amount\": \"35.14\"}")))
                .expectStatus()
                .isOk()
                .expectBody()
                .json("{\"accepted\": 2, \"rejected\": 0, \"results\": []}");

        var records = raw(tenant);
        assertThat(records)
                .extracting(r -> header(r, CloudHeaders.ID))
                .containsExactlyInAnyOrder("ce-1", "ce-2", "ce-3", "ce-4");
        assertThat(records)
                .extracting(r -> header(r, CloudHeaders.CONTENT_HASH))
                .containsOnly(header(records.getFirst(), CloudHeaders.CONTENT_HASH));
        for (var record : records) {
            var event = CanonicalEvent.fromJson(record.value());
            assertThat(event.eventType()).isEqualTo("purchase");
            assertThat(event.userId()).isEqualTo("josé silva");
            assertThat(event.occurredAt()).isEqualTo("2026-11-20T10:00:00Z");
            assertThat(event.metadata().path("cloudevent").path("source").asString())
                    .isEqualTo("/till/7");
            assertThat(event.metadata().path("cloudevent").has("tenantid")).isFalse();
        }
    }

    /** A caller whose token is known may take the short way, which is for plain events. */
    @Test
    void aBinaryEventOfAKnownCallerIsNotTakenForAPlainOne() {
        var tenant = mesh.newTenant();
        for (var id : List.of("first", "second", "third")) {
            binary(tenant, purchase(id, "{\"amount\": 1}")).expectStatus().isAccepted();
        }
        assertThat(raw(tenant))
                .extracting(r -> header(r, CloudHeaders.ID))
                .containsExactlyInAnyOrder("first", "second", "third");
    }

    @Test
    void aBadEventOfABatchHurtsNoNeighbourAndIsKept() {
        var tenant = mesh.newTenant();
        batched(
                        tenant,
                        Stream.of(
                                purchase("good", "{\"amount\": 1}"),
                                purchase("wrong", "{\"amount\": \"twelve\"}"),
                                CloudEventBuilder.from(purchase("text", "{}"))
                                        .withData(
                                                "text/plain",
                                                "hello".getBytes(StandardCharsets.UTF_8))
                                        .build()))
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .json(
                        """
                        {"accepted": 1, "rejected": 2, "results": [
                          {"index": 1, "event_id": "wrong", "status": "rejected", "errors": [{"pointer": "/data/amount"}]},
                          {"index": 2, "status": "rejected", "errors": [{"pointer": "/datacontenttype"}]}]}
                        """);
        assertThat(raw(tenant)).hasSize(1);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        mesh.client(tenant)
                                .get()
                                .uri("/api/v1/events/rejected")
                                .exchange()
                                .expectBody()
                                .jsonPath("$.items.length()")
                                .isEqualTo(2));
    }

    @Test
    void errorsOfOneEventPointIntoIt() {
        var tenant = mesh.newTenant();
        binary(tenant, purchase("x", "{\"amount\": -1}"))
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo("/data/amount");
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .header("content-type", "application/cloudevents+json")
                .bodyValue("{\"specversion\": \"1.0\", \"type\": \"login\", \"subject\": \"u\"}")
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .json("{\"errors\": [{\"pointer\": \"/id\"}, {\"pointer\": \"/source\"}]}");
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .header("content-type", "text/plain")
                .bodyValue("{}")
                .exchange()
                .expectStatus()
                .isEqualTo(415)
                .expectBody()
                .jsonPath("$.detail")
                .value(containsString("application/json"));
        mesh.client(tenant).post().uri("/api/v1/events").exchange().expectStatus().isEqualTo(415);
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .header("content-type", "text/xml")
                .header("ce-specversion", "1.0")
                .bodyValue("<a/>")
                .exchange()
                .expectStatus()
                .isEqualTo(415);
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .header("content-type", "application/cloudevents+json")
                .bodyValue("[]")
                .exchange()
                .expectStatus()
                .isBadRequest();
        mesh.client(tenant, "analytics.view")
                .post()
                .uri("/api/v1/events")
                .header("content-type", "application/cloudevents-batch+json")
                .bodyValue("[]")
                .exchange()
                .expectStatus()
                .isForbidden();
    }

    private static io.cloudevents.CloudEvent purchase(String id, String data) {
        return CloudEventBuilder.v1()
                .withId(id)
                .withType("Purchase")
                .withSource(URI.create("/till/7"))
                .withSubject("josé silva")
                .withTime(OffsetDateTime.parse("2026-11-20T10:00:00Z"))
                .withExtension("tenantid", "forged")
                .withData("application/json", data.getBytes(StandardCharsets.UTF_8))
                .build();
    }

    private WebTestClient.ResponseSpec binary(String tenant, io.cloudevents.CloudEvent event) {
        var headers = new TreeMap<String, String>();
        var body = new AtomicReference<>(new byte[0]);
        HttpMessageFactory.createWriter(headers::put, body::set).writeBinary(event);
        return send(tenant, headers, body.get());
    }

    private WebTestClient.ResponseSpec structured(String tenant, io.cloudevents.CloudEvent event) {
        var headers = new TreeMap<String, String>();
        var body = new AtomicReference<>(new byte[0]);
        HttpMessageFactory.createWriter(headers::put, body::set)
                .writeStructured(event, new JsonFormat());
        return send(tenant, headers, body.get());
    }

    private WebTestClient.ResponseSpec batched(
            String tenant, Stream<io.cloudevents.CloudEvent> events) {
        var body =
                events.map(e -> new String(new JsonFormat().serialize(e), StandardCharsets.UTF_8))
                        .collect(Collectors.joining(",", "[", "]"));
        return send(
                tenant,
                new TreeMap<>(
                        java.util.Map.of("content-type", "application/cloudevents-batch+json")),
                body.getBytes(StandardCharsets.UTF_8));
    }

    private WebTestClient.ResponseSpec send(
            String tenant, TreeMap<String, String> headers, byte[] body) {
        var request = mesh.client(tenant).post().uri("/api/v1/events");
        headers.forEach(request::header);
        return request.bodyValue(body).exchange();
    }

    private List<ConsumerRecord<byte[], byte[]>> raw(String tenant) {
        return mesh.read("mirante.events.raw").stream()
                .filter(r -> tenant.equals(header(r, CloudHeaders.TENANT)))
                .toList();
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }
}
