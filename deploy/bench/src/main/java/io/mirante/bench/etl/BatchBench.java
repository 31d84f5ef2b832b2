package io.mirante.bench.etl;

import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.etl.EtlBench.Figures;
import io.mirante.bench.mesh.BenchMesh;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/**
 * Batch runs through the gateway: an uploaded Parquet file of transactions is read, cleaned and checked, features are made, checked and
 * loaded. Counted from the request for the run until its job is over. Probes: L6, DuckDB alone with as many threads, reads the file's
 * columns, filters and consumes every value; L5 copies the loaded rows into a table with the same columns and indexes.
 */
final class BatchBench implements AutoCloseable {
    private static final String KEY = "dev-key-123";
    private static final String TENANT = "demo";
    private static final String RUN = "ETL batch, seconds";
    private static final String READ = "L6 DuckDB reads the same columns, seconds";
    private static final String COPIED = "L5 COPY of the same features, seconds";
    private static final Instant END = Instant.parse("2026-11-20T00:00:00Z");
    private static final Set<String> OVER = Set.of("completed", "failed", "cancelled");
    private static final Pattern STEP =
            Pattern.compile(
                    "(?m)^mirante_etl_run_step_seconds_sum\\{.*step=\"([^\"]*)\".*\\} (\\S+)$");
    private static final int POISON = 10_000;

    private final PrintStream out;
    private final Path folder;
    private final BenchPostgres postgres;
    private final BenchMesh.Part server;
    private final BenchMesh.Part etl;
    private final Figures figures;
    private final URI gateway;
    private final MeshClient mesh;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    BatchBench(
            PrintStream out,
            Path folder,
            BenchPostgres postgres,
            BenchMesh.Part server,
            int gateway,
            BenchMesh.Part etl,
            Figures figures) {
        this.out = out;
        this.folder = folder;
        this.postgres = postgres;
        this.server = server;
        this.etl = etl;
        this.figures = figures;
        this.gateway = URI.create("http://127.0.0.1:" + gateway);
        this.mesh = new MeshClient(this.gateway, KEY);
    }

    @Override
    public void close() {
        mesh.close();
        http.close();
    }

    void measure(int rows, int users, int rounds) throws IOException, InterruptedException {
        out.printf("ETL batch: %,d events of %,d users, Parquet …%n", rows, users);
        Path file = folder.resolve("events.parquet");
        write(file, rows, users, false);
        upload(file, "bench");
        postgres.execute("CREATE SCHEMA IF NOT EXISTS bench");
        postgres.execute(
                "CREATE TABLE bench.features (LIKE ml_features.user_features_row INCLUDING ALL)");
        for (int round = 0; round <= rounds; round++) {
            double read = read(file);
            Map<String, Double> before = steps();
            long cpu = etl.cpuNanos();
            long database = server.cpuNanos();
            long begin = System.nanoTime();
            JsonNode run = run("bench", "bench-" + round);
            double seconds = (System.nanoTime() - begin) / 1e9;
            double busy = (etl.cpuNanos() - cpu) / 1e9;
            double served = (server.cpuNanos() - database) / 1e9;
            Map<String, Double> steps = steps();
            steps.replaceAll((step, sum) -> sum - before.getOrDefault(step, 0.0));
            postgres.execute("TRUNCATE bench.features");
            double copied =
                    postgres.copy(
                            "SELECT * FROM ml_features.user_features WHERE tenant_id = '%s'"
                                    .formatted(TENANT),
                            folder.resolve("features.copy"),
                            "bench.features");
            out.printf(
                    "  %s: %.2f s (CPU: etl's %.2f s, PostgreSQL's %.2f s), %,d users loaded; L6 %.3f s, L5 %.2f s%n    %s%n",
                    round > 0 ? "round " + round : "warm",
                    seconds,
                    busy,
                    served,
                    run.path("records_loaded").asLong(),
                    read,
                    copied,
                    steps.entrySet().stream()
                            .map(step -> "%s %.2f".formatted(step.getKey(), step.getValue()))
                            .collect(Collectors.joining(", ")));
            if (round > 0) {
                figures.note(RUN, seconds);
                figures.note("ETL batch, CPU seconds of etl", busy);
                figures.note("ETL batch, CPU seconds of PostgreSQL", served);
                steps.forEach((step, took) -> figures.note("ETL batch, seconds of " + step, took));
                figures.note(READ, read);
                figures.note(COPIED, copied);
            }
        }
        figures.ratio(
                "(L6 + L5) ÷ ETL batch (must / aim)",
                (figures.median(READ) + figures.median(COPIED)) / figures.median(RUN),
                "0.25 / 0.50");
    }

