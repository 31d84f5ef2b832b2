package io.mirante.bench.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo against a mesh that takes everything, and counts nothing of it. */
final class DemoTest {
    @TempDir Path folder;

    private HttpServer gateway;
    private int ready = 200;

    @BeforeEach
    void start() throws IOException {
        Path file = folder.resolve("cdnow/CDNOW_master.txt");
        Files.createDirectories(file.getParent());
        Files.writeString(file, " 00001 19970101  1   11.77\n 00002 19970112  1   12.00\n");
        gateway = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        gateway.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        gateway.createContext(
                "/",
                exchange ->
                        answer(exchange, 200, "{\"items\":[],\"as_of\":\"9999-12-31T00:00:00Z\"}"));
        gateway.createContext("/health/ready", exchange -> answer(exchange, ready, "{}"));
        gateway.createContext(
                "/api/v1/events/batch",
                exchange -> {
                    exchange.getRequestBody().readAllBytes();
                    answer(exchange, 200, "{\"accepted\":2,\"rejected\":0,\"results\":[]}");
                });
        gateway.start();
    }

    @AfterEach
    void stop() {
        gateway.stop(0);
    }

    @Test
    void aStageThatDoesNotProduceWhatItShouldIsNamedAndEndsWithOne() {
        Ended demo = demo();
        assertThat(demo.code()).as(demo.output()).isEqualTo(1);
        assertThat(demo.output())
                .contains("  ok   purchases accepted: 2")
                .contains("  FAIL purchases in daily snapshots: expected 2, saw 0")
                .contains("  FAIL revenue in daily snapshots, USD: expected 23.77, saw 0")
                .contains("checks failed:")
                .doesNotContain("checks passed");
    }

    @Test
    void withoutAReadyMeshItEndsWithOne() {
        ready = 503;
        Ended demo = demo();
        assertThat(demo.code()).isEqualTo(1);
        assertThat(demo.output())
                .startsWith("mesh demo: no ready mesh answers at http://127.0.0.1");
    }

    private record Ended(int code, String output) {}

    private Ended demo() {
        var output = new ByteArrayOutputStream();
        int code =
                Demo.run(
                        List.of(
                                "--once",
                                "--from",
                                folder.toString(),
                                "--url",
                                "http://127.0.0.1:" + gateway.getAddress().getPort(),
                                "--key",
                                "k",
                                "--timeout",
                                "10"),
                        new PrintStream(output, true, UTF_8));
        return new Ended(code, output.toString(UTF_8));
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(UTF_8);
        exchange.getResponseHeaders().set("content-type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
