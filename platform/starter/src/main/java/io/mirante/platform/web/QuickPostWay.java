package io.mirante.platform.web;

import io.mirante.platform.security.CachingJwtDecoder;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;

/** A {@link QuickPost} as a {@link ShortWay}. Thread-safe. */
final class QuickPostWay implements ShortWay {

    private static final String BEARER = "Bearer ";

    private final QuickPost post;
    private final CachingJwtDecoder tokens;
    private final JsonMapper json;

    QuickPostWay(QuickPost post, CachingJwtDecoder tokens, JsonMapper json) {
        this.post = post;
        this.tokens = tokens;
        this.json = json;
    }

    @Override
    public String path() {
        return post.path();
    }

    @Override
    public int maxBytes() {
        return post.maxBytes();
    }

    @Override
    public @Nullable Call enter(HttpHeaders headers) {
        if (post.notWith().stream().anyMatch(headers::contains)) {
            return null;
        }
        var given = headers.getAll(HttpHeaderNames.AUTHORIZATION);
        var caller =
                given.size() == 1 && given.getFirst().startsWith(BEARER)
                        ? tokens.callerOf(given.getFirst().substring(BEARER.length()))
                        : null;
        return caller == null || !caller.scopes().contains(post.scope())
                ? null
                : new CallerCall(caller);
    }

    private final class CallerCall implements Call {

        private final Caller caller;

        CallerCall(Caller caller) {
            this.caller = caller;
        }

        @Override
        public String tenant() {
            return caller.tenant();
        }

        @Override
        public Mono<Answer> answer(Request request) {
            return post.work().answer(caller, request.body()).map(QuickPostWay.this::written);
        }
    }

    private Answer written(QuickPost.Reply reply) {
        var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        headers.set(HttpHeaderNames.CONTENT_TYPE, ShortWays.JSON);
        ShortWays.addAlways(headers);
        return new Answer(
                reply.status().value(), headers, json.writeValueAsBytes(reply.body()), null);
    }
}
