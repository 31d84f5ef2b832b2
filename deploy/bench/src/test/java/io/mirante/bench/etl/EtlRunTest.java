package io.mirante.bench.etl;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.mirante.bench.demo.LocalMesh;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code etl run} against a gateway that says what each test wants. */
class EtlRunTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String QUEUED = "{'status': 'pending', 'progress': 0}";
    private static final String HALF =
            "{'status': 'running', 'progress': 0.5, 'detail': 'checking\\tfeatures'}";
    private static final String COMPLETED = "{'status': 'completed', 'progress': 1}";

    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<JsonNode> bodies = new CopyOnWriteArrayList<>();
    private final Deque<String> jobs = new ArrayDeque<>();
    private int startStatus = 202;
    private String start = "{'job_id': 'etl_7', 'execution_id': 'first'}";
    private String run = "{}";
    private HttpServer server;

    private record Ended(int code, String output) {}

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::reply);
        server.start();
    }

    @AfterEach
    void close() {
        server.stop(0);
    }

    @Test
    void aRunIsFollowedFromTheQueueToItsFigures() {
        jobs.addAll(List.of(QUEUED, HALF, HALF, COMPLETED));
        run =
                """
                {'status': 'completed', 'records_extracted': 12345, 'records_cleaned': 12000, 'records_transformed': 300,
                 'records_loaded': 299, 'records_refused': 1, 'data_quality_score': 0.91234, 'grade': 'A', 'gate': 'pass',
                 'stopped_by': [], 'duration_seconds': 2.34}\
                """;

        Ended ended =
                etl(
                        "--mode batch --source orders --strategy append --strict --execution-id first"
                                + " --reference-time 2026-11-20T12:00:00Z");

        assertThat(ended.output().lines())
                .containsExactly(
                        "run first, job etl_7",
                        "  0 %  pending",
                        " 50 %  running, checking features",
                        "100 %  completed",
                        "  status       completed",
                        "  extracted    12,345",
                        "  cleaned      12,000",
                        "  transformed  300",
                        "  loaded       299",
                        "  refused      1",
                        "  score        0.9123",
                        "  grade        A",
                        "  gate         pass",
                        "  duration     2.3 s");
        assertThat(ended.code()).isZero();
        assertThat(bodies)
                .containsExactly(
                        json(
                                """
                                {'mode': 'batch', 'source': 'orders', 'strict': true, 'execution_id': 'first',
                                 'load': {'strategy': 'append'}, 'reference_time': '2026-11-20T12:00:00Z'}\
                                """));
        assertThat(requests).contains("POST /api/v1/etl/runs first-key");
    }

    @Test
    void aFailedRunEndsWithOneAndSaysWhy() {
        jobs.addAll(
                List.of(
                        HALF,
                        "{'status': 'failed', 'progress': 0.5, 'error': {'detail': 'line 7 is no CSV'}}"));
        run = "{'status': 'failed', 'gate': null, 'stopped_by': [], 'error': 'the run broke'}";
        Ended ended = etl("--mode batch --source orders");
        assertThat(ended.output())
                .contains(" 50 %  failed\n")
                .contains("  extracted    -\n", "  gate         -\n", "  duration     -\n")
                .endsWith("  error        line 7 is no CSV\n");
        assertThat(ended.code()).isEqualTo(1);
    }

    @Test
    void aRunWhoseGateFailedEndsWithOneAlthoughItCompleted() {
        jobs.add(COMPLETED);
        run = "{'status': 'completed', 'gate': 'fail', 'stopped_by': ['raw.completeness', 'x.y']}";
        Ended ended = etl("--mode validate_only --source orders --strict");
        assertThat(ended.output()).contains("  gate         fail: raw.completeness, x.y\n");
        assertThat(ended.code()).isEqualTo(1);
    }

    @Test
    void aCancelledRunEndsWithOne() {
        jobs.add("{'status': 'cancelled', 'progress': 0.2}");
        run = "{'status': 'cancelled', 'error': 'cancelled'}";
        assertThat(etl("--mode batch --source events").code()).isEqualTo(1);
    }

    @Test
    void aRefusalIsPrintedWithItsPointersAndRemedies() {
        startStatus = 400;
        start =
                """
                {'status': 400, 'title': 'Bad Request', 'detail': 'two things are wrong', 'errors': [
                 {'pointer': '/source', 'code': 'unknown', 'message': 'upload it first'},
                 {'pointer': '/load', 'code': 'invalid', 'message': 'leave load out'}]}\
                """;
        Ended ended = etl("--mode batch --source nothing");
        assertThat(ended.output())
                .isEqualTo(
                        """
                        mesh etl: the mesh refused the run: 400 two things are wrong
                          /source: upload it first
                          /load: leave load out
                        """);
        assertThat(ended.code()).isEqualTo(2);
    }

    @Test
    void noMeshIsThree() throws IOException {
        String port;
        try (var free = new ServerSocket(0)) {
            port = Integer.toString(free.getLocalPort());
        }
        Ended ended = etl("--mode batch --source events --url http://127.0.0.1:" + port);
        assertThat(ended.output())
                .isEqualTo(
                        "mesh etl: no mesh answers at http://127.0.0.1:%s; ./mesh up starts it\n"
                                .formatted(port));
        assertThat(ended.code()).isEqualTo(3);
    }

    /** The request is sent again when its answer is lost: that must be the same run. */
    @Test
    void eachRunHasAnIdOfItsOwn() {
        startStatus = 422;
        etl("--mode batch --source events");
        etl("--mode batch --source events");
        assertThat(bodies).hasSize(2);
        String first = bodies.getFirst().path("execution_id").asString("");
        assertThat(first)
                .hasSize(36)
                .isNotEqualTo(bodies.getLast().path("execution_id").asString());
    }

    @Test
    void aStreamingRunIsFollowedUntilItIsCancelled() {
        jobs.addAll(
                List.of(
                        "{'status': 'pending', 'progress': 0, 'detail': '3 micro-batches, 12 rows, 4 users; waiting'}",
                        "{'status': 'cancelled', 'progress': 0}"));
        run = "{'status': 'cancelled', 'records_loaded': 4}";
        Ended ended = etl("--mode streaming --source orders --interval 30 --execution-id s");
        assertThat(ended.output())
                .contains(
                        "pending, 3 micro-batches, 12 rows, 4 users; waiting\n",
                        "  loaded       4\n");
        assertThat(ended.code()).isEqualTo(1);
        assertThat(bodies)
                .containsExactly(
                        json(
                                "{'mode': 'streaming', 'source': 'orders', 'strict': false, 'execution_id': 's', 'interval_seconds': 30}"));
    }

    @Test
    void aRunIsResumedAndFollowed() {
        jobs.addAll(List.of(HALF, COMPLETED));
        run = "{'status': 'completed', 'records_loaded': 4, 'gate': 'pass'}";
        Ended ended = etl("--resume first");
        assertThat(ended.output())
                .startsWith("run first, job etl_7\n")
                .contains("  loaded       4\n");
        assertThat(ended.code()).isZero();
        assertThat(requests)
                .contains("POST /api/v1/etl/runs/first/resume first-key")
                .doesNotContain("POST /api/v1/etl/runs first-key");
    }

    @Test
    void aTerminalHasABarThatIsDrawnInPlace() {
        jobs.addAll(List.of(HALF, COMPLETED));
        Ended ended = etl("--mode batch --source events --execution-id first", true);
        assertThat(ended.output())
                .startsWith(
                        "run first, job etl_7\n"
                                + "\r\u001b[K["
                                + "#".repeat(15)
                                + ".".repeat(15)
                                + "]  50 %  running  checking features"
                                + "\r\u001b[K["
                                + "#".repeat(30)
                                + "] 100 %  completed  \n"
                                + "  status ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    --mode stream --source a                        | --mode must be batch, streaming or validate_only, not stream
                    --mode batch --source a --interval 60           | --interval is for --mode streaming, the one that goes on
                    --mode streaming --source a --interval soon     | --interval must be a number of seconds, not soon
                    --source a                                      | --mode is missing
                    --mode batch                                    | --source is missing
                    --mode batch --source                           | --source needs a value
                    --mode batch --source --strict                  | --source needs a value
                    --mode batch --source a --strategy upsert       | --strategy must be merge, replace or append, not upsert
                    --mode validate_only --source a --strategy merge | --strategy is for --mode batch; a streaming run merges
                    --mode batch --source a --reference-time today  | --reference-time must be like 2026-11-20T12:00:00Z, not today
                    --mode batch --source a --execution-id a/b      | --execution-id must have 1 to 200 letters, digits, dots, colons, dashes, plus signs or underscores, not a/b
                    --mode batch --source a --url localhost:3000    | --url must be like http://127.0.0.1:3000, not localhost:3000
                    --mode batch --source a --fast                  | unknown option --fast
                    --resume                                        | --resume needs a value
                    --resume a/b                                    | --resume must have 1 to 200 letters, digits, dots, colons, dashes, plus signs or underscores, not a/b
                    --resume a --source b                           | --resume goes with --url and --key alone: the run is as it was begun
                    --resume a --strict                             | --resume goes with --url and --key alone: the run is as it was begun
                    """)
    void wrongArgumentsAreTwoAndStartNothing(String arguments, String message) {
        Ended ended = etl(arguments);
        assertThat(ended.output()).startsWith("mesh etl: " + message + "\nusage: ./mesh etl run");
        assertThat(ended.code()).isEqualTo(2);
        assertThat(requests).isEmpty();
    }

    @Test
    void toldToEndItLeavesTheRunGoingAndSaysHowToCancelIt(@TempDir Path folder) throws Exception {
        jobs.add(HALF);
        Path out = folder.resolve("out");
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                "io.mirante.bench.Bench",
                                "etl",
                                "run",
                                "--mode",
                                "batch",
                                "--source",
                                "events",
                                "--execution-id",
                                "first",
                                "--url",
                                url(),
                                "--key",
                                "hidden")
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        try {
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> Files.readString(out).contains("running"));
            process.destroy();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(Files.readString(out))
                .doesNotContain("hidden")
                .endsWith(
                        """
                        The run goes on. To cancel it: curl -X DELETE -H 'x-api-key: KEY' '%s/api/v1/jobs/etl_7'
                        To follow it, give the same command with --execution-id first
                        """
                                .formatted(url()));
        assertThat(requests).noneMatch(request -> request.startsWith("DELETE"));
    }

    private Ended etl(String arguments) {
        return etl(arguments, false);
    }

    private Ended etl(String arguments, boolean terminal) {
        var given = new ArrayList<>(List.of("run"));
        given.addAll(List.of(arguments.split(" ")));
        var local =
                new LocalMesh(
                        Path.of("."),
                        Map.of(
                                "PORT",
                                Integer.toString(server.getAddress().getPort()),
                                "API_KEYS",
                                "first-key,second"));
        var out = new ByteArrayOutputStream();
        int code =
                EtlRun.run(
                        given,
                        new PrintStream(out, true, UTF_8),
                        local,
                        terminal,
                        Duration.ofMillis(5));
        return new Ended(code, out.toString(UTF_8));
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private synchronized void reply(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        byte[] body = exchange.getRequestBody().readAllBytes();
        requests.add(
                method + " " + path + " " + exchange.getRequestHeaders().getFirst("x-api-key"));
        if (path.equals("/health/ready")) {
            answer(exchange, 200, "{}");
        } else if (method.equals("POST")) {
            bodies.add(JSON.readTree(body));
            answer(exchange, startStatus, start);
        } else if (path.equals("/api/v1/jobs/etl_7")) {
            // The last one stays.
            answer(exchange, 200, jobs.size() > 1 ? jobs.removeFirst() : jobs.getFirst());
        } else {
            answer(exchange, 200, run);
        }
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.replace('\'', '"').getBytes(UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        try (var out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    private static JsonNode json(String text) {
        return JSON.readTree(text.replace('\'', '"'));
    }
}
