package io.mirante.gateway.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.gateway.AtTheDoor;
import io.mirante.gateway.live.Sockets;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import reactor.netty.http.HttpProtocol;

class GuardIT extends AtTheDoor {

    @Autowired private Sockets sockets;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @AfterEach
    void close() {
        http.close();
    }

    @Test
    void aServiceThatIsDownIsLeftAloneForAWhileAndOthersGoOn() {
        var etl = SERVICES.get("etl");
        etl.stop();
        try {
            for (int i = 0; i < ServiceGuards.WINDOW; i++) {
                var answer = get("/api/v1/quality?n=" + i);
                assertThat(answer.statusCode()).isEqualTo(503);
                assertThat(answer.headers().firstValue("Retry-After")).hasValue("2");
                assertThat(answer.body()).contains("\"service\":\"etl-service\"");
            }
            assertThat(get("/api/v1/models").statusCode()).isEqualTo(200);
        } finally {
            etl.startAgain();
        }
        // The service is back, but the breaker does not ask it before its time.
        assertThat(get("/api/v1/quality?early").statusCode()).isEqualTo(503);
        assertThat(etl.hits("/api/v1/quality?early")).isZero();
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(
                        () -> assertThat(get("/api/v1/quality").statusCode()).isEqualTo(200));
        assertThat(
                        mesh.anonymous()
                                .get()
                                .uri("/metrics")
                                .exchange()
                                .expectBody(String.class)
                                .returnResult()
                                .getResponseBody())
                .contains("resilience4j_circuitbreaker_state");
    }

