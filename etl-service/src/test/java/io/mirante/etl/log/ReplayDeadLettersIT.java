package io.mirante.etl.log;

import static io.mirante.etl.RawRecords.pageView;
import static io.mirante.etl.RawRecords.raw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import tools.jackson.databind.JsonNode;

/** A publishing consumer's letters go back to the topic they came from, once. */
@MeshTest
class ReplayDeadLettersIT {

    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Instant AT = Instant.parse("2026-11-20T10:00:00Z");
    private static final String DEAD = Topics.dead("etl").name();

    @Autowired Mesh mesh;

    @Test
    void whatCannotBeParsedIsNotSentAgain() {
        var tenant = mesh.newTenant();
        var good = raw(tenant, pageView("ana", AT), Topics.EVENTS_RAW.name(), 6);
        mesh.send(
                new Outgoing(
                        good.topic(),
                        6,
                        good.key(),
                        "{not json".getBytes(StandardCharsets.UTF_8),
                        good.headers()));
        var letter = letter(tenant);
        assertThat(letter.path("consumer").stringValue()).isEqualTo("storeRawEvents");
        assertThat(letter.path("reason").stringValue()).isEqualTo("bad_json");
        var answer = replay(tenant, "{}");
        assertThat(answer.path("failed").intValue()).isEqualTo(1);
        assertThat(answer.path("results").path(0).path("reason").stringValue())
                .isEqualTo("bad_json");
        assertThat(ofTenant(Topics.EVENTS_RAW.name(), tenant)).hasSize(1);
        assertThat(ofTenant(DEAD, tenant)).hasSize(1);
    }

    /** As after an upgrade: the letter's bytes are what an older version did not understand. */
    @Test
    void whatCanBeParsedNowIsSentOnceWithItsKeyAndHeadersAndStored() throws Exception {
        var tenant = mesh.newTenant();
        var event = pageView("ana", AT);
        var good = raw(tenant, event, Topics.EVENTS_RAW.name(), 6);
        var bad = new HashMap<>(good.headers());
        bad.put(CloudHeaders.RECEIVED_AT, "yesterday");
        mesh.send(new Outgoing(good.topic(), 6, good.key(), good.value(), bad));
        letter(tenant);
        var written = ofTenant(DEAD, tenant).getFirst();
        assertThat(header(written, "deadletter_key"))
                .isEqualTo(Base64.getEncoder().encodeToString(good.key()));
        var headers = new HashMap<>(good.headers());
        for (var name :
                List.of(
                        "deadletter_consumer",
                        "deadletter_topic",
                        "deadletter_partition",
                        "deadletter_offset",
                        "deadletter_time",
                        "deadletter_key",
                        CloudHeaders.REASON)) {
            headers.put(name, Objects.requireNonNull(header(written, name)));
        }
        mesh.send(new Outgoing(DEAD, null, written.key(), good.value(), headers));
        await().atMost(SOON).until(() -> list(tenant).size() == 2);

        var answer = replay(tenant, "{}");
        assertThat(answer.path("failed").intValue()).isEqualTo(1);
        assertThat(answer.path("replayed").intValue()).isEqualTo(1);
        await().atMost(SOON).until(() -> stored(tenant) == 1);
        await().atMost(SOON).until(() -> ofTenant(Topics.EVENTS_CLEAN.name(), tenant).size() == 1);
        assertThat(replay(tenant, "{}").path("already_replayed").intValue()).isEqualTo(1);

        var sent = ofTenant(Topics.EVENTS_RAW.name(), tenant);
        assertThat(sent).hasSize(2);
        assertThat(sent.getLast().partition()).isEqualTo(6);
        assertThat(sent.getLast().key()).isEqualTo(good.key());
        assertThat(sent.getLast().value()).isEqualTo(good.value());
        assertThat(header(sent.getLast(), CloudHeaders.ID)).isEqualTo(event.eventId());
        assertThat(header(sent.getLast(), "deadletter_topic")).isNull();
        assertThat(header(sent.getLast(), CloudHeaders.REASON)).isNull();
        assertThat(stored(tenant)).isEqualTo(1);
    }

    @Test
    void aLetterAboutAnErasedPersonIsShownWithoutItsValue() {
        var tenant = mesh.newTenant();
        var good = raw(tenant, pageView("ana", AT), Topics.EVENTS_RAW.name(), 6);
        var headers = new HashMap<>(good.headers());
        headers.put("deadletter_consumer", "storeRawEvents");
        headers.put("deadletter_topic", good.topic());
        headers.put("deadletter_partition", "6");
        headers.put("deadletter_offset", "0");
        headers.put(CloudHeaders.REASON, "handler_failed");
        mesh.send(new Outgoing(DEAD, null, good.key(), good.value(), headers));
        assertThat(letter(tenant).path("value").stringValue()).contains("\"ana\"");
        mesh.erase(tenant, "ana");
        await().atMost(SOON).until(() -> letter(tenant).path("value").isNull());
    }

    private JsonNode list(String tenant) {
        return mesh.client(tenant, "admin")
                .get()
                .uri("/api/v1/admin/dead-letters?service=etl")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(JsonNode.class)
                .returnResult()
                .getResponseBody()
                .path("items");
    }

    private JsonNode letter(String tenant) {
        return await().atMost(SOON).until(() -> list(tenant), items -> items.size() == 1).path(0);
    }

    private JsonNode replay(String tenant, String body) {
        return mesh.client(tenant, "admin")
                .post()
                .uri("/api/v1/admin/dead-letters/replay?service=etl")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(JsonNode.class)
                .returnResult()
                .getResponseBody();
    }

    private long stored(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT count(*) FROM analytics_event WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getLong(1);
        }
    }

    private List<ConsumerRecord<byte[], byte[]>> ofTenant(String topic, String tenant) {
        return mesh.read(topic).stream()
                .filter(r -> tenant.equals(header(r, CloudHeaders.TENANT)))
                .toList();
    }

    private static @Nullable String header(ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }
}
