package io.mirante.gateway.users;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.test.scheduler.VirtualTimeScheduler;

class IssuerAnswersTest {

    private final IssuerAnswers answers = new IssuerAnswers();
    private final AtomicInteger asked = new AtomicInteger();
    private VirtualTimeScheduler time;

    @BeforeEach
    void stopTheClock() {
        time = VirtualTimeScheduler.getOrSet();
    }

    @AfterEach
    void letTheClockRun() {
        VirtualTimeScheduler.reset();
    }

    @Test
    void aDocumentIsFetchedAgainWhenItIsNoLongerRemembered() {
        assertThat(get("/jwks")).isEqualTo("200 application/json /jwks 1");
        assertThat(get("/jwks")).isEqualTo("200 application/json /jwks 1");
        assertThat(get("/other")).isEqualTo("200 application/json /other 2");
        time.advanceTimeBy(IssuerAnswers.REMEMBERED.minusMillis(1));
        assertThat(get("/jwks")).isEqualTo("200 application/json /jwks 1");
        time.advanceTimeBy(Duration.ofMillis(1));
        assertThat(get("/jwks")).isEqualTo("200 application/json /jwks 3");
    }

    @Test
    void failuresAreRememberedForLess() {
        assertThat(get("/busy")).isEqualTo("503 application/json /busy 1");
        assertThat(get("/busy")).isEqualTo("503 application/json /busy 1");
        StepVerifier.create(exchange("/down")).verifyErrorMessage("down 2");
        StepVerifier.create(exchange("/down")).verifyErrorMessage("down 2");
        time.advanceTimeBy(IssuerAnswers.REMEMBERED_FAILURE);
        assertThat(get("/busy")).isEqualTo("503 application/json /busy 3");
        StepVerifier.create(exchange("/down")).verifyErrorMessage("down 4");
    }

    private String get(String path) {
        var text = exchange(path).block();
        assertThat(text).isNotNull();
        return text;
    }

    private Mono<String> exchange(String path) {
        return answers.filter(
                        ClientRequest.create(
                                        HttpMethod.GET, URI.create("http://issuer.example" + path))
                                .build(),
                        request -> Mono.defer(() -> provider(request.url().getPath())))
                .flatMap(answer ->
                        answer.bodyToMono(String.class)
                                .map(body ->
                                        "%d %s %s"
                                                .formatted(
                                                        answer.statusCode().value(),
                                                        answer.headers()
                                                                .contentType()
                                                                .orElseThrow(),
                                                        body)));
    }

    private Mono<ClientResponse> provider(String path) {
        int n = asked.incrementAndGet();
        if (path.equals("/down")) {
            return Mono.error(new IOException("down " + n));
        }
        return Mono.just(
                ClientResponse.create(
                                path.equals("/busy")
                                        ? HttpStatus.SERVICE_UNAVAILABLE
                                        : HttpStatus.OK)
                        .headers(h -> h.setContentType(MediaType.APPLICATION_JSON))
                        .body(path + " " + n)
                        .build());
    }
}
