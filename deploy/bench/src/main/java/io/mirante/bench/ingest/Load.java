package io.mirante.bench.ingest;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongFunction;

/**
 * HTTP load over kept-alive connections, one thread and one request in flight each. Plain sockets, because a load
 * generator on the same machine must cost less than what it measures. Not thread-safe.
 */
final class Load implements AutoCloseable {

    /**
     * What a run saw.
     *
     * @param requests answered with 2xx
     * @param refused answered otherwise
     * @param took from the first request to the last answer
     * @param latencyNanos of each answer, rising; closed loop: from sending; open loop: from the intended start
     */
    record Seen(long requests, long refused, Duration took, long[] latencyNanos) {

        double perSecond() {
            return requests * 1e9 / took.toNanos();
        }

        /** Latency that a share of the answers stays within, in milliseconds; {@code share} in (0, 1]. */
        double millis(double share) {
            int rank = (int) Math.ceil(share * latencyNanos.length) - 1;
            return latencyNanos.length == 0 ? Double.NaN : latencyNanos[Math.max(0, rank)] / 1e6;
        }
    }

    private final List<Connection> connections = new ArrayList<>();
    private final LongFunction<byte[]> body;
    private final AtomicLong sent;

    /**
     * Connects.
     *
     * @param header lines between the request line and {@code content-length}, each ended by CR LF
     * @param body of the n-th request
     * @param sent numbers requests; shared by loads whose events must not repeat
     */
    Load(
            int port,
            String path,
            String header,
            int connections,
            LongFunction<byte[]> body,
            AtomicLong sent) {
        this.body = body;
        this.sent = sent;
        String head =
                "POST "
                        + path
                        + " HTTP/1.1\r\nhost: 127.0.0.1:"
                        + port
                        + "\r\n"
                        + header
                        + "content-type: application/json\r\ncontent-length: ";
        for (int i = 0; i < connections; i++) {
            this.connections.add(new Connection(port, head));
        }
    }

    /** As fast as the answers come. */
    Seen closed(Duration time) {
        long begin = System.nanoTime();
        long end = begin + time.toNanos();
        return run(
                begin,
                (connection, index) -> {
                    while (System.nanoTime() < end) {
                        connection.exchange(body.apply(sent.incrementAndGet()), System.nanoTime());
                    }
                });
    }

    /** At a fixed rate of requests a second; a late answer delays none of the intended starts that are counted from. */
    Seen open(Duration time, double perSecond) {
        long begin = System.nanoTime();
        int all = connections.size();
        long count = (long) (time.toNanos() / 1e9 * perSecond);
        return run(
                begin,
                (connection, index) -> {
                    for (long i = index; i < count; i += all) {
                        long intended = begin + (long) (i * 1e9 / perSecond);
                        long wait = intended - System.nanoTime();
                        while (wait > 0) {
                            LockSupport.parkNanos(wait);
                            wait = intended - System.nanoTime();
                        }
                        connection.exchange(body.apply(sent.incrementAndGet()), intended);
                    }
                });
    }

    private interface Work {
        void run(Connection connection, int index);
    }

    private Seen run(long begin, Work work) {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < connections.size(); i++) {
            int index = i;
            Connection connection = connections.get(i);
            connection.reset();
            all.add(
                    CompletableFuture.runAsync(
                            () -> work.run(connection, index),
                            task ->
                                    Thread.ofPlatform()
                                            .daemon()
                                            .name("load-" + index)
                                            .start(task)));
        }
        all.forEach(CompletableFuture::join);
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        long[] latency =
                connections.stream().flatMapToLong(Connection::latencies).sorted().toArray();
        long refused = connections.stream().mapToLong(connection -> connection.refused).sum();
        return new Seen(latency.length, refused, took, latency);
    }

    @Override
    public void close() {
        connections.forEach(Connection::close);
    }

    private static final class Connection {
        private static final byte[] HEADER_END = {'\r', '\n', '\r', '\n'};

        private final Socket socket;
        private final OutputStream out;
        private final InputStream in;
        private final byte[] head;
        private long[] latency = new long[1024];
        private int answers;
        private long refused;

        Connection(int port, String head) {
            try {
                this.socket = new Socket(InetAddress.getLoopbackAddress(), port);
                this.socket.setTcpNoDelay(true);
                this.socket.setSoTimeout(30_000);
                this.out = socket.getOutputStream();
                this.in = new BufferedInputStream(socket.getInputStream(), 16_384);
                this.head = head.getBytes(StandardCharsets.US_ASCII);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        void reset() {
            answers = 0;
            refused = 0;
        }

        java.util.stream.LongStream latencies() {
            return Arrays.stream(latency, 0, answers);
        }

        void exchange(byte[] body, long countedFrom) {
            try {
                byte[] length = (body.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
                byte[] request = new byte[head.length + length.length + body.length];
                System.arraycopy(head, 0, request, 0, head.length);
                System.arraycopy(length, 0, request, head.length, length.length);
                System.arraycopy(body, 0, request, head.length + length.length, body.length);
                out.write(request);
                int status = readAnswer();
                if (status / 100 != 2) {
                    refused++;
                    return;
                }
                if (answers == latency.length) {
                    latency = Arrays.copyOf(latency, latency.length * 2);
                }
                latency[answers++] = System.nanoTime() - countedFrom;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Reads a whole answer; it must carry its content-length. */
        private int readAnswer() throws IOException {
            var header = new java.io.ByteArrayOutputStream(512);
            int matched = 0;
            while (matched < HEADER_END.length) {
                int next = in.read();
                if (next < 0) {
                    throw new IOException("the server closed the connection");
                }
                header.write(next);
                matched = next == HEADER_END[matched] ? matched + 1 : next == '\r' ? 1 : 0;
            }
            String text = header.toString(StandardCharsets.US_ASCII);
            in.skipNBytes(contentLength(text));
            return Integer.parseInt(text.substring(9, 12));
        }

        private static long contentLength(String header) throws IOException {
            for (String line : header.split("\r\n")) {
                if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                    return Long.parseLong(line.substring(15).strip());
                }
            }
            throw new IOException("an answer without content-length: " + header);
        }

        void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
