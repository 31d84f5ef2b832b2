package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.testkit.Mesh;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.http.client.MultipartBodyBuilder;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

/** Sources and runs as a tenant's administrator uses them. */
final class RunClient {

    private static final Duration SOON = Duration.ofMinutes(1);
    private static final String[] SCOPES = {"admin", "analytics.view", "analytics.manage"};

    private final Mesh mesh;
    private final String tenant;

    RunClient(Mesh mesh, String tenant) {
        this.mesh = mesh;
        this.tenant = tenant;
    }

    JsonNode upload(String name, String fileName, String content, @Nullable String shape) {
        var body = new MultipartBodyBuilder();
        body.part(
                "file",
                new ByteArrayResource(content.getBytes(StandardCharsets.UTF_8)) {
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
                client().post().uri("/api/v1/etl/sources").bodyValue(body.build()).exchange(), 201);
    }

    /** Starts a run and answers it when it has ended. */
    JsonNode finished(String body) {
        var path =
                "/api/v1/etl/runs/"
                        + post("/api/v1/etl/runs", body, 202).path("execution_id").asString();
        await().atMost(SOON)
                .until(() ->
                        !List.of("pending", "running")
                                .contains(get(path, 200).path("status").asString()));
        return get(path, 200);
    }

    /** Takes a load back; answers the run when that is done. */
    JsonNode rolledBack(String id) {
        var job =
                "/api/v1/jobs/"
                        + post("/api/v1/etl/runs/%s/rollback".formatted(id), "", 202)
                                .path("job_id")
                                .asString();
        await().atMost(SOON)
                .until(() -> get(job, 200).path("status").asString().equals("completed"));
        return get("/api/v1/etl/runs/" + id, 200);
    }

    JsonNode get(String path, int status) {
        return json(client().get().uri(path).exchange(), status);
    }

    JsonNode post(String path, String body, int status) {
        return json(
                client().post()
                        .uri(path)
                        .header("Content-Type", "application/json")
                        .bodyValue(body)
                        .exchange(),
                status);
    }

    private static JsonNode json(WebTestClient.ResponseSpec answer, int status) {
        var body = answer.expectBody(JsonNode.class).returnResult();
        assertThat(body.getStatus().value())
                .as(() -> String.valueOf(body.getResponseBody()))
                .isEqualTo(status);
        return Objects.requireNonNull(body.getResponseBody());
    }

    WebTestClient client() {
        return mesh.client(tenant, SCOPES);
    }
}
