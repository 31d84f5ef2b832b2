package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Json;
import io.mirante.etl.EtlSettings;
import io.mirante.etl.remote.GuardedHttp;
import io.mirante.etl.runs.StepLimit.Step;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import tools.jackson.databind.JsonNode;

/** Sources in S3 (S3Proxy) and in PostgreSQL, from their naming to the report. */
@MeshTest
@ExtendWith(OutputCaptureExtension.class)
class RemoteSourcesIT {

    private static final Duration SOON = Duration.ofMinutes(1);
    private static final String[] SCOPES = {"admin", "analytics.view", "analytics.manage"};
    private static final String KEY = "AKIATEST";
    private static final String SECRET = "secret-of-the-bucket";
    private static final String PASSWORD = "secret-of-the-reader";
    private static final String HEADER =
            "transaction_id,user_id,amount,transaction_type,status,created_at\n";

    private static S3Proxy s3;
    private static S3AsyncClient objects;

    @TempDir static Path folder;

    @Autowired Mesh mesh;
    @Autowired TenantDatabase tenantDatabase;
    @Autowired SourceFiles uploads;
    @Autowired SourceSecrets secrets;
    @Autowired QualityThresholdStore thresholds;
    @Autowired EtlSettings settings;
    @Autowired Tenants tenants;
    @Autowired AsOf asOf;
    @Autowired RunFigures figures;

