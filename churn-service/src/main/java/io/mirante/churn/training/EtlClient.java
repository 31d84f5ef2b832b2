package io.mirante.churn.training;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.security.TokenMinter;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * Asks etl for training sets, with an {@code internal} token for the tenant. Blocks: for jobs' threads only. What etl
 * refuses ends the job with its reason; what fails on the way (etl away, 5xx) is an exception, and the job is tried
 * again.
 */
@Component
final class EtlClient {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration DOWNLOAD = Duration.ofMinutes(5);

    private final WebClient http;
    private final TokenMinter tokens;

    EtlClient(@Value("${mirante.churn.etl-url}") String url, TokenMinter tokens) {
        this.http = WebClient.create(url);
        this.tokens = tokens;
    }

    /** Starts a training set; answers with etl's job. */
    String start(String tenant, List<Instant> asOf, String labelType, String horizon)
            throws JobFailedException {
        var body = Json.mapper().createObjectNode();
        var dates = body.putArray("as_of");
        asOf.forEach(date -> dates.add(date.toString()));
        body.putObject("label").put("type", labelType).put("horizon", horizon);
        var answer =
                exchange(
                        http.post()
                                .uri("/api/v1/features/training-sets")
                                .header(HttpHeaders.AUTHORIZATION, bearer(tenant))
                                .contentType(MediaType.APPLICATION_JSON)
                                .bodyValue(body.toString()));
        if (answer == null || !answer.path("job_id").isString()) {
            throw new IllegalStateException("etl started no job: " + answer);
        }
        return answer.path("job_id").stringValue();
    }

    /** etl's job as it stands. */
    JsonNode job(String tenant, String jobId) throws JobFailedException {
        var job = get(tenant, "/api/v1/jobs/" + jobId);
        if (job == null) {
            throw new IllegalStateException("etl does not know its job " + jobId);
        }
        return job;
    }

    /** Downloads a file of etl's job. */
    void download(String tenant, String jobId, String name, Path target) {
        var bytes =
                http.get()
                        .uri("/api/v1/jobs/{id}/files/{name}", jobId, name)
                        .header(HttpHeaders.AUTHORIZATION, bearer(tenant))
                        .retrieve()
                        .bodyToFlux(DataBuffer.class);
        DataBufferUtils.write(
                        bytes,
                        target,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)
                .block(DOWNLOAD);
    }

    private @Nullable JsonNode get(String tenant, String path) throws JobFailedException {
        return exchange(http.get().uri(path).header(HttpHeaders.AUTHORIZATION, bearer(tenant)));
    }

    /** The answer's JSON; null for 404. */
    private static @Nullable JsonNode exchange(WebClient.RequestHeadersSpec<?> request)
            throws JobFailedException {
        Answer answer;
        try {
            answer = request.exchangeToMono(EtlClient::read).block(LIMIT);
        } catch (WebClientRequestException e) {
            throw new IllegalStateException("etl does not answer: " + e.getMessage(), e);
        }
        if (answer == null || answer.status() >= 500) {
            throw new IllegalStateException("etl answered " + answer);
        }
        if (answer.status() == 404) {
            return null;
        }
        var json = Json.mapper().readTree(answer.body());
        if (answer.status() >= 400) {
            throw new JobFailedException(
                    "training-set-refused",
                    "etl refused the training set: " + json.path("detail").asString(answer.body()));
        }
        return json;
    }

    private static Mono<Answer> read(ClientResponse response) {
        return response.bodyToMono(String.class)
                .defaultIfEmpty("")
                .map(body -> new Answer(response.statusCode().value(), body));
    }

    private String bearer(String tenant) {
        return "Bearer " + tokens.internal(tenant, "churn-service");
    }

    private record Answer(int status, String body) {}
}
