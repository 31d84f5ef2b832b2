package io.mirante.snapshot.rebuild;

import io.mirante.contracts.Json;
import io.mirante.platform.security.TokenMinter;
import io.mirante.snapshot.TimeRange;
import java.time.Duration;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** Asks etl to replay, with an {@code internal} token for the tenant; errors are etl's being away or refusing. */
@Component
final class EtlReplays {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final WebClient http;
    private final TokenMinter tokens;

    EtlReplays(@Value("${mirante.snapshot.etl-url}") String url, TokenMinter tokens) {
        this.http = WebClient.create(url);
        this.tokens = tokens;
    }

    /** Begins the rebuild's replay, or finds it begun; answers with etl's job. */
    Mono<String> begin(String tenant, String rebuildId, TimeRange range) {
        var body = Json.mapper().createObjectNode();
        body.put("rebuild_id", rebuildId);
        body.put("start_time", range.start().toString());
        body.put("end_time", range.end().toString());
        return ask(
                        tenant,
                        http.post()
                                .uri("/api/v1/etl/replays")
                                .contentType(MediaType.APPLICATION_JSON)
                                .bodyValue(body.toString()))
                .map(answer -> answer.path("job_id").stringValue());
    }

    /** etl's job as it stands. */
    Mono<JsonNode> job(String tenant, String jobId) {
        return ask(tenant, http.get().uri("/api/v1/jobs/{id}", jobId));
    }

    private Mono<JsonNode> ask(String tenant, WebClient.RequestHeadersSpec<?> request) {
        return request.header(
                        HttpHeaders.AUTHORIZATION,
                        "Bearer " + tokens.internal(tenant, "snapshot-service"))
                .retrieve()
                .bodyToMono(String.class)
                .map(Json.mapper()::readTree)
                .timeout(LIMIT);
    }
}
