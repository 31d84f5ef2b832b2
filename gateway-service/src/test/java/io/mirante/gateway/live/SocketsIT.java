package io.mirante.gateway.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.mirante.gateway.AtTheDoor;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** With the JDK's WebSocket client. */
@ExtendWith(OutputCaptureExtension.class)
class SocketsIT extends AtTheDoor {

    private static final String AUTHENTICATE =
            "{\"type\": \"Authenticate\", \"payload\": {\"api_key\": \"%s\"}}";

    @Autowired private Sockets sockets;
    private final HttpClient http = HttpClient.newHttpClient();
    private final List<WebSocket> opened = new ArrayList<>();

    /** The promise to who revokes a key, see docs/operations.md. */
    private static final Duration REVOKED_WITHIN = Duration.ofSeconds(5);

    @AfterEach
    void close() {
        opened.forEach(WebSocket::abort);
        http.close();
    }

    @Test
    void theKeyMayComeInTheQueryWhichIsCut(CapturedOutput output) {
        var client = open("/ws?a=1&api_key=" + KEY, null);
        client.awaitFrames(1);
        assertThat(client.frames.getFirst()).startsWith("/ws?a=1 Bearer ey").doesNotContain(KEY);
        client.send("hello");
        client.awaitFrames(2);
        assertThat(client.frames.get(1)).isEqualTo("echo hello");
        assertThat(output.getAll()).doesNotContain(KEY);
    }

    @Test
    void theKeyMayComeInTheHeader() {
        var client = open("/ws/", KEY);
        client.awaitFrames(1);
        assertThat(client.frames.getFirst()).startsWith("/ws Bearer ey");
    }

