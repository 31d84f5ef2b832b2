package io.mirante.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.TestPropertySource;
import tools.jackson.databind.JsonNode;

/** With tracing switched on; a stub stands for the collector. */
@TestPropertySource(properties = {"TRACING_ENABLED=true", "TRACING_SAMPLING=1.0"})
class TracingIT extends AtTheDoor {

    private static final StubService COLLECTOR = new StubService("collector");

    @DynamicPropertySource
    static void collector(DynamicPropertyRegistry registry) {
        registry.add("TRACING_ENDPOINT", () -> COLLECTOR.url() + "/v1/traces");
    }

    @Test
    void aTraceIsContinuedToTheServiceAndSentToTheCollector() {
        var trace = "0af7651916cd43dd8448eb211c80319c";
        var headers =
                client(KEY)
                        .get()
                        .uri("/api/v1/fans")
                        .header("traceparent", "00-" + trace + "-b7ad6b7169203331-01")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody(JsonNode.class)
                        .returnResult()
                        .getResponseBody()
                        .path("headers");
        assertThat(headers.path("traceparent").stringValue())
                .startsWith("00-" + trace + "-")
                .doesNotContain("b7ad6b7169203331")
                .endsWith("-01");
        await().atMost(Duration.ofMinutes(2)).until(() -> COLLECTOR.hits("/v1/traces") > 0);
    }
}
