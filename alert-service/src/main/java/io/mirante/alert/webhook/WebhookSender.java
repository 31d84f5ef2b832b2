package io.mirante.alert.webhook;

import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.outbound.GuardedResolver;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOption;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;

/**
 * Posts one message. A connection of its own for each; no redirects, no proxy, no retry beneath us; of the answer only
 * the status is read, its body never is. Ends within 25 s. Thread-safe.
 */
@Component
final class WebhookSender implements AutoCloseable {

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final Duration ALL = Duration.ofSeconds(25);
    private static final int LOOKUPS = 32;

    private final ThreadPoolExecutor lookups;
    private final GuardedResolver resolver;
    private final HttpClient client;

    WebhookSender(Destinations destinations) {
        lookups =
                new ThreadPoolExecutor(
                        LOOKUPS,
                        LOOKUPS,
                        30,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        Thread.ofPlatform().daemon().name("webhook-lookup-", 0).factory());
        lookups.allowCoreThreadTimeOut(true);
        resolver = new GuardedResolver(destinations, lookups);
        client =
                HttpClient.create(ConnectionProvider.newConnection())
                        .resolver(resolver)
                        .noProxy()
                        .followRedirect(false)
                        .disableRetry(true)
                        .compress(false)
                        .keepAlive(false)
                        .option(
                                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                                Math.toIntExact(CONNECT.toMillis()))
                        .responseTimeout(ANSWER);
    }

    /** Sends; whatever goes wrong is an {@link Outcome.Failed}. */
    Mono<Outcome> send(Delivery delivery, Instant now) {
        byte[] body = delivery.payload().getBytes(StandardCharsets.UTF_8);
        return client.headers(h ->
                        h.set("content-type", "application/json")
                                .set("content-length", body.length)
                                .set("user-agent", "Mirante")
                                .set("webhook-id", delivery.id())
                                .set("webhook-timestamp", now.getEpochSecond())
                                .set(
                                        "webhook-signature",
                                        Signature.of(
                                                delivery.secret(),
                                                delivery.id(),
                                                now,
                                                delivery.payload())))
                .post()
                .uri(delivery.url())
                .send(Mono.fromSupplier(() -> Unpooled.wrappedBuffer(body)))
                .response()
                .map(response -> outcome(response.status().code()))
                .timeout(ALL)
                .onErrorResume(e ->
                        Mono.just(
                                new Outcome.Failed(
                                        e.getMessage() == null
                                                ? e.getClass().getSimpleName()
                                                : e.getMessage())));
    }

    private static Outcome outcome(int status) {
        if (status >= 200 && status < 300) {
            return new Outcome.Delivered("HTTP " + status);
        }
        if (status == 410) {
            return new Outcome.Gone("HTTP 410: the receiver wants no more");
        }
        return new Outcome.Failed(
                status >= 300 && status < 400
                        ? "HTTP " + status + ": redirects are not followed"
                        : "HTTP " + status);
    }

    @Override
    public void close() {
        resolver.close();
        lookups.shutdownNow();
    }
}
