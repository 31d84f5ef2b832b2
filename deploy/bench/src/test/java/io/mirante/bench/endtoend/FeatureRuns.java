package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Uploads and batch runs of one tenant, through the gateway. */
final class FeatureRuns implements AutoCloseable {
    /** A bound for what never comes, not a promise. */
    static final Duration LIMIT = Duration.ofMinutes(4);

    private static final String SOURCE = "fault-tests";
    private static final Set<String> UNDER_WAY = Set.of("pending", "running");

    private final String tenant;
    private final MeshClient client;
    private final List<String> jobs = new ArrayList<>();

    FeatureRuns(MeshUnderTest mesh, String tenant, String key) {
        this.tenant = tenant;
        this.client = new MeshClient(mesh.url(), key);
    }

    String tenant() {
        return tenant;
    }

    /** Puts a file in the source's place. */
    void upload(Path csv) {
        String boundary = "boundary-of-the-fault-tests";
        byte[] head =
                utf8(
                        "--%1$s\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n%2$s\r\n--%1$s\r\n"
                                        .formatted(boundary, SOURCE)
                                + "Content-Disposition: form-data; name=\"file\"; filename=\"fault.csv\"\r\n"
                                + "Content-Type: text/csv\r\n\r\n");
        byte[] tail = utf8("\r\n--%s--\r\n".formatted(boundary));
        try (HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            HttpResponse<String> answer =
                    http.send(
                            HttpRequest.newBuilder(
                                            URI.create(client.base() + "/api/v1/etl/sources"))
                                    .header("x-api-key", client.key())
                                    .header(
                                            "content-type",
                                            "multipart/form-data; boundary=" + boundary)
                                    .POST(
                                            HttpRequest.BodyPublishers.concat(
                                                    HttpRequest.BodyPublishers.ofByteArray(head),
                                                    HttpRequest.BodyPublishers.ofFile(csv),
                                                    HttpRequest.BodyPublishers.ofByteArray(tail)))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    void begin(String id) {
        begin(
                Map.of(
                        "mode",
                        "batch",
                        "source",
                        SOURCE,
                        "execution_id",
                        id,
                        "reference_time",
                        "2026-11-21T00:00:00Z",
                        "load",
                        Map.of("strategy", "merge")));
    }

    /** Begins a streaming run of the event log. */
    void stream(String id) {
        begin(
                Map.of(
                        "mode",
                        "streaming",
                        "source",
                        "events",
                        "execution_id",
                        id,
                        "interval_seconds",
                        10));
    }

    private void begin(Map<String, Object> run) {
        Answer answer = client.post("/api/v1/etl/runs", run);
        assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        jobs.add(answer.body().path("job_id").asString());
    }

    /** Of the runs that were begun. */
    List<String> jobs() {
        return jobs;
    }

    /** Ends the last run. */
    void cancel() {
        String job = "/api/v1/jobs/" + jobs.getLast();
        client.exchange("DELETE", job, null, false).required("cancelling");
        awaitJob(job, "cancelled");
    }

    private JsonNode run(String id) {
        return client.get("/api/v1/etl/runs/" + id).required("run " + id).body();
    }

    /** Nobody knows while the service is down or too busy to say. */
    private boolean mayBeUnderWay(String id) {
        Answer answer = client.get("/api/v1/etl/runs/" + id);
        return answer.transientFailure()
                || UNDER_WAY.contains(answer.required("run").body().path("status").asString(""));
    }

    /** Waits for its end, which nothing here helps to come. */
    JsonNode ended(String id) {
        await("end of " + id).atMost(LIMIT).until(() -> !mayBeUnderWay(id));
        return run(id);
    }

    JsonNode report(String id) {
        return client.get("/api/v1/etl/runs/" + id + "/report").required("report").body();
    }

    void rollBack(String id) {
        Answer answer = client.post("/api/v1/etl/runs/" + id + "/rollback", Map.of());
        assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        var job = "/api/v1/jobs/" + answer.body().path("job_id").asString();
        awaitJob(job, "completed");
    }

    private void awaitJob(String job, String status) {
        await(job + " " + status)
                .atMost(LIMIT)
                .until(() ->
                        client.get(job)
                                .required("job")
                                .body()
                                .path("status")
                                .asString("")
                                .equals(status));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        client.close();
    }
}
