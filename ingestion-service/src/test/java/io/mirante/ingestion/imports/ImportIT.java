package io.mirante.ingestion.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.platform.jobs.JobContext;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.http.MediaType;
import org.springframework.http.client.MultipartBodyBuilder;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.BodyInserters;
import tools.jackson.databind.JsonNode;

@MeshTest
class ImportIT {

    private static final String MAPPING =
            """
            {"event_type": "purchase", "user_id": "customer", "timestamp": {"column": "day", "format": "yyyyMMdd"},
             "data": {"amount": {"column": "amount", "type": "decimal"}, "currency": "=USD"}}
            """;

    @Autowired Mesh mesh;
    @Autowired ImportEvents imports;
    @Autowired Uploads uploads;

    @TempDir Path folder;

    @Test
    void aCsvIsImportedAndWhatIsWrongIsInTheReport() {
        var tenant = mesh.newTenant();
        var csv =
                """
                customer,day,amount
                ana,20261120,35.14
                "silva, josé",20261120,1.50

                bia,20261120,twelve
                bia,tomorrow,1
                ,20261120,1
                ana,20261120
                """;
        var job = finished(tenant, file(tenant, "sales.csv", utf8(csv), null, MAPPING));
        var result = job.path("result");
        assertThat(job.path("status").stringValue()).isEqualTo("completed");
        assertThat(result.path("read").intValue()).isEqualTo(6);
        assertThat(result.path("accepted").intValue()).isEqualTo(2);
        assertThat(result.path("duplicates").intValue()).isZero();
        assertThat(result.path("rejected").intValue()).isEqualTo(4);

        var report =
                mesh.client(tenant)
                        .get()
                        .uri(result.path("report_url").stringValue())
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody(String.class)
                        .returnResult()
                        .getResponseBody();
        assertThat(Objects.requireNonNull(report).lines().map(l -> Json.mapper().readTree(l)))
                .extracting(l -> l.path("line").intValue())
                .containsExactly(5, 6, 7, 8);
        assertThat(report).contains("/amount", "/day", "/user_id", "has 2 fields, not 3");

        var records = raw(tenant);
        assertThat(records)
                .extracting(r -> header(r, CloudHeaders.SUBJECT))
                .containsExactlyInAnyOrder("ana", "silva, josé");
        assertThat(records)
                .allMatch(r -> header(r, CloudHeaders.SOURCE).equals("/import/sales.csv"))
                .allMatch(r -> header(r, CloudHeaders.TIME).equals("2026-11-20T00:00:00Z"));
        assertThat(CanonicalEvent.fromJson(records.getFirst().value()).eventType())
                .isEqualTo("purchase");
    }

    @Test
    void theSameFileAgainHasTheSameIds() {
        var tenant = mesh.newTenant();
        var csv = utf8("customer,day,amount\na,20261120,1\na,20261120,1\n");
        for (int i = 0; i < 2; i++) {
            var result =
                    finished(tenant, file(tenant, "twice-" + i + ".csv", csv, "shop", MAPPING))
                            .path("result");
            assertThat(result.path("accepted").intValue()).isEqualTo(2);
        }
        var ids = raw(tenant).stream().map(r -> header(r, CloudHeaders.ID)).toList();
        assertThat(ids).hasSize(4);
        assertThat(ids.stream().distinct()).as("equal lines are two events, each once").hasSize(2);
    }

