package io.mirante.gateway.routing;

import java.util.concurrent.atomic.AtomicLong;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import reactor.core.publisher.Flux;

/**
 * A request whose body breaks off above a limit and which knows whether its body has come to its end; keeps nothing of what
 * flows by.
 */
final class PassedBody extends ServerHttpRequestDecorator {

    private final long maxBytes;
    private volatile boolean arrived;

    PassedBody(ServerHttpRequest request, long maxBytes) {
        super(request);
        this.maxBytes = maxBytes;
        this.arrived = request.getHeaders().getContentLength() == 0 || withoutBody(request);
    }

    /** Whether the request announces no body at all. */
    static boolean withoutBody(ServerHttpRequest request) {
        return request.getHeaders().getContentLength() <= 0
                && !request.getHeaders().containsHeader("Transfer-Encoding");
    }

    /** Whether all of the body came; until it has, a failure may well be the client's. */
    boolean arrived() {
        return arrived;
    }

    @Override
    public Flux<DataBuffer> getBody() {
        var seen = new AtomicLong();
        return super.getBody()
                .map(buffer -> {
                    if (seen.addAndGet(buffer.readableByteCount()) > maxBytes) {
                        DataBufferUtils.release(buffer);
                        throw new DataBufferLimitException(
                                "the body is larger than " + maxBytes + " bytes");
                    }
                    return buffer;
                })
                .doOnComplete(() -> arrived = true);
    }
}
