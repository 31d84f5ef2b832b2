package io.mirante.snapshot;

import io.mirante.contracts.Json;
import java.time.Duration;
import java.time.Instant;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

/** Asks the service as a client does. */
public final class Asking {

    private Asking() {}

    /** The body of a GET, whose status must be 200. */
    public static JsonNode get(WebTestClient client, String path, Object... values) {
        return body(client.get().uri(path, values).exchange(), 200);
    }

    /** The problem a GET is answered with. */
    public static JsonNode refused(WebTestClient client, int status, String path) {
        return body(client.get().uri(path).exchange(), status);
    }

    public static JsonNode post(WebTestClient client, int status, String path, String json) {
        return body(
                client.post()
                        .uri(path)
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(json)
                        .exchange(),
                status);
    }

    private static JsonNode body(WebTestClient.ResponseSpec answer, int status) {
        var bytes =
                answer.expectStatus()
                        .isEqualTo(status)
                        .expectBody()
                        .returnResult()
                        .getResponseBody();
        return Json.mapper().readTree(bytes);
    }

    public static void eventually(ThrowingRunnable assertion) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(assertion);
    }

    /** Waits until everything sent before is counted. */
    public static void counted(CleanLog log, WebTestClient client) {
        var time = Instant.now();
        log.progress(time);
        eventually(() -> {
            var asOf =
                    Instant.parse(
                            get(client, "/api/v1/analytics/overview").path("as_of").stringValue());
            if (asOf.isBefore(time)) {
                throw new AssertionError("as_of is still " + asOf);
            }
        });
    }
}
