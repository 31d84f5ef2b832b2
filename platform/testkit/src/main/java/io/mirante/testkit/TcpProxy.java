package io.mirante.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A bad network: passes TCP on from a free port of the loopback address to another port, and breaks it as told. A fault is in
 * force for what is read from then on, on old and new connections. Thread-safe.
 */
public final class TcpProxy implements AutoCloseable {

    /** What goes wrong. */
    public enum Fault {
        NONE,
        /** Answers come later; see {@link TcpProxy#DELAY}. */
        DELAY,
        /** A connection is reset when its first answer comes: the request arrived, and its client does not know. */
        LOSE_ANSWERS,
        /** A connection is reset in the middle of a request, of which the first half arrives. */
        RESET_REQUESTS,
        /** Answers are held back, as if their packets were lost, until the fault is over. */
        HOLD_ANSWERS,
        /** Nothing passes in either direction until the fault is over. */
        BLACK_HOLE
    }

    /** Of {@link Fault#DELAY}. */
    public static final Duration DELAY = Duration.ofMillis(300);

    private static final int BUFFER = 64 * 1024;
    private static final long POLL_NANOS = Duration.ofMillis(10).toNanos();

    private final int target;
    private final ServerSocket server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger struck = new AtomicInteger();
    private volatile Fault fault = Fault.NONE;

    /** Passes on to {@code target}, a port of the loopback address where somebody may listen later. */
    public TcpProxy(int target) {
        this.target = target;
        try {
            this.server = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().name("proxy-" + target).start(this::accept);
    }

    public int port() {
        return server.getLocalPort();
    }

    /** Puts a fault in force, or none. */
    public void fault(Fault value) {
        fault = value;
    }

    /** How often a fault has hit a piece of a stream so far. */
    public int struck() {
        return struck.get();
    }

    @Override
    public void close() {
        closeQuietly(server);
        open.forEach(TcpProxy::closeQuietly);
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var client = server.accept();
                Thread.ofVirtual().start(() -> connect(client));
            } catch (IOException e) {
                // closed, or a client that has gone already
            }
        }
    }

    private void connect(Socket client) {
        open.add(client);
        try {
            var upstream = new Socket(InetAddress.getLoopbackAddress(), target);
            open.add(upstream);
            client.setTcpNoDelay(true);
            upstream.setTcpNoDelay(true);
            new Pipe(client, upstream, false).start();
            new Pipe(upstream, client, true).start();
        } catch (IOException e) {
            reset(client);
        }
    }

    private void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // closed already
        }
        open.remove(socket);
        closeQuietly(socket);
    }

    private static void closeQuietly(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            // nothing is left to be done
        }
    }

    /** A piece of a stream and when it may go on; an empty one is the stream's end. */
    private record Piece(byte[] bytes, long dueNanos) {}

    /** One direction of a connection. */
    private final class Pipe {
        private final Socket from;
        private final Socket to;
        private final boolean answers;
        private final LinkedBlockingQueue<Piece> pieces = new LinkedBlockingQueue<>(256);

        Pipe(Socket from, Socket to, boolean answers) {
            this.from = from;
            this.to = to;
            this.answers = answers;
        }

        void start() {
            Thread.ofVirtual().start(() -> run(this::read));
            Thread.ofVirtual().start(() -> run(this::write));
        }

        private interface Work {
            void run() throws IOException, InterruptedException;
        }

        private void run(Work work) {
            try {
                work.run();
            } catch (IOException | InterruptedException e) {
                reset(from);
                reset(to);
            }
        }

        private void read() throws IOException, InterruptedException {
            var buffer = new byte[BUFFER];
            int count;
            while ((count = from.getInputStream().read(buffer)) >= 0) {
                var now = fault;
                if (answers && now == Fault.LOSE_ANSWERS) {
                    struck.incrementAndGet();
                    throw new IOException("lost on purpose");
                }
                if (!answers && now == Fault.RESET_REQUESTS) {
                    struck.incrementAndGet();
                    to.getOutputStream().write(buffer, 0, count / 2);
                    throw new IOException("reset on purpose");
                }
                boolean late = answers && now == Fault.DELAY;
                if (late) {
                    struck.incrementAndGet();
                }
                pieces.put(
                        new Piece(
                                Arrays.copyOf(buffer, count),
                                System.nanoTime() + (late ? DELAY.toNanos() : 0)));
            }
            pieces.put(new Piece(new byte[0], System.nanoTime()));
        }

        private void write() throws IOException, InterruptedException {
            while (true) {
                var piece = pieces.take();
                if (held()) {
                    struck.incrementAndGet();
                }
                while (held()) {
                    LockSupport.parkNanos(POLL_NANOS);
                    if (to.isClosed()) {
                        return;
                    }
                }
                long wait;
                while ((wait = piece.dueNanos() - System.nanoTime()) > 0) {
                    LockSupport.parkNanos(wait);
                }
                if (piece.bytes().length == 0) {
                    to.shutdownOutput();
                    return;
                }
                to.getOutputStream().write(piece.bytes());
            }
        }

        private boolean held() {
            return fault == Fault.BLACK_HOLE || (answers && fault == Fault.HOLD_ANSWERS);
        }
    }
}
