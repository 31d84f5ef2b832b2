package io.mirante.gateway.routing;

import java.util.concurrent.atomic.AtomicLong;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import reactor.core.publisher.Flux;

/** A request of unknown length whose body breaks off above a limit; counts what flows by, keeps nothing. */
final class LimitedBody extends ServerHttpRequestDecorator {

    private final long maxBytes;

    LimitedBody(ServerHttpRequest request, long maxBytes) {
        super(request);
        this.maxBytes = maxBytes;
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
                });
    }
}