    /** Once, with poison among the rows; shows what memory it takes. */
    void large(int rows, int users) throws IOException, InterruptedException {
        out.printf(
                "ETL batch: %,d events of %,d users, every %,dth spoiled …%n", rows, users, POISON);
        Path file = folder.resolve("large.parquet");
        write(file, rows, users, true);
        upload(file, "large");
        long before = EtlBench.peakMebibytes(etl.pid());
        long begin = System.nanoTime();
        JsonNode run = run("large", "large");
        out.printf(
                "  %.1f s; extracted %,d, cleaned %,d, loaded %,d users; etl's largest resident memory %d MiB (%d before)%n",
                (System.nanoTime() - begin) / 1e9,
                run.path("records_extracted").asLong(),
                run.path("records_cleaned").asLong(),
                run.path("records_loaded").asLong(),
                EtlBench.peakMebibytes(etl.pid()),
                before);
        long left = run.path("records_extracted").asLong() - run.path("records_cleaned").asLong();
        if (left != rows / POISON) {
            throw new MeshException("%d rows were rejected, not %d".formatted(left, rows / POISON));
        }
    }

    /** Seconds that runs have spent in each step so far. */
    private Map<String, Double> steps() {
        Map<String, Double> steps = new LinkedHashMap<>();
        STEP.matcher(mesh.get("/metrics").required("/metrics").text())
                .results()
                .forEach(line -> steps.put(line.group(1), Double.valueOf(line.group(2))));
        return steps;
    }

    private JsonNode run(String source, String id) throws InterruptedException {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("mode", "batch");
        request.put("source", source);
        request.put("load", Map.of("strategy", "replace"));
        request.put("execution_id", id);
        request.put("reference_time", END.toString());
        String job =
                mesh.post("/api/v1/etl/runs", request)
                        .required("the run")
                        .body()
                        .path("job_id")
                        .asString();
        while (true) {
            JsonNode state = mesh.job(job);
            if (OVER.contains(state.path("status").asString(""))) {
                if (!state.path("status").asString("").equals("completed")) {
                    throw new MeshException("the run did not complete: " + state);
                }
                return mesh.get("/api/v1/etl/runs/" + id).required("the run").body();
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    private void upload(Path file, String name) throws IOException, InterruptedException {
        String boundary = "mirante-bench";
        String head =
                "--%1$s\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\n%2$s\r\n--%1$s\r\ncontent-disposition: form-data; name=\"file\"; filename=\"%2$s.parquet\"\r\ncontent-type: application/octet-stream\r\n\r\n"
                        .formatted(boundary, name);
        var answer =
                http.send(
                        HttpRequest.newBuilder(gateway.resolve("/api/v1/etl/sources"))
                                .timeout(Duration.ofMinutes(5))
                                .header("x-api-key", KEY)
                                .header("content-type", "multipart/form-data; boundary=" + boundary)
                                .POST(
                                        BodyPublishers.concat(
                                                BodyPublishers.ofString(head),
                                                BodyPublishers.ofFile(file),
                                                BodyPublishers.ofString(
                                                        "\r\n--" + boundary + "--\r\n")))
                                .build(),
                        BodyHandlers.ofString());
        if (answer.statusCode() != 201) {
            throw new MeshException(
                    "the upload was answered %d: %s".formatted(answer.statusCode(), answer.body()));
        }
    }

    /** Transactions of a year, as the contract names their columns. */
    private static void write(Path file, int rows, int users, boolean poison) {
        duckdb(
                """
                COPY (SELECT CASE WHEN %3$s AND i %% (4 * %4$d) = 1 THEN NULL ELSE 'tx-' || lpad(i::varchar, 9, '0') END AS transaction_id,
                    'user-' || lpad((hash(i * 7919) %% %2$d)::varchar, 7, '0') AS user_id,
                    CASE WHEN %3$s AND i %% (4 * %4$d) = %4$d + 1 THEN 'infinity'::double
                        ELSE round(5 + hash(i * 31) %% 100000 / 1000.0 * (1 + hash(i * 17) %% 10 / 10.0), 2) END AS amount,
                    ['purchase', 'deposit', 'withdrawal', 'bet_placed', 'bet_settled'][1 + (hash(i * 3) %% 5)::int] AS transaction_type,
                    CASE WHEN hash(i * 13) %% 50 = 0 THEN 'failed' ELSE 'completed' END AS status,
                    CASE WHEN %3$s AND i %% (2 * %4$d) = 2 * %4$d - 1 THEN NULL ELSE TIMESTAMP '2025-11-20 00:00:00'
                        + to_microseconds((hash(i * 101) %% 31000000 * 1000000 + hash(i) %% 1000000)::bigint) END AS created_at
                    FROM range(%1$d) t(i)) TO '%5$s' (FORMAT parquet)\
                """
                        .formatted(rows, users, poison, POISON, file));
    }

    /** Seconds. */
    private static double read(Path file) {
        long begin = System.nanoTime();
        duckdb(
                """
                SELECT bit_xor(hash(transaction_id, user_id, amount, transaction_type, status, created_at))
                FROM read_parquet('%s') WHERE status <> 'failed'\
                """
                        .formatted(file));
        return (System.nanoTime() - begin) / 1e9;
    }

    private static void duckdb(String sql) {
        try (var connection = DriverManager.getConnection("jdbc:duckdb:");
                var statement = connection.createStatement()) {
            statement.execute("SET threads = 2");
            statement.execute(sql);
        } catch (SQLException e) {
            throw new MeshException("DuckDB: " + e.getMessage(), e);
        }
    }
}