    @Test
    void linesOfJsonAreEventsAsTheyStandPackedOrNot() throws IOException {
        var tenant = mesh.newTenant();
        var lines =
                """
                {"event_id": "n1", "user_id": "u", "event_type": "login"}
                {"event_id": "n2", "user_id": "u", "event_type": {"type": "search", "data": {"query": "x"}}}
                {"event_id": "n1", "user_id": "u", "event_type": "login"}
                {"user_id": "u", "event_type": "login"}
                {"event_id": "cut
                7
                """;
        var packed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(packed)) {
            gzip.write(utf8(lines));
        }
        var result =
                finished(tenant, file(tenant, "e.ndjson.gz", packed.toByteArray(), null, null))
                        .path("result");
        assertThat(result.path("read").intValue()).isEqualTo(6);
        assertThat(result.path("accepted").intValue()).isEqualTo(3);
        assertThat(result.path("duplicates").intValue()).isEqualTo(1);
        assertThat(result.path("rejected").intValue()).isEqualTo(2);
        assertThat(raw(tenant)).extracting(r -> header(r, CloudHeaders.ID)).contains("n1", "n2");
    }

    @Test
    void rowsOfParquetAreImported() throws IOException, SQLException {
        var tenant = mesh.newTenant();
        var file = folder.resolve("sales.parquet");
        try (var duck = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duck.createStatement()) {
            statement.execute(
                    """
                    COPY (SELECT 'u' || i AS user_id, 'purchase' AS event_type, (i + 0.5)::DECIMAL(9, 2) AS amount,
                            TIMESTAMP '2026-11-20 10:00:00' + INTERVAL (i) SECOND AS timestamp
                        FROM range(2500) t (i)) TO '%s' (FORMAT parquet)
                    """
                            .formatted(file));
        }
        var result =
                finished(
                                tenant,
                                file(tenant, "sales.parquet", Files.readAllBytes(file), null, null))
                        .path("result");
        assertThat(result.path("accepted").intValue()).isEqualTo(2500);
        var first =
                raw(tenant).stream()
                        .filter(r -> header(r, CloudHeaders.SUBJECT).equals("u7"))
                        .findFirst()
                        .orElseThrow();
        assertThat(header(first, CloudHeaders.TIME)).isEqualTo("2026-11-20T10:00:07Z");
        assertThat(CanonicalEvent.fromJson(first.value()).data().path("amount").decimalValue())
                .isEqualByComparingTo("7.5");
    }

    @Test
    void aRunThatBreaksOffGoesOnAndCountsNothingTwice() throws Exception {
        var tenant = mesh.newTenant();
        int lines = 5_500;
        var text =
                IntStream.range(0, lines)
                        .mapToObj(i ->
                                i % 100 == 99
                                        ? "{\"event_id\": \"bad-%d\"}".formatted(i)
                                        : "{\"event_id\": \"i-%d\", \"user_id\": \"u\", \"event_type\": \"login\"}"
                                                .formatted(i % 5_000))
                        .collect(Collectors.joining("\n"));
        var upload = uploads.create();
        Files.writeString(upload, text);
        var payload =
                Json.mapper()
                        .valueToTree(
                                new ImportOrder(
                                        upload.getFileName().toString(),
                                        "e.ndjson",
                                        "e.ndjson",
                                        Files.size(upload),
                                        null));
        var steps = new AtomicInteger();
        for (int crash = 1; crash <= 3; crash++) {
            int at = crash * 2;
            assertThatThrownBy(() ->
                            imports.run(
                                    context(
                                            tenant,
                                            payload,
                                            () -> {
                                                if (steps.incrementAndGet() == at) {
                                                    throw new IllegalStateException("crash");
                                                }
                                            })))
                    .hasMessage("crash");
        }
        var result = imports.run(context(tenant, payload, () -> {}));

        int bad = lines / 100;
        int repeated = 500 - 5;
        assertThat(result.toString())
                .isEqualTo(
                        ("{\"read\":%d,\"accepted\":%d,\"duplicates\":%d,\"rejected\":%d,"
                                        + "\"report_url\":\"/api/v1/jobs/j/files/report.ndjson\"}")
                                .formatted(lines, lines - bad - repeated, repeated, bad));
        assertThat(Files.readAllLines(folder.resolve("report.ndjson"))).hasSize(bad);
        assertThat(raw(tenant).stream().map(r -> header(r, CloudHeaders.ID)).distinct())
                .hasSize(lines - bad - repeated);
        assertThat(upload).doesNotExist();
    }

    @Test
    void anImportIsHeldToTheTenantsLimitAndLeavesRoomForRequests() {
        var tenant = mesh.newTenant();
        mesh.settings(tenant, "{\"limits\": {\"events_per_second\": 20}}");
        var lines =
                IntStream.range(0, 1_500)
                        .mapToObj(i ->
                                "{\"event_id\": \"i-%d\", \"user_id\": \"u\", \"event_type\": \"login\"}"
                                        .formatted(i))
                        .collect(Collectors.joining("\n"));
        var job = file(tenant, "e.ndjson", utf8(lines), null, null);
        await().atMost(Duration.ofMinutes(2))
                .until(() ->
                        job(tenant, job).path("detail").asString("").contains("events per second"));
        assertThat(raw(tenant)).as("a thousand lines are 50 seconds").isEmpty();
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"event\": {\"user_id\": \"u\", \"event_type\": \"login\"}}")
                .exchange()
                .expectStatus()
                .isAccepted();

        mesh.settings(tenant, "{\"limits\": {\"events_per_second\": 0}}");
        assertThat(finished(tenant, job).path("result").path("accepted").intValue())
                .isEqualTo(1_500);
    }

    @Test
    void whatCannotBeImportedIsSaidAtOnceOrByTheJob() {
        var tenant = mesh.newTenant();
        send(tenant, "x.csv", utf8("a\n1\n"), null, "{\"user\": 1}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo("/mapping/user");
        send(tenant, "x.csv", utf8("a\n1\n"), null, "{").expectStatus().isBadRequest();
        send(tenant, "x.csv", new byte[0], null, null).expectStatus().isBadRequest();
        var missing = new MultipartBodyBuilder();
        missing.part("source", "x");
        mesh.client(tenant)
                .post()
                .uri("/api/v1/events/import")
                .body(BodyInserters.fromMultipartData(missing.build()))
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo("/file");

        for (var bad :
                List.of(
                        utf8("a,a\n1,2\n"),
                        new byte[] {0x1f, (byte) 0x8b, 8, 0, 1},
                        utf8("PAR1 but no more"))) {
            var job = finished(tenant, file(tenant, "x.csv", bad, null, null));
            assertThat(job.path("status").stringValue()).isEqualTo("failed");
            assertThat(job.path("error").path("type").asString("")).contains("malformed-file");
        }
        mesh.client(tenant, "analytics.view")
                .post()
                .uri("/api/v1/events/import")
                .body(BodyInserters.fromMultipartData(missing.build()))
                .exchange()
                .expectStatus()
                .isForbidden();
    }

    @Test
    @Tag("realdata")
    void cdnowTwiceAddsNothing() throws IOException {
        var data = Path.of(Objects.requireNonNull(System.getenv("MIRANTE_DATA"), "MIRANTE_DATA"));
        var file = Files.readAllBytes(data.resolve("cdnow/CDNOW_master.txt"));
        var tenant = mesh.newTenant();
        var mapping =
                """
                {"event_type": "purchase", "user_id": "customer_id",
                 "timestamp": {"column": "date", "format": "yyyyMMdd"},
                 "data": {"amount": {"column": "dollar_value", "type": "decimal"},
                          "cds": {"column": "number_of_cds", "type": "integer"}, "currency": "=USD"},
                 "csv": {"delimiter": " "}}
                """;
        for (int i = 0; i < 2; i++) {
            var result =
                    finished(tenant, file(tenant, "CDNOW_master.txt", file, "cdnow", mapping))
                            .path("result");
            assertThat(result.path("read").intValue()).isEqualTo(69_659);
            assertThat(result.path("accepted").intValue()).isEqualTo(69_659);
        }
        var events = raw(tenant);
        assertThat(events).hasSize(2 * 69_659);
        assertThat(events.stream().map(r -> header(r, CloudHeaders.ID)).distinct()).hasSize(69_659);
        assertThat(
                        events.stream()
                                .map(r ->
                                        header(r, CloudHeaders.ID)
                                                + header(r, CloudHeaders.CONTENT_HASH))
                                .distinct())
                .as("the same id has the same content")
                .hasSize(69_659);
    }

    private JobContext context(String tenant, JsonNode payload, Runnable step) {
        return new JobContext(
                "j", tenant, payload, folder, (progress, detail) -> step.run(), () -> false);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Starts an import; returns the job's id. */
    private String file(
            String tenant,
            String name,
            byte[] bytes,
            @Nullable String source,
            @Nullable String mapping) {
        var body =
                send(tenant, name, bytes, source, mapping)
                        .expectStatus()
                        .isAccepted()
                        .expectBody(JsonNode.class)
                        .returnResult()
                        .getResponseBody();
        return Objects.requireNonNull(body).path("job_id").stringValue();
    }

    private WebTestClient.ResponseSpec send(
            String tenant,
            String name,
            byte[] bytes,
            @Nullable String source,
            @Nullable String mapping) {
        var form = new MultipartBodyBuilder();
        form.part(
                "file",
                new ByteArrayResource(bytes) {
                    @Override
                    public String getFilename() {
                        return name;
                    }
                });
        if (source != null) {
            form.part("source", source);
        }
        if (mapping != null) {
            form.part("mapping", mapping);
        }
        return mesh.client(tenant)
                .post()
                .uri("/api/v1/events/import")
                .body(BodyInserters.fromMultipartData(form.build()))
                .exchange();
    }

    private JsonNode finished(String tenant, String job) {
        return await().atMost(Duration.ofMinutes(2))
                .until(
                        () -> job(tenant, job),
                        found ->
                                List.of("completed", "failed", "cancelled")
                                        .contains(found.path("status").asString("")));
    }

    private JsonNode job(String tenant, String job) {
        return Objects.requireNonNull(
                mesh.client(tenant)
                        .get()
                        .uri("/api/v1/jobs/" + job)
                        .exchange()
                        .expectBody(JsonNode.class)
                        .returnResult()
                        .getResponseBody());
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
