package io.mirante.platform.jobs;

import io.mirante.contracts.Json;
import io.mirante.platform.security.TokenMinter;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.web.reactive.function.client.WebClient;
import tools.jackson.databind.JsonNode;

/** Jobs of another service, asked for with an {@code internal} token for the tenant. Thread-safe. */
public final class RemoteJobs {

    private static final Logger LOG = LoggerFactory.getLogger(RemoteJobs.class);
    private static final Set<String> OPEN = Set.of("pending", "running");
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration PAUSE = Duration.ofMillis(500);

    private final String name;
    private final String self;
    private final WebClient http;
    private final TokenMinter tokens;

    /**
     * Those of one service.
     *
     * @param name of that service, for people
     * @param self who asks
     */
    public RemoteJobs(String name, String url, String self, TokenMinter tokens) {
        this.name = name;
        this.self = self;
        this.http = WebClient.create(url);
        this.tokens = tokens;
    }

    /** When to stop waiting for a job. */
    @FunctionalInterface
    public interface Until {
        boolean done(JsonNode job);
    }

    /**
     * Begins a job, or finds it begun, and waits for it; while the service is away it goes on asking. Blocks.
     *
     * @param path of a request that answers the same body with the same job
     * @param context told how far the job is
     * @param until asked twice a second; with a missing node while nothing is known of the job
     * @return the job as it then is, as far as it is known
     * @throws JobFailedException when the job ended without being completed
     * @throws java.util.concurrent.CancellationException as of {@link JobContext#progress}
     */
    public JsonNode await(String path, JsonNode body, JobContext context, Until until)
            throws JobFailedException {
        String id = null;
        JsonNode job = Json.mapper().missingNode();
        var detail = "asking " + name;
        while (!until.done(job)) {
            context.progress(job.path("progress").asDouble(0), detail);
            try {
                if (id == null) {
                    id = begin(context.tenant(), path, body);
                } else {
                    job = find(context.tenant(), id);
                    requireAlive(id, job);
                    detail = detail(job);
                }
            } catch (RuntimeException e) {
                detail = "waiting for " + name + ": " + e.getMessage();
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
        return job;
    }

    private String detail(JsonNode job) {
        var said = job.path("detail").asString("");
        return said.isEmpty() ? name : name + ": " + said;
    }

    /** Cancels the job that such a request began, if it has not ended, and the service can be reached. Blocks. */
    public void cancel(String tenant, String path, JsonNode body) {
        try {
            var id = begin(tenant, path, body);
            if (OPEN.contains(find(tenant, id).path("status").asString(""))) {
                ask(tenant, http.delete().uri("/api/v1/jobs/{id}", id));
            }
        } catch (RuntimeException e) {
            LOG.warn("cannot cancel a job of {}: {}", name, e.getMessage());
        }
    }

    private String begin(String tenant, String path, JsonNode body) {
        return ask(
                        tenant,
                        http.post()
                                .uri(path)
                                .contentType(MediaType.APPLICATION_JSON)
                                .bodyValue(body.toString()))
                .path("job_id")
                .stringValue();
    }

    private JsonNode find(String tenant, String id) {
        return ask(tenant, http.get().uri("/api/v1/jobs/{id}", id));
    }

    private void requireAlive(String id, JsonNode job) throws JobFailedException {
        var status = job.path("status").asString("");
        if (status.equals("failed") || status.equals("cancelled")) {
            throw new JobFailedException(
                    "part-failed",
                    "%s's job %s ended as %s: %s"
                            .formatted(
                                    name,
                                    id,
                                    status,
                                    job.path("error").path("detail").asString("no reason given")));
        }
    }

    private JsonNode ask(String tenant, WebClient.RequestHeadersSpec<?> request) {
        return Objects.requireNonNull(
                request.header(HttpHeaders.AUTHORIZATION, "Bearer " + tokens.internal(tenant, self))
                        .retrieve()
                        .bodyToMono(String.class)
                        .map(Json.mapper()::readTree)
                        .block(LIMIT));
    }
}
