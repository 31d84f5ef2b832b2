package io.mirante.snapshot.export;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.eventually;
import static io.mirante.snapshot.Asking.get;
import static io.mirante.snapshot.Asking.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.CleanLog;
import io.mirante.snapshot.lake.LakeProbe;
import io.mirante.snapshot.lake.LakeReader;
import io.mirante.snapshot.lake.LakeRow;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;
import org.springframework.http.MediaType;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import tools.jackson.databind.JsonNode;

@MeshTest
class ExportIT {

    private static final String PATH = "/api/v1/export";

    /** Answers of other services, by path and query. */
    private static final Map<String, String> OTHERS = new HashMap<>();

    private static final DisposableServer SERVER =
            HttpServer.create()
                    .host("127.0.0.1")
                    .port(0)
                    .handle((request, response) -> {
                        var answer = OTHERS.get(request.uri());
                        return answer == null
                                ? response.status(500).send()
                                : response.header("content-type", "application/json")
                                        .sendString(Mono.just(answer));
                    })
                    .bindNow();

    @TempDir private Path folder;
    @Autowired private Mesh mesh;
    @Autowired private ApplicationContext context;
    @Autowired private LakeReader lake;
    private CleanLog log;
    private String tenant;
    private WebTestClient client;

    @DynamicPropertySource
    static void others(DynamicPropertyRegistry registry) {
        for (var url :
                List.of(
                        "mirante.rebuild.etl-url",
                        "mirante.snapshot.segmentation-url",
                        "mirante.snapshot.churn-url",
                        "mirante.snapshot.alert-url")) {
            registry.add(url, () -> "http://127.0.0.1:" + SERVER.port());
        }
    }

    @BeforeEach
    void open() {
        log = new CleanLog(mesh);
        tenant = mesh.newTenant();
        client = mesh.client(tenant);
        OTHERS.clear();
    }

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void eventsAreInEveryFormatOnceWhereverTheyLie() throws Exception {
        var probe = new LakeProbe(mesh, context);
        var all = new ArrayList<CleanEvent>();
        for (int part = 0; part < 3; part++) {
            var events = events(part);
            log.send(events);
            all.addAll(events);
            counted(log, client);
            if (part == 1) {
                probe.keep(tenant);
                assertThat(probe.waiting(tenant)).isZero();
            }
            assertEvents(all, "{}");
        }
        probe.keep(tenant);
        assertEvents(all, "{}");
        assertEvents(
                all.stream().filter(e -> e.eventType().equals("search")).toList(),
                "{\"event_types\":[\"search\"]}");
        assertEvents(
                all.stream()
                        .filter(e ->
                                List.of("user-1", "user-3").contains(String.valueOf(e.userId())))
                        .toList(),
                "{\"user_ids\":[\"user-1\",\"user-3\",\"nobody\"]}");
        assertEvents(List.of(), "{\"user_ids\":[\"nobody\"]}");
        assertEvents(
                all.stream()
                        .filter(e ->
                                !e.occurredAt().isBefore(Instant.parse("2026-11-02T05:00:00Z")))
                        .filter(e -> e.occurredAt().isBefore(Instant.parse("2026-11-03T05:00:00Z")))
                        .toList(),
                "{\"start_time\":\"2026-11-02T05:00:00Z\",\"end_time\":\"2026-11-03T05:00:00Z\"}");
        // What cannot be read in files is read in PostgreSQL.
        for (var file : probe.paths(tenant)) {
            Files.delete(file);
        }
        assertEvents(all, "{}");
        // Nobody else's.
        var stranger = mesh.client(mesh.newTenant());
        assertThat(rows("ndjson", bytes(stranger, "ndjson", "events", "{}"))).isEmpty();
    }

