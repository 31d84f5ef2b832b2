package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.http.client.MultipartBodyBuilder;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.BodyInserters;
import tools.jackson.databind.JsonNode;

@MeshTest
class RunsIT {
    private static final Duration SOON = Duration.ofMinutes(1);
    private static final String[] SCOPES = {"admin", "analytics.view", "analytics.manage"};
    private static final String TABLE =
            """
            transaction_id,user_id,amount,transaction_type,status,created_at
            t1,ana,10.50,deposit,completed,2026-11-20T10:00:00Z
            t2,bob,20.00,bet,completed,2026-11-20T11:00:00Z
            t2,bob,20.00,bet,completed,2026-11-20T11:00:00Z
            t3,,5.00,bet,completed,2026-11-20T11:30:00Z
            """;

    @Autowired Mesh mesh;

    @Value("${mirante.files}")
    Path files;

    @Test
    void anUploadIsCheckedAndReported() {
        var tenant = mesh.newTenant();
        var source = uploaded(tenant, "orders", "orders.csv", TABLE, null);
        assertThat(source.path("format").asString()).isEqualTo("csv");
        assertThat(source.path("kind").asString()).isEqualTo("upload");
        assertThat(source.has("file")).as("no path of the service").isFalse();

        var run =
                finished(
                        tenant,
                        "{\"mode\":\"validate_only\",\"source\":\"orders\",\"execution_id\":\"night-1\","
                                + "\"reference_time\":\"2026-11-20T12:00:00Z\"}");
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(run.path("records_extracted").asInt()).isEqualTo(4);
        assertThat(run.path("records_cleaned").asInt()).isEqualTo(2);
        assertThat(run.path("success_rate").asDouble()).isEqualTo(0.5);
        assertThat(run.path("grade").asString()).isEqualTo("A");
        assertThat(run.path("gate").asString()).isEqualTo("pass");
        assertThat(run.path("duration_seconds").asDouble()).isPositive();

        var report = get(tenant, "/api/v1/etl/runs/night-1/report", 200);
        assertThat(report.path("execution_id").asString()).isEqualTo("night-1");
        assertThat(report.path("raw").path("checks")).hasSize(11);
        var keys = report.path("raw").path("checks").path(1);
        assertThat(keys.path("name").asString()).isEqualTo("primary_key_integrity");
        assertThat(keys.path("severity").asString()).isEqualTo("critical");
        assertThat(keys.path("status").asString()).isEqualTo("fail");
        assertThat(keys.path("failing_rows").asInt()).isEqualTo(1);
        assertThat(keys.path("samples").path(0).asString()).isEqualTo("row 3: key t2");
        assertThat(report.path("transformed").path("grade").asString()).isEqualTo("A");
        assertThat(
                        report.path("transformed")
                                .path("profile")
                                .path("amount")
                                .path("mean")
                                .asDouble())
                .isEqualTo(15.25);
        assertThat(
                        report.path("cleaning")
                                .path("rejected")
                                .path("missing user_id")
                                .path("count")
                                .asInt())
                .isEqualTo(1);
        assertThat(
                        get(tenant, "/api/v1/quality", 200)
                                .path("items")
                                .path(0)
                                .path("execution_id")
                                .asString())
                .isEqualTo("night-1");
        assertThat(get(mesh.newTenant(), "/api/v1/etl/runs", 200).path("items")).isEmpty();
        get(mesh.newTenant(), "/api/v1/etl/runs/night-1", 404);
    }

