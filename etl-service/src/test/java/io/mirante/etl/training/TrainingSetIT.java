package io.mirante.etl.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.mirante.etl.RawRecords;
import io.mirante.etl.features.FeatureCatalog;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@MeshTest
class TrainingSetIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant FIRST = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant SECOND = Instant.parse("2026-02-01T00:00:00Z");

    @Autowired Mesh mesh;
    @TempDir Path folder;

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Job(String status, JsonNode result, JsonNode error) {}

    @Test
    void rowsAreUsersSeenBeforeAndTheLabelIsWhetherTheyCameBack() throws Exception {
        var tenant = mesh.newTenant();
        var horizon = Duration.ofDays(30);
        var events = new ArrayList<Outgoing>();
        // stays: before, and inside the horizon after FIRST, at its very beginning; silent after
        // SECOND
        add(events, tenant, "stays", FIRST.minusSeconds(1), FIRST);
        // leaves: the next event is at the horizon's end, which no longer counts, but is after
        // SECOND? no: before it
        add(events, tenant, "leaves", FIRST.minus(Duration.ofDays(3)), FIRST.plus(horizon));
        // new: unknown at FIRST, comes back after SECOND just within the horizon
        add(events, tenant, "new", FIRST.plusSeconds(5), SECOND.plus(horizon).minusNanos(1_000));
        // newest event of the log, exactly what the second horizon needs
        add(events, tenant, "last", SECOND.plus(horizon));
        mesh.sendAll(events);
        await().atMost(SOON).until(() -> stored(tenant) == events.size());

        var job = job(tenant, "[\"" + SECOND + "\", \"" + FIRST + "\"]", "P30D");
        assertThat(job.status()).as(String.valueOf(job.error())).isEqualTo("completed");
        assertThat(job.result().get("rows").asLong()).isEqualTo(5);
        assertThat(job.result().get("positives").asLong()).isEqualTo(3);
        assertThat(job.result().get("as_of").get(0).asString()).isEqualTo(FIRST.toString());
        assertThat(job.result().get("files").get(0).asString()).isEqualTo("training.parquet");

        var rows = read(tenant, "as_of, user_id, events_total, tenure_days, recency_days, label");
        assertThat(rows)
                .containsExactly(
                        "%s leaves 1.0 3.0 null 1".formatted(FIRST),
                        "%s stays 1.0 %s null 0".formatted(FIRST, 1.0 / 86_400),
                        "%s leaves 2.0 34.0 null 1".formatted(SECOND),
                        "%s new 1.0 %s null 0".formatted(SECOND, (31 * 86_400 - 5) / 86_400.0),
                        "%s stays 2.0 %s null 1".formatted(SECOND, (31 * 86_400 + 1) / 86_400.0));
    }

    @Test
    void trainingAndLiveFeaturesAreTheSameNumbers() throws Exception {
        var tenant = mesh.newTenant();
        var events = new ArrayList<Outgoing>();
        for (int user = 0; user < 20; user++) {
            for (int i = 0; i <= user; i++) {
                events.add(
                        RawRecords.raw(
                                tenant,
                                RawRecords.purchase(
                                        "u" + user,
                                        FIRST.minus(Duration.ofHours(31L * i + user + 1)),
                                        i + ".25")));
            }
        }
        add(events, tenant, "end", SECOND.plus(Duration.ofDays(30)));
        mesh.sendAll(events);
        await().atMost(SOON).until(() -> stored(tenant) == events.size());
        var job = job(tenant, "[\"" + FIRST + "\"]", "P30D");
        assertThat(job.status()).isEqualTo("completed");
        var training =
                read(
                        tenant,
                        "user_id, monetary, orders, frequency_days, purchase_interval_std_days");

        var live = new ArrayList<String>();
        for (int user = 0; user < 20; user++) {
            var features = live(tenant, "u" + user);
            live.add(
                    "u%d %s %s %s %s"
                            .formatted(
                                    user,
                                    number(features, "monetary"),
                                    number(features, "orders"),
                                    number(features, "frequency_days"),
                                    number(features, "purchase_interval_std_days")));
        }
        assertThat(training).containsExactlyInAnyOrderElementsOf(live);
    }

    @Test
    void anOutcomeThatIsNotKnownYetIsRefusedWithTheLatestMoment() throws Exception {
        var tenant = mesh.newTenant();
        var newest = SECOND;
        mesh.send(RawRecords.raw(tenant, RawRecords.pageView("ana", newest)));
        await().atMost(SOON).until(() -> stored(tenant) == 1);
        var latest = newest.minus(Duration.ofDays(30));
        await().atMost(SOON)
                .untilAsserted(() ->
                        refused(
                                tenant,
                                422,
                                body("[\"" + latest.plusNanos(1_000) + "\"]", "P30D"),
                                latest.toString()));
        job(tenant, "[\"" + latest + "\"]", "P30D");
    }

    @Test
    void aRequestThatMakesNoSenseIsRefused() {
        var tenant = mesh.newTenant();
        refused(tenant, 422, body("[\"" + FIRST + "\"]", "P30D"), "no events");
        refused(tenant, 400, body("[]", "P30D"), "as_of");
        refused(tenant, 400, body("[null]", "P30D"), "as_of");
        refused(tenant, 400, body("[\"" + FIRST + "\"]", "P0D"), "horizon");
        refused(tenant, 400, body("[\"" + FIRST + "\"]", "a month"), "horizon");
        refused(
                tenant,
                400,
                "{\"as_of\":[\""
                        + FIRST
                        + "\"],\"label\":{\"type\":\"luck\",\"horizon\":\"P30D\"}}",
                "inactivity");
        refused(tenant, 400, "{\"as_of\":[\"" + FIRST + "\"],\"extra\":1}", "");
        mesh.client(tenant, "analytics.view")
                .post()
                .uri("/api/v1/features/training-sets")
                .header("Content-Type", "application/json")
                .bodyValue(body("[\"" + FIRST + "\"]", "P30D"))
                .exchange()
                .expectStatus()
                .isForbidden();
    }

    private static void add(List<Outgoing> events, String tenant, String user, Instant... times) {
        for (var time : times) {
            events.add(RawRecords.raw(tenant, RawRecords.pageView(user, time)));
        }
    }

    private static String body(String asOf, String horizon) {
        return "{\"as_of\":%s,\"label\":{\"type\":\"inactivity\",\"horizon\":\"%s\"}}"
                .formatted(asOf, horizon);
    }

    private void refused(String tenant, int status, String body, String detail) {
        mesh.client(tenant)
                .post()
                .uri("/api/v1/features/training-sets")
                .header("Content-Type", "application/json")
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isEqualTo(status)
                .expectBody(String.class)
                .value(text -> assertThat(text).contains(detail));
    }

    private String jobId;

    private Job job(String tenant, String asOf, String horizon) {
        var client = mesh.client(tenant, "analytics.view", "internal");
        // at first the log's as_of may still be unknown
        await().atMost(SOON)
                .untilAsserted(() -> {
                    var answer =
                            client.post()
                                    .uri("/api/v1/features/training-sets")
                                    .header("Content-Type", "application/json")
                                    .bodyValue(body(asOf, horizon))
                                    .exchange()
                                    .expectStatus()
                                    .isAccepted()
                                    .expectBody(JsonNode.class)
                                    .returnResult()
                                    .getResponseBody();
                    jobId = Objects.requireNonNull(answer).get("job_id").asString();
                });
        var ended = new AtomicReference<Job>();
        await().atMost(SOON)
                .until(() -> {
                    var job =
                            client.get()
                                    .uri("/api/v1/jobs/" + jobId)
                                    .exchange()
                                    .expectStatus()
                                    .isOk()
                                    .expectBody(Job.class)
                                    .returnResult()
                                    .getResponseBody();
                    ended.set(job);
                    return job != null && List.of("completed", "failed").contains(job.status());
                });
        return ended.get();
    }

    /** Downloads the file and reads its rows, by as_of and user. */
    private List<String> read(String tenant, String columns) throws Exception {
        var bytes =
                mesh.client(tenant, "internal")
                        .get()
                        .uri("/api/v1/jobs/" + jobId + "/files/training.parquet")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody(byte[].class)
                        .returnResult()
                        .getResponseBody();
        var file = folder.resolve(jobId + ".parquet");
        Files.write(file, Objects.requireNonNull(bytes));
        var rows = new ArrayList<String>();
        try (var duckdb = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duckdb.createStatement()) {
            var all = statement.executeQuery("SELECT * FROM '" + file + "'");
            assertThat(all.getMetaData().getColumnCount())
                    .isEqualTo(FeatureCatalog.training().size() + 3);
            var result =
                    statement.executeQuery(
                            "SELECT %s FROM '%s' ORDER BY as_of, user_id".formatted(columns, file));
            int count = result.getMetaData().getColumnCount();
            while (result.next()) {
                var row = new ArrayList<String>();
                for (int i = 1; i <= count; i++) {
                    var value = result.getObject(i);
                    row.add(
                            value instanceof java.time.OffsetDateTime time
                                    ? time.toInstant().toString()
                                    : String.valueOf(value));
                }
                rows.add(String.join(" ", row));
            }
        }
        return rows;
    }

    private JsonNode live(String tenant, String user) {
        var found = new AtomicReference<JsonNode>();
        await().atMost(SOON)
                .untilAsserted(() ->
                        found.set(
                                mesh.client(tenant)
                                        .get()
                                        .uri("/api/v1/features/" + user)
                                        .exchange()
                                        .expectStatus()
                                        .isOk()
                                        .expectBody(JsonNode.class)
                                        .returnResult()
                                        .getResponseBody()));
        return found.get().get("features");
    }

    private static String number(JsonNode features, String name) {
        return features.has(name) ? Double.toString(features.get(name).asDouble()) : "null";
    }

    private long stored(String tenant) throws Exception {
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
}
