package io.mirante.gateway.routing;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.ReadTimeoutException;
import io.netty.resolver.dns.DnsAddressResolverGroup;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.netty.resources.LoopResources;

/**
 * Small POSTs to one service over HTTP/1.1 without TLS. A call and its connection stay on the event loop that makes the call,
 * and a connection has one call at a time, so nothing is handed from thread to thread and nothing is locked. Reactor Netty's
 * client, which all other calls of the gateway use, took a third of the CPU of a short call for its pool, its hooks and its
 * choice of what to try again. Nothing is tried again here. Thread-safe.
 *
 * <p>Who calls limits how many calls there are at a time; there are never more connections than that.
 */
@SuppressWarnings("FutureReturnValueIgnored") // how a connection ends is told to its handler
final class QuickClient {

    /** Larger answers end with an error; those to small posts have a few hundred bytes. */
    static final int MAX_ANSWER_BYTES = 1024 * 1024;

    /** How often calls that may be overdue and idle connections are looked at, while there are any. */
    private static final Duration TICK = Duration.ofMillis(100);

    private static final byte[] EMPTY = {};

    private final InetSocketAddress address;
    private final String host;
    private final Settings settings;
    private final LoopResources loops;
    private final Map<EventLoop, Connections> connections = new ConcurrentHashMap<>();

    /**
     * How long it waits.
     *
     * @param connect for a connection
     * @param answer for an answer, from the call on; watched each tenth of a second
     * @param idle after which a connection without a call is closed
     */
    record Settings(Duration connect, Duration answer, Duration idle) {}

    /** An answer; the headers are the caller's to change. */
    record Reply(int status, HttpHeaders headers, byte[] body) {}

    /**
     * @param base of the service; only host and port are used
     * @param loops whose event loops will call
     */
    QuickClient(URI base, Settings settings, LoopResources loops) {
        int port = base.getPort() < 0 ? 80 : base.getPort();
        this.address = InetSocketAddress.createUnresolved(base.getHost(), port);
        this.host = base.getRawAuthority();
        this.settings = settings;
        this.loops = loops;
    }

