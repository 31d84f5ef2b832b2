package io.mirante.snapshot.live;

import static io.mirante.snapshot.Asking.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.snapshot.CleanLog;
import io.mirante.snapshot.LiveReader;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;

@MeshTest
class LiveIT {

    @Autowired private Mesh mesh;
    @Autowired private LiveTopics topics;
    @LocalServerPort private int port;
    private final HttpClient http = HttpClient.newHttpClient();
    private final List<WebSocket> opened = new ArrayList<>();
    private CleanLog log;
    private String tenant;

    @BeforeEach
    void open() {
        log = new CleanLog(mesh);
        tenant = mesh.newTenant();
        eventually(() -> assertThat(topics.isReading()).isTrue());
    }

    @AfterEach
    void close() {
        opened.forEach(WebSocket::abort);
        http.close();
        log.close();
    }

    @Test
    void sendsEventsMetricsAndAlertsOfTheOwnTenant() {
        var frames = subscribe(tenant, "\"events\",\"metrics\",\"alerts\"", "{}", "null");
        var others = subscribe(mesh.newTenant(), "\"events\",\"metrics\",\"alerts\"", "{}", "null");
        log.send(login("e1"));
        mesh.send(
                new Outgoing(
                        Topics.ALERTS.name(),
                        null,
                        Keys.of(tenant, "a1"),
                        "{\"tenant_id\":\"x\",\"alert_id\":\"a1\",\"state\":\"firing\"}"
                                .getBytes(StandardCharsets.UTF_8),
                        Map.of(CloudHeaders.TENANT, tenant)));
        eventually(() -> {
            assertThat(channel(frames, "events")).hasSize(1);
            assertThat(channel(frames, "metrics")).hasSize(4);
            assertThat(channel(frames, "alerts")).hasSize(1);
        });
        var event = channel(frames, "events").getFirst();
        assertThat(event.path("data").path("event_id").stringValue()).isEqualTo("e1");
        assertThat(event.path("data").has("tenant_id")).isFalse();
        assertThat(event.path("id").stringValue()).startsWith("events-");
        assertThat(others).hasSize(1);
    }

    @Test
    void goesOnAfterTheLastIdSeen() {
        var first = subscribe(tenant, "\"events\"", "{}", "null");
        log.send(login("e1"), login("e2"), login("e3"));
        eventually(() -> assertThat(channel(first, "events")).hasSize(3));
        var id = channel(first, "events").getFirst().path("id").stringValue();
        var again = subscribe(tenant, "\"events\"", "{}", "\"" + id + "\"");
        eventually(() ->
                assertThat(
                                channel(again, "events").stream()
                                        .map(f -> f.path("data").path("event_id").stringValue()))
                        .containsExactly("e2", "e3"));
        assertThat(again.getFirst().path("payload").path("resumed").booleanValue()).isTrue();
        var unknown = subscribe(tenant, "\"events\"", "{}", "\"events-0-999999999\"");
        assertThat(unknown.getFirst().path("payload").path("resumed").booleanValue()).isFalse();
    }

    @Test
    void aKeyThatComesWhenTheGatewayHasLongCheckedOneIsNotTakenForAnAnswer() {
        var frames = new CopyOnWriteArrayList<JsonNode>();
        var socket = connect(tenant, frames);
        say(socket, "{\"type\":\"Authenticate\",\"payload\":{\"api_key\":\"another-key\"}}");
        eventually(() -> assertThat(types(frames)).containsExactly("Error"));
        assertThat(frames.getFirst().path("payload").path("message").stringValue())
                .isEqualTo("the socket is authenticated already");
    }

    @Test
    void filtersUnsubscribesAndAnswersPings() {
        var frames = new CopyOnWriteArrayList<JsonNode>();
        var socket = connect(tenant, frames);
        say(socket, "{\"type\":\"Ping\"}");
        eventually(() -> assertThat(types(frames)).containsExactly("Pong"));
        say(
                socket,
                "{\"type\":\"Subscribe\",\"payload\":{\"channels\":[\"events\"],\"filters\":{\"event_types\":[\"purchase\"]}}}");
        eventually(() -> assertThat(types(frames)).contains("Subscribed"));
        log.send(
                login("e1"),
                CleanLog.event(
                        tenant, "p1", "purchase", 1, "2026-11-20T10:00:00Z", "{\"amount\":1}"));
        eventually(() -> assertThat(channel(frames, "events")).hasSize(1));
        assertThat(channel(frames, "events").getFirst().path("data").path("event_id").stringValue())
                .isEqualTo("p1");
        say(socket, "{\"type\":\"Unsubscribe\",\"payload\":{\"channels\":[\"events\"]}}");
        eventually(() -> assertThat(types(frames)).contains("Unsubscribed"));
        say(socket, "{\"type\":\"Subscribe\",\"payload\":{\"channels\":[\"weather\"]}}");
        say(socket, "no json");
        eventually(() -> assertThat(types(frames)).filteredOn("Error"::equals).hasSize(2));
    }

