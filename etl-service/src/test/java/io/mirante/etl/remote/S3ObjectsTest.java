package io.mirante.etl.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.mirante.etl.quality.FileFormat;
import io.mirante.platform.outbound.Destinations;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server that says what is not so, which no real one is made to do. */
class S3ObjectsTest {

    private static final int PAGE = 1_000;
    private static final int OK = 200;

    @TempDir Path folder;

    @Test
    void aServerThatSendsMoreThanItListsIsStopped() throws Exception {
        var server =
                server(exchange ->
                        answer(
                                exchange,
                                isListing(exchange)
                                        ? listing(contents("a.csv", 10), false)
                                        : "x".repeat(5_000)));
        try {
            assertThatThrownBy(() -> fetch(server))
                    .isInstanceOf(FetchFailedException.class)
                    .hasMessageContaining("have 5000 bytes, more than the 1000");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aListingWithoutEndHasOne() throws Exception {
        var pages = new AtomicInteger();
        var server =
                server(exchange ->
                        answer(
                                exchange,
                                listing(
                                        IntStream.range(0, PAGE)
                                                .mapToObj(i -> contents("_note" + i, 10))
                                                .collect(Collectors.joining()),
                                        pages.incrementAndGet() < 150)));
        try {
            assertThatThrownBy(() -> fetch(server))
                    .isInstanceOf(FetchFailedException.class)
                    .hasMessageContaining("more than 100000 objects");
            assertThat(pages.get()).as("pages asked for").isLessThan(110);
        } finally {
            server.stop(0);
        }
    }

    private void fetch(HttpServer server) throws FetchFailedException {
        new S3Objects(new Destinations(List.of("127.0.0.1"), "SOURCE_ALLOWED_HOSTS"), 1_000)
                .fetch(
                        new S3Place(
                                "lake",
                                "",
                                "us-east-1",
                                "http://127.0.0.1:" + server.getAddress().getPort()),
                        FileFormat.CSV,
                        new Credentials("who", "secret"),
                        folder,
                        what -> {});
    }

    private static boolean isListing(HttpExchange exchange) {
        return String.valueOf(exchange.getRequestURI().getQuery()).contains("list-type");
    }

    private static String listing(String contents, boolean more) {
        return """
        <?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>lake</Name>%s<IsTruncated>%s</IsTruncated>%s</ListBucketResult>\
        """
                .formatted(
                        contents,
                        more,
                        more ? "<NextContinuationToken>next</NextContinuationToken>" : "");
    }

    private static String contents(String key, long size) {
        return "<Contents><Key>%s</Key><Size>%d</Size><ETag>\"e\"</ETag></Contents>"
                .formatted(key, size);
    }

    private interface Handler {
        void handle(HttpExchange exchange) throws IOException;
    }

    private static HttpServer server(Handler handler) throws IOException {
        var server =
                HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.createContext(
                "/",
                exchange -> {
                    try (exchange) {
                        handler.handle(exchange);
                    }
                });
        server.start();
        return server;
    }

    private static void answer(HttpExchange exchange, String body) throws IOException {
        var bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(OK, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
