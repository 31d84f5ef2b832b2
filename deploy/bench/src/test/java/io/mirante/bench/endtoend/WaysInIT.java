package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import io.mirante.contracts.Topics;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** REST, CloudEvents, Segment's API, Kafka and files lead to one place. */
@ExtendWith(RunningMesh.class)
class WaysInIT {
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String PREFIX = "ways-in-";
    private static final String TIME =
            Instant.now().minus(1, ChronoUnit.HOURS).truncatedTo(ChronoUnit.SECONDS).toString();

    private record Purchase(String id, String amount) {

        String asEvent() {
            return """
            {"event_id": "%s", "user_id": "ana", "timestamp": "%s", "event_type": {"type": "purchase",
             "data": {"amount": "%s", "currency": "USD"}}}
            """
                    .formatted(id, TIME, amount)
                    .replace("\n", " ");
        }

        String asCloudEvent() {
            return """
            {"specversion": "1.0", "id": "%s", "source": "/till", "type": "purchase", "subject": "ana",
             "time": "%s", "data": {"amount": "%s", "currency": "USD"}}
            """
                    .formatted(id, TIME, amount);
        }

        String asCall() {
            return """
            {"type": "track", "messageId": "%s", "userId": "ana", "timestamp": "%s", "event": "purchase",
             "properties": {"amount": "%s", "currency": "USD"}}
            """
                    .formatted(id, TIME, amount);
        }
    }

    /** A way in; what it is given has been accepted when it returns. */
    private interface Way {
        void send(List<Purchase> purchases) throws Exception;
    }

    @Test
    void whatCameByOneWayIsADuplicateByAnyAndAConflictIfItSaysSomethingElse(MeshUnderTest mesh)
            throws Exception {
        var tenant = mesh.newTenant("Of many ways");
        try (var client = new MeshClient(mesh.url(), tenant.key())) {
            var ways = ways(mesh, tenant, client);
            var purchases =
                    IntStream.range(0, ways.size())
                            .mapToObj(i -> new Purchase(PREFIX + i, "7.00"))
                            .toList();
            for (int i = 0; i < ways.size(); i++) {
                ways.get(i).send(List.of(purchases.get(i)));
            }
            var oracle = new Oracle(mesh);
            await().atMost(SOON).until(() -> oracle.rows(PREFIX).size() == ways.size());
            assertThat(sources(mesh))
                    .as("each way brought one, two of them over HTTP")
                    .containsExactly("/http", "/http", "/import/ways.ndjson", "/kafka", "/segment");

            for (var way : ways) {
                way.send(purchases);
                way.send(purchases.stream().map(p -> new Purchase(p.id(), "8.00")).toList());
            }
            long repeated = (long) ways.size() * ways.size();
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        assertThat(oracle.repeats(PREFIX, "duplicate")).isEqualTo(repeated);
                        assertThat(oracle.repeats(PREFIX, "conflict")).isEqualTo(repeated);
                    });
            oracle.awaitQuiet(client);
            assertThat(oracle.rows(PREFIX).values()).hasSize(ways.size()).containsOnly(1L);
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        assertThat(client.all("/api/v1/events/rejected?reason=id_conflict"))
                                .hasSize((int) repeated);
                        var user = client.get("/api/v1/users/ana").body();
                        assertThat(user.at("/events/total").asInt(0)).isEqualTo(ways.size());
                        assertThat(MeshClient.decimal(user.at("/revenue/total")))
                                .isEqualByComparingTo("35.00");
                    });
            assertThat(Oracle.windowsThatDiffer(mesh)).isEmpty();
        }
    }

    private static List<Way> ways(
            MeshUnderTest mesh, MeshUnderTest.Tenant tenant, MeshClient client) {
        return List.of(
                purchases ->
                        post(
                                client,
                                "/api/v1/events/batch",
                                "application/json",
                                "{\"events\": " + list(purchases, Purchase::asEvent) + "}"),
                purchases ->
                        post(
                                client,
                                "/api/v1/events",
                                "application/cloudevents-batch+json",
                                list(purchases, Purchase::asCloudEvent)),
                purchases ->
                        post(
                                client,
                                "/v1/batch",
                                "application/json",
                                "{\"batch\": " + list(purchases, Purchase::asCall) + "}"),
                purchases -> produce(mesh, tenant.id(), purchases),
                purchases -> {
                    String lines =
                            purchases.stream()
                                    .map(Purchase::asEvent)
                                    .collect(Collectors.joining("\n"));
                    String job = FileImport.begin(client, "ways.ndjson", lines);
                    await().atMost(SOON)
                            .until(() ->
                                    client.job(job)
                                            .path("status")
                                            .asString("")
                                            .equals("completed"));
                    JsonNode result = client.job(job).path("result");
                    assertThat(result.path("accepted").asInt(0)).isEqualTo(purchases.size());
                });
    }

    private static String list(List<Purchase> purchases, Function<Purchase, String> form) {
        return purchases.stream().map(form).collect(Collectors.joining(",", "[", "]"));
    }

    private static void post(MeshClient client, String path, String type, String body)
            throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    http.send(
                            HttpRequest.newBuilder(client.base().resolve(path))
                                    .version(HttpClient.Version.HTTP_1_1)
                                    .header("x-api-key", client.key())
                                    .header("content-type", type)
                                    .POST(HttpRequest.BodyPublishers.ofString(body))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(path + ": " + answer.body()).isEqualTo(200);
        }
    }

    private static void produce(MeshUnderTest mesh, String tenant, List<Purchase> purchases)
            throws Exception {
        try (var producer =
                new KafkaProducer<byte[], byte[]>(
                        Map.of("bootstrap.servers", mesh.kafka()),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            for (var purchase : purchases) {
                producer.send(
                                new ProducerRecord<>(
                                        Topics.ingest(tenant).name(),
                                        purchase.asEvent().getBytes(StandardCharsets.UTF_8)))
                        .get(30, TimeUnit.SECONDS);
            }
        }
    }

    private static List<String> sources(MeshUnderTest mesh) throws SQLException {
        var sources = new ArrayList<String>();
        try (var database = mesh.database();
                var statement = database.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT source FROM etl.analytics_event WHERE id LIKE '"
                                        + PREFIX
                                        + "%' ORDER BY source")) {
            while (rows.next()) {
                sources.add(rows.getString(1));
            }
        }
        return sources;
    }
}
