package io.mirante.gateway.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoop;
import io.netty.handler.timeout.ReadTimeoutException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.netty.resources.LoopResources;

/** The client of short calls against a server that says, byte by byte, what it is told to. */
class QuickClientTest {

    private static final String FINE = "HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\n\r\nfine";
    private static final String SILENCE = "";
    private static final String HANG_UP = "hang up";

    /** What each next request is answered with; when there is nothing, {@link #FINE}. */
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final LoopResources loops = LoopResources.create("quick-client-test", 2, true);
    private final EventLoop loop = (EventLoop) loops.onServer(true).next();
    private ServerSocket server;
    private QuickClient client;

    @BeforeEach
    void listen() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
        client = client(Duration.ofMinutes(1), Duration.ofMinutes(1));
    }

    private QuickClient client(Duration answer, Duration idle) {
        return new QuickClient(
                URI.create("http://127.0.0.1:" + server.getLocalPort()),
                new QuickClient.Settings(Duration.ofSeconds(5), answer, idle),
                loops);
    }

    private void accept() {
        try {
            while (true) {
                var socket = server.accept();
                sockets.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException e) {
            // the test is over
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            var in =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            for (var request = read(in); request != null; request = read(in)) {
                requests.add(request);
                var next = answers.poll();
                var answer = next == null ? FINE : next;
                var said = answer.replace(HANG_UP, "");
                socket.getOutputStream().write(said.getBytes(StandardCharsets.US_ASCII));
                if (answer.endsWith(HANG_UP)) {
                    return;
                }
            }
        } catch (IOException e) {
            // the client has gone
        }
    }

    private static String read(BufferedReader in) throws IOException {
        var request = new StringBuilder();
        int length = 0;
        for (var line = in.readLine(); line != null; line = in.readLine()) {
            request.append(line).append('\n');
            if (line.toLowerCase().startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(15).strip());
            }
            if (line.isEmpty()) {
                for (int i = 0; i < length; i++) {
                    request.append((char) in.read());
                }
                return request.toString();
            }
        }
        return null;
    }

    @AfterEach
    void close() throws IOException {
        server.close();
        for (var socket : sockets) {
            socket.close();
        }
        loops.disposeLater(Duration.ZERO, Duration.ofSeconds(5)).block();
    }

    private QuickClient.Reply post(String body) {
        var headers = QuickClient.headers();
        headers.set("x-b3", "b");
        return client.post(loop, "/path?q=1", headers, body.getBytes(StandardCharsets.UTF_8))
                .block();
    }

    private static String text(QuickClient.Reply reply) {
        return reply.status() + " " + new String(reply.body(), StandardCharsets.UTF_8);
    }

    @Test
    void sendsARequestAndReadsItsAnswer() {
        assertThat(text(post("{}"))).isEqualTo("202 fine");
        assertThat(requests)
                .containsExactly(
                        "POST /path?q=1 HTTP/1.1\nx-b3: b\nhost: 127.0.0.1:%d\ncontent-length: 2\n\n{}"
                                .formatted(server.getLocalPort()));
    }

    @Test
    void callsOneAfterTheOtherShareAConnection() {
        for (int i = 0; i < 5; i++) {
            post("a" + i);
        }
        assertThat(sockets).hasSize(1);
        assertThat(requests).hasSize(5);
    }

    @Test
    void callsAtTheSameTimeDoNot() {
        var replies =
                Flux.range(0, 20)
                        .flatMap(
                                i ->
                                        client.post(
                                                loop,
                                                "/",
                                                QuickClient.headers(),
                                                ("b" + i).getBytes(StandardCharsets.UTF_8)),
                                20)
                        .map(QuickClientTest::text)
                        .collectList()
                        .block();
        assertThat(replies).hasSize(20).containsOnly("202 fine");
        assertThat(requests.stream().map(r -> r.substring(r.lastIndexOf('\n') + 1)))
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, 20).mapToObj(i -> "b" + i).toList());
    }

    @Test
    void eachLoopHasItsOwnConnections() {
        var seen = new ArrayList<EventLoop>();
        var group = loops.onServer(true);
        for (int i = 0; i < 4; i++) {
            seen.add((EventLoop) group.next());
        }
        var distinct = seen.stream().distinct().toList();
        for (var each : distinct) {
            var thread =
                    client.post(each, "/", QuickClient.headers(), new byte[0])
                            .map(reply -> each.inEventLoop())
                            .block();
            assertThat(thread).isTrue();
        }
        assertThat(sockets).hasSameSizeAs(distinct);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde"
            })
    void readsAnswersOfAnyForm(String answer) {
        answers.add(answer);
        assertThat(text(post("x"))).isEqualTo("200 abcde");
        assertThat(text(post("y"))).isEqualTo("202 fine");
        assertThat(sockets).hasSize(answer.contains("close") ? 2 : 1);
    }

    @Test
    void anAnswerThatEndsWithTheConnectionIsReadToItsEnd() {
        answers.add("HTTP/1.0 200 OK\r\n\r\nabc" + HANG_UP);
        assertThat(text(post("x"))).isEqualTo("200 abc");
    }

    @Test
    void aConnectionThatEndsBeforeTheAnswerIsAnErrorAndNotTriedAgain() {
        post("first");
        answers.add(HANG_UP);
        assertThatThrownBy(() -> post("x")).hasRootCauseInstanceOf(IOException.class);
        assertThat(requests).hasSize(2);
        assertThat(text(post("y"))).isEqualTo("202 fine");
    }

    @Test
    void aConnectionThatTheServiceClosedMeanwhileIsNotUsed() throws IOException {
        post("first");
        sockets.getFirst().close();
        await().until(() -> {
            try {
                return text(post("again")).equals("202 fine");
            } catch (RuntimeException e) {
                return false;
            }
        });
        assertThat(sockets).hasSizeGreaterThan(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            })
    void whatIsNoAnswerIsAnErrorAndEndsTheConnection(String answer) {
        answers.add(answer.contains("2000000") ? answer + "x".repeat(2_000_000) : answer);
        assertThatThrownBy(() -> post("x")).hasRootCauseInstanceOf(IOException.class);
        assertThat(text(post("y"))).isEqualTo("202 fine");
        assertThat(sockets).hasSize(2);
    }

    @Test
    void anAnswerThatDoesNotComeIsATimeout() {
        client = client(Duration.ofMillis(150), Duration.ofMinutes(1));
        answers.add(SILENCE);
        assertThatThrownBy(() -> post("x")).isInstanceOf(ReadTimeoutException.class);
        assertThat(text(post("y"))).isEqualTo("202 fine");
        assertThat(sockets).as("the late answer must not meet another call").hasSize(2);
    }

    @Test
    void cancellingClosesTheConnection() {
        answers.add(SILENCE);
        var call = client.post(loop, "/", QuickClient.headers(), new byte[0]).toFuture();
        await().until(() -> requests.size() == 1);
        call.cancel(true);
        await().until(() -> sockets.getFirst().isClosed());
        assertThat(text(post("y"))).isEqualTo("202 fine");
    }

    @Test
    void idleConnectionsAreClosed() {
        client = client(Duration.ofMinutes(1), Duration.ofMillis(50));
        post("x");
        await().until(() -> sockets.getFirst().isClosed());
    }

    @Test
    void nobodyListening() throws IOException {
        server.close();
        assertThatThrownBy(() -> post("x")).hasRootCauseInstanceOf(ConnectException.class);
    }
}