    @Test
    void aServiceThatHangsGetsItsShareOfTheGatewayAndNoMore() {
        var slow =
                IntStream.range(0, CALLS + 4)
                        .mapToObj(i -> send("/api/v1/industry40/slow?n=" + i))
                        .toList();
        await().atMost(Duration.ofSeconds(5))
                .until(() -> slow.stream().filter(CompletableFuture::isDone).count() >= 4);
        long start = System.nanoTime();
        assertThat(get("/api/v1/models").statusCode()).isEqualTo(200);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
        var codes = slow.stream().map(f -> f.join().statusCode()).toList();
        assertThat(codes).containsOnly(503, 504);
        assertThat(codes.stream().filter(c -> c == 503)).hasSize(4);
        var busy =
                slow.stream()
                        .map(CompletableFuture::join)
                        .filter(a -> a.statusCode() == 503)
                        .findFirst()
                        .orElseThrow();
        assertThat(busy.headers().firstValue("Retry-After")).isPresent();
        assertThat(busy.body()).contains("industry40-service has 8 requests in flight");
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        assertThat(get("/api/v1/industry40/devices").statusCode()).isEqualTo(200));
    }

    @Test
    void onlyAReadIsAskedAgainWhenItsServiceBreaksOff() throws Exception {
        assertThat(get("/api/v1/alerts/reset").statusCode()).isEqualTo(200);
        assertThat(SERVICES.get("alert").hits("/api/v1/alerts/reset")).isEqualTo(2);
        var post =
                http.send(
                        request("/api/v1/alerts/reset-post")
                                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(post.statusCode()).isEqualTo(503);
        assertThat(SERVICES.get("alert").hits("/api/v1/alerts/reset-post")).isEqualTo(1);
    }

    @Test
    void serverSentEventsPassAsTheyComeAndEndWithTheGateway() throws Exception {
        var answer =
                http.send(
                        request("/api/v1/live?channels=events").build(),
                        HttpResponse.BodyHandlers.ofLines());
        assertThat(answer.headers().firstValue("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/event-stream"));
        var lines = answer.body().iterator();
        assertThat(List.of(lines.next(), lines.next(), lines.next()))
                .containsExactly("id: 0", "data: 0", "");
        assertThat(lines.next()).isEqualTo("id: 1");
        sockets.stop();
        try {
            var ended =
                    CompletableFuture.runAsync(() -> {
                        try {
                            lines.forEachRemaining(line -> {});
                        } catch (RuntimeException e) {
                            // a stream that is cut ends with an error, which is an end too
                        }
                    });
            await().atMost(Duration.ofMinutes(2)).until(ended::isDone);
        } finally {
            sockets.start();
        }
    }

    @Test
    void http2IsSpokenWithAndWithoutUpgrade() throws Exception {
        try (var two = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
            var first =
                    two.send(request("/api/v1/fans").build(), HttpResponse.BodyHandlers.ofString());
            assertThat(first.statusCode()).isEqualTo(200);
            assertThat(first.version()).isEqualTo(HttpClient.Version.HTTP_2);
            var second =
                    two.send(
                            request("/api/v1/events/batch")
                                    .POST(HttpRequest.BodyPublishers.ofString("x".repeat(300_000)))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(second.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(second.body()).contains("\"bytes\":300000");
        }
        var known =
                reactor.netty.http.client.HttpClient.newConnection()
                        .protocol(HttpProtocol.H2C)
                        .headers(h -> h.set("x-api-key", KEY))
                        .get()
                        .uri("http://127.0.0.1:" + port() + "/api/v1/fans")
                        .responseSingle((answer, body) ->
                                body.asString()
                                        .map(text ->
                                                answer.status().code() + " " + answer.version()))
                        .block(Duration.ofSeconds(10));
        assertThat(known).startsWith("200 HTTP/2");
    }

    /** What Java's client does by itself, when its first request has a body. */
    @ParameterizedTest
    @ValueSource(ints = {1, 300_000})
    void aFirstRequestWithABodyStaysInHttp1(int bytes) throws Exception {
        for (boolean chunked : new boolean[] {false, true}) {
            var body = HttpRequest.BodyPublishers.ofString("x".repeat(bytes));
            try (var two = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
                for (int time = 0; time < 2; time++) {
                    var answer =
                            two.send(
                                    request("/api/v1/events/batch")
                                            .POST(
                                                    chunked
                                                            ? HttpRequest.BodyPublishers
                                                                    .fromPublisher(body)
                                                            : body)
                                            .build(),
                                    HttpResponse.BodyHandlers.ofString());
                    assertThat(answer.statusCode()).isEqualTo(200);
                    assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
                    assertThat(answer.body()).contains("\"bytes\":" + bytes);
                }
            }
        }
    }

    @Test
    void aRequestKeepsItsIdOrGetsOneInEveryAnswer() {
        for (var path :
                List.of(
                        "/api/v1/fans",
                        "/api/v1/nothing",
                        "/health/live",
                        "/api/v1/fans/forbidden")) {
            assertThat(
                            send(request(path).header("X-Request-Id", "abc.1:2_3-4"))
                                    .headers()
                                    .allValues("X-Request-Id"))
                    .containsExactly("abc.1:2_3-4");
            var odd =
                    send(request(path).header("X-Request-Id", "a b\"c"))
                            .headers()
                            .allValues("X-Request-Id");
            assertThat(odd).hasSize(1);
            assertThat(odd.getFirst()).matches("[0-9a-f-]{36}");
        }
    }

    @Test
    void pagesOfAllowedOriginsMayCall() {
        mesh.anonymous()
                .options()
                .uri("/api/v1/fans")
                .header("Origin", ORIGIN)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "x-api-key, content-type")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .valueEquals("Access-Control-Allow-Origin", ORIGIN)
                .expectHeader()
                .valueEquals("Access-Control-Allow-Headers", "x-api-key, content-type")
                .expectHeader()
                .doesNotExist("Access-Control-Allow-Credentials")
                .expectHeader()
                .exists("X-Request-Id");
        client(KEY)
                .get()
                .uri("/api/v1/fans")
                .header("Origin", ORIGIN)
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .valueEquals("Access-Control-Allow-Origin", ORIGIN)
                .expectHeader()
                .value(
                        "Access-Control-Expose-Headers",
                        all -> assertThat(all).contains("X-RateLimit-Remaining"));
        client(KEY)
                .get()
                .uri("/api/v1/fans")
                .header("Origin", "https://evil.example.org")
                .exchange()
                .expectStatus()
                .isForbidden()
                .expectHeader()
                .doesNotExist("Access-Control-Allow-Origin");
    }

    @Test
    void anOfferOfHttp2WithALengthThatIsNoneIsABadRequest() throws Exception {
        try (var socket = new Socket("127.0.0.1", port())) {
            socket.setSoTimeout(10_000);
            write(
                    socket.getOutputStream(),
                    "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nx-api-key: %s\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: abc\r\n\r\n"
                            .formatted(KEY));
            assertThat(read(socket)).startsWith("HTTP/1.1 400");
        }
    }

    @Test
    void headersThatTrickleAreCutOff() throws Exception {
        try (var socket = new Socket("127.0.0.1", port())) {
            socket.setSoTimeout(10_000);
            var out = socket.getOutputStream();
            // A whole request first: the deadline is each request's own.
            write(out, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(read(socket)).startsWith("HTTP/1.1 200");
            long start = System.nanoTime();
            write(out, "GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ");
            var answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).startsWith("HTTP/1.1 408").contains("application/problem+json");
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(900), Duration.ofSeconds(9));
        }
    }

    @Test
    void aBodyThatTricklesIsTheClientsTroubleAndNotTheServices() throws Exception {
        var sockets = new ArrayList<Socket>();
        try {
            for (int i = 0; i < CALLS; i++) {
                var socket = new Socket("127.0.0.1", port());
                socket.setSoTimeout(10_000);
                sockets.add(socket);
                write(
                        socket.getOutputStream(),
                        "POST /api/v1/etl/runs HTTP/1.1\r\nHost: x\r\nx-api-key: %s\r\nContent-Length: 100\r\n\r\n{"
                                .formatted(KEY));
            }
            for (var socket : sockets) {
                assertThat(read(socket)).startsWith("HTTP/1.1 408");
            }
        } finally {
            for (var socket : sockets) {
                socket.close();
            }
        }
        assertThat(get("/api/v1/etl/runs").statusCode()).isEqualTo(200);
    }

    @Test
    void aConnectionOnWhichOneRequestCameEarlyGoesOn() throws Exception {
        try (var socket = new Socket("127.0.0.1", port())) {
            socket.setSoTimeout(10_000);
            var passedOn = "GET /api/v1/etl/runs HTTP/1.1\r\nHost: x\r\nx-api-key: %s\r\n\r\n";
            var own = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
            write(socket.getOutputStream(), passedOn.formatted(KEY) + own);
            awaitAnswers(socket, 2);
            write(socket.getOutputStream(), passedOn.formatted(KEY));
            awaitAnswers(socket, 1);
        }
    }

    /** Reads until so many answers have begun; the socket's own limit ends the wait. */
    private static void awaitAnswers(Socket socket, int count) throws IOException {
        var text = new StringBuilder();
        while (text.toString().split("HTTP/1.1 200", -1).length - 1 < count) {
            var more = read(socket);
            assertThat(more).as("after %s", text).isNotEmpty();
            text.append(more);
        }
    }

    @Test
    void headersThatAreTooLargeAreRefused() {
        assertThat(send(request("/api/v1/fans").header("X-Large", "x".repeat(20_000))).statusCode())
                .isIn(413, 431);
        assertThat(get("/api/v1/fans?q=" + "x".repeat(20_000)).statusCode()).isEqualTo(414);
        assertThat(get("/api/v1/fans").statusCode()).isEqualTo(200);
    }

    private static void write(java.io.OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
        out.flush();
    }

    private static String read(Socket socket) throws IOException {
        var buffer = new byte[4_096];
        int count = socket.getInputStream().read(buffer);
        return new String(buffer, 0, Math.max(0, count), StandardCharsets.UTF_8);
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
                .header("x-api-key", KEY);
    }

    private HttpResponse<String> get(String path) {
        return send(path).join();
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        return http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString()).join();
    }

    private CompletableFuture<HttpResponse<String>> send(String path) {
        return http.sendAsync(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }
}