    @Test
    void parquetHasRealTypes() throws Exception {
        log.send(
                CleanLog.event(
                        tenant,
                        "p1",
                        "purchase",
                        1,
                        "2026-11-02T10:00:00.123456Z",
                        "{\"amount\":\"35.14\",\"currency\":\"USD\"}"));
        counted(log, client);
        var file = folder.resolve("events.parquet");
        Files.write(file, bytes(client, "parquet", "events", "{}"));
        var snapshots = folder.resolve("snapshots.parquet");
        Files.write(snapshots, bytes(client, "parquet", "snapshots", "{}"));
        try (var duckdb = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duckdb.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'");
            var row =
                    statement.executeQuery(
                            """
                            SELECT typeof(timestamp), timestamp, typeof(person_no), typeof(data), data ->> '$.amount'
                            FROM '%s'\
                            """
                                    .formatted(file));
            assertThat(row.next()).isTrue();
            assertThat(row.getString(1)).isEqualTo("TIMESTAMP WITH TIME ZONE");
            assertThat(row.getObject(2, OffsetDateTime.class).toInstant())
                    .isEqualTo("2026-11-02T10:00:00.123456Z");
            assertThat(row.getString(3)).isEqualTo("BIGINT");
            assertThat(row.getString(4)).isEqualTo("JSON");
            assertThat(row.getString(5)).isEqualTo("35.14");
            row =
                    statement.executeQuery(
                            """
                            SELECT typeof(metrics), metrics['revenue'], typeof(dimensions), typeof("start"), "start"
                            FROM '%s' WHERE scope = 'commerce' AND granularity = 'daily' AND metrics['revenue'] IS NOT NULL LIMIT 1\
                            """
                                    .formatted(snapshots));
            assertThat(row.next()).isTrue();
            assertThat(row.getString(1)).isEqualTo("MAP(VARCHAR, DECIMAL(38,9))");
            assertThat(row.getBigDecimal(2)).isEqualByComparingTo(new BigDecimal("35.14"));
            assertThat(row.getString(3)).isEqualTo("MAP(VARCHAR, VARCHAR)");
            assertThat(row.getString(4)).isEqualTo("TIMESTAMP WITH TIME ZONE");
            assertThat(row.getObject(5, OffsetDateTime.class).toInstant())
                    .isEqualTo("2026-11-02T00:00:00Z");
        }
    }

    @Test
    void spreadsheetsAreGivenNoFormulas() {
        log.send(
                List.of(
                        named("=1+1", "{\"url\":\"/a,\\\"b\\\"\"}"),
                        named("@x", "{\"url\":\"/line\\nbreak\"}"),
                        named("-x", "{}"),
                        named("x-", "{}")));
        counted(log, client);
        var text = new String(bytes(client, "csv", "events", "{}"), StandardCharsets.UTF_8);
        assertThat(text).contains("'=1+1").contains("'@x").contains("'-x").doesNotContain("'x-");
        assertThat(
                        rows("csv", text.getBytes(StandardCharsets.UTF_8)).stream()
                                .map(row -> Json.mapper().readTree(row.get("data").asString()))
                                .map(data -> data.path("url").asString(""))
                                .distinct()
                                .sorted()
                                .toList())
                .containsExactly("", "/a,\"b\"", "/line\nbreak");
        assertThat(rows("ndjson", bytes(client, "ndjson", "events", "{}")).toString())
                .contains("\"=1+1\"");
    }

    @Test
    void whatChangesMeanwhileIsReadAgain() throws Exception {
        log.send(events(0));
        counted(log, client);
        var probe = new LakeProbe(mesh, context);
        probe.keep(tenant);
        var counts = new ArrayList<String>();
        lake.copy(
                tenant,
                new LakeReader.Selection(TimeRange.ofBody(null, null), List.of(), null),
                new LakeReader.Copy() {
                    @Override
                    public void begin() {
                        counts.add("begin");
                    }

                    @Override
                    public void add(LakeRow row) {
                        counts.add("row");
                    }

                    @Override
                    public void finish(@Nullable String files) {
                        counts.add(files == null ? "no files" : "files");
                        if (counts.equals(List.of("begin", "files"))) {
                            probe.sendBack(tenant);
                        }
                    }
                });
        // First from files, which then are none of the lake's any more; then every row.
        assertThat(counts.subList(0, 3)).containsExactly("begin", "files", "begin");
        assertThat(counts.stream().filter("row"::equals)).hasSize(events(0).size());
        assertThat(counts.getLast()).isEqualTo("no files");
    }

    @Test
    void aJobMakesAFileToDownload() {
        log.send(events(0));
        counted(log, client);
        var job =
                post(client, 202, PATH, "{\"format\":\"csv\",\"async\":true}")
                        .path("job_id")
                        .stringValue();
        eventually(() ->
                assertThat(get(client, "/api/v1/jobs/" + job).path("status").stringValue())
                        .isEqualTo("completed"));
        var result = get(client, "/api/v1/jobs/" + job).path("result");
        assertThat(result.path("rows").asInt()).isEqualTo(events(0).size());
        assertThat(result.path("files").toString()).isEqualTo("[\"events.csv\"]");
        var file =
                client.get()
                        .uri("/api/v1/jobs/" + job + "/files/events.csv")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody()
                        .returnResult()
                        .getResponseBody();
        assertThat(sorted(rows("csv", file)))
                .isEqualTo(sorted(rows("csv", bytes(client, "csv", "events", "{}"))));
        assertThat(result.path("bytes").asInt()).isEqualTo(file.length);
    }

