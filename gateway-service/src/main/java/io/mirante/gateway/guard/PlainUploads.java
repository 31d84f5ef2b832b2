package io.mirante.gateway.guard;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http2.Http2CodecUtil;

/**
 * Leaves a request with a body in HTTP/1.1 where its client offers to go over to HTTP/2 with it, as Java's {@code HttpClient} does with
 * its first request to a place: Netty would hold all of the body in memory before it goes over, and so answers 413 without a word.
 * A server is free to ignore such an offer (RFC 9110, 7.8); the client makes it again with its next connection. Thread-safe.
 */
@Sharable
final class PlainUploads extends ChannelInboundHandlerAdapter {

    private static final PlainUploads HANDLER = new PlainUploads();

    private PlainUploads() {}

    /** Puts itself between the HTTP codec and what goes over to HTTP/2; does nothing where there is no codec yet (TLS). */
    static void install(ChannelPipeline pipeline) {
        var codec = pipeline.context(HttpServerCodec.class);
        if (codec != null) {
            pipeline.addAfter(codec.name(), "mirante.plainUploads", HANDLER);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof HttpRequest request && offersHttp2WithBody(request)) {
            var headers = request.headers();
            boolean stays = HttpUtil.isKeepAlive(request);
            headers.remove(HttpHeaderNames.UPGRADE);
            headers.remove(Http2CodecUtil.HTTP_UPGRADE_SETTINGS_HEADER);
            headers.remove(HttpHeaderNames.CONNECTION);
            HttpUtil.setKeepAlive(request, stays);
        }
        context.fireChannelRead(message);
    }

    private static boolean offersHttp2WithBody(HttpRequest request) {
        return request.headers()
                        .containsValue(
                                HttpHeaderNames.UPGRADE,
                                Http2CodecUtil.HTTP_UPGRADE_PROTOCOL_NAME,
                                true)
                // What is no request is answered as such further on, and nothing is gone over to
                // for it.
                && (request.decoderResult().isFailure()
                        || request.headers()
                                .containsValue(
                                        HttpHeaderNames.TRANSFER_ENCODING,
                                        HttpHeaderValues.CHUNKED,
                                        true)
                        || HttpUtil.getContentLength(request, 0L) > 0);
    }
}
