package io.mirante.ingestion.segment;

import io.mirante.platform.web.ProblemException;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A request whose body ends with a problem 400, as Segment answers, when it is larger than a limit. What lies beyond is read
 * and thrown away: a connection that is closed while its client still sends loses the answer.
 */
final class BoundedBody extends ServerHttpRequestDecorator {

    private final int maxBytes;

    BoundedBody(ServerHttpRequest request, int maxBytes) {
        super(request);
        this.maxBytes = maxBytes;
    }

    @Override
    public Flux<DataBuffer> getBody() {
        var read = new AtomicLong();
        return super.getBody()
                .<DataBuffer>handle((buffer, sink) -> {
                    if (read.addAndGet(buffer.readableByteCount()) > maxBytes) {
                        DataBufferUtils.release(buffer);
                    } else {
                        sink.next(buffer);
                    }
                })
                .concatWith(
                        Mono.defer(() ->
                                read.get() > maxBytes
                                        ? Mono.error(tooLarge(maxBytes))
                                        : Mono.empty()));
    }

    static ProblemException tooLarge(int maxBytes) {
        return ProblemException.malformed(
                "",
                "too_large",
                "the body is larger than %d KB, Segment's limit for this call; send it in parts"
                        .formatted(maxBytes / 1024));
    }
}
