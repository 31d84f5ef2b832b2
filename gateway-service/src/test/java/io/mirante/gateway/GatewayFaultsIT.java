package io.mirante.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.mirante.testkit.Replica;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A gateway in a process of its own. */
@Tag("fault")
class GatewayFaultsIT extends AtTheDoor {

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** Not close(), which waits for a socket that is still open. */
    @AfterEach
    void shutDown() {
        http.shutdownNow();
    }

    @Test
    void onSigtermWhatIsInFlightFinishesAndSocketsAreToldToComeBack() {
        try (var gateway = gateway()) {
            var closed = new AtomicInteger();
            http.newWebSocketBuilder()
                    .header("x-api-key", KEY)
                    .buildAsync(
                            URI.create("ws://127.0.0.1:" + gateway.port() + "/ws"),
                            new WebSocket.Listener() {
                                @Override
                                public CompletionStage<?> onClose(
                                        WebSocket socket, int code, String reason) {
                                    closed.set(code);
                                    return null;
                                }
                            })
                    .join();
            var before = SERVICES.get("churn").hits("/api/v1/predict/batch?slow");
            var inFlight =
                    IntStream.range(0, 10)
                            .mapToObj(i ->
                                    http.sendAsync(
                                            request(gateway, "/api/v1/predict/batch?slow", KEY)
                                                    .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                                    .build(),
                                            HttpResponse.BodyHandlers.ofString()))
                            .toList();
            await().atMost(Duration.ofMinutes(2))
                    .until(() ->
                            SERVICES.get("churn").hits("/api/v1/predict/batch?slow") - before
                                    == 10);
            var ended = CompletableFuture.runAsync(gateway::terminate);
            assertThat(inFlight.stream().map(f -> f.join().statusCode())).containsOnly(200);
            await().atMost(Duration.ofSeconds(5))
                    .untilAsserted(() -> assertThat(closed).hasValue(1012));
            await().atMost(Duration.ofMinutes(2)).until(ended::isDone);
            assertThatThrownBy(() ->
                            http.send(
                                    request(gateway, "/health/live", KEY).build(),
                                    HttpResponse.BodyHandlers.ofString()))
                    .isInstanceOf(java.io.IOException.class);
        }
    }

    @Test
    void guessedKeysAreRefusedInTheSameTimeAndOthersHardlyNotice() throws Exception {
        var tenant = mesh.newTenant();
        addKey(tenant, "a-key-of-somebody", "ingest");
        removeKey(tenant, "a-key-of-somebody");
        try (var gateway = gateway();
                var guesser = from("127.0.0.9")) {
            var warm = new AtomicInteger();
            medianMillis(() -> ask(guesser, gateway, "warm-" + warm.incrementAndGet()));
            medianMillis(() -> ask(http, gateway, KEY));
            var guess = new AtomicInteger();
            double wrong =
                    medianMillis(() -> ask(guesser, gateway, "wrong-" + guess.incrementAndGet()));
            double removed =
                    medianMillis(() ->
                            ask(
                                    guesser,
                                    gateway,
                                    "a-key-of-somebody" + "x".repeat(guess.incrementAndGet() % 3)));
            double near = medianMillis(() -> ask(guesser, gateway, KEY + guess.incrementAndGet()));
            assertThat(near).isBetween(wrong / 2 - 1, wrong * 2 + 1);
            assertThat(removed).isLessThan(wrong * 2 + 1);

            double calm = p99Millis(() -> ask(http, gateway, KEY));
            var stop = new AtomicBoolean();
            var refusals = new AtomicInteger();
            // Half of what one thread without a pause can do.
            var pause = Duration.ofNanos((long) (wrong * 1_000_000));
            var guessing =
                    Thread.ofVirtual()
                            .start(() -> {
                                while (!stop.get()) {
                                    if (ask(guesser, gateway, "g-" + guess.incrementAndGet())
                                            == 401) {
                                        refusals.incrementAndGet();
                                    }
                                    java.util.concurrent.locks.LockSupport.parkNanos(
                                            pause.toNanos());
                                }
                            });
            double guessed = p99Millis(() -> ask(http, gateway, KEY));
            stop.set(true);
            guessing.join();
            assertThat(refusals.get()).isPositive();
            assertThat(guessed)
                    .as("p99 in ms while keys are guessed, %.2f without", calm)
                    .isLessThan(calm * 2 + 5);
        }
    }

    private static double p99Millis(Runnable call) {
        return sorted(call, 400)[395];
    }

    private static double medianMillis(Runnable call) {
        return sorted(call, 200)[100];
    }

    private static double[] sorted(Runnable call, int times) {
        var millis = new double[times];
        for (int i = 0; i < times; i++) {
            long start = System.nanoTime();
            call.run();
            millis[i] = (System.nanoTime() - start) / 1e6;
        }
        Arrays.sort(millis);
        return millis;
    }

    private static HttpClient from(String address) throws UnknownHostException {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .localAddress(InetAddress.getByName(address))
                .build();
    }

    private static int ask(HttpClient http, Replica gateway, String key) {
        return http.sendAsync(
                        request(gateway, "/api/v1/fans", key).build(),
                        HttpResponse.BodyHandlers.discarding())
                .join()
                .statusCode();
    }

    private static HttpRequest.Builder request(Replica gateway, String path, String key) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.port() + path))
                .header("x-api-key", key);
    }

    private Replica gateway() {
        var settings = new TreeMap<String, String>();
        SERVICES.forEach((name, stub) -> {
            settings.put("mirante.gateway.services." + name + ".url", stub.url());
            settings.put("mirante.gateway.services." + name + ".management-url", stub.url());
        });
        settings.put("mirante.gateway.api-keys", String.join(",", List.of(KEY, OTHER_KEY)));
        settings.put("mirante.gateway.limits.requests-per-minute", "1000000");
        settings.put(
                "mirante.security.signing-key-file",
                environment.getRequiredProperty("mirante.security.signing-key-file"));
        var replica = mesh.replica(GatewayApplication.class, new TreeMap<>(settings));
        await().atMost(Duration.ofMinutes(2)).until(replica::isReady);
        return replica;
    }
}
