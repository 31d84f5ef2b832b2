package io.mirante.platform.web;

import java.util.List;
import org.springframework.http.HttpStatusCode;
import reactor.core.publisher.Mono;

/**
 * A {@link ShortWay} of a service: for callers with a token that the usual way has verified before and that has the scope.
 *
 * @param path such as {@code /api/v1/events}
 * @param scope what the caller must have, such as {@code ingest}
 * @param maxBytes largest body, in bytes; larger ones take the usual way
 * @param notWith headers that give the body another meaning; calls with one of them take the usual way
 * @param work must not block
 */
public record QuickPost(String path, String scope, int maxBytes, List<String> notWith, Work work) {

    public QuickPost {
        notWith = List.copyOf(notWith);
    }

    /** One whose body means the same whatever headers come with it. */
    public QuickPost(String path, String scope, int maxBytes, Work work) {
        this(path, scope, maxBytes, List.of(), work);
    }

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