    @Test
    void theKeyMayComeAsTheFirstMessageAndTheNextOnesNeedNotWait(CapturedOutput output) {
        var client = open("/ws?a=1", null);
        client.send(AUTHENTICATE.formatted(KEY));
        client.send("one");
        client.send("two");
        client.awaitFrames(4);
        assertThat(client.frames.get(0)).isEqualTo("{\"type\":\"Authenticated\"}");
        assertThat(client.frames.get(1)).startsWith("/ws?a=1 Bearer ey");
        assertThat(client.frames.subList(2, 4)).containsExactly("echo one", "echo two");
        assertThat(output.getAll()).doesNotContain(KEY);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\": \"Authenticate\", \"payload\": {\"api_key\": \"a-wrong-key\"}}",
                "{\"type\": \"Subscribe\", \"payload\": {\"channels\": [\"events\"]}}",
                "no json"
            })
    void anyOtherFirstMessageClosesWith4401(String first, CapturedOutput output) {
        var client = open("/ws", null);
        client.send(first);
        client.awaitClose(4401);
        assertThat(client.frames).isEmpty();
        assertThat(output.getAll()).doesNotContain("a-wrong-key");
    }

    @Test
    void aBinaryFirstMessageClosesWith4401() {
        var client = open("/ws", null);
        client.socket.sendBinary(ByteBuffer.wrap(AUTHENTICATE.formatted(KEY).getBytes()), true);
        client.awaitClose(4401);
    }

    @Test
    void aWrongKeyInTheRequestIs401() {
        refused("/ws", "wrong", 401);
        refused("/ws?api_key=wrong", null, 401);
    }

    @Test
    void nobodyStaysWithoutAKeyOrAfterItsKeyIsGone() throws Exception {
        var silent = open("/ws", null);
        var tenant = mesh.newTenant();
        addKey(tenant, "a-key-that-goes", "analytics.view");
        var early = open("/ws", "a-key-that-goes");
        var late = open("/ws", null);
        late.send(AUTHENTICATE.formatted("a-key-that-goes"));
        early.awaitFrames(1);
        late.awaitFrames(2);
        var stays = open("/ws", KEY);
        var stream = stream("a-key-that-goes");
        removeKey(tenant, "a-key-that-goes");
        await().atMost(REVOKED_WITHIN)
                .untilAsserted(() -> {
                    assertThat(early.closed).isEqualTo(4401);
                    assertThat(late.closed).isEqualTo(4401);
                    assertThat(stream).isDone();
                });
        silent.awaitClose(4401);
        assertThat(stays.closed).isZero();
    }

    @Test
    void closeCodesArePassedOnBothWays() {
        var service = SERVICES.get("snapshot");
        var first = open("/ws", KEY);
        first.awaitFrames(1);
        first.send("close 4000");
        first.awaitClose(4000);
        assertThat(first.reason).isEqualTo("as you said");
        var second = open("/ws", KEY);
        second.awaitFrames(1);
        second.socket.sendClose(4321, "enough").join();
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(service.lastClose()).isEqualTo(4321));
        var third = open("/ws", KEY);
        third.awaitFrames(1);
        third.socket.abort();
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(service.lastClose()).isEqualTo(1001));
    }

    @Test
    void aReaderThatStopsHoldsItsServiceBackInsteadOfFillingTheGateway() {
        var service = SERVICES.get("snapshot");
        long before = service.framesSent();
        int frames = 5_000;
        var client = open("/ws", KEY);
        client.awaitFrames(1);
        client.reading = false;
        client.send("flood " + frames);
        var last = new long[] {-1};
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(400))
                .until(() -> {
                    long now = service.framesSent() - before;
                    boolean still = now > 0 && now == last[0];
                    last[0] = now;
                    return still;
                });
        assertThat(last[0]).isLessThan(frames / 2);
        client.reading = true;
        client.socket.request(1);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(client.frames).hasSize(frames + 1));
        assertThat(client.frames.getLast()).startsWith((frames - 1) + " ");
    }

    @Test
    void aServiceThatRefusesOrIsDownIsNamed() {
        refused("/ws?forbidden", KEY, 403);
        var client = open("/ws?forbidden", null);
        client.send(AUTHENTICATE.formatted(KEY));
        client.awaitClose(4403);

        var service = SERVICES.get("snapshot");
        service.stop();
        try {
            refused("/ws", KEY, 503);
            var late = open("/ws", null);
            late.send(AUTHENTICATE.formatted(KEY));
            late.awaitClose(1013);
            assertThat(late.reason).contains("snapshot-service");
        } finally {
            service.startAgain();
        }
    }

    @Test
    void aShutdownClosesSocketsSoThatClientsComeBack() {
        var client = open("/ws", KEY);
        client.awaitFrames(1);
        sockets.stop();
        try {
            client.awaitClose(1012);
        } finally {
            sockets.start();
        }
    }

    @Test
    void overPlainHttpItSaysWhatItSpeaks() {
        client(KEY)
                .get()
                .uri("/ws")
                .exchange()
                .expectStatus()
                .isEqualTo(426)
                .expectHeader()
                .valueEquals("Upgrade", "websocket");
    }

    /** Server-sent events; done when they have ended. */
    private CompletableFuture<?> stream(String key) throws Exception {
        var answer =
                http.send(
                        HttpRequest.newBuilder(
                                        URI.create(
                                                "http://127.0.0.1:"
                                                        + port()
                                                        + "/api/v1/live?channels=events"))
                                .header("x-api-key", key)
                                .build(),
                        HttpResponse.BodyHandlers.ofLines());
        assertThat(answer.statusCode()).isEqualTo(200);
        var lines = answer.body().iterator();
        assertThat(lines.next()).isEqualTo("id: 0");
        return CompletableFuture.runAsync(() -> {
            try {
                lines.forEachRemaining(line -> {});
            } catch (UncheckedIOException e) {
                // A stream that is cut ends with an error, which is an end too.
            }
        });
    }

    private void refused(String path, String key, int status) {
        assertThatThrownBy(() -> open(path, key))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        WebSocketHandshakeException.class,
                        e -> assertThat(e.getResponse().statusCode()).isEqualTo(status));
    }

    private Client open(String path, String key) {
        var client = new Client();
        var builder = http.newWebSocketBuilder();
        if (key != null) {
            builder.header("x-api-key", key);
        }
        client.socket =
                builder.buildAsync(URI.create("ws://127.0.0.1:" + port() + path), client).join();
        opened.add(client.socket);
        return client;
    }

    private static final class Client implements WebSocket.Listener {
        private final List<String> frames = new CopyOnWriteArrayList<>();
        private final StringBuilder part = new StringBuilder();
        private volatile WebSocket socket;
        private volatile boolean reading = true;
        private volatile int closed;
        private volatile String reason;

        void send(String text) {
            socket.sendText(text, true).join();
        }

        void awaitFrames(int count) {
            await().atMost(Duration.ofMinutes(2))
                    .untilAsserted(() -> assertThat(frames).hasSizeGreaterThanOrEqualTo(count));
        }

        void awaitClose(int code) {
            await().atMost(Duration.ofMinutes(2))
                    .untilAsserted(() -> assertThat(closed).isEqualTo(code));
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            part.append(data);
            if (last) {
                frames.add(part.length() > 1_000 ? part.substring(0, 20) : part.toString());
                part.setLength(0);
            }
            if (reading) {
                from.request(1);
            }
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int statusCode, String why) {
            reason = why;
            closed = statusCode;
            return null;
        }
    }
}
