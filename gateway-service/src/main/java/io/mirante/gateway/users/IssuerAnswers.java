package io.mirante.gateway.users;

import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.springframework.http.ResponseEntity;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Mono;

/**
 * Asks an OpenID provider for one document at most once in {@link #REMEMBERED}. A token that names a key not known has
 * the keys fetched again, so whoever makes up key ids could otherwise have the gateway knock at the provider once for
 * each. A key that the provider has just added is known that much later. Thread-safe.
 */
final class IssuerAnswers implements ExchangeFilterFunction {

    static final Duration REMEMBERED = Duration.ofSeconds(10);

    /** Failures: shorter, for people wait at the door. */
    static final Duration REMEMBERED_FAILURE = Duration.ofSeconds(1);

    /** By address; the provider's own two documents. */
    private final ConcurrentMap<URI, Mono<ResponseEntity<String>>> answers =
            new ConcurrentHashMap<>();

    @Override
    public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
        return answers.computeIfAbsent(
                        request.url(),
                        url ->
                                next.exchange(request)
                                        .flatMap(answer -> answer.toEntity(String.class))
                                        .cache(
                                                answer ->
                                                        answer.getStatusCode().is2xxSuccessful()
                                                                ? REMEMBERED
                                                                : REMEMBERED_FAILURE,
                                                failure -> REMEMBERED_FAILURE,
                                                () -> Duration.ZERO))
                .map(answer ->
                        ClientResponse.create(answer.getStatusCode())
                                .headers(headers -> headers.addAll(answer.getHeaders()))
                                .body(Objects.requireNonNullElse(answer.getBody(), ""))
                                .build());
    }
}