    @Test
    void aTenantSetsFromWhenChecksPass() {
        var tenant = mesh.newTenant();
        var usual = get(tenant, "/api/v1/quality/thresholds", 200);
        assertThat(usual.path("in_force").path("completeness").asDouble()).isEqualTo(0.95);
        assertThat(usual.path("in_force")).hasSize(12);
        assertThat(usual.path("own")).isEmpty();

        var set =
                put(tenant, "{\"own\":{\"completeness\":0.5,\"primary_key_integrity\":0.5}}", 200);
        assertThat(set.path("in_force").path("completeness").asDouble()).isEqualTo(0.5);
        assertThat(set.path("own")).hasSize(2);
        uploaded(tenant, "orders", "orders.csv", TABLE, null);
        var run =
                finished(
                        tenant,
                        "{\"mode\":\"validate_only\",\"source\":\"orders\",\"strict\":true}");
        assertThat(run.path("gate").asString()).isEqualTo("pass");

        assertThat(
                        put(tenant, "{\"own\":{\"luck\":1}}", 400)
                                .path("errors")
                                .path(0)
                                .path("pointer")
                                .asString())
                .isEqualTo("/own/luck");
        put(tenant, "{\"own\":{\"completeness\":1.5}}", 400);
        put(tenant, "{\"own\":{\"completeness\":null}}", 400);
        put(tenant, "{}", 400);
        assertThat(put(tenant, "{\"own\":{}}", 200)).isEqualTo(usual);
    }

    private JsonNode put(String tenant, String body, int status) {
        return json(
                client(tenant)
                        .put()
                        .uri("/api/v1/quality/thresholds")
                        .header("Content-Type", "application/json")
                        .bodyValue(body)
                        .exchange(),
                status);
    }

    @Test
    void theReportIsAPageForPeopleAndWhatItQuotesIsText() {
        var tenant = mesh.newTenant();
        uploaded(tenant, "orders", "orders.csv", TABLE.replace("t2", "<b>t2"), null);
        finished(
                tenant,
                "{\"mode\":\"validate_only\",\"source\":\"orders\",\"execution_id\":\"page\"}");
        var page =
                client(tenant)
                        .get()
                        .uri("/api/v1/etl/runs/page/report")
                        .header("Accept", "text/html")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectHeader()
                        .valueMatches("Content-Type", "text/html.*")
                        .expectBody(String.class)
                        .returnResult()
                        .getResponseBody();
        assertThat(page)
                .contains("<h1>Run page of orders</h1>")
                .contains("primary_key_integrity")
                .contains("row 3: key &lt;b&gt;t2")
                .contains("<svg ")
                .doesNotContain("<b>t2");
    }

    @Test
    void aStrictRunDoesNotPassWithPoorRawData() {
        var tenant = mesh.newTenant();
        uploaded(tenant, "orders", "orders.csv", TABLE, null);
        var run =
                finished(
                        tenant,
                        "{\"mode\":\"validate_only\",\"source\":\"orders\",\"strict\":true}");
        assertThat(run.path("status").asString()).isEqualTo("completed");
        assertThat(run.path("gate").asString()).isEqualTo("fail");
        assertThat(run.path("stopped_by"))
                .extracting(JsonNode::asString)
                .containsExactly("raw.completeness", "raw.primary_key_integrity");
    }

    @Test
    void theSameExecutionIdIsTheSameRun() {
        var tenant = mesh.newTenant();
        uploaded(tenant, "orders", "orders.csv", TABLE, null);
        uploaded(tenant, "other", "other.csv", TABLE, null);
        var first =
                start(
                        tenant,
                        "{\"mode\":\"validate_only\",\"source\":\"orders\",\"execution_id\":\"x\"}",
                        202);
        var again =
                start(
                        tenant,
                        "{\"mode\":\"validate_only\",\"source\":\"orders\",\"execution_id\":\"x\"}",
                        202);
        assertThat(again).isEqualTo(first);
        var other =
                start(
                        tenant,
                        "{\"mode\":\"validate_only\",\"source\":\"other\",\"execution_id\":\"x\"}",
                        409);
        assertThat(other.path("detail").asString()).contains("execution_id x");
        await().atMost(SOON)
                .until(() ->
                        get(tenant, "/api/v1/etl/runs/x", 200)
                                .path("status")
                                .asString()
                                .equals("completed"));
        assertThat(get(tenant, "/api/v1/etl/runs", 200).path("items")).hasSize(1);
    }

