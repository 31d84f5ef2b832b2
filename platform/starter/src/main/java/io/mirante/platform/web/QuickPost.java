package io.mirante.platform.web;

import org.springframework.http.HttpStatusCode;
import reactor.core.publisher.Mono;

/**
 * A route that takes so many small calls that Spring's way to a handler costs several times what the handler does. Calls
 * in its plain form are answered on the server itself; any other call of the route takes the usual way, to a controller
 * that does the same work.
 *
 * <p>Plain are calls of exactly this path without a query, with a JSON body of known size that is not packed, and with a
 * token that the usual way has verified before and that has the scope. So there is one place where tokens are verified,
 * and one where calls are refused. With tracing on, all calls take the usual way.
 *
 * @param path such as {@code /api/v1/events}
 * @param scope what the caller must have, such as {@code ingest}
 * @param maxBytes largest body, in bytes; larger ones take the usual way
 * @param work must not block
 */
public record QuickPost(String path, String scope, int maxBytes, Work work) {

    /** What is done with a body. Its errors are answered as problems, as anywhere. */
    @FunctionalInterface
    public interface Work {
        Mono<Reply> answer(Caller caller, byte[] body);
    }

    /**
     * An answer.
     *
     * @param body becomes JSON
     */
    public record Reply(HttpStatusCode status, Object body) {}
}
