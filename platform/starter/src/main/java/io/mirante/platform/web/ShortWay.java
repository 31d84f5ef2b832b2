package io.mirante.platform.web;

import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaders;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * A POST route that takes so many small calls that Spring's way to a handler costs several times what the handler does.
 * Calls in its plain form are answered on the server itself; any other call of the route takes the usual way, to a handler
 * that does the same work. Implementations are thread-safe.
 *
 * <p>Plain are calls of exactly this path without a query, with a JSON body of known size that is not packed, from a caller
 * whom the usual way has let in before. So there is one place where callers are verified. With tracing on, all calls take
 * the usual way.
 */
public interface ShortWay {

    /** Such as {@code /api/v1/events}. */
    String path();

    /** The largest body, in bytes; larger ones take the usual way. The body is gathered before it is answered. */
    int maxBytes();

    /** How long a body may take to arrive; then 408. Zero = for ever, for routes that only the mesh can reach. */
    default Duration bodyWithin() {
        return Duration.ZERO;
    }

    /**
     * Looks at a call before its body is there.
     *
     * @param headers of a call that is plain so far; not to be kept
     * @return what answers it; null = the usual way
     */
    @Nullable Call enter(HttpHeaders headers);

    /** A call that takes the short way. */
    interface Call {

        /** Whose call it is, for the access log. */
        String tenant();

        /** Answers the call; must not block. Errors are answered as problems, as anywhere. */
        Mono<Answer> answer(Request request);
    }

    /**
     * What came.
     *
     * @param id the call's id, which the answer will have
     * @param headers as they came
     * @param loop of the connection it came on, which the call is answered on
     */
    record Request(String id, HttpHeaders headers, byte[] body, EventLoop loop) {}

    /**
     * An answer.
     *
     * @param headers all but the request's id and the length; taken over, so not to be used afterwards
     * @param error why it is what it is, for the metrics; null when nothing went wrong
     */
    record Answer(int status, HttpHeaders headers, byte[] body, @Nullable Throwable error) {}
}
