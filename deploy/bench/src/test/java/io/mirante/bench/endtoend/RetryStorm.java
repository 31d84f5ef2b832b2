package io.mirante.bench.endtoend;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Impatient clients: events arrive at a fixed rate however slow the answers are, and each is sent up to three times, at once,
 * when it is refused for now or not answered within a second. Plain sockets, because the clients share the machine with what
 * they storm. Thread-safe.
 */
final class RetryStorm implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final int ATTEMPTS = 3;

    /** More clients than these wait for no answer at a time; who comes then is not even sent. */
    private static final int MOST_WAITING = 3_000;

    private final int port;
    private final String tenant;
    private final String prefix;
    private final AtomicInteger made = new AtomicInteger();
    private final ConcurrentLinkedDeque<Connection> idle = new ConcurrentLinkedDeque<>();
    private final Queue<Ledger.Sent> acknowledged = new ConcurrentLinkedQueue<>();
    private final Queue<Ledger.Sent> unknown = new ConcurrentLinkedQueue<>();
    private final ConcurrentMap<String, LongAdder> failures = new ConcurrentHashMap<>();

    RetryStorm(int port, String tenant, String prefix) {
        this.port = port;
        this.tenant = tenant;
        this.prefix = prefix;
    }

    /**
     * What a storm came to.
     *
     * @param offered events that arrived
     * @param attempts requests that were sent
     * @param goodput events acknowledged, a second
     */
    record Seen(long offered, long attempts, double goodput, String statuses) {}

    /** Events a second that a number of patient clients get acknowledged, one after the other each. */
    double capacity(int clients, Duration time) {
        var count = new AtomicLong();
        long begin = System.nanoTime();
        long end = begin + time.toNanos();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < clients; i++) {
                threads.execute(() -> {
                    while (System.nanoTime() < end) {
                        if (attempt(event()) == 202) {
                            count.incrementAndGet();
                        }
                    }
                });
            }
        }
        return count.get() * 1e9 / (System.nanoTime() - begin);
    }

    /** Storms for a while. */
    Seen run(double perSecond, Duration time) {
        var waiting = new Semaphore(MOST_WAITING);
        var attempts = new AtomicLong();
        failures.clear();
        var good = new AtomicLong();
        var statuses =
                new AtomicLong[] {
                    new AtomicLong(), new AtomicLong(), new AtomicLong(), new AtomicLong()
                };
        long begin = System.nanoTime();
        long end = begin + time.toNanos();
        long offered = 0;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (; System.nanoTime() < end; offered++) {
                long due = begin + (long) (offered * 1e9 / perSecond);
                long wait;
                while ((wait = due - System.nanoTime()) > 0) {
                    LockSupport.parkNanos(wait);
                }
                if (!waiting.tryAcquire()) {
                    statuses[3].incrementAndGet();
                    continue;
                }
                var event = event();
                threads.execute(() -> {
                    try {
                        for (int i = 0; i < ATTEMPTS && System.nanoTime() < end; i++) {
                            attempts.incrementAndGet();
                            int status = attempt(event);
                            statuses[status == 202 ? 0 : status == 0 ? 2 : 1].incrementAndGet();
                            if (status == 202) {
                                if (System.nanoTime() <= end) {
                                    good.incrementAndGet();
                                }
                                return;
                            }
                        }
                    } finally {
                        waiting.release();
                    }
                });
            }
        }
        return new Seen(
                offered,
                attempts.get(),
                good.get() * 1e9 / time.toNanos(),
                "%d acknowledged, %d refused for now, %d without an answer %s, %d never sent"
                        .formatted(
                                statuses[0].get(),
                                statuses[1].get(),
                                statuses[2].get(),
                                failures,
                                statuses[3].get()));
    }

    /** Of so many patient events, one after the other, how long the slowest took; not less than a quarter of a second. */
    Duration slowest(int events) {
        long most = Duration.ofMillis(250).toNanos();
        for (int i = 0; i < events; i++) {
            long begin = System.nanoTime();
            attempt(event());
            most = Math.max(most, System.nanoTime() - begin);
        }
        return Duration.ofNanos(most);
    }

    /** One patient event; whether it was acknowledged within {@code limit}. */
    boolean acknowledged(Duration limit) {
        long begin = System.nanoTime();
        return attempt(event()) == 202 && System.nanoTime() - begin <= limit.toNanos();
    }

    void writeTo(Ledger ledger) {
        ledger.write(acknowledged, 'A');
        ledger.write(unknown, 'U');
    }

    private Ledger.Sent event() {
        String id = prefix + made.incrementAndGet();
        String json =
                "{\"event_id\":\"%s\",\"user_id\":\"storm-%d\",\"event_type\":{\"type\":\"page_view\",\"data\":{\"url\":\"/\"}}}"
                        .formatted(id, made.get() % 500);
        return new Ledger.Sent(tenant, id, json.getBytes(StandardCharsets.UTF_8));
    }

    /** Status of the answer, 0 without one. */
    private int attempt(Ledger.Sent event) {
        Connection connection = idle.pollFirst();
        int status = 0;
        try {
            if (connection == null) {
                connection = new Connection(port);
            }
            status = connection.exchange(event.json());
            idle.addFirst(connection);
        } catch (IOException e) {
            failures.computeIfAbsent(String.valueOf(e.getMessage()), text -> new LongAdder())
                    .increment();
            if (connection != null) {
                connection.close();
            }
        }
        (status == 202 ? acknowledged : unknown).add(event);
        return status;
    }

    @Override
    public void close() {
        idle.forEach(Connection::close);
    }

    private static final class Connection {
        private final Socket socket;
        private final BufferedInputStream in;

        Connection(int port) throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) PATIENCE.toMillis());
            in = new BufferedInputStream(socket.getInputStream(), 4_096);
        }

        int exchange(byte[] event) throws IOException {
            byte[] head =
                    ("POST /api/v1/events HTTP/1.1\r\nhost: x\r\nx-api-key: dev-key-123\r\ncontent-type: application/json\r\ncontent-length: "
                                    + (event.length + 10)
                                    + "\r\n\r\n{\"event\":")
                            .getBytes(StandardCharsets.US_ASCII);
            byte[] request = new byte[head.length + event.length + 1];
            System.arraycopy(head, 0, request, 0, head.length);
            System.arraycopy(event, 0, request, head.length, event.length);
            request[request.length - 1] = '}';
            socket.getOutputStream().write(request);
            String status = line();
            long length = 0;
            String header;
            while (!(header = line()).isEmpty()) {
                if (header.regionMatches(true, 0, "content-length:", 0, 15)) {
                    length = Long.parseLong(header.substring(15).strip());
                }
            }
            in.skipNBytes(length);
            return Integer.parseInt(status.substring(9, 12));
        }

        private String line() throws IOException {
            var line = new StringBuilder();
            int next;
            while ((next = in.read()) != '\n') {
                if (next < 0) {
                    throw new IOException("closed");
                }
                if (next != '\r') {
                    line.append((char) next);
                }
            }
            return line.toString();
        }

        void close() {
            try {
                socket.close();
            } catch (IOException e) {
                // it was of no use any more
            }
        }
    }
}
