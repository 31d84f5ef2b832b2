package io.mirante.etl.runs;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/** Passes connections on to a server, but for as many as it is told answers 503, or cuts them within what comes back. */
final class FaultyProxy implements AutoCloseable {

    private static final String BUSY =
            "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>busy</Message></Error>";

    private final ServerSocket server;
    private final int target;
    private final AtomicInteger busy = new AtomicInteger();
    private final AtomicInteger cut = new AtomicInteger();
    private final AtomicInteger connections = new AtomicInteger();
    private volatile int cutAfter;

    FaultyProxy(int target) throws IOException {
        this.target = target;
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    int connections() {
        return connections.get();
    }

    FaultyProxy busy(int connections) {
        busy.set(connections);
        return this;
    }

    FaultyProxy cut(int connections, int afterBytes) {
        cutAfter = afterBytes;
        cut.set(connections);
        return this;
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var client = server.accept();
                connections.incrementAndGet();
                Thread.ofVirtual().start(() -> pass(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void pass(Socket client) {
        try (client) {
            if (busy.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                var ignored = client.getInputStream().read(new byte[8_192]);
                client.getOutputStream()
                        .write(
                                ("HTTP/1.1 503 Slow Down\r\nConnection: close\r\nContent-Type: application/xml\r\nContent-Length: "
                                                + BUSY.length()
                                                + "\r\n\r\n"
                                                + BUSY)
                                        .getBytes(StandardCharsets.US_ASCII));
                return;
            }
            long limit = cut.getAndUpdate(n -> Math.max(0, n - 1)) > 0 ? cutAfter : Long.MAX_VALUE;
            try (var upstream = new Socket(InetAddress.getLoopbackAddress(), target)) {
                Thread.ofVirtual().start(() -> copy(client, upstream));
                relay(upstream.getInputStream(), client, limit);
            }
        } catch (IOException gone) {
            // either side may go at any time
        }
    }

    private static void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.shutdownOutput();
        } catch (IOException gone) {
            // either side may go at any time
        }
    }

    private static void relay(InputStream from, Socket to, long limit) throws IOException {
        var buffer = new byte[8_192];
        long left = limit;
        for (int n = from.read(buffer); n > 0; n = from.read(buffer)) {
            to.getOutputStream().write(buffer, 0, (int) Math.min(n, left));
            left -= n;
            if (left <= 0) {
                to.setSoLinger(true, 0);
                return;
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
