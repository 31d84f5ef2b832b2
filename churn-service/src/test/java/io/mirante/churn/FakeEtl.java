package io.mirante.churn;

import io.mirante.churn.model.TrainingTable;
import io.mirante.contracts.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/** etl's side of the training-set conversation: real HTTP, real Parquet, rows per tenant given by the test. */
final class FakeEtl {

    private final Map<String, TrainingTable> tables = new ConcurrentHashMap<>();
    final List<String> bodies = new CopyOnWriteArrayList<>();
    private final AtomicInteger asked = new AtomicInteger();
    private final DisposableServer server;

    FakeEtl() {
        server =
                HttpServer.create()
                        .host("127.0.0.1")
                        .port(0)
                        .route(r ->
                                r.post("/api/v1/features/training-sets", this::start)
                                        .get("/api/v1/jobs/{id}", this::job)
                                        .get(
                                                "/api/v1/jobs/{id}/files/training.parquet",
                                                this::file))
                        .bindNow();
    }

    String url() {
        return "http://127.0.0.1:" + server.port();
    }

    void has(String tenant, TrainingTable table) {
        tables.put(tenant, table);
    }

    private org.reactivestreams.Publisher<Void> start(
            HttpServerRequest request, HttpServerResponse response) {
        return request.receive()
                .aggregate()
                .asString()
                .doOnNext(bodies::add)
                .then(Mono.defer(() -> Mono.from(json(response, 202, "{\"job_id\":\"etl_1\"}"))));
    }

    private org.reactivestreams.Publisher<Void> job(
            HttpServerRequest request, HttpServerResponse response) {
        return json(
                response,
                200,
                asked.incrementAndGet() % 2 == 1
                        ? "{\"status\":\"running\",\"progress\":0.5}"
                        : "{\"status\":\"completed\",\"progress\":1.0}");
    }

    private org.reactivestreams.Publisher<Void> file(
            HttpServerRequest request, HttpServerResponse response) {
        return response.sendByteArray(Mono.just(parquet(tables.get(tenant(request)))));
    }

    static byte[] parquet(TrainingTable table) {
        try {
            var file = Files.createTempFile("training", ".parquet");
            try (var duckdb = DriverManager.getConnection("jdbc:duckdb:")) {
                var statement = duckdb.createStatement();
                var columns =
                        new StringBuilder("user_id VARCHAR, as_of TIMESTAMPTZ, label BOOLEAN");
                table.features().forEach(f -> columns.append(", ").append(f).append(" DOUBLE"));
                statement.execute("CREATE TABLE t (" + columns + ")");
                var insert =
                        duckdb.prepareStatement(
                                "INSERT INTO t VALUES (?, ?::TIMESTAMPTZ, ?"
                                        + ", ?".repeat(table.features().size())
                                        + ")");
                for (int i = 0; i < table.size(); i++) {
                    insert.setString(1, table.users().get(i));
                    insert.setString(2, table.asOf().get(i).toString());
                    insert.setBoolean(3, table.labels()[i] > 0.5f);
                    for (int f = 0; f < table.features().size(); f++) {
                        float value = table.rows().get(i)[f];
                        insert.setObject(4 + f, Float.isNaN(value) ? null : (double) value);
                    }
                    insert.addBatch();
                }
                insert.executeBatch();
                statement.execute("COPY t TO '" + file + "' (FORMAT parquet)");
                return Files.readAllBytes(file);
            } finally {
                Files.deleteIfExists(Path.of(file.toString()));
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** From the token, whose signature is not this test's business but whose scope is. */
    private static String tenant(HttpServerRequest request) {
        var token = request.requestHeaders().get("Authorization").substring("Bearer ".length());
        var claims =
                Json.mapper()
                        .readTree(
                                new String(
                                        Base64.getUrlDecoder().decode(token.split("\\.")[1]),
                                        StandardCharsets.UTF_8));
        if (!claims.path("scope").asString("").equals("internal")) {
            throw new IllegalStateException("no internal token: " + claims);
        }
        return claims.path("tenant").stringValue();
    }

    private static org.reactivestreams.Publisher<Void> json(
            HttpServerResponse response, int status, String body) {
        return response.status(status)
                .header("Content-Type", "application/json")
                .sendString(Mono.just(body));
    }
}
