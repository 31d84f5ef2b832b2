package io.mirante.embedded;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports nobody listens on. They lie in [20000, 32000), below the range from which the system takes ports for outgoing
 * connections, so that none is lost to one between the choice and its use. One that was given out is given to nobody else as long as this
 * process lives: it holds the datagram port of the same number, which nobody here needs, and processes that choose look at that, too.
 * Thread-safe.
 */
public final class FreePorts {
    private static final int FIRST = 20_000;
    private static final int LAST_EXCLUSIVE = 32_000;
    private static final int ATTEMPTS = 200;

    private FreePorts() {}

    /** Closed with the process. */
    private static final Queue<DatagramSocket> GIVEN = new ConcurrentLinkedQueue<>();

    /** A port that was free a moment ago, another one each time. */
    public static int next() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, LAST_EXCLUSIVE);
            if (isFree(port) && take(port)) {
                return port;
            }
        }
        throw new EmbeddedServerException(
                "no free port found between " + FIRST + " and " + LAST_EXCLUSIVE);
    }

    /** Whether nobody else was given it. */
    private static boolean take(int port) {
        try {
            GIVEN.add(new DatagramSocket(port, InetAddress.getLoopbackAddress()));
            return true;
        } catch (SocketException taken) {
            return false;
        }
    }

    /** A free port other than this one, which may be free still. */
    public static int nextBut(int port) {
        int next;
        do {
            next = next();
        } while (next == port);
        return next;
    }

    /** Whether nobody listens on {@code port} on the loopback address. */
    public static boolean isFree(int port) {
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
