package io.mirante.ingestion.trace;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StepClientTest {

    private static final Duration SOON = Duration.ofMinutes(2);

    private final AtomicReference<String> asked = new AtomicReference<>();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/",
                exchange -> {
                    asked.set(
                            exchange.getRequestURI().getRawPath()
                                    + " "
                                    + exchange.getRequestHeaders().getFirst("Authorization"));
                    int status = exchange.getRequestURI().getPath().contains("missing") ? 404 : 200;
                    status = exchange.getRequestURI().getPath().contains("broken") ? 500 : status;
                    var body = "{\"a\": 1}".getBytes(StandardCharsets.UTF_8);
                    exchange.getResponseHeaders().add("Content-Type", "application/json");
                    exchange.sendResponseHeaders(status, body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private StepClient client() {
        return new StepClient("etl", "http://127.0.0.1:" + server.getAddress().getPort(), SOON);
    }

    @Test
    void asksWithTheCallersTokenAndAnEncodedId() {
        var step = client().ask("Bearer t", "/x/{id}/trace", "a/b c?é").block(SOON);
        assertThat(step).isNotNull();
        assertThat(step.body().orElseThrow().path("a").intValue()).isEqualTo(1);
        assertThat(asked.get()).isEqualTo("/x/a%2Fb%20c%3F%C3%A9/trace Bearer t");
    }

    @Test
    void notFoundIsAnAnswerAndAFaultIsNone() {
        assertThat(client().ask("t", "/missing").block(SOON)).isEqualTo(StepClient.Step.UNKNOWN);
        assertThat(client().ask("t", "/broken").block(SOON)).isEqualTo(StepClient.Step.UNREACHED);
        assertThat(new StepClient("etl", "", SOON).ask("t", "/x").block(SOON))
                .isEqualTo(StepClient.Step.UNREACHED);
    }

    @Test
    void aServiceThatHangsCostsNoMoreThanThePatience() throws IOException {
        try (var hanging = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var client =
                    new StepClient(
                            "etl",
                            "http://127.0.0.1:" + hanging.getLocalPort(),
                            Duration.ofMillis(100));
            assertThat(client.ask("t", "/x").block(SOON)).isEqualTo(StepClient.Step.UNREACHED);
        }
    }
}