    @Test
    void aDescribedTableIsJudgedByItsDescription() {
        var tenant = mesh.newTenant();
        uploaded(
                tenant,
                "people",
                "people.ndjson",
                "{\"who\": \"a\", \"age\": 30}\n{\"who\": \"b\", \"age\": 300}\n",
                """
                {"columns": [{"name": "who", "type": "text", "required": true},
                             {"name": "age", "type": "integer", "max": 120}],
                 "rules": [{"name": "known", "expression": "who <> 'c'"}]}
                """);
        var run = finished(tenant, "{\"mode\":\"validate_only\",\"source\":\"people\"}");
        assertThat(run.path("records_cleaned").asInt()).isEqualTo(1);

        uploaded(
                tenant,
                "people",
                "people.csv",
                "x,y\n1,2\n",
                "{\"columns\": [{\"name\": \"who\"}]}");
        var failed = finished(tenant, "{\"mode\":\"validate_only\",\"source\":\"people\"}");
        assertThat(failed.path("status").asString()).isEqualTo("failed");
        assertThat(failed.path("error").asString())
                .isEqualTo("the file has no column who; it has x, y");
        get(tenant, "/api/v1/etl/runs/" + failed.path("execution_id").asString() + "/report", 409);
    }

    @Test
    void theSecondRunIsComparedWithTheFirst() {
        var tenant = mesh.newTenant();
        uploaded(tenant, "numbers", "numbers.csv", numbers(0), null);
        finished(
                tenant,
                "{\"mode\":\"validate_only\",\"source\":\"numbers\",\"execution_id\":\"1\"}");
        uploaded(tenant, "numbers", "numbers.csv", numbers(500), null);
        finished(
                tenant,
                "{\"mode\":\"validate_only\",\"source\":\"numbers\",\"execution_id\":\"2\"}");
        var report = get(tenant, "/api/v1/etl/runs/2/report", 200);
        var drift = report.path("transformed").path("checks").path(8);
        assertThat(drift.path("name").asString()).isEqualTo("statistical_distribution");
        assertThat(drift.path("status").asString()).isEqualTo("warn");
    }

    private static String numbers(int from) {
        var text = new StringBuilder("n\n");
        for (int i = 0; i < 1_000; i++) {
            text.append(from + i).append('\n');
        }
        return text.toString();
    }

    @Test
    void aSourceThatIsReplacedOrDeletedLeavesNoFile() throws Exception {
        var tenant = mesh.newTenant();
        long before = stored();
        uploaded(tenant, "a", "a.csv", TABLE, null);
        uploaded(tenant, "a", "a.csv", TABLE, null);
        assertThat(stored()).isEqualTo(before + 1);
        assertThat(get(tenant, "/api/v1/etl/sources", 200).path("items")).hasSize(1);
        client(tenant)
                .delete()
                .uri("/api/v1/etl/sources/a")
                .exchange()
                .expectStatus()
                .isNoContent();
        assertThat(stored()).isEqualTo(before);
        client(tenant).delete().uri("/api/v1/etl/sources/a").exchange().expectStatus().isNotFound();
        refusedUpload(tenant, "b", "b.txt", TABLE, null, "/format");
        refusedUpload(tenant, "../b", "b.csv", TABLE, null, "/name");
        refusedUpload(tenant, "b", "b.csv", "", null, "/file");
        refusedUpload(
                tenant,
                "b",
                "b.csv",
                TABLE,
                "{\"columns\":[{\"name\":\"x\",\"type\":\"money\"}]}",
                "/shape/columns/0/type");
        refusedUpload(tenant, "b", "b.csv", TABLE, "{\"colums\":[]}", "/shape");
        for (var column :
                List.of(
                        "{\"name\":\"amount\",\"type\":\"number\",\"unit\":\"stone\"}",
                        "{\"name\":\"amount\",\"unit\":\"kg\"}")) {
            refusedUpload(
                    tenant,
                    "b",
                    "b.csv",
                    TABLE,
                    "{\"columns\":[%s]}".formatted(column),
                    "/shape/columns/0/unit");
        }
        assertThat(stored()).as("nothing is kept of what was refused").isEqualTo(before);
    }

