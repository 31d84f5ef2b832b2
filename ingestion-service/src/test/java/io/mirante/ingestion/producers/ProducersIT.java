package io.mirante.ingestion.producers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.jackson.JsonFormat;
import io.cloudevents.kafka.KafkaMessageFactory;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import io.mirante.contracts.Uuid5;
import io.mirante.setup.TopicSetup;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@MeshTest
class ProducersIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    @Autowired Mesh mesh;

    @Test
    void whatIsValidArrivesInEveryFormAndTheRestIsAmongTheRejected() {
        var tenant = newProducer();
        var topic = Topics.ingest(tenant).name();
        var cloud =
                CloudEventBuilder.v1()
                        .withType("purchase")
                        .withSource(URI.create("/till/7"))
                        .withSubject("ana")
                        .withExtension("tenantid", "somebody-else")
                        .withData(
                                "application/json",
                                "{\"amount\": \"5.00\"}".getBytes(StandardCharsets.UTF_8));
        var sent =
                send(
                        List.of(
                                plain(
                                        topic,
                                        "{\"event_id\": \"plain\", \"user_id\": \"ana\", \"event_type\": \"login\"}"),
                                anyKey(
                                        KafkaMessageFactory.createWriter(topic)
                                                .writeBinary(cloud.withId("binary").build())),
                                anyKey(
                                        KafkaMessageFactory.createWriter(topic)
                                                .writeStructured(
                                                        cloud.withId("structured").build(),
                                                        new JsonFormat())),
                                plain(topic, "{\"user_id\": \"ana\", \"event_type\": \"login\"}"),
                                plain(topic, "{\"event_id\": \"cut"),
                                plain(topic, "[]"),
                                plain(topic, null),
                                plain(
                                        topic,
                                        "{\"event_id\": \"nobody\", \"event_type\": \"login\"}"),
                                plain(
                                        topic,
                                        "{\"event_id\": \"large\", \"user_id\": \"u\", \"event_type\": \"x\","
                                                + " \"payload\": {\"t\": \"%s\"}}"
                                                        .formatted("x".repeat(70_000))),
                                anyKey(
                                        KafkaMessageFactory.createWriter(topic)
                                                .writeBinary(
                                                        cloud.withId("xml")
                                                                .withData(
                                                                        "text/xml",
                                                                        "{}"
                                                                                .getBytes(
                                                                                        StandardCharsets
                                                                                                .UTF_8))
                                                                .build()))));

        var made = sent.get(3);
        var madeId =
                Uuid5.ofRecord(topic, made.partition(), made.offset(), made.timestamp()).toString();
        await().atMost(SOON).untilAsserted(() -> assertThat(raw(tenant)).hasSize(4));
        assertThat(raw(tenant))
                .extracting(r -> header(r, CloudHeaders.ID))
                .containsExactlyInAnyOrder("plain", "binary", "structured", madeId);
        assertThat(raw(tenant)).allMatch(r -> header(r, CloudHeaders.SOURCE).equals("/kafka"));
        assertThat(raw("somebody-else")).isEmpty();
        await().atMost(SOON)
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
                                                        "malformed",
                                                        "malformed",
                                                        "malformed",
                                                        "identity",
                                                        "size",
                                                        "contract")));
    }

    @Test
    void aTenantOverItsLimitIsReadLaterAndNobodyElseIs() {
        var eager = newProducer();
        var other = newProducer();
        mesh.settings(eager, "{\"limits\": {\"events_per_second\": 10}}");
        send(IntStream.range(0, 300).mapToObj(i -> login(eager, "e-" + i)).toList());
        await().atMost(SOON).untilAsserted(() -> assertThat(raw(eager)).hasSize(300));

        send(List.of(login(eager, "late")));
        send(List.of(login(other, "prompt")));
        await().atMost(SOON).untilAsserted(() -> assertThat(raw(other)).hasSize(1));
        assertThat(raw(eager)).as("owes for 29 seconds").hasSize(300);

        mesh.settings(eager, "{\"limits\": {\"events_per_second\": 0}}");
        await().atMost(SOON).untilAsserted(() -> assertThat(raw(eager)).hasSize(301));
    }

    private static ProducerRecord<byte[], byte[]> login(String tenant, String id) {
        return plain(
                Topics.ingest(tenant).name(),
                "{\"event_id\": \"%s\", \"user_id\": \"u\", \"event_type\": \"login\"}"
                        .formatted(id));
    }

    @Test
    void anotherTenantsTopicIsAnotherTenant() {
        var one = newProducer();
        var other = newProducer();
        var event = "{\"event_id\": \"same\", \"user_id\": \"u\", \"event_type\": \"login\"}";
        send(
                List.of(
                        plain(Topics.ingest(one).name(), event),
                        plain(Topics.ingest(other).name(), event)));
        await().atMost(SOON)
                .untilAsserted(() -> {
                    assertThat(raw(one)).hasSize(1);
                    assertThat(raw(other)).hasSize(1);
                });
    }

    /** Its positions come again, and are other records. */
    @Test
    void whatHasNoIdInATopicThatWasMadeAnewIsAnotherEvent() throws Exception {
        var tenant = newProducer();
        var topic = Topics.ingest(tenant).name();
        var record =
                new ProducerRecord<byte[], byte[]>(
                        topic,
                        0,
                        null,
                        "{\"user_id\": \"u\", \"event_type\": \"login\"}"
                                .getBytes(StandardCharsets.UTF_8));
        var first = send(List.of(record)).getFirst();
        await().atMost(SOON).untilAsserted(() -> assertThat(raw(tenant)).hasSize(1));

        try (var admin =
                Admin.create(
                        Map.of("bootstrap.servers", mesh.infrastructure().bootstrapServers()))) {
            admin.deleteTopics(List.of(topic)).all().get();
            await("nobody reads it").atMost(SOON).until(() -> !isRead(admin, topic));
        }
        TopicSetup.createIngest(mesh.infrastructure().bootstrapServers(), tenant);
        var again = send(List.of(record)).getFirst();
        assertThat(again.offset()).isEqualTo(first.offset());
        await().atMost(SOON).untilAsserted(() -> assertThat(raw(tenant)).hasSize(2));
        assertThat(raw(tenant)).extracting(r -> header(r, CloudHeaders.ID)).doesNotHaveDuplicates();
    }

    private static boolean isRead(Admin admin, String topic) throws Exception {
        return admin
                .describeConsumerGroups(List.of("ingestion-service"))
                .all()
                .get()
                .values()
                .stream()
                .flatMap(group -> group.members().stream())
                .flatMap(member -> member.assignment().topicPartitions().stream())
                .anyMatch(partition -> partition.topic().equals(topic));
    }

    /** A tenant with its topic. */
    private String newProducer() {
        var tenant = mesh.newTenant();
        assertThat(TopicSetup.createIngest(mesh.infrastructure().bootstrapServers(), tenant))
                .containsExactly("mirante.ingest." + tenant);
        return tenant;
    }

    private static ProducerRecord<byte[], byte[]> plain(String topic, @Nullable String value) {
        return new ProducerRecord<>(
                topic, null, value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    }

    private static ProducerRecord<byte[], byte[]> anyKey(ProducerRecord<Void, byte[]> record) {
        return new ProducerRecord<>(
                record.topic(), null, null, null, record.value(), record.headers());
    }

    private List<RecordMetadata> send(List<ProducerRecord<byte[], byte[]>> records) {
        try (var producer =
                new KafkaProducer<>(
                        Map.of("bootstrap.servers", mesh.infrastructure().bootstrapServers()),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            var sent = new ArrayList<Future<RecordMetadata>>();
            records.forEach(r -> sent.add(producer.send(r)));
            producer.flush();
            var metadata = new ArrayList<RecordMetadata>();
            for (var future : sent) {
                metadata.add(future.get());
            }
            return metadata;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
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
