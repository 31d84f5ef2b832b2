package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import io.mirante.contracts.Topics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A person with data in every store is erased; then everything is searched for them. */
@ExtendWith(RunningMesh.class)
class ErasureIT {

    /** Stands in all of the person's ids, and in nothing else. */
    private static final String MARK = "zyerased";

    private static final String USER = MARK + "-user";
    private static final Duration SOON = Duration.ofMinutes(2);

    private final Instant day =
            Instant.now().truncatedTo(ChronoUnit.DAYS).minus(3, ChronoUnit.DAYS);

    @Test
    void anErasedPersonIsFoundOnlyWhereTheReceiptSaysAndTotalsStay(MeshUnderTest mesh)
            throws Exception {
        try (MeshClient client = mesh.client()) {
            live(client);
            ObjectNode totals = totals(client);
            assertThat(tablesNaming(mesh))
                    .as("tables that hold the person before")
                    .contains(
                            "etl.analytics_event",
                            "etl.person",
                            "etl.person_merge",
                            "etl.user_feature_state",
                            "snapshot.behaviour_event",
                            "snapshot.person",
                            "segmentation.profile",
                            "churn.feature_vector",
                            "ingestion.rejected_event",
                            "gateway.audit_entry");

            JsonNode receipt = erase(client);

            assertThat(removedBy(receipt, "etl"))
                    .contains(
                            "analytics_event",
                            "person",
                            "person_merge",
                            Topics.FEATURES_USER.name());
            assertThat(removedBy(receipt, "snapshot")).contains("behaviour_event", "person");
            assertThat(removedBy(receipt, "segmentation")).contains("profile");
            assertThat(removedBy(receipt, "churn")).contains("feature_vector");
            assertThat(removedBy(receipt, "ingestion")).contains("rejected_event");
            assertThat(removedBy(receipt, "alert")).isEmpty();
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() ->
                            assertThat(tablesNaming(mesh))
                                    .as("tables that hold the person")
                                    .isEmpty());
            TreeSet<String> allowed = new TreeSet<>();
            for (JsonNode place : receipt.path("remaining")) {
                assertThat(Instant.parse(place.path("until").asString(""))).isAfter(Instant.now());
                allowed.add(place.path("where").asString(""));
            }
            TreeSet<String> topics = topicsNaming(mesh);
            assertThat(topics)
                    .as("the search finds what is there")
                    .contains(Topics.EVENTS_RAW.name());
            assertThat(allowed).as("what the receipt names").containsAll(topics);
            assertThat(topics)
                    .as("compacted topics, read as what stands there now")
                    .noneMatch(name ->
                            Topics.all().stream()
                                    .anyMatch(t -> t.compacted() && t.name().equals(name)));
            assertThat(filesNaming(mesh)).as("files that hold the person").isEmpty();
            assertThat(totals(client)).as("totals").isEqualTo(totals);
            assertThat(client.get("/api/v1/users/" + USER).status()).isEqualTo(404);
            assertThat(client.get("/api/v1/features/" + USER).status()).isEqualTo(404);

            // Again: another job, with nothing left; and who comes back is somebody new.
            JsonNode again = erase(client);
            assertThat(removedBy(again, "snapshot")).isEmpty();
            assertThat(removedBy(again, "segmentation")).containsOnly(Topics.CLUSTERS.name());
            client.post(
                            "/api/v1/events",
                            Map.of("event", event("back", USER, "login", Map.of(), Instant.now())))
                    .required("an event of the same id");
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        JsonNode user = client.get("/api/v1/users/" + USER).body();
                        assertThat(user.path("events").path("total").asInt(0)).isEqualTo(1);
                    });
        }
    }

    /** Events, features, a prediction, rejected events and calls about the person, and somebody else's. */
    private void live(MeshClient client) {
        List<Map<String, Object>> events = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Instant at = day.plus(i, ChronoUnit.HOURS);
            events.add(event("e" + i, USER, "page_view", Map.of("url", "/of/" + USER), at));
            events.add(
                    event(
                            "p" + i,
                            USER,
                            "purchase",
                            Map.of("amount", "3.10", "currency", "USD", "note", USER),
                            at));
            events.add(event("o" + i, "somebody", "page_view", Map.of("url", "/shop"), at));
        }
        events.add(event("s", USER, "search", Map.of("query", "the address of " + USER), day));
        Map<String, Object> visited = event("v", USER, "page_view", Map.of("url", "/shop"), day);
        visited.remove("user_id");
        events.add(visited);
        events.add(event("i", USER, "identify", Map.of(), day));
        client.post("/api/v1/events/batch", Map.of("events", events)).required("events");
        client.post(
                "/api/v1/events/batch",
                Map.of(
                        "events",
                        List.of(event("bad", USER, "purchase", Map.of("amount", USER), day))));
        await().atMost(SOON)
                .untilAsserted(() -> {
                    assertThat(client.get("/api/v1/features/" + USER).status()).isEqualTo(200);
                    assertThat(client.get("/api/v1/users/" + USER + "/predictions").status())
                            .isEqualTo(200);
                    assertThat(
                                    client.get("/api/v1/users/" + USER)
                                            .body()
                                            .path("revenue")
                                            .path("total")
                                            .asString(""))
                            .isEqualTo("12.40");
                    assertThat(
                                    client.get("/api/v1/users/" + USER + "/events")
                                            .body()
                                            .path("items")
                                            .size())
                            .isGreaterThanOrEqualTo(10);
                    assertThat(
                                    client.get("/api/v1/users/" + USER + "/identities")
                                            .body()
                                            .path("merges")
                                            .size())
                            .isEqualTo(1);
                    assertThat(client.get("/api/v1/events/rejected").text())
                            .contains("erasure-bad");
                    assertThat(client.get("/api/v1/admin/audit?limit=500").text())
                            .contains("/users/" + USER);
                });
    }

    private static Map<String, Object> event(
            String id, String user, String type, Map<String, Object> data, Instant at) {
        Map<String, Object> event = new HashMap<>();
        event.put("event_id", "erasure-" + id);
        event.put("user_id", user);
        event.put("anonymous_id", user + "-visitor");
        event.put("session_id", user + "-session");
        event.put("timestamp", at.toString());
        event.put("event_type", Map.of("type", type, "data", data));
        return event;
    }

    private JsonNode erase(MeshClient client) {
        Answer accepted = client.delete("/api/v1/users/" + USER);
        assertThat(accepted.status()).as(accepted.text()).isEqualTo(202);
        String job = accepted.body().path("job_id").asString("");
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(client.job(job).path("status").asString(""))
                                .as("%s", client.job(job))
                                .isEqualTo("completed"));
        return client.job(job).path("result");
    }

    private static List<String> removedBy(JsonNode receipt, String service) {
        List<String> places = new ArrayList<>();
        for (JsonNode part : receipt.path("services")) {
            if (part.path("service").asString("").equals(service)) {
                part.path("removed")
                        .forEach(removal -> places.add(removal.path("where").asString("")));
            }
        }
        return places;
    }

    /** The overview of the person's days, without the pages, of which one had their name. */
    private ObjectNode totals(MeshClient client) {
        ObjectNode overview = (ObjectNode) client.overview(day, day.plus(1, ChronoUnit.DAYS));
        overview.remove("as_of");
        ((ObjectNode) overview.path("top")).remove("pages");
        return overview;
    }

    /** Every table of every schema, all columns as text. */
    private static TreeSet<String> tablesNaming(MeshUnderTest mesh) throws SQLException {
        TreeSet<String> found = new TreeSet<>();
        try (Connection database = mesh.database();
                Statement statement = database.createStatement()) {
            List<String> tables = new ArrayList<>();
            try (var rows =
                    statement.executeQuery(
                            """
                            SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema)'
                            """)) {
                while (rows.next()) {
                    tables.add(rows.getString(1));
                }
            }
            assertThat(tables).hasSizeGreaterThan(40);
            String hex = HexFormat.of().formatHex(MARK.getBytes(StandardCharsets.UTF_8));
            for (String table : tables) {
                try (var rows =
                        statement.executeQuery(
                                "SELECT count(*) FROM %s t WHERE t::text LIKE '%%%s%%' OR t::text LIKE '%%%s%%'"
                                        .formatted(table, MARK, hex))) {
                    rows.next();
                    if (rows.getLong(1) > 0) {
                        found.add(table);
                    }
                }
            }
            // Encrypted, so it does not show: its event does.
            try (var rows =
                    statement.executeQuery(
                            "SELECT count(*) FROM ingestion.rejected_event WHERE event_id = 'erasure-bad'")) {
                rows.next();
                if (rows.getLong(1) > 0) {
                    found.add("ingestion.rejected_event");
                }
            }
        }
        return found;
    }

    /** Every topic: all records, of compacted ones the newest of each key. */
    private static TreeSet<String> topicsNaming(MeshUnderTest mesh) {
        TreeSet<String> found = new TreeSet<>();
        Map<String, Object> settings =
                Map.of(
                        "bootstrap.servers",
                        "127.0.0.1:" + mesh.part("kafka").path("port").asInt(0),
                        "key.deserializer",
                        ByteArrayDeserializer.class,
                        "value.deserializer",
                        ByteArrayDeserializer.class,
                        "isolation.level",
                        "read_committed",
                        "enable.auto.commit",
                        false,
                        "max.poll.records",
                        5_000);
        try (var consumer = new KafkaConsumer<byte[], byte[]>(settings)) {
            List<TopicPartition> partitions =
                    consumer.listTopics().values().stream()
                            .flatMap(List::stream)
                            .filter(p -> p.topic().startsWith("mirante."))
                            .map(p -> new TopicPartition(p.topic(), p.partition()))
                            .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Map<String, Boolean> newest = new HashMap<>();
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    boolean names = record.value() != null && names(record);
                    if (isCompacted(record.topic())) {
                        newest.put(
                                record.topic() + " " + HexFormat.of().formatHex(record.key()),
                                names);
                    } else if (names) {
                        found.add(record.topic());
                    }
                }
            }
            newest.forEach((key, names) -> {
                if (names) {
                    found.add(key.substring(0, key.indexOf(' ')));
                }
            });
        }
        return found;
    }

    private static boolean isCompacted(String topic) {
        return Topics.all().stream().anyMatch(t -> t.compacted() && t.name().equals(topic));
    }

    private static boolean names(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder all = new StringBuilder(text(record.value()));
        if (record.key() != null) {
            all.append(text(record.key()));
        }
        record.headers().forEach(header -> all.append(text(header.value())));
        return all.indexOf(MARK) >= 0;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Every file of the mesh but its programs, and those of Kafka and PostgreSQL, which were asked themselves. */
    private static List<String> filesNaming(MeshUnderTest mesh) throws IOException {
        List<String> found = new ArrayList<>();
        try (var files = Files.walk(mesh.home())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String path = mesh.home().relativize(file).toString();
                boolean asked = path.matches("(kafka|postgres|apps|aot)/.*");
                if (!asked && text(Files.readAllBytes(file)).contains(MARK)) {
                    found.add(path);
                }
            }
        }
        return found;
    }
}