    @Test
    void otherServicesListsAreReadPageByPage() {
        OTHERS.put(
                "/api/v1/predictions?limit=500",
                """
                {"items": [{"prediction_id": "a", "customer_id": "ana", "probability": 0.25, "reasons": [{"feature": "f"}],
                    "created_at": "2026-11-02T10:00:00Z"}], "next_cursor": "n+1"}\
                """);
        OTHERS.put(
                "/api/v1/predictions?limit=500&cursor=n%2B1",
                """
                {"items": [{"prediction_id": "b", "customer_id": null, "probability": 1, "created_at": "2026-11-03T10:00:00Z"}],
                    "next_cursor": null}\
                """);
        assertThat(rows("json", bytes(client, "json", "predictions", "{}")))
                .extracting(row -> row.get("prediction_id").stringValue())
                .containsExactly("a", "b");
        assertThat(
                        rows(
                                "ndjson",
                                bytes(
                                        client,
                                        "ndjson",
                                        "predictions",
                                        "{\"start_time\":\"2026-11-03T00:00:00Z\"}")))
                .singleElement()
                .satisfies(row -> {
                    assertThat(row.get("prediction_id").stringValue()).isEqualTo("b");
                    assertThat(row.get("created_at").stringValue())
                            .isEqualTo("2026-11-03T10:00:00.000000Z");
                });
        OTHERS.put(
                "/api/v1/segments?limit=500",
                """
                {"items": [{"id": "rfm_champions", "kind": "rfm", "name": "champions"},
                    {"id": "cluster_0", "kind": "cluster", "name": "big spenders", "model_id": "m"}]}\
                """);
        OTHERS.put(
                "/api/v1/segments/cluster_0/users?limit=500",
                "{\"items\": [{\"user_id\": \"ana\"}, {\"user_id\": \"bea\"}], \"next_cursor\": null}");
        assertThat(
                        new String(
                                bytes(client, "csv", "clusters", "{\"user_ids\":[\"bea\"]}"),
                                StandardCharsets.UTF_8))
                .isEqualTo("user_id,cluster,label,model_id\nbea,cluster_0,big spenders,m\n");
        OTHERS.put(
                "/api/v1/features/catalog?limit=500",
                "{\"features\": [{\"name\": \"orders\", \"type\": \"number\"}, {\"name\": \"rfm_segment\", \"type\": \"category\"}]}");
        OTHERS.put(
                "/api/v1/features?limit=500",
                """
                {"items": [{"user_id": "ana", "as_of": "2026-11-02T10:00:00Z", "version": 3, "population": null,
                    "features": {"orders": 2.0, "rfm_segment": "loyal"}}], "next_cursor": null}\
                """);
        assertThat(new String(bytes(client, "csv", "features", "{}"), StandardCharsets.UTF_8))
                .isEqualTo(
                        """
                        user_id,as_of,version,population,orders,rfm_segment
                        ana,2026-11-02T10:00:00.000000Z,3,,2.0,loyal
                        """);
        OTHERS.put("/api/v1/alerts?limit=500", "{\"items\": [], \"next_cursor\": null}");
        assertThat(
                        new String(bytes(client, "json", "alerts", "{}"), StandardCharsets.UTF_8)
                                .strip())
                .isEqualTo("[]");
        OTHERS.clear();
        var problem = post(client, 503, PATH, "{\"format\":\"csv\",\"dataset\":\"alerts\"}");
        assertThat(problem.path("detail").stringValue()).contains("alert-service");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                                                                  | /format",
                "{\"format\":\"xlsx\"}                                                               | /format",
                "{\"format\":\"csv\",\"dataset\":\"orders\"}                                         | /dataset",
                "{\"format\":\"csv\",\"dataset\":\"features\",\"filters\":{\"event_types\":[\"x\"]}} | /filters/event_types",
                "{\"format\":\"csv\",\"dataset\":\"alerts\",\"filters\":{\"user_ids\":[\"x\"]}}      | /filters/user_ids",
                "{\"format\":\"csv\",\"dataset\":\"clusters\",\"filters\":{\"end_time\":\"2026-11-03T05:00:00Z\"}} | /filters/start_time",
                "{\"format\":\"csv\",\"filters\":{\"user_ids\":[\"\"]}}                              | /filters/user_ids/0",
                "{\"format\":\"csv\",\"filters\":{\"users\":[\"a\"]}}                                | /filters/users",
                "{\"format\":\"csv\",\"filters\":{\"start_time\":\"2026-11-03T05:00:00Z\",\"end_time\":\"2026-11-03T05:00:00Z\"}} | /end_time"
            })
    void badRequestsNameTheField(String body, String pointer) {
        assertThat(
                        post(client, 400, PATH, body)
                                .path("errors")
                                .path(0)
                                .path("pointer")
                                .stringValue())
                .isEqualTo(pointer);
    }

    private void assertEvents(List<CleanEvent> events, String filters) throws Exception {
        var expected =
                sorted(
                        events.stream()
                                .map(e ->
                                        Map.of(
                                                "event_id",
                                                e.eventId(),
                                                "event_type",
                                                e.eventType(),
                                                "timestamp",
                                                e.occurredAt().toString(),
                                                "user_id",
                                                String.valueOf(e.userId()),
                                                "data",
                                                e.data().toString()))
                                .map(row -> new TreeMap<String, String>(row).toString())
                                .toList());
        for (var format : List.of("csv", "json", "ndjson", "parquet")) {
            var found =
                    rows(format, bytes(client, format, "events", filters)).stream()
                            .map(ExportIT::known)
                            .toList();
            assertThat(sorted(found)).as(format + " " + filters).isEqualTo(expected);
        }
    }

    private static String known(Map<String, JsonNode> row) {
        var data = row.get("data");
        var text =
                data.isString()
                        ? Json.mapper().readTree(data.stringValue()).toString()
                        : data.toString();
        return new TreeMap<>(
                        Map.of(
                                "event_id",
                                row.get("event_id").asString(),
                                "event_type",
                                row.get("event_type").asString(),
                                "timestamp",
                                Instant.parse(row.get("timestamp").asString()).toString(),
                                "user_id",
                                row.get("user_id").asString(),
                                "data",
                                text))
                .toString();
    }

    private static <T> List<String> sorted(List<T> rows) {
        return rows.stream().map(String::valueOf).sorted().toList();
    }

    private static byte[] bytes(
            WebTestClient client, String format, String dataset, String filters) {
        var answer =
                client.mutate()
                        .responseTimeout(Duration.ofMinutes(1))
                        .codecs(c -> c.defaultCodecs().maxInMemorySize(1 << 24))
                        .build()
                        .post()
                        .uri(PATH)
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(
                                "{\"format\":\"%s\",\"dataset\":\"%s\",\"filters\":%s}"
                                        .formatted(format, dataset, filters))
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectHeader()
                        .exists("x-as-of")
                        .expectHeader()
                        .value(
                                "content-disposition",
                                value -> assertThat(value).contains(dataset + "." + format))
                        .expectBody()
                        .returnResult()
                        .getResponseBody();
        return answer == null ? new byte[0] : answer;
    }

    /** As another program reads it. */
    private List<Map<String, JsonNode>> rows(String format, byte[] bytes) {
        try {
            var file = Files.createTempFile(folder, "export", "." + format);
            Files.write(file, bytes);
            if (format.equals("json") || format.equals("ndjson")) {
                var rows = new ArrayList<Map<String, JsonNode>>();
                var nodes =
                        format.equals("json")
                                ? Json.mapper().readTree(bytes).values().stream().toList()
                                : Files.readAllLines(file).stream()
                                        .map(Json.mapper()::readTree)
                                        .toList();
                nodes.forEach(node -> {
                    var row = new TreeMap<String, JsonNode>();
                    node.forEachEntry(row::put);
                    rows.add(row);
                });
                return rows;
            }
            return read(
                    format.equals("csv")
                            ? "read_csv('%s', all_varchar = true, header = true)".formatted(file)
                            : "'" + file + "'");
        } catch (Exception e) {
            throw new IllegalStateException(new String(bytes, StandardCharsets.UTF_8), e);
        }
    }

    private static List<Map<String, JsonNode>> read(String source) throws Exception {
        try (var duckdb = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duckdb.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'");
            var found =
                    statement.executeQuery(
                            "SELECT event_id, event_type, %s AS timestamp, user_id, data::VARCHAR AS data FROM %s"
                                    .formatted(
                                            source.startsWith("'")
                                                    ? "strftime(make_timestamp(epoch_us(timestamp)), '%Y-%m-%dT%H:%M:%S.%fZ')"
                                                    : "timestamp",
                                            source));
            var rows = new ArrayList<Map<String, JsonNode>>();
            while (found.next()) {
                var row = new TreeMap<String, JsonNode>();
                for (var name : List.of("event_id", "event_type", "timestamp", "user_id", "data")) {
                    row.put(name, Json.mapper().valueToTree(String.valueOf(found.getString(name))));
                }
                rows.add(row);
            }
            return rows;
        }
    }

    private List<CleanEvent> events(int part) {
        var events = new ArrayList<CleanEvent>();
        for (int i = 0; i < 60; i++) {
            events.add(
                    CleanLog.event(
                            tenant,
                            "e" + part + "-" + i,
                            i % 3 == 0 ? "search" : "page_view",
                            1 + i % 5,
                            "2026-11-0%dT0%d:00:00.%06dZ".formatted(1 + i % 4, i % 10, i),
                            "{\"query\":\"é, \\\"%d\\\"\",\"nested\":{\"n\":[1,2.50]}}"
                                    .formatted(i)));
        }
        return events;
    }

    private CleanEvent named(String id, String data) {
        return CleanLog.event(tenant, id, "page_view", 1, "2026-11-02T10:00:00Z", data);
    }
}