    @Test
    void aSlowReaderIsToldWhatItMissedAndSlowsNobody() {
        var slow = new Slow();
        var socket =
                http.newWebSocketBuilder()
                        .header("Authorization", "Bearer " + mesh.token(tenant, "analytics.view"))
                        .buildAsync(uri(), slow)
                        .join();
        opened.add(socket);
        say(
                socket,
                "{\"type\":\"Subscribe\",\"payload\":{\"channels\":[\"events\"],\"filters\":{}}}");
        var fast = subscribe(tenant, "\"events\"", "{}", "null");
        var padding = "x".repeat(10_000);
        int sent = 0;
        for (int batch = 0; batch < 8; batch++) {
            var events = new ArrayList<CleanEvent>();
            for (int i = 0; i < 500; i++) {
                events.add(
                        CleanLog.event(
                                tenant,
                                "s" + sent++,
                                "note",
                                1,
                                "2026-11-20T10:00:00Z",
                                "{\"text\":\"%s\"}".formatted(padding)));
            }
            log.send(events);
            int expected = sent;
            eventually(() -> assertThat(seen(fast)).isEqualTo(expected));
        }
        slow.read(socket, 1);
        eventually(() -> {
            assertThat(types(slow.frames)).contains("Dropped");
            assertThat(seen(slow.frames)).isEqualTo(4_000);
        });
    }

    /** Events received, and those it was told it missed. */
    private static long seen(List<JsonNode> frames) {
        return channel(frames, "events").size()
                + frames.stream()
                        .filter(f -> f.path("type").asString("").equals("Dropped"))
                        .mapToLong(f -> f.path("count").asLong())
                        .sum();
    }

    @Test
    void withoutATokenOrTheScopeThereIsNoFeed() {
        Assertions.assertThatThrownBy(() ->
                        http.newWebSocketBuilder()
                                .buildAsync(uri(), new LiveReader(new ArrayList<>()))
                                .join())
                .isInstanceOf(CompletionException.class);
        Assertions.assertThatThrownBy(() ->
                        http.newWebSocketBuilder()
                                .header("Authorization", "Bearer " + mesh.token(tenant, "ingest"))
                                .buildAsync(uri(), new LiveReader(new ArrayList<>()))
                                .join())
                .isInstanceOf(CompletionException.class);
    }

    private CleanEvent login(String id) {
        return CleanLog.event(tenant, id, "login", 1, "2026-11-20T10:00:00Z", "{}");
    }

    private List<JsonNode> subscribe(
            String tenant, String channels, String filters, String lastId) {
        var frames = new CopyOnWriteArrayList<JsonNode>();
        say(
                connect(tenant, frames),
                "{\"type\":\"Subscribe\",\"payload\":{\"channels\":[%s],\"filters\":%s,\"last_id\":%s}}"
                        .formatted(channels, filters, lastId));
        eventually(() -> assertThat(types(frames)).contains("Subscribed"));
        return frames;
    }

    private WebSocket connect(String tenant, List<JsonNode> frames) {
        var socket =
                http.newWebSocketBuilder()
                        .header("Authorization", "Bearer " + mesh.token(tenant, "analytics.view"))
                        .buildAsync(uri(), new LiveReader(frames))
                        .join();
        opened.add(socket);
        return socket;
    }

    private URI uri() {
        return URI.create("ws://127.0.0.1:" + port + "/ws");
    }

    private static void say(WebSocket socket, String text) {
        socket.sendText(text, true).join();
    }

    private static List<String> types(List<JsonNode> frames) {
        return frames.stream().map(f -> f.path("type").asString("")).toList();
    }

    private static List<JsonNode> channel(List<JsonNode> frames, String channel) {
        return frames.stream().filter(f -> f.path("channel").asString("").equals(channel)).toList();
    }

    /** Reads nothing until told to. */
    private static final class Slow extends LiveReader {
        private final List<JsonNode> frames;

        Slow() {
            this(new CopyOnWriteArrayList<>());
        }

        private Slow(List<JsonNode> frames) {
            super(frames);
            this.frames = frames;
        }

        @Override
        public void onOpen(WebSocket socket) {
            // asks for nothing
        }

        void read(WebSocket socket, long count) {
            socket.request(count);
        }
    }
}
