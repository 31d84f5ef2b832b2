package io.mirante.gateway.guard;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.netty.NettyPipeline;

/**
 * Answers 408 and closes when a request's headers, once begun, are not complete in time, so that trickling clients cannot
 * hold connections. A timer runs only while headers are incomplete at the end of a read; WebSockets and HTTP/2, which has
 * its own limits, are left alone. One per connection; used on its event loop only.
 */
final class HeaderDeadline extends ChannelInboundHandlerAdapter {

    private static final String BODY =
            """
            {"type":"https://mirante.example/problems/request-timeout","title":"Request Timeout","status":408,\
            "detail":"the request's headers did not arrive in time","errors":[]}\
            """;
    private static final String ANSWER =
            "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
                    + "Content-Length: "
                    + BODY.length()
                    + "\r\n\r\n"
                    + BODY;

    private enum State {
        BETWEEN_REQUESTS,
        IN_HEADERS,
        IN_BODY
    }

    private final Duration limit;
    private State state = State.BETWEEN_REQUESTS;
    private @Nullable Future<?> timer;

    private HeaderDeadline(Duration limit) {
        this.limit = limit;
    }

    /** Puts itself around the HTTP codec; does nothing where there is none yet (TLS, until ALPN has decided). */
    static void install(ChannelPipeline pipeline, Duration limit) {
        if (pipeline.get(NettyPipeline.HttpTrafficHandler) == null) {
            return;
        }
        var deadline = new HeaderDeadline(limit);
        pipeline.addFirst("mirante.headerDeadline", deadline);
        pipeline.addBefore(
                NettyPipeline.HttpTrafficHandler,
                "mirante.headersSeen",
                new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext context, Object message)
                            throws Exception {
                        deadline.decoded(message);
                        super.channelRead(context, message);
                    }
                });
    }

    private void decoded(Object message) {
        if (message instanceof HttpRequest) {
            state = State.IN_BODY;
            stopTimer();
        }
        if (message instanceof LastHttpContent) {
            state = State.BETWEEN_REQUESTS;
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (state == State.BETWEEN_REQUESTS) {
            state = State.IN_HEADERS;
        }
        super.channelRead(context, message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) throws Exception {
        if (context.pipeline().get(NettyPipeline.HttpTrafficHandler) == null) {
            stopTimer();
            context.pipeline().remove(this);
        } else if (state == State.IN_HEADERS && timer == null) {
            timer =
                    context.executor()
                            .schedule(
                                    () -> tooLate(context),
                                    limit.toMillis(),
                                    TimeUnit.MILLISECONDS);
        }
        context.fireChannelReadComplete();
    }

    private void tooLate(ChannelHandlerContext context) {
        if (state == State.IN_HEADERS) {
            var unused =
                    context.writeAndFlush(Unpooled.copiedBuffer(ANSWER, StandardCharsets.US_ASCII))
                            .addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        stopTimer();
        super.channelInactive(context);
    }

    private void stopTimer() {
        var running = timer;
        timer = null;
        if (running != null) {
            running.cancel(false);
        }
    }
}
