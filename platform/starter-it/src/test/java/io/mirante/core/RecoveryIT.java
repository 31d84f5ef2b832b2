package io.mirante.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Keys;
import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import io.mirante.core.CoreApplication.Event;
import io.mirante.embedded.FreePorts;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.setup.TopicSetup;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import io.mirante.testkit.Replica;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** After a loss: right numbers, or a clear stop that names the remedy; never a silent skip. */
@MeshTest
class RecoveryIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    @Autowired Mesh mesh;

    private final int management = FreePorts.next();

    private Replica replica(Topic topic, Map<String, String> settings) {
        var all = new HashMap<String, String>();
        all.put("spring.cloud.stream.bindings.countEvents-in-0.destination", topic.name());
        all.put("spring.cloud.stream.bindings.countEvents-in-0.group", "recovery-" + topic.name());
        all.put("management.server.port", Integer.toString(management));
        all.putAll(settings);
        return mesh.replica(CoreApplication.class, all);
    }

    private void send(Topic topic, String tenant, int from, int to) {
        mesh.sendAll(
                IntStream.range(from, to)
                        .mapToObj(i ->
                                new Outgoing(
                                        topic.name(),
                                        i % topic.partitions(),
                                        Keys.of(tenant, "e" + i),
                                        CoreApplication.json(new Event(tenant, "e" + i, 1)),
                                        Map.of()))
                        .toList());
    }

    private long counted(String tenant) throws Exception {
        return number("SELECT count(*) FROM counted WHERE tenant_id = '" + tenant + "'");
    }

    private long number(String sql) throws Exception {
        try (var owner = mesh.jdbc();
                var statement = owner.createStatement()) {
            var rows = statement.executeQuery(sql);
            rows.next();
            return rows.getLong(1);
        }
    }

    private void run(String sql) throws Exception {
        try (var owner = mesh.jdbc();
                var statement = owner.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void aRecreatedTopicStopsTheConsumerWithTheRemedyUntilTheLossIsAccepted() throws Exception {
        var topic = Topics.SNAPSHOTS;
        var tenant = mesh.newTenant();
        send(topic, tenant, 0, 10);
        try (var first = replica(topic, Map.of())) {
            await().atMost(SOON).untilAsserted(() -> assertThat(counted(tenant)).isEqualTo(10));
            first.terminate();
        }
        try (var admin =
                Admin.create(
                        Map.of("bootstrap.servers", mesh.infrastructure().bootstrapServers()))) {
            admin.deleteTopics(List.of(topic.name())).all().get();
            await().atMost(SOON)
                    .until(() -> !admin.listTopics().names().get().contains(topic.name()));
        }
        TopicSetup.createMissing(mesh.infrastructure().bootstrapServers());
        send(topic, tenant, 10, 20);
        try (var second = replica(topic, Map.of())) {
            await().atMost(SOON)
                    .ignoreExceptionsInstanceOf(IOException.class)
                    .untilAsserted(() ->
                            assertThat(readiness())
                                    .contains(
                                            "DOWN",
                                            "was recreated",
                                            "MIRANTE_ACCEPT_RECREATED_TOPICS"));
            assertThat(counted(tenant)).as("nothing is applied on a guess").isEqualTo(10);
            second.terminate();
        }
        try (var third =
                replica(topic, Map.of("mirante.messaging.accept-recreated-topics", "true"))) {
            await().atMost(SOON).untilAsserted(() -> assertThat(counted(tenant)).isEqualTo(20));
            assertThat(readiness()).contains("\"status\":\"UP\"");
            third.terminate();
        }
    }

    @Test
    void anOlderDatabaseIsBroughtUpToDateFromKafka() throws Exception {
        var topic = Topics.FEATURES_USER;
        var tenant = mesh.newTenant();
        send(topic, tenant, 0, 50);
        try (var first = replica(topic, Map.of())) {
            await().atMost(SOON).untilAsserted(() -> assertThat(counted(tenant)).isEqualTo(50));
            run(
                    "CREATE TABLE old_position AS SELECT * FROM consumer_position WHERE topic = '"
                            + topic.name()
                            + "'");
            send(topic, tenant, 50, 100);
            await().atMost(SOON).untilAsserted(() -> assertThat(counted(tenant)).isEqualTo(100));
            first.terminate();
        }
        // The restore: rows and positions of one older moment.
        run(
                "DELETE FROM counted WHERE tenant_id = '"
                        + tenant
                        + "' AND substr(event_id, 2)::int >= 50");
        run(
                "UPDATE consumer_position p SET next_offset = o.next_offset FROM old_position o WHERE (p.consumer, p.topic,"
                        + " p.partition_no) = (o.consumer, o.topic, o.partition_no)");
        try (var second = replica(topic, Map.of())) {
            await().atMost(SOON).untilAsserted(() -> assertThat(counted(tenant)).isEqualTo(100));
            assertThat(number("SELECT max(times) FROM counted WHERE tenant_id = '" + tenant + "'"))
                    .isEqualTo(1);
            second.terminate();
        }
    }

    private String readiness() throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(
                                        URI.create(
                                                "http://127.0.0.1:"
                                                        + management
                                                        + "/actuator/health/readiness"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