    @Test
    void anErasedPersonIsInNoSourceAndNoReport() throws Exception {
        var tenant = mesh.newTenant();
        uploaded(tenant, "orders", "orders.csv", TABLE.replace("bob", "erase-me-5"), null);
        var run =
                finished(
                        tenant,
                        "{\"mode\":\"validate_only\",\"source\":\"orders\",\"execution_id\":\"e\"}");
        assertThat(run.path("status").asString()).isEqualTo("completed");
        assertThat(get(tenant, "/api/v1/etl/runs/e/report", 200).toString()).contains("erase-me-5");

        var answer = mesh.erase(tenant, "erase-me-5");

        assertThat(answer.removed())
                .contains(
                        new Removal("files of sources", Removal.BLANKED, 1),
                        new Removal("etl_run", Removal.BLANKED, 1));
        assertThat(get(tenant, "/api/v1/etl/runs/e/report", 200).toString())
                .doesNotContain("erase-me-5")
                .contains("\"failing_rows\":1");
        var again = finished(tenant, "{\"mode\":\"validate_only\",\"source\":\"orders\"}");
        assertThat(again.path("records_extracted").asInt()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 200})
    void anErasedIdIsFoundAsAReportSpellsIt(int length) {
        var tenant = mesh.newTenant();
        var id = "e\\\"" + "x".repeat(length);
        uploaded(
                tenant,
                "orders",
                "orders.csv",
                TABLE.replace("bob", "\"" + id.replace("\"", "\"\"") + "\""),
                null);
        finished(
                tenant,
                "{\"mode\":\"validate_only\",\"source\":\"orders\",\"execution_id\":\"e\"}");
        assertThat(get(tenant, "/api/v1/etl/runs/e/report", 200).toString()).contains("xxxxx");

        mesh.erase(tenant, id);

        assertThat(get(tenant, "/api/v1/etl/runs/e/report", 200).toString())
                .doesNotContain("xxxxx");
    }

    @Test
    void aPackedUploadIsReadBeforeAnErasureTouchesIt() throws Exception {
        var tenant = mesh.newTenant();
        upload(tenant, "orders", "orders.csv.gz", gzip(TABLE), null, 201);

        var nobody = mesh.erase(tenant, "erase-me-6");
        assertThat(nobody.removed()).noneMatch(r -> r.where().equals("files of sources"));
        var whole = finished(tenant, "{\"mode\":\"validate_only\",\"source\":\"orders\"}");
        assertThat(whole.path("records_extracted").asInt()).isEqualTo(4);

        var answer = mesh.erase(tenant, "bob");
        assertThat(answer.removed()).contains(new Removal("files of sources", Removal.BLANKED, 1));
        var rest = finished(tenant, "{\"mode\":\"validate_only\",\"source\":\"orders\"}");
        assertThat(rest.path("records_extracted").asInt()).isEqualTo(2);
    }

    private static byte[] gzip(String text) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    @Test
    void aSourceElsewhereNeedsAPublicHostAndAMasterKey() {
        var tenant = mesh.newTenant();
        var postgres =
                "{\"name\":\"x\",\"kind\":\"postgresql\",\"host\":\"%s\",\"database\":\"d\",\"user\":\"u\",\"password\":\"p\",\"table\":\"t\"}";
        for (var host : List.of("127.0.0.1", "localhost", "::1", "169.254.169.254", "10.0.0.1")) {
            var problem = named(tenant, postgres.formatted(host), 422);
            assertThat(problem.path("detail").asString())
                    .contains("/host")
                    .contains("SOURCE_ALLOWED_HOSTS");
        }
        assertThat(
                        named(
                                        tenant,
                                        "{\"name\":\"x\",\"kind\":\"s3\",\"format\":\"csv\",\"bucket\":\"bucket\",\"endpoint\":\"http://[::1]:9000\",\"access_key\":\"a\",\"secret_key\":\"s\"}",
                                        422)
                                .path("detail")
                                .asString())
                .contains("/endpoint");
        assertThat(named(tenant, postgres.formatted("1.1.1.1"), 409).path("detail").asString())
                .contains("MIRANTE_MASTER_KEY_FILE");
        assertThat(get(tenant, "/api/v1/etl/sources", 200).path("items")).isEmpty();
    }

