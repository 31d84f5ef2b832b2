package io.mirante.gateway.routing;

import java.util.concurrent.atomic.AtomicLong;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

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

    /**
     * Completes once a request without a body has been read to its end. To be waited for before it is answered: Reactor
     * Netty stops reading from a connection for good when it answers a request, which had to wait for the answer before it,
     * ahead of the request's end.
     */
    static Mono<Void> ended(ServerHttpRequest request) {
        return request.getBody().doOnNext(DataBufferUtils::release).then();
    }

    /** Whether all of the body came; until it has, a failure may well be the client's. */
    boolean arrived() {
        return arrived;
    }

    @Override
    public Flux<DataBuffer> getBody() {
        if (arrived) {
            return Flux.empty(); // and has been read, see ended
        }
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
