package io.mirante.etl.remote;

import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.outbound.GuardedResolver;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.ByteBufFlux;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.resources.ConnectionProvider;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;

/**
 * The SDK's way out: Reactor Netty with the guard as its resolver, since the SDK's own clients cannot be told what they may connect to. No
 * redirects, no proxy, no retry beneath the SDK's. A body is passed on as fast as it is taken. Thread-safe.
 */
public final class GuardedHttp implements SdkAsyncHttpClient {

    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration SILENCE = Duration.ofSeconds(30);

    private final ConnectionProvider connections =
            ConnectionProvider.builder("etl-sources").maxConnections(16).build();
    private final ExecutorService lookups =
            Executors.newThreadPerTaskExecutor(
                    Thread.ofVirtual().name("source-lookup-", 0).factory());
    private final GuardedResolver resolver;
    private final HttpClient client;

    public GuardedHttp(Destinations destinations) {
        resolver = new GuardedResolver(destinations, lookups);
        client =
                HttpClient.create(connections)
                        .resolver(resolver)
                        .noProxy()
                        .followRedirect(false)
                        .disableRetry(true)
                        .compress(false)
                        .option(
                                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                                Math.toIntExact(CONNECT.toMillis()))
                        .responseTimeout(SILENCE);
    }

    @Override
    public CompletableFuture<Void> execute(AsyncExecuteRequest execution) {
        var request = execution.request();
        var handler = execution.responseHandler();
        return client.headers(headers -> request.forEachHeader(headers::set))
                .request(HttpMethod.valueOf(request.method().name()))
                .uri(request.getUri())
                .send(Flux.from(execution.requestContentPublisher()).map(Unpooled::wrappedBuffer))
                .response((response, body) -> pass(response, body, handler))
                .then()
                // The SDK tries again what is an IOException.
                .onErrorMap(e -> !(e instanceof IOException), GuardedHttp::asIo)
                .doOnError(handler::onError)
                .toFuture();
    }

    private static IOException asIo(Throwable e) {
        return new IOException(
                e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage(), e);
    }

    private static Publisher<Void> pass(
            HttpClientResponse response, ByteBufFlux body, SdkAsyncHttpResponseHandler handler) {
        var answer = SdkHttpResponse.builder().statusCode(response.status().code());
        response.responseHeaders()
                .forEach(header -> answer.appendHeader(header.getKey(), header.getValue()));
        handler.onHeaders(answer.build());
        Sinks.Empty<Void> ended = Sinks.empty();
        handler.onStream(
                body.asByteArray()
                        .map(ByteBuffer::wrap)
                        .doOnComplete(ended::tryEmitEmpty)
                        .doOnError(ended::tryEmitError)
                        .doOnCancel(() -> ended.tryEmitError(new IOException("not read on"))));
        return Mono.from(ended.asMono());
    }

    @Override
    public void close() {
        resolver.close();
        connections.dispose();
        lookups.shutdown();
    }

    @Override
    public String clientName() {
        return "mirante";
    }
}
