package io.mirante.ingestion.trace;

import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.util.UriComponentsBuilder;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** Asks another service for its step, with the caller's own token. Never an error. Thread-safe. */
final class StepClient {

    private static final Logger LOG = LoggerFactory.getLogger(StepClient.class);
    static final Duration LIMIT = Duration.ofMillis(450);

    private final String service;
    private final Optional<WebClient> client;
    private final String url;
    private final Duration patience;

    /**
     * @param url of the service; empty when it is not configured
     * @param patience how long an answer may take
     */
    StepClient(String service, String url, Duration patience) {
        this.patience = patience;
        this.service = service;
        this.url = url;
        this.client = url.isBlank() ? Optional.empty() : Optional.of(WebClient.create());
    }

    /**
     * A service's answer.
     *
     * @param reached it answered in time
     * @param body empty when it does not know the event, or was not reached
     */
    record Step(boolean reached, Optional<JsonNode> body) {
        static final Step UNREACHED = new Step(false, Optional.empty());
        static final Step UNKNOWN = new Step(true, Optional.empty());
    }

    /**
     * @param path with {@code {}} for each variable
     * @param authorization the caller's header
     */
    Mono<Step> ask(String authorization, String path, Object... variables) {
        return client.map(c ->
                        c.get()
                                .uri(
                                        UriComponentsBuilder.fromUriString(url + path)
                                                .encode()
                                                .buildAndExpand(variables)
                                                .toUri())
                                .header(HttpHeaders.AUTHORIZATION, authorization)
                                .exchangeToMono(answer -> {
                                    if (answer.statusCode().value()
                                            == HttpStatus.NOT_FOUND.value()) {
                                        return answer.releaseBody().thenReturn(Step.UNKNOWN);
                                    }
                                    return answer.statusCode().is2xxSuccessful()
                                            ? answer.bodyToMono(JsonNode.class)
                                                    .map(body -> new Step(true, Optional.of(body)))
                                            : answer.releaseBody().thenReturn(Step.UNREACHED);
                                })
                                .timeout(patience)
                                .onErrorResume(e -> {
                                    LOG.debug("{} does not answer: {}", service, e.toString());
                                    return Mono.just(Step.UNREACHED);
                                }))
                .orElseGet(() -> Mono.just(Step.UNREACHED));
    }
}
