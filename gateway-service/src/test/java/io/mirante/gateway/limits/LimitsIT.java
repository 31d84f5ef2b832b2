package io.mirante.gateway.limits;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.gateway.AtTheDoor;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.springframework.http.MediaType;

class LimitsIT extends AtTheDoor {

    @Test
    void aKeyMayAskSoOftenInAMinuteAndNoOtherKeyIsHurt() throws Exception {
        var tenant = mesh.newTenant();
        addKey(tenant, "busy-key", "ingest");
        addKey(tenant, "calm-key", "ingest");
        for (int i = 1; i <= PER_MINUTE; i++) {
            client("busy-key")
                    .post()
                    .uri("/api/v1/events/batch")
                    .exchange()
                    .expectStatus()
                    .isOk()
                    .expectHeader()
                    .valueEquals("X-RateLimit-Limit", PER_MINUTE)
                    .expectHeader()
                    .exists("X-RateLimit-Remaining")
                    .expectHeader()
                    .exists("X-RateLimit-Reset");
        }
        // Some seconds may have gone by, and a token comes back every two.
        int refusals = 0;
        for (int i = 0; i < 20 && refusals == 0; i++) {
            var answer = client("busy-key").post().uri("/api/v1/events/batch").exchange();
            if (answer.returnResult(String.class).getStatus().value() == 429) {
                refusals++;
                answer.expectHeader()
                        .valueMatches("Retry-After", "[1-9]\\d*")
                        .expectHeader()
                        .valueEquals("X-RateLimit-Remaining", 0)
                        .expectHeader()
                        .contentType(MediaType.APPLICATION_PROBLEM_JSON);
            }
        }
        assertThat(refusals).isEqualTo(1);
        client("calm-key").get().uri("/api/v1/events/rejected").exchange().expectStatus().isOk();
        client(KEY)
                .get()
                .uri("/api/v1/fans")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .doesNotExist("X-RateLimit-Limit");
    }

    @Test
    void guessingKeysCostsTheGuesserAndNobodyElse() throws Exception {
        var tenant = mesh.newTenant();
        addKey(tenant, "known-key", "ingest");
        addKey(tenant, "fresh-key", "ingest");
        try (var guesser =
                HttpClient.newBuilder().localAddress(InetAddress.getByName("127.0.0.9")).build()) {
            assertThat(status(guesser, "known-key")).isEqualTo(200);
            int unauthorized = 0;
            while (status(guesser, "guess-" + unauthorized) == 401) {
                assertThat(++unauthorized).isLessThan(PER_MINUTE * 2);
            }
            assertThat(unauthorized).isGreaterThanOrEqualTo(PER_MINUTE);
            assertThat(status(guesser, "another-guess")).isEqualTo(429);
            assertThat(status(guesser, "known-key")).isEqualTo(200);
        }
        client("fresh-key").get().uri("/api/v1/events/rejected").exchange().expectStatus().isOk();
    }

    private int status(HttpClient http, String key) throws Exception {
        return http.send(
                        HttpRequest.newBuilder(
                                        URI.create("http://127.0.0.1:" + port() + "/api/v1/fans"))
                                .header("x-api-key", key)
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .statusCode();
    }
}
