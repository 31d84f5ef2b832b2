package io.mirante.etl.remote;

import io.mirante.platform.outbound.Destinations;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.List;
import javax.net.SocketFactory;

/**
 * Sockets for pgjdbc, which makes the factory by its name and hands it one text: the hosts that are let through. The driver connects to the
 * first address of the host; it is checked here, as the last step before the connect, so that a name cannot lead elsewhere in between.
 */
public final class GuardedSockets extends SocketFactory {

    /** The setting that names hosts that are let through. */
    public static final String SETTING = "SOURCE_ALLOWED_HOSTS";

    private final Destinations destinations;

    /**
     * A factory.
     *
     * @param allowed hosts that are let through, with commas between them
     */
    public GuardedSockets(String allowed) {
        destinations = new Destinations(List.of(allowed.split(",")), SETTING);
    }

    @Override
    public Socket createSocket() {
        return new Guarded();
    }

    private final class Guarded extends Socket {

        @Override
        public void connect(SocketAddress endpoint) throws IOException {
            connect(endpoint, 0);
        }

        @Override
        public void connect(SocketAddress endpoint, int timeout) throws IOException {
            if (!(endpoint instanceof InetSocketAddress address)) {
                throw new SocketException("only addresses of the internet");
            }
            InetAddress target = address.getAddress();
            if (target != null) {
                destinations.checked(address.getHostString(), target);
            }
            super.connect(endpoint, timeout);
        }
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        var socket = createSocket();
        socket.connect(new InetSocketAddress(host, port));
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort)
            throws IOException {
        return createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        var socket = createSocket();
        socket.connect(new InetSocketAddress(host, port));
        return socket;
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return createSocket(host, port);
    }
}