    private JsonNode named(String tenant, String body, int status) {
        return json(
                client(tenant)
                        .post()
                        .uri("/api/v1/etl/sources")
                        .header("Content-Type", "application/json")
                        .bodyValue(body)
                        .exchange(),
                status);
    }

    @Test
    void aRequestThatMakesNoSenseIsRefused() {
        var tenant = mesh.newTenant();
        refused(tenant, "{\"mode\":\"guess\",\"source\":\"x\"}", "/mode");
        refused(tenant, "{\"mode\":\"validate_only\"}", "/source");
        refused(tenant, "{\"mode\":\"validate_only\",\"source\":\"nobody\"}", "/source");
        refused(
                tenant,
                "{\"mode\":\"validate_only\",\"source\":\"x\",\"execution_id\":\"a b\"}",
                "/execution_id");
        for (var scope : List.of("analytics.view", "ingest")) {
            mesh.client(tenant, scope)
                    .post()
                    .uri("/api/v1/etl/runs")
                    .header("Content-Type", "application/json")
                    .bodyValue("{\"mode\":\"validate_only\",\"source\":\"x\"}")
                    .exchange()
                    .expectStatus()
                    .isForbidden();
        }
    }

    private long stored() throws IOException {
        var folder = files.resolve("sources");
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        try (var all = Files.list(folder)) {
            return all.count();
        }
    }

    private void refused(String tenant, String body, String pointer) {
        assertThat(start(tenant, body, 400).path("errors").path(0).path("pointer").asString())
                .isEqualTo(pointer);
    }

    private JsonNode uploaded(
            String tenant, String name, String fileName, String content, @Nullable String shape) {
        return upload(tenant, name, fileName, content, shape, 201);
    }

    private void refusedUpload(
            String tenant,
            String name,
            String fileName,
            String content,
            @Nullable String shape,
            String pointer) {
        var problem = upload(tenant, name, fileName, content, shape, 400);
        assertThat(problem.path("errors").path(0).path("pointer").asString()).isEqualTo(pointer);
    }

    private JsonNode upload(
            String tenant,
            String name,
            String fileName,
            String content,
            @Nullable String shape,
            int status) {
        return upload(
                tenant, name, fileName, content.getBytes(StandardCharsets.UTF_8), shape, status);
    }

    private JsonNode upload(
            String tenant,
            String name,
            String fileName,
            byte[] content,
            @Nullable String shape,
            int status) {
        var body = new MultipartBodyBuilder();
        body.part(
                "file",
                new ByteArrayResource(content) {
                    @Override
                    public String getFilename() {
                        return fileName;
                    }
                });
        body.part("name", name);
        if (shape != null) {
            body.part("shape", shape);
        }
        return json(
                client(tenant)
                        .post()
                        .uri("/api/v1/etl/sources")
                        .body(BodyInserters.fromMultipartData(body.build()))
                        .exchange(),
                status);
    }

    private JsonNode start(String tenant, String body, int status) {
        return json(
                client(tenant)
                        .post()
                        .uri("/api/v1/etl/runs")
                        .header("Content-Type", "application/json")
                        .bodyValue(body)
                        .exchange(),
                status);
    }

    private JsonNode finished(String tenant, String body) {
        var path = "/api/v1/etl/runs/" + start(tenant, body, 202).path("execution_id").asString();
        await().atMost(SOON)
                .until(() ->
                        !List.of("pending", "running")
                                .contains(get(tenant, path, 200).path("status").asString()));
        return get(tenant, path, 200);
    }

    private JsonNode get(String tenant, String path, int status) {
        return json(client(tenant).get().uri(path).exchange(), status);
    }

    private static JsonNode json(WebTestClient.ResponseSpec answer, int status) {
        var body = answer.expectBody(JsonNode.class).returnResult();
        assertThat(body.getStatus().value())
                .as(() -> String.valueOf(body.getResponseBody()))
                .isEqualTo(status);
        return Objects.requireNonNull(body.getResponseBody());
    }

    private WebTestClient client(String tenant) {
        return mesh.client(tenant, SCOPES);
    }
}
