package io.mirante.bench.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EventSenderTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private final List<String> arrived = new CopyOnWriteArrayList<>();
    private final AtomicInteger calls = new AtomicInteger();
    private HttpServer server;
    private MeshClient client;

    private interface Reply {
        void to(HttpExchange exchange, JsonNode events, int call) throws IOException;
    }

    private Reply reply =
            (exchange, events, call) -> answer(exchange, 200, accepted(events.size()));

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext(
                "/api/v1/events/batch",
                exchange -> {
                    byte[] body = exchange.getRequestBody().readAllBytes();
                    if ("gzip".equals(exchange.getRequestHeaders().getFirst("content-encoding"))) {
                        body =
                                new GZIPInputStream(new java.io.ByteArrayInputStream(body))
                                        .readAllBytes();
                    }
                    JsonNode events = JSON.readTree(body).path("events");
                    events.forEach(event -> arrived.add(event.path("event_id").asString()));
                    reply.to(exchange, events, calls.incrementAndGet());
                });
        server.start();
        client =
                new MeshClient(
                        URI.create("http://127.0.0.1:" + server.getAddress().getPort()), "k");
    }

    @AfterEach
    void stop() {
        client.close();
        server.stop(0);
    }

    private static String accepted(int count) {
        return "{\"accepted\": %d, \"rejected\": 0, \"results\": []}".formatted(count);
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private Delivery send(int events, int batch) {
        return EventSender.ofEvents(client, batch, 3)
                .send(
                        IntStream.range(0, events)
                                .mapToObj(i ->
                                        new Outgoing(
                                                "e" + i,
                                                ("{\"event_id\":\"e" + i + "\"}").getBytes()))
                                .iterator(),
                        ignored -> {});
    }

    @Test
    void everythingGoesOutOnceInBatches() {
        Delivery delivery = send(25, 10);

        assertThat(calls).hasValue(3);
        assertThat(arrived).hasSize(25).doesNotHaveDuplicates();
        assertThat(delivery.accepted()).isEqualTo(25);
        assertThat(delivery.sent()).isEqualTo(25);
    }

    @Test
    void rejectedEventsAreNamedAndNotSentAgain() {
        reply =
                (exchange, events, call) ->
                        answer(
                                exchange,
                                207,
                                "{\"accepted\": 2, \"rejected\": 1, \"results\": [{\"index\": 1, \"status\": \"rejected\"}]}");
        Delivery delivery = send(3, 10);

        assertThat(delivery.rejectedIds()).containsExactly("e1");
        assertThat(delivery.accepted()).isEqualTo(2);
        assertThat(calls).hasValue(1);
    }

    @Test
    void retryAndUnavailableAreSentAgainWithTheSameIds() {
        reply =
                (exchange, events, call) -> {
                    if (call == 1) {
                        exchange.getResponseHeaders().add("retry-after", "0");
                        answer(exchange, 503, "{}");
                    } else if (call == 2) {
                        answer(
                                exchange,
                                207,
                                "{\"accepted\": 1, \"rejected\": 0, \"results\": [{\"index\": 0, \"status\": \"retry\"}]}");
                    } else {
                        answer(exchange, 200, accepted(events.size()));
                    }
                };
        Delivery delivery = send(2, 10);

        assertThat(arrived).containsExactly("e0", "e1", "e0", "e1", "e0");
        assertThat(delivery.accepted()).isEqualTo(2);
        assertThat(delivery.retries()).isEqualTo(2);
    }

    @Test
    void aGatewayWithoutGzipGetsPlainBodies() {
        reply =
                (exchange, events, call) -> {
                    boolean zipped = exchange.getRequestHeaders().containsKey("content-encoding");
                    answer(exchange, zipped ? 415 : 200, zipped ? "{}" : accepted(events.size()));
                };

        assertThat(send(2, 10).accepted()).isEqualTo(2);
    }

    @Test
    void anAnswerThatDoesNotAddUpIsAnError() {
        reply = (exchange, events, call) -> answer(exchange, 200, accepted(1));

        assertThatThrownBy(() -> send(2, 10))
                .isInstanceOf(MeshException.class)
                .hasMessageContaining("accepted 1 of 2");
    }

    @Test
    void aRefusalEndsTheSending() {
        reply = (exchange, events, call) -> answer(exchange, 401, "{\"title\": \"no key\"}");

        assertThatThrownBy(() -> send(2, 10)).hasMessageContaining("401 no key");
    }
}
