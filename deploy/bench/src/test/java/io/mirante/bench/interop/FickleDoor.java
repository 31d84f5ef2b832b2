package io.mirante.bench.interop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;

/**
 * Stands before the gateway and answers the first requests otherwise: {@code 429} with Retry-After and {@code 503} without
 * passing them on, {@code lost} by passing the request on and answering 503 although it was accepted.
 */
final class FickleDoor implements AutoCloseable {

    enum Mood {
        TOO_MANY,
        UNAVAILABLE,
        LOST
    }

    private final HttpServer server;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI gateway;
    private final Queue<Mood> moods;
    private final Queue<Integer> answered = new ConcurrentLinkedQueue<>();

    FickleDoor(URI gateway, List<Mood> moods) throws IOException {
        this.gateway = gateway;
        this.moods = new ConcurrentLinkedQueue<>(moods);
        this.server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::answer);
        server.start();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** What its clients saw, in order. */
    List<Integer> answered() {
        return List.copyOf(answered);
    }

    private void answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        Mood mood = moods.poll();
        if (mood == Mood.TOO_MANY) {
            exchange.getResponseHeaders().set("Retry-After", "1");
            reply(exchange, 429, new byte[0]);
            return;
        }
        if (mood == Mood.UNAVAILABLE) {
            reply(exchange, 503, new byte[0]);
            return;
        }
        HttpResponse<byte[]> passed = pass(exchange, body);
        if (mood == Mood.LOST) {
            reply(exchange, passed.statusCode() == 200 ? 503 : passed.statusCode(), new byte[0]);
            return;
        }
        reply(exchange, passed.statusCode(), passed.body());
    }

    private HttpResponse<byte[]> pass(HttpExchange exchange, byte[] body) throws IOException {
        try {
            return client.send(
                    HttpRequest.newBuilder(gateway.resolve(exchange.getRequestURI()))
                            .header(
                                    "authorization",
                                    exchange.getRequestHeaders().getFirst("authorization"))
                            .header("content-type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private void reply(HttpExchange exchange, int status, byte[] body) throws IOException {
        answered.add(status);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        try (exchange) {
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        client.close();
    }
}
