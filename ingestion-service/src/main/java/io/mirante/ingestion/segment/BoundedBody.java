package io.mirante.ingestion.segment;

import io.mirante.platform.web.ProblemException;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import reactor.core.publisher.Flux;

/** A request whose body ends with a problem 400, as Segment answers, as soon as it is larger than a limit. */
final class BoundedBody extends ServerHttpRequestDecorator {

    private final int maxBytes;

    BoundedBody(ServerHttpRequest request, int maxBytes) {
        super(request);
        this.maxBytes = maxBytes;
    }

    @Override
    public Flux<DataBuffer> getBody() {
        var read = new AtomicInteger();
        return super.getBody()
                .handle((buffer, sink) -> {
                    if (read.addAndGet(buffer.readableByteCount()) > maxBytes) {
                        DataBufferUtils.release(buffer);
                        sink.error(tooLarge(maxBytes));
                    } else {
                        sink.next(buffer);
                    }
                });
    }

    static ProblemException tooLarge(int maxBytes) {
        return ProblemException.malformed(
                "",
                "too_large",
                "the body is larger than %d KB, Segment's limit for this call; send it in parts"
                        .formatted(maxBytes / 1024));
    }
}