    /**
     * Posts once for each subscriber. Cancelling closes the connection.
     *
     * @param loop on which all of it happens, the answer too
     * @param headers without Host and Content-Length, which are added; taken over
     * @return the answer, whatever its status; or {@link java.net.ConnectException}, {@link ReadTimeoutException}, another
     *     {@link IOException} when the connection ended before the answer did
     */
    Mono<Reply> post(EventLoop loop, String path, HttpHeaders headers, byte[] body) {
        return Mono.create(sink -> {
            headers.set(HttpHeaderNames.HOST, host);
            headers.set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(body.length));
            var call =
                    new Call(
                            new DefaultFullHttpRequest(
                                    HttpVersion.HTTP_1_1,
                                    HttpMethod.POST,
                                    path,
                                    Unpooled.wrappedBuffer(body),
                                    headers,
                                    EmptyHttpHeaders.INSTANCE),
                            sink);
            var own = connections.computeIfAbsent(loop, Connections::new);
            sink.onCancel(() -> own.onLoop(() -> own.cancel(call)));
            own.onLoop(() -> own.start(call));
        });
    }

    /** A call under way; only its event loop touches it. */
    private static final class Call {

        final FullHttpRequest request;
        final MonoSink<Reply> sink;
        long overdue;
        boolean over;
        @Nullable Channel channel;

        Call(FullHttpRequest request, MonoSink<Reply> sink) {
            this.request = request;
            this.sink = sink;
        }
    }

    /** The connections of one event loop, and its calls; only that loop touches them. */
    private final class Connections {

        private final EventLoop loop;
        private final Bootstrap bootstrap;
        private final ArrayDeque<Connection> idle = new ArrayDeque<>();

        /** In the order in which they will be overdue. */
        private final LinkedHashSet<Call> underWay = new LinkedHashSet<>();

        private boolean watching;

        Connections(EventLoop loop) {
            this.loop = loop;
            this.bootstrap =
                    new Bootstrap()
                            .group(loop)
                            .channel(loops.onChannelClass(SocketChannel.class, loop))
                            .option(ChannelOption.TCP_NODELAY, true)
                            .option(
                                    ChannelOption.CONNECT_TIMEOUT_MILLIS,
                                    Math.toIntExact(settings.connect().toMillis()))
                            .resolver(
                                    new DnsAddressResolverGroup(
                                            new DnsNameResolverBuilder()
                                                    .datagramChannelType(
                                                            loops.onChannelClass(
                                                                    DatagramChannel.class, loop))))
                            .remoteAddress(address)
                            .handler(
                                    new ChannelInitializer<>() {
                                        @Override
                                        protected void initChannel(Channel channel) {
                                            channel.pipeline()
                                                    .addLast(
                                                            new HttpClientCodec(),
                                                            new Connection(Connections.this));
                                        }
                                    });
        }

        void onLoop(Runnable work) {
            if (loop.inEventLoop()) {
                work.run();
            } else {
                loop.execute(work);
            }
        }

        void start(Call call) {
            if (call.over) {
                return;
            }
            call.overdue = System.nanoTime() + settings.answer().toNanos();
            underWay.add(call);
            watch();
            for (var free = idle.pollLast(); free != null; free = idle.pollLast()) {
                if (free.channel().isActive()) {
                    free.send(call);
                    return;
                }
            }
            bootstrap.connect().addListener(connected -> connected(call, connected));
        }

        private void connected(Call call, Future<?> connected) {
            if (!connected.isSuccess()) {
                fail(call, connected.cause());
                return;
            }
            var connection = ((ChannelFuture) connected).channel().pipeline().get(Connection.class);
            if (call.over) {
                free(connection);
            } else {
                connection.send(call);
            }
        }

        void free(Connection connection) {
            connection.idleSince = System.nanoTime();
            idle.addLast(connection);
            watch();
        }

        void cancel(Call call) {
            fail(call, new IOException("cancelled"));
        }

        void succeed(Call call, Reply reply) {
            if (end(call)) {
                call.sink.success(reply);
            }
        }

        /** Whatever the service still sends is nobody's, so the connection is closed. */
        void fail(Call call, Throwable error) {
            if (end(call)) {
                if (call.channel != null) {
                    call.channel.close();
                }
                call.sink.error(error);
            }
        }

        private boolean end(Call call) {
            if (call.over) {
                return false;
            }
            call.over = true;
            underWay.remove(call);
            return true;
        }

        private void watch() {
            if (!watching) {
                watching = true;
                loop.schedule(this::look, TICK.toNanos(), TimeUnit.NANOSECONDS);
            }
        }

        private void look() {
            watching = false;
            long now = System.nanoTime();
            for (var call = first(); call != null && call.overdue - now <= 0; call = first()) {
                fail(call, ReadTimeoutException.INSTANCE);
            }
            for (var oldest = idle.peekFirst();
                    oldest != null
                            && (now - oldest.idleSince >= settings.idle().toNanos()
                                    || !oldest.channel().isActive());
                    oldest = idle.peekFirst()) {
                idle.removeFirst().channel().close();
            }
            if (!underWay.isEmpty() || !idle.isEmpty()) {
                watch();
            }
        }

        private @Nullable Call first() {
            return underWay.isEmpty() ? null : underWay.getFirst();
        }
    }

    /** One connection, with at most one call. */
    private static final class Connection extends ChannelInboundHandlerAdapter {

        private final Connections owner;
        private @Nullable ChannelHandlerContext context;
        private @Nullable Call call;
        private @Nullable HttpResponse response;
        private byte[] body = EMPTY;
        private long idleSince;

        Connection(Connections owner) {
            this.owner = owner;
        }

        Channel channel() {
            return Objects.requireNonNull(context).channel();
        }

        void send(Call next) {
            call = next;
            next.channel = channel();
            channel()
                    .writeAndFlush(next.request)
                    .addListener(written -> {
                        if (!written.isSuccess()) {
                            owner.fail(next, broken(written.cause()));
                        }
                    });
        }

        private static IOException broken(Throwable cause) {
            return cause instanceof IOException io
                    ? io
                    : new IOException("the connection failed: " + cause, cause);
        }

        @Override
        public void handlerAdded(ChannelHandlerContext added) {
            context = added;
        }

        @Override
        public void channelRead(ChannelHandlerContext from, Object message) {
            try {
                if (message instanceof HttpResponse head) {
                    response = head;
                    body = EMPTY;
                }
                if (message instanceof HttpContent content) {
                    read(content);
                }
            } finally {
                ReferenceCountUtil.release(message);
            }
        }

        private void read(HttpContent content) {
            var answered = call;
            var head = response;
            if (answered == null
                    || head == null
                    || head.decoderResult().isFailure()
                    || content.decoderResult().isFailure()) {
                ended(new IOException("what came is no answer to a request"));
                channel().close();
                return;
            }
            int more = content.content().readableBytes();
            if (body.length + more > MAX_ANSWER_BYTES) {
                ended(new IOException("the answer is larger than 1 MiB"));
                channel().close();
                return;
            }
            if (more > 0) {
                int had = body.length;
                body = Arrays.copyOf(body, had + more);
                content.content().readBytes(body, had, more);
            }
            if (content instanceof LastHttpContent && head.status().code() >= 200) {
                answered(answered, head);
            }
        }

        private void answered(Call answered, HttpResponse head) {
            var reply = new Reply(head.status().code(), head.headers(), body);
            call = null;
            response = null;
            body = EMPTY;
            if (HttpUtil.isKeepAlive(head) && channel().isActive() && !answered.over) {
                owner.free(this);
            } else {
                channel().close();
            }
            owner.succeed(answered, reply);
        }

        private void ended(IOException error) {
            var waiting = call;
            call = null;
            if (waiting != null) {
                owner.fail(waiting, error);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext from) {
            ended(new IOException("the connection was closed before the answer"));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext from, Throwable cause) {
            ended(broken(cause));
            from.close();
        }
    }

    /** Headers that {@link #post} takes; what comes from a request that was decoded is not checked again. */
    static HttpHeaders headers() {
        return DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
    }
}