    @Value("${mirante.files}")
    Path files;

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        registry.add("mirante.etl.source-allowed-hosts", () -> "127.0.0.1");
        registry.add("mirante.etl.max-source-size", () -> "2MB");
        registry.add("mirante.etl.master-key-file", RemoteSourcesIT::masterKey);
    }

    private static String masterKey() {
        try {
            return Files.writeString(
                            folder.resolve("master.key"),
                            Base64.getEncoder().encodeToString(new byte[32]))
                    .toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @BeforeAll
    static void startS3() throws Exception {
        s3 =
                S3Proxy.builder()
                        .blobStore(new TransientNio2BlobStore())
                        .awsAuthentication(AuthenticationType.AWS_V4, KEY, SECRET)
                        .endpoint(URI.create("http://127.0.0.1:0"))
                        .build();
        s3.start();
        await().until(() -> s3.getState().equals("STARTED"));
        objects =
                S3AsyncClient.builder()
                        .httpClient(new GuardedHttp(new Destinations(List.of("127.0.0.1"), "TEST")))
                        .endpointOverride(URI.create("http://127.0.0.1:" + s3.getPort()))
                        .forcePathStyle(true)
                        .region(Region.US_EAST_1)
                        .credentialsProvider(
                                StaticCredentialsProvider.create(
                                        AwsBasicCredentials.create(KEY, SECRET)))
                        .build();
        objects.createBucket(b -> b.bucket("lake")).join();
    }

    @AfterAll
    static void stopS3() throws Exception {
        objects.close();
        s3.stop();
    }

    // --- S3

    @Test
    void oneObjectIsReadAndItsCredentialsAreNeverShown(CapturedOutput log) throws Exception {
        var tenant = mesh.newTenant();
        put("one/orders.csv", HEADER + row(1) + row(2));
        var named = name(tenant, s3("orders", "csv", "one/", s3.getPort()), 201);
        assertThat(named.path("kind").asString()).isEqualTo("s3");
        assertThat(named.path("place").path("bucket").asString()).isEqualTo("lake");

        var run = finished(tenant, "orders");

        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(run.path("records_extracted").asInt()).isEqualTo(2);
        assertThat(run.path("grade").asString()).isEqualTo("A");
        var listed = get(tenant, "/api/v1/etl/sources", 200).toString();
        for (var shown : List.of(named.toString(), listed, log.getAll(), stored())) {
            assertThat(shown).doesNotContain(SECRET).doesNotContain(KEY);
        }
        assertThat(fetchedFiles(tenant)).as("nothing fetched is left").isEmpty();
    }

    @Test
    void aPrefixOfManyObjectsPackedAndNotIsOneTable() throws Exception {
        var tenant = mesh.newTenant();
        for (int i = 0; i < 60; i++) {
            var text = HEADER + row(2 * i) + row(2 * i + 1);
            put("many/day %+d/ä&%d.csv".formatted(i % 3, i), i % 2 == 0 ? bytes(text) : gzip(text));
        }
        put("many/later.csv", bytes(HEADER.strip() + ",channel\n" + row(500).strip() + ",app\n"));
        put("many/_SUCCESS", "done");
        put("many/empty.csv", "");
        put("manyother.csv", HEADER + row(900));
        name(tenant, s3("orders", "csv", "many/", s3.getPort()), 201);
        var run = finished(tenant, "orders");
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(run.path("records_extracted").asInt()).isEqualTo(121);
        assertThat(run.path("records_cleaned").asInt()).isEqualTo(121);
    }

    @ParameterizedTest
    @CsvSource({
        "ndjson, '{\"n\": 1}\n{\"n\": 2}\n'",
        "json, '[{\"n\": 1}, {\"n\": 2}]'",
        "parquet, ''"
    })
    void everyFormatIsReadFromSeveralObjects(String format, String text) throws Exception {
        var tenant = mesh.newTenant();
        var prefix = "formats-" + format + "/";
        if (format.equals("parquet")) {
            put(prefix + "a", parquet());
            put(prefix + "b", parquet());
        } else {
            put(prefix + "a", text);
            put(prefix + "b", gzip(text));
        }
        name(tenant, s3("numbers", format, prefix, s3.getPort()), 201);
        var run = finished(tenant, "numbers");
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(run.path("records_extracted").asInt()).isEqualTo(4);
    }

    @Test
    void aBusyServerAndACutConnectionAreAskedAgain() throws Exception {
        var tenant = mesh.newTenant();
        var text = new StringBuilder(HEADER);
        for (int i = 0; i < 5_000; i++) {
            text.append(row(i));
        }
        put("cut/orders.csv", text.toString());
        try (var proxy = new FaultyProxy(s3.getPort())) {
            name(tenant, s3("orders", "csv", "cut/", proxy.port()), 201);
            proxy.busy(2);
            assertThat(finished(tenant, "orders").path("records_extracted").asInt())
                    .isEqualTo(5_000);
            proxy.cut(2, 50_000);
            assertThat(finished(tenant, "orders").path("records_extracted").asInt())
                    .isEqualTo(5_000);

            int before = proxy.connections();
            proxy.busy(1_000);
            var run = finished(tenant, "orders");
            assertThat(run.path("status").asString()).isEqualTo("failed");
            assertThat(run.path("error").asString())
                    .contains("s3://lake/cut/")
                    .contains("503 (SlowDown)")
                    .contains("3 tries");
            assertThat(proxy.connections() - before).isEqualTo(3);

            proxy.busy(0).cut(1_000, 50_000);
            var cut = finished(tenant, "orders");
            assertThat(cut.path("status").asString()).isEqualTo("failed");
            assertThat(cut.path("error").asString()).contains("after 3 tries");
        }
        assertThat(fetchedFiles(tenant)).isEmpty();
    }

    @Test
    void whatS3DoesNotBringIsNotLoadedAndNothingFetchedStays() throws Exception {
        var tenant = mesh.newTenant();
        put("loaded/a.csv", HEADER + rows(0, 2_000));
        put("loaded/b.csv", HEADER + rows(2_000, 4_000));
        try (var proxy = new FaultyProxy(s3.getPort())) {
            name(tenant, s3("orders", "csv", "loaded/", proxy.port()), 201);
            proxy.busy(2);
            var first = loaded(tenant);
            assertThat(first.path("status").asString()).as(first.toString()).isEqualTo("completed");
            assertThat(users(tenant))
                    .isEqualTo(Map.of(first.path("execution_id").asString(), 4_000L));

            put("loaded/b.csv", HEADER + rows(2_000, 5_000));
            proxy.cut(1_000, 50_000);
            assertThat(loaded(tenant).path("status").asString()).isEqualTo("failed");
            proxy.cut(0, 0).busy(1_000);
            assertThat(loaded(tenant).path("status").asString()).isEqualTo("failed");
            assertThat(users(tenant))
                    .isEqualTo(Map.of(first.path("execution_id").asString(), 4_000L));
            assertThat(fetchedFiles(tenant)).isEmpty();

            proxy.busy(1).cut(2, 50_000);
            var last = loaded(tenant);
            assertThat(last.path("status").asString()).as(last.toString()).isEqualTo("completed");
            assertThat(users(tenant))
                    .isEqualTo(Map.of(last.path("execution_id").asString(), 5_000L));
        }
        // A run has completed when its load is committed; it tidies up after that.
        await().untilAsserted(() -> assertThat(fetchedFiles(tenant)).isEmpty());
    }

    private static String rows(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(RemoteSourcesIT::row)
                .collect(Collectors.joining());
    }

    /** Users whose features are loaded, by run. */
    private Map<String, Long> users(String tenant) throws SQLException {
        var users = new HashMap<String, Long>();
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT execution_id, count(*) FROM ml_features.user_features WHERE tenant_id = ? GROUP BY 1")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            while (rows.next()) {
                users.put(rows.getString(1), rows.getLong(2));
            }
        }
        return users;
    }

    @Test
    void whatIsWrongInS3IsSaidWithoutTheKeys() throws Exception {
        var tenant = mesh.newTenant();
        put("wrong/orders.csv", HEADER + row(1));
        put("large/a.csv", new byte[1_500_000]);
        put("large/b.csv", new byte[1_500_000]);
        var good = s3("orders", "csv", "wrong/", s3.getPort());
        var cases =
                Map.of(
                        good.replace(SECRET, "another"), "the secret key is wrong",
                        good.replace(KEY, "another"), "the access key",
                        good.replace("\"lake\"", "\"pond\""), "there is no such bucket",
                        good.replace("wrong/", "none/"), "there is no object with data",
                        good.replace("wrong/", "large/"), "MAX_SOURCE_SIZE");
        cases.forEach((body, said) -> {
            name(tenant, body, 201);
            var run = finished(tenant, "orders");
            assertThat(run.path("status").asString()).isEqualTo("failed");
            assertThat(run.path("error").asString())
                    .contains("s3://")
                    .contains(said)
                    .doesNotContain("another");
        });
    }

    // --- PostgreSQL

    @Test
    void aTableIsReadOnFromItsWatermark() throws Exception {
        var tenant = mesh.newTenant();
        var schema = database("t1");
        sql(
                "CREATE TABLE %s.\"Or\"\"ders\" (id int, \"at, t\" timestamptz, note text)"
                        .formatted(schema),
                "INSERT INTO %s.\"Or\"\"ders\" SELECT i, '2026-11-20T10:00:00Z'::timestamptz + i * interval '1 second', 'a;\"b\"\nc' FROM generate_series(1, 1000) i"
                        .formatted(schema),
                "GRANT SELECT ON ALL TABLES IN SCHEMA %s TO source_reader".formatted(schema));
        var named =
                name(
                        tenant,
                        postgres(
                                "orders",
                                Map.of(
                                        "table",
                                        schema + ".Or\"ders",
                                        "watermark",
                                        "at, t",
                                        "shape",
                                        Map.of(
                                                "columns",
                                                List.of(
                                                        Map.of("name", "id"),
                                                        Map.of(
                                                                "name",
                                                                "at, t",
                                                                "type",
                                                                "timestamp"),
                                                        Map.of("name", "note")),
                                                "events",
                                                Map.of(
                                                        "user",
                                                        "id",
                                                        "time",
                                                        "at, t",
                                                        "type",
                                                        "=purchase")))),
                        201);
        assertThat(named.path("watermark_value").isNull()).isTrue();
        assertThat(named.toString()).doesNotContain(PASSWORD).doesNotContain("source_reader");
        var looked = finished(tenant, "orders");
        assertThat(looked.path("records_extracted").asInt()).as(looked.toString()).isEqualTo(1_000);
        assertThat(get(tenant, "/api/v1/etl/sources", 200).toString())
                .as("what was only looked at is read again")
                .contains("\"watermark_value\":null");
        var first = loaded(tenant);
        assertThat(first.path("status").asString()).as(first.toString()).isEqualTo("completed");
        assertThat(first.path("records_extracted").asInt()).isEqualTo(1_000);
        assertThat(watermark(tenant)).isEqualTo("2026-11-20 10:16:40+00");

        sql(
                "INSERT INTO %s.\"Or\"\"ders\" VALUES (7, '2026-11-20T10:16:40Z', 'as before'), (8, '2026-11-20T10:16:40.000001Z', 'new')"
                        .formatted(schema));
        var second = loaded(tenant);
        assertThat(second.path("records_extracted").asInt()).isEqualTo(1);
        assertThat(watermark(tenant)).isEqualTo("2026-11-20 10:16:40.000001+00");
        var third = loaded(tenant);
        assertThat(third.path("records_extracted").asInt()).as(third.toString()).isZero();
        assertThat(watermark(tenant)).isEqualTo("2026-11-20 10:16:40.000001+00");
        for (var run : List.of(third, second)) {
            new RunClient(mesh, tenant).rolledBack(run.path("execution_id").asString());
        }
        assertThat(watermark(tenant)).isEqualTo("2026-11-20 10:16:40+00");
    }

    @Test
    void aRunThatItsGateStoppedIsReadAgain() throws Exception {
        var tenant = mesh.newTenant();
        var schema = database("t2");
        sql(
                "CREATE TABLE %s.a (id int, v text, at timestamptz)".formatted(schema),
                "INSERT INTO %s.a VALUES (1, 'x', '2026-11-20T10:00:00Z'), (1, 'y', '2026-11-20T10:00:00Z')"
                        .formatted(schema),
                "GRANT SELECT ON ALL TABLES IN SCHEMA %s TO source_reader".formatted(schema));
        var body =
                postgres(
                        "orders",
                        Map.of(
                                "query",
                                "SELECT id, v, at FROM %s.a -- all of it".formatted(schema),
                                "watermark",
                                "id",
                                "shape",
                                Map.of(
                                        "columns",
                                        List.of(
                                                Map.of("name", "id"),
                                                Map.of("name", "v"),
                                                Map.of("name", "at", "type", "timestamp")),
                                        "key",
                                        List.of("id"),
                                        "events",
                                        Map.of("user", "v", "time", "at", "type", "=purchase"))));
        name(tenant, body, 201);
        var strict = run(tenant, "{\"mode\":\"batch\",\"source\":\"orders\",\"strict\":true}");
        assertThat(strict.path("gate").asString()).isEqualTo("fail");
        assertThat(get(tenant, "/api/v1/etl/sources", 200).toString())
                .contains("\"watermark_value\":null");
        assertThat(loaded(tenant).path("records_extracted").asInt()).isEqualTo(2);
        assertThat(watermark(tenant)).isEqualTo("1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "INSERT INTO T2.w VALUES (1)",
                "INSERT INTO T2.w VALUES (1) RETURNING 1",
                "WITH x AS (INSERT INTO T2.w VALUES (1) RETURNING 1) SELECT * FROM x",
                "SELECT 1; INSERT INTO T2.w VALUES (1)",
                "SELECT 1) TO STDOUT; COMMIT; INSERT INTO T2.w VALUES (1); COPY (SELECT 1",
                "SELECT 1) AS source) TO STDOUT; COMMIT; INSERT INTO T2.w VALUES (1); COPY (SELECT * FROM (SELECT 1",
                "SELECT T2.put()",
                "SELECT set_config('transaction_read_only', 'off', true), T2.put()",
                "TRUNCATE T2.w"
            })
    void aStatementThatWritesIsRefused(String query) throws Exception {
        var tenant = mesh.newTenant();
        var schema = database("t3");
        sql(
                "CREATE TABLE %s.w (id int)".formatted(schema),
                "CREATE FUNCTION %1$s.put() RETURNS int LANGUAGE sql AS 'INSERT INTO %1$s.w VALUES (1) RETURNING 1'"
                        .formatted(schema),
                "GRANT ALL ON ALL TABLES IN SCHEMA %s TO source_reader".formatted(schema));
        name(tenant, postgres("orders", Map.of("query", query.replace("T2", schema))), 201);
        var run = finished(tenant, "orders");
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("failed");
        assertThat(run.path("error").asString())
                .contains("PostgreSQL at 127.0.0.1")
                .contains("ERROR");
        try (var connection = mesh.jdbc();
                var rows =
                        connection
                                .createStatement()
                                .executeQuery("SELECT count(*) FROM %s.w".formatted(schema))) {
            rows.next();
            assertThat(rows.getInt(1)).isZero();
        }
    }

    @Test
    void whatIsWrongInPostgresqlIsSaidWithoutThePassword(CapturedOutput log) throws Exception {
        var tenant = mesh.newTenant();
        database("t4");
        var good = postgres("orders", Map.of("query", "SELECT 1 AS n"));
        var cases =
                Map.of(
                        good.replace(PASSWORD, "other-secret"), "refuses the user or the password",
                        good.replace("SELECT 1 AS n", "SELECT * FROM nowhere"),
                                "\"nowhere\" does not exist",
                        good.replace("SELECT 1 AS n", "SELECT repeat('x', 3000000) AS x"),
                                "MAX_SOURCE_SIZE",
                        good.replace("\"disable\"", "\"require\""), "SSL");
        cases.forEach((body, said) -> {
            name(tenant, body, 201);
            var run = finished(tenant, "orders");
            assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("failed");
            assertThat(run.path("error").asString())
                    .contains(said)
                    .doesNotContain("secret")
                    .doesNotContain("source_reader");
        });
        assertThat(log.getAll()).doesNotContain(PASSWORD).doesNotContain("other-secret");
    }

    // --- steps

    @Test
    void aQueryThatTakesTooLongIsEndedHereAndThere() throws Exception {
        var tenant = mesh.newTenant();
        database("t5");
        name(tenant, postgres("orders", Map.of("query", "SELECT pg_sleep(301)::text AS n")), 201);
        submitted(tenant, "slow");
        assertThatThrownBy(() -> attempt(limited(Step.FETCH), tenant, "slow"))
                .hasCauseInstanceOf(StepLimit.ExceededException.class);
        var run = get(tenant, "/api/v1/etl/runs/slow", 200);
        assertThat(run.path("status").asString()).as("it is tried again").isEqualTo("pending");
        assertThat(run.path("error").asString())
                .contains("the step fetch took longer than the 1s of mirante.etl.steps.fetch");
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(
                                        counted(
                                                "pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%pg_sleep(301)%'"))
                                .isZero());
    }

    @Test
    void aServerThatSaysNothingIsLeft() throws Exception {
        var tenant = mesh.newTenant();
        try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            name(tenant, s3("orders", "csv", "silent/", silent.getLocalPort()), 201);
            submitted(tenant, "silent");
            assertThatThrownBy(() -> attempt(limited(Step.FETCH), tenant, "silent"))
                    .cause()
                    .isInstanceOf(StepLimit.ExceededException.class)
                    .hasMessageContaining("mirante.etl.steps.fetch");
        }
        assertThat(folder.resolve("job-silent/scratch/fetched")).doesNotExist();
    }

    @Test
    void aLoadThatTakesTooLongLeavesNothingAndIsDoneAgainWithoutFetching() throws Exception {
        var tenant = mesh.newTenant();
        put("again/orders.csv", HEADER + row(1) + row(2) + row(2));
        name(tenant, s3("orders", "csv", "again/", s3.getPort()), 201);
        submitted(tenant, "again");
        loadTakesTooLong(tenant, "again");
        assertThat(users(tenant)).isEmpty();
        objects.deleteObject(o -> o.bucket("lake").key("again/orders.csv")).join();

        attempt(limited(null), tenant, "again");

        var run = get(tenant, "/api/v1/etl/runs/again", 200);
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(run.path("error").isNull()).isTrue();
        assertThat(users(tenant)).isEqualTo(Map.of("again", 2L));
    }

    // --- resuming

    /** The first run reads to the end; the second is cut short, and new rows come before it goes on. */
    @ParameterizedTest
    @ValueSource(strings = {"reading", "making features", "loading"})
    void aRunThatWasCutShortGivesWhatOneThatWasNotGives(String cutAt) throws Exception {
        var schema = database("t11");
        sql(
                "CREATE TABLE %s.o (transaction_id int, user_id text, amount numeric, transaction_type text, status text, created_at timestamptz)"
                        .formatted(schema),
                "INSERT INTO %s.o SELECT i, 'u' || i %% 7, i, 'purchase', '', now() - i * interval '1 hour' FROM generate_series(1, 40) i"
                        .formatted(schema),
                "INSERT INTO %1$s.o SELECT * FROM %1$s.o WHERE transaction_id <= 3"
                        .formatted(schema),
                "GRANT SELECT ON ALL TABLES IN SCHEMA %s TO source_reader".formatted(schema));
        var source =
                postgres("orders", Map.of("table", schema + ".o", "watermark", "transaction_id"));
        var whole = mesh.newTenant();
        name(whole, source, 201);
        submitted(whole, "whole");
        attempt(limited(null), whole, "whole");
        var cut = mesh.newTenant();
        name(cut, source, 201);
        submitted(cut, "cut");
        assertThatThrownBy(() ->
                        attempt(
                                limited(null),
                                cut,
                                "cut",
                                detail -> {
                                    if (detail.equals(cutAt)) {
                                        throw new IllegalStateException("cut short");
                                    }
                                }))
                .hasRootCauseMessage("cut short");
        assertThat(users(cut)).isEmpty();
        sql(
                "INSERT INTO %s.o VALUES (41, 'u1', 1, 'purchase', '', now()), (42, 'new', 1, 'purchase', '', now())"
                        .formatted(schema));

        attempt(limited(null), cut, "cut");

        var expected = get(whole, "/api/v1/etl/runs/whole", 200);
        var run = get(cut, "/api/v1/etl/runs/cut", 200);
        for (var figure :
                List.of(
                        "status",
                        "records_extracted",
                        "records_cleaned",
                        "records_transformed",
                        "records_loaded",
                        "records_refused",
                        "data_quality_score",
                        "grade",
                        "gate")) {
            assertThat(run.path(figure)).as(figure).isEqualTo(expected.path(figure));
        }
        assertThat(run.path("records_extracted").asInt()).isEqualTo(43);
        assertThat(users(cut)).isEqualTo(Map.of("cut", 7L));
        assertThat(sums(cut)).isEqualTo(sums(whole));
        assertThat(watermark(cut)).isEqualTo("40");
        assertThat(folder.resolve("job-cut/scratch/fetched")).doesNotExist();
        // A third attempt changes nothing, and the next run reads what came meanwhile.
        attempt(limited(null), cut, "cut");
        assertThat(users(cut)).isEqualTo(Map.of("cut", 7L));
        assertThat(loaded(cut).path("records_extracted").asInt()).isEqualTo(2);
    }

    private String sums(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT string_agg(concat_ws(' ', user_id, orders, revenue_90d, monetary), ', ' ORDER BY user_id) FROM ml_features.user_features WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var row = query.executeQuery();
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void aRunThatItsGateStoppedIsResumedFromWhatWasFetched() throws Exception {
        var tenant = mesh.newTenant();
        var stopped = stopped(tenant, "resumed/orders.csv", HEADER + row(1) + row(2) + row(2));
        objects.deleteObject(o -> o.bucket("lake").key("resumed/orders.csv")).join();

        var accepted = json(post(tenant, "/api/v1/etl/runs/strict/resume", ""), 202);

        assertThat(accepted.path("job_id")).isNotEqualTo(stopped.path("job_id"));
        var run = ended(tenant);
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(run.path("job_id")).isEqualTo(accepted.path("job_id"));
        assertThat(run.path("records_extracted").asInt()).isEqualTo(3);
        assertThat(users(tenant)).isEqualTo(Map.of("strict", 2L));
        assertThat(
                        get(tenant, "/api/v1/jobs/" + stopped.path("job_id").asString(), 200)
                                .path("status")
                                .asString())
                .isEqualTo("failed");
        await().untilAsserted(() -> assertThat(fetchedFiles(tenant)).isEmpty());
        assertThat(json(post(tenant, "/api/v1/etl/runs/strict/resume", ""), 409).path("type"))
                .asString()
                .contains("run-ended");
        json(post(tenant, "/api/v1/etl/runs/nobody/resume", ""), 404);
    }

    @Test
    void aNewRunFetchesInThePlaceOfOneThatFailed() throws Exception {
        var tenant = mesh.newTenant();
        stopped(tenant, "newer/orders.csv", HEADER + row(1) + row(1));
        put("newer/orders.csv", HEADER + row(2));

        assertThat(loaded(tenant).path("records_extracted").asInt()).isOne();

        await().untilAsserted(() -> assertThat(fetchedFiles(tenant)).isEmpty());
        json(post(tenant, "/api/v1/etl/runs/strict/resume", ""), 202);
        assertThat(ended(tenant).path("records_extracted").asInt()).as("fetched anew").isOne();
    }

    @Test
    void anErasureDropsWhatAFailedRunFetchedAndItIsFetchedAnew() throws Exception {
        var tenant = mesh.newTenant();
        stopped(tenant, "erased/orders.csv", HEADER + row(1) + row(2) + row(2));

        mesh.erase(tenant, "u1", 1L);

        assertThat(fetchedFiles(tenant)).isEmpty();
        put("erased/orders.csv", HEADER + row(1) + row(2) + row(3) + row(3));
        json(post(tenant, "/api/v1/etl/runs/strict/resume", ""), 202);
        var run = ended(tenant);
        assertThat(run.path("records_extracted").asInt()).as(run.toString()).isEqualTo(4);
        assertThat(users(tenant)).as("not who was erased").isEqualTo(Map.of("strict", 2L));
    }

    @Test
    void anAttemptAfterAnErasureFetchesAnew() throws Exception {
        var tenant = mesh.newTenant();
        put("anew/orders.csv", HEADER + row(1) + row(2));
        name(tenant, s3("orders", "csv", "anew/", s3.getPort()), 201);
        submitted(tenant, "anew");
        loadTakesTooLong(tenant, "anew");
        put("anew/orders.csv", HEADER + row(2));
        mesh.erase(tenant, "u1", 1L);

        attempt(limited(null), tenant, "anew");

        assertThat(get(tenant, "/api/v1/etl/runs/anew", 200).path("records_extracted").asInt())
                .isOne();
    }

    @Test
    void aRunThatWasCancelledIsResumedAndAStreamingRunIsNot() throws Exception {
        var tenant = mesh.newTenant();
        put("cancelled/orders.csv", HEADER + row(1));
        name(tenant, s3("orders", "csv", "cancelled/", s3.getPort()), 201);
        submitted(tenant, "strict");
        sql(
                "INSERT INTO job (id, tenant_id, kind, payload, scheduled_at) VALUES ('etl_%1$s', '%1$s', 'etl_run', '{\"execution_id\": \"strict\"}', now() + interval '1 hour')"
                        .formatted(tenant),
                "UPDATE etl_run SET job_id = 'etl_%1$s' WHERE tenant_id = '%1$s'"
                        .formatted(tenant));
        var job = "/api/v1/jobs/etl_" + tenant;
        assertThat(
                        json(post(tenant, "/api/v1/etl/runs/strict/resume", ""), 202)
                                .path("job_id")
                                .asString())
                .as("one that waits goes on waiting")
                .isEqualTo("etl_" + tenant);
        client(tenant).delete().uri(job).exchange().expectStatus().is2xxSuccessful();
        assertThat(get(tenant, "/api/v1/etl/runs/strict", 200).path("status").asString())
                .isEqualTo("cancelled");

        json(post(tenant, "/api/v1/etl/runs/strict/resume", ""), 202);

        assertThat(ended(tenant).path("status").asString()).isEqualTo("completed");
        assertThat(users(tenant)).isEqualTo(Map.of("strict", 1L));

        var streaming =
                stream(
                        tenant,
                        "{\"mode\":\"streaming\",\"source\":\"orders\",\"execution_id\":\"s\"}");
        client(tenant)
                .delete()
                .uri("/api/v1/jobs/" + streaming)
                .exchange()
                .expectStatus()
                .is2xxSuccessful();
        assertThat(json(post(tenant, "/api/v1/etl/runs/s/resume", ""), 409).path("type"))
                .asString()
                .contains("streaming-run");
    }

    /** The run strict, which its gate stopped and now would not. */
    private JsonNode stopped(String tenant, String key, String text) throws Exception {
        put(key, text);
        name(tenant, s3("orders", "csv", key, s3.getPort()), 201);
        var run =
                run(
                        tenant,
                        "{\"mode\":\"batch\",\"source\":\"orders\",\"strict\":true,\"execution_id\":\"strict\"}");
        assertThat(run.path("error").asString()).contains("raw.primary_key_integrity");
        await().until(() ->
                get(tenant, "/api/v1/jobs/" + run.path("job_id").asString(), 200)
                        .path("status")
                        .asString()
                        .equals("failed"));
        assertThat(fetchedFiles(tenant)).isNotEmpty();
        client(tenant)
                .put()
                .uri("/api/v1/quality/thresholds")
                .header("Content-Type", "application/json")
                .bodyValue("{\"own\":{\"primary_key_integrity\":0.1}}")
                .exchange()
                .expectStatus()
                .isOk();
        return run;
    }

    private JsonNode ended(String tenant) {
        await().atMost(SOON)
                .until(() ->
                        List.of("completed", "failed", "cancelled")
                                .contains(
                                        get(tenant, "/api/v1/etl/runs/strict", 200)
                                                .path("status")
                                                .asString()));
        return get(tenant, "/api/v1/etl/runs/strict", 200);
    }

    /** Another load of the tenant is not over. */
    private void loadTakesTooLong(String tenant, String id) throws Exception {
        try (var other = mesh.jdbc();
                var statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended('etl.load ' || '%s', 0))"
                            .formatted(tenant));
            assertThatThrownBy(() -> attempt(limited(Step.LOAD), tenant, id))
                    .cause()
                    .isInstanceOf(StepLimit.ExceededException.class)
                    .hasMessageContaining("mirante.etl.steps.load");
            other.rollback();
        }
    }

    /** A run without a job: attempts of it are made here. */
    private void submitted(String tenant, String id) throws SQLException {
        sql(
                "INSERT INTO etl_run (tenant_id, execution_id, mode, source, strict, strategy) VALUES ('%s', '%s', 'batch', 'orders', false, 'merge')"
                        .formatted(tenant, id));
    }

    /** With a second for one step; null = with the usual limits. */
    private RunSource limited(@Nullable Step step) {
        var usual = settings.steps();
        var second = Duration.ofSeconds(1);
        var all =
                new EtlSettings(
                        settings.refresh(),
                        settings.blockedIds(),
                        settings.mergesPerHour(),
                        settings.maxSourceSize(),
                        settings.keepBackups(),
                        settings.sourceAllowedHosts(),
                        settings.sourceTimeout(),
                        settings.masterKeyFile(),
                        new EtlSettings.Steps(
                                step == Step.FETCH ? second : usual.fetch(),
                                usual.check(),
                                usual.features(),
                                usual.checkFeatures(),
                                step == Step.LOAD ? second : usual.load()),
                        settings.quality());
        return new RunSource(
                tenantDatabase,
                new SourceFetch(uploads, secrets, all),
                thresholds,
                all,
                tenants,
                asOf,
                figures);
    }

    private static void attempt(RunSource runs, String tenant, String id) throws Exception {
        attempt(runs, tenant, id, detail -> {});
    }

    /** An attempt, as the runner of jobs makes it. */
    private static void attempt(RunSource runs, String tenant, String id, Consumer<String> told)
            throws Exception {
        var task =
                new FutureTask<>(() ->
                        runs.run(
                                new JobContext(
                                        id,
                                        tenant,
                                        Json.mapper().createObjectNode().put("execution_id", id),
                                        folder.resolve("job-" + id),
                                        (progress, detail) -> told.accept(detail),
                                        () -> false)));
        Thread.ofVirtual().start(task);
        task.get();
    }

    private long counted(String from) throws SQLException {
        try (var connection = mesh.jdbc();
                var rows =
                        connection.createStatement().executeQuery("SELECT count(*) FROM " + from)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    // --- naming

    @Test
    void everyWrongFieldIsNamedWithItsRemedy() {
        var tenant = mesh.newTenant();
        refused(tenant, "{\"name\": \"../x\", \"kind\": \"ftp\"}", "/name", "/kind");
        refused(
                tenant,
                "{\"name\": \"x\", \"kind\": \"s3\", \"host\": \"x\"}",
                "/host",
                "/format",
                "/bucket",
                "/region",
                "/access_key",
                "/secret_key");
        refused(
                tenant,
                "{\"name\": \"x\", \"kind\": \"postgresql\", \"bucket\": \"x\", \"port\": 0, \"host\": \"a,b\", \"tls\": \"no\", \"table\": \"a.b.c\"}",
                "/bucket",
                "/host",
                "/port",
                "/database",
                "/table",
                "/tls",
                "/user",
                "/password");
        refused(
                tenant,
                s3("x", "csv", "", 1).replace("127.0.0.1:1", "127.0.0.1:1/path"),
                "/endpoint");
        refused(tenant, s3("x", "csv", "", 1).replace("http:", "file:"), "/endpoint");
        var unknown = name(tenant, s3("x", "csv", "", 1).replace("prefix", "folder"), 400);
        assertThat(unknown.toString()).contains("folder").doesNotContain(SECRET);
        assertThat(get(tenant, "/api/v1/etl/sources", 200).path("items")).isEmpty();
    }

    // --- streaming

    @Test
    void aStreamingRunLoadsWhatIsNewUntilItIsCancelled() throws Exception {
        var tenant = mesh.newTenant();
        var schema = database("t9");
        sql(
                "CREATE TABLE %s.o (transaction_id int, user_id text, amount numeric, transaction_type text, status text, created_at timestamptz)"
                        .formatted(schema),
                "INSERT INTO %s.o VALUES (1, 'ana', 5, 'purchase', '', now()), (2, 'ana', 6, 'purchase', '', now()), (3, 'bob', 7, 'purchase', '', now())"
                        .formatted(schema),
                "GRANT SELECT ON ALL TABLES IN SCHEMA %s TO source_reader".formatted(schema));
        name(
                tenant,
                postgres("orders", Map.of("table", schema + ".o", "watermark", "transaction_id")),
                201);
        assertThat(loaded(tenant).path("records_loaded").asInt()).isEqualTo(2);
        var job =
                stream(
                        tenant,
                        "{\"mode\":\"streaming\",\"source\":\"orders\",\"execution_id\":\"s\"}");
        var first = after(tenant, 1);
        assertThat(first.path("status").asString()).isEqualTo("running");
        assertThat(first.path("interval_seconds").asInt()).isEqualTo(60);
        assertThat(first.path("records_loaded").asInt()).isEqualTo(2);
        assertThat(orders(tenant, "ana")).isEqualTo(2);

        sql("INSERT INTO %s.o VALUES (4, 'ana', 8, 'purchase', '', now())".formatted(schema));
        hurry(job);
        var second = after(tenant, 2);
        assertThat(orders(tenant, "ana")).as("all of her rows, not only the new one").isEqualTo(3);
        assertThat(second.path("records_extracted").asInt()).isEqualTo(3 + 4);
        assertThat(second.path("data_quality_score").asDouble()).isPositive();
        hurry(job);
        assertThat(after(tenant, 2).path("records_extracted").asInt())
                .as("nothing new, nothing read")
                .isEqualTo(3 + 4);
        assertThat(watermark(tenant)).as("that of batch runs").isEqualTo("3");

        json(post(tenant, "/api/v1/etl/runs/s/rollback", ""), 409);
        json(post(tenant, "/api/v1/etl/runs/s.2/rollback", ""), 409);
        client(tenant)
                .delete()
                .uri("/api/v1/jobs/" + job)
                .exchange()
                .expectStatus()
                .is2xxSuccessful();
        assertThat(get(tenant, "/api/v1/etl/runs/s", 200).path("status").asString())
                .isEqualTo("cancelled");
        assertThat(orders(tenant, "ana")).as("what was loaded stays").isEqualTo(3);
        new RunClient(mesh, tenant).rolledBack("s.2");
        assertThat(orders(tenant, "ana")).isEqualTo(2);
    }

    @Test
    void aMicroBatchThatTheGateStoppedIsTriedThreeTimes() throws Exception {
        var tenant = mesh.newTenant();
        put("stream/a.csv", HEADER + row(1) + row(2));
        name(tenant, s3("orders", "csv", "stream/", s3.getPort()), 201);
        var job =
                stream(
                        tenant,
                        "{\"mode\":\"streaming\",\"source\":\"orders\",\"execution_id\":\"s\",\"interval_seconds\":3600,\"strict\":true}");
        long users = after(tenant, 1).path("records_loaded").asLong();
        assertThat(users).isPositive();
        put("stream/b.csv", HEADER + row(3));
        hurry(job);
        assertThat(after(tenant, 2).path("records_extracted").asInt()).isEqualTo(2 + 3);

        put("stream/c.csv", HEADER + row(1));
        for (int failed = 1; failed <= 2; failed++) {
            hurry(job);
            var run = after(tenant, 2 + failed);
            assertThat(run.path("status").asString()).isEqualTo("running");
            assertThat(run.path("gate").asString()).isEqualTo("fail");
        }
        hurry(job);
        await().atMost(SOON)
                .until(() ->
                        get(tenant, "/api/v1/etl/runs/s", 200)
                                .path("status")
                                .asString()
                                .equals("failed"));
        var run = get(tenant, "/api/v1/etl/runs/s", 200);
        assertThat(run.path("error").asString()).contains("3 tries in a row");
        assertThat(get(tenant, "/api/v1/etl/runs/s/report", 200).path("raw").isObject()).isTrue();
        assertThat(get(tenant, "/api/v1/etl/runs/s.5", 200).path("records_loaded").isNull())
                .isTrue();
    }

    @Test
    void aSourceThatCannotSayWhatIsNewIsNotStreamed() throws Exception {
        var tenant = mesh.newTenant();
        var schema = database("t10");
        sql("CREATE TABLE %s.a (id int)".formatted(schema));
        name(tenant, postgres("orders", Map.of("table", schema + ".a")), 201);
        new RunClient(mesh, tenant).upload("file", "a.csv", "id\n1\n", null);
        Map.of(
                        "\"source\":\"orders\"", "watermark",
                        "\"source\":\"file\"", "mode batch",
                        "\"source\":\"events\",\"interval_seconds\":9", "10 to 3600",
                        "\"source\":\"events\",\"load\":{\"strategy\":\"replace\"}", "merges",
                        "\"source\":\"events\",\"reference_time\":\"2026-01-01T00:00:00Z\"",
                                "moment")
                .forEach((rest, said) ->
                        assertThat(
                                        json(
                                                        post(
                                                                tenant,
                                                                "/api/v1/etl/runs",
                                                                "{\"mode\":\"streaming\",%s}"
                                                                        .formatted(rest)),
                                                        400)
                                                .toString())
                                .contains(said));
    }

    private String stream(String tenant, String body) {
        return json(post(tenant, "/api/v1/etl/runs", body), 202).path("job_id").asString();
    }

    /** The streaming run s once so many micro-batches are over and it waits for more. */
    private JsonNode after(String tenant, int microBatches) {
        await().atMost(SOON)
                .until(() ->
                        get(tenant, "/api/v1/etl/runs/s", 200).path("micro_batches").asInt()
                                        == microBatches
                                && waits(tenant));
        return get(tenant, "/api/v1/etl/runs/s", 200);
    }

    private boolean waits(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT 1 FROM job WHERE tenant_id = ? AND status = 'pending' AND scheduled_at > now() AND attempts = 0")) {
            query.setString(1, tenant);
            return query.executeQuery().next();
        }
    }

    /** Its time has come. */
    private void hurry(String job) throws SQLException {
        try (var connection = mesh.jdbc();
                var update =
                        connection.prepareStatement(
                                "UPDATE job SET scheduled_at = now() WHERE id = ?")) {
            update.setString(1, job);
            assertThat(update.executeUpdate()).isOne();
        }
    }

    private int orders(String tenant, String user) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT orders FROM ml_features.user_features WHERE tenant_id = ? AND user_id = ?")) {
            query.setString(1, tenant);
            query.setString(2, user);
            var row = query.executeQuery();
            assertThat(row.next()).isTrue();
            return row.getInt(1);
        }
    }

    private void refused(String tenant, String body, String... pointers) {
        var problem = name(tenant, body, 400);
        assertThat(problem.path("errors"))
                .extracting(error -> error.path("pointer").asString())
                .containsExactlyInAnyOrder(pointers);
    }

    // --- parts

    private String s3(String name, String format, String prefix, int port) {
        return Json.mapper()
                .writeValueAsString(
                        Map.of(
                                "name", name,
                                "kind", "s3",
                                "format", format,
                                "bucket", "lake",
                                "prefix", prefix,
                                "endpoint", "http://127.0.0.1:" + port,
                                "access_key", KEY,
                                "secret_key", SECRET));
    }

    private String postgres(String name, Map<String, Object> more) throws SQLException {
        try (var connection = mesh.jdbc()) {
            var url = URI.create(connection.getMetaData().getURL().substring("jdbc:".length()));
            var body = new HashMap<String, Object>(more);
            body.putAll(
                    Map.of(
                            "name",
                            name,
                            "kind",
                            "postgresql",
                            "host",
                            "127.0.0.1",
                            "port",
                            url.getPort(),
                            "database",
                            url.getPath().substring(1),
                            "user",
                            "source_reader",
                            "password",
                            PASSWORD,
                            "tls",
                            "disable"));
            return Json.mapper().writeValueAsString(body);
        }
    }

    /** An empty schema that the reader sees. */
    private String database(String name) throws SQLException {
        var schema = "source_" + name;
        sql(
                "DO $$ BEGIN CREATE ROLE source_reader LOGIN PASSWORD '%s'; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
                        .formatted(PASSWORD),
                "DROP SCHEMA IF EXISTS %s CASCADE".formatted(schema),
                "CREATE SCHEMA " + schema,
                "GRANT USAGE ON SCHEMA %s TO source_reader".formatted(schema));
        return schema;
    }

    private void sql(String... statements) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** The table of sources as it lies in the database. */
    private String stored() throws SQLException {
        try (var connection = mesh.jdbc();
                var rows =
                        connection
                                .createStatement()
                                .executeQuery(
                                        "SELECT string_agg(etl_source::text, ' ') FROM etl_source")) {
            rows.next();
            return rows.getString(1);
        }
    }

    private List<Path> fetchedFiles(String tenant) throws IOException, SQLException {
        var fetched = new ArrayList<Path>();
        try (var connection = mesh.jdbc();
                var query = connection.prepareStatement("SELECT id FROM job WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var job = query.executeQuery();
            while (job.next()) {
                var folder = files.resolve("jobs").resolve(job.getString(1));
                if (Files.isDirectory(folder)) {
                    try (var all = Files.walk(folder)) {
                        all.filter(path -> path.toString().contains("fetched"))
                                .forEach(fetched::add);
                    }
                }
            }
        }
        return fetched;
    }

    private static String row(int i) {
        return "t%d,u%d,10.50,deposit,completed,2026-11-20T10:00:00Z\n".formatted(i, i);
    }

    private static void put(String key, String text) {
        put(key, bytes(text));
    }

    private static void put(String key, byte[] bytes) {
        objects.putObject(b -> b.bucket("lake").key(key), AsyncRequestBody.fromBytes(bytes)).join();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] gzip(String text) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(bytes)) {
            out.write(bytes(text));
        }
        return bytes.toByteArray();
    }

    private static byte[] parquet() throws Exception {
        var file = folder.resolve("two.parquet");
        try (var connection = DriverManager.getConnection("jdbc:duckdb:");
                var statement = connection.createStatement()) {
            statement.execute(
                    "COPY (SELECT unnest([1, 2]) AS n) TO '%s' (FORMAT parquet)".formatted(file));
        }
        return Files.readAllBytes(file);
    }

    private String watermark(String tenant) {
        return get(tenant, "/api/v1/etl/sources", 200)
                .path("items")
                .path(0)
                .path("watermark_value")
                .asString();
    }

    private JsonNode name(String tenant, String body, int status) {
        return json(post(tenant, "/api/v1/etl/sources", body), status);
    }

    private WebTestClient.ResponseSpec post(String tenant, String path, String body) {
        return client(tenant)
                .post()
                .uri(path)
                .header("Content-Type", "application/json")
                .bodyValue(body)
                .exchange();
    }

    private JsonNode loaded(String tenant) {
        return run(tenant, "{\"mode\":\"batch\",\"source\":\"orders\"}");
    }

    private JsonNode finished(String tenant, String source) {
        return run(
                tenant,
                "{\"mode\":\"validate_only\",\"source\":\"%s\",\"reference_time\":\"2026-11-20T12:00:00Z\"}"
                        .formatted(source));
    }

    private JsonNode run(String tenant, String body) {
        var accepted = json(post(tenant, "/api/v1/etl/runs", body), 202);
        var path = "/api/v1/etl/runs/" + accepted.path("execution_id").asString();
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
