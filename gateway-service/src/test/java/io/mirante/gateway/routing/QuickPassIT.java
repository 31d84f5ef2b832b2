package io.mirante.gateway.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.gateway.AtTheDoor;
import io.mirante.platform.web.ShortWay;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Single events: that the short way and the usual way cannot be told apart, and who may take the short one. */
class QuickPassIT extends AtTheDoor {

    private static final String PATH = "/api/v1/events";
    private static final String BATCH = "/api/v1/events/batch";
    private static final String USUAL = "application/json, text/plain";

    @Autowired
    @Qualifier("quickEvents")
    private ShortWay way;

    @Autowired
    @Qualifier("quickBatches")
    private ShortWay batches;

    @Autowired private MeterRegistry meters;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @AfterEach
    void close() {
        http.close();
    }

    /** One plain call; what Accept says decides which way it takes. */
    private HttpResponse<String> send(String key, String accept, String... more)
            throws IOException, InterruptedException {
        return post(PATH, "{\"event_type\": \"view\"}", key, accept, more);
    }

    private HttpResponse<String> post(
            String path, String body, String key, String accept, String... more)
            throws IOException, InterruptedException {
        var request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
                        .header("Content-Type", "application/json")
                        .header("Accept", accept)
                        .header("x-api-key", key)
                        .POST(HttpRequest.BodyPublishers.ofString(body));
        if (more.length > 0) {
            request.headers(more);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Calls until the gateway knows the key. */
    private void known(String key) {
        await().untilAsserted(() -> assertThat(send(key, USUAL).statusCode()).isEqualTo(200));
        assertThat(way.enter(headers(key))).isNotNull();
    }

    private static DefaultHttpHeaders headers(String key, String... more) {
        var headers = new DefaultHttpHeaders();
        headers.add("x-api-key", key);
        for (int i = 0; i < more.length; i += 2) {
            headers.add(more[i], more[i + 1]);
        }
        return headers;
    }

    /**
     * Headers without those that differ from call to call, and without Vary, which the usual way adds for browsers' caches:
     * calls that come from a page have an Origin and take the usual way.
     */
    private static Map<String, List<String>> fixed(HttpResponse<String> answer) {
        var headers = new TreeMap<>(answer.headers().map());
        headers.keySet()
                .removeAll(
                        Set.of(
                                "x-request-id",
                                "x-ratelimit-remaining",
                                "x-ratelimit-reset",
                                "content-length",
                                "vary"));
        return headers;
    }

    private static Map<String, Object> seen(HttpResponse<String> answer) {
        var seen = new TreeMap<String, Object>();
        for (var field : JsonMapper.shared().readTree(answer.body()).properties()) {
            seen.put(
                    field.getKey(),
                    field.getKey().equals("headers")
                            ? names(field.getValue())
                            : field.getValue().toString());
        }
        return seen;
    }

    /** Headers with the values that do not differ from call to call. */
    private static Map<String, String> names(JsonNode headers) {
        var names = new TreeMap<String, String>();
        for (var header : headers.properties()) {
            names.put(
                    header.getKey(),
                    Set.of("accept", "x-request-id", "authorization").contains(header.getKey())
                            ? ""
                            : header.getValue().stringValue());
        }
        return names;
    }

    @Test
    void bothWaysAnswerAndPassOnAlike() throws Exception {
        addKey("quick", "a-quick-key", "ingest");
        known("a-quick-key");
        String[] more = {
            "Cookie", "a=b",
            "X-Tenant-Id", "other",
            "X-Mirante-Scopes", "admin",
            "X-User", "root",
            "X-Forwarded-For", "10.0.0.1",
            "Forwarded", "for=10.0.0.1",
            "ce-type", "view",
            "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        };
        assertThat(way.enter(headers("a-quick-key", more))).isNotNull();

        var quick = send("a-quick-key", "application/json", more);
        var usual = send("a-quick-key", USUAL, more);

        assertThat(quick.statusCode()).isEqualTo(usual.statusCode()).isEqualTo(200);
        assertThat(fixed(quick)).isEqualTo(fixed(usual));
        assertThat(quick.headers().firstValueAsLong("x-ratelimit-remaining").orElseThrow())
                .isLessThan(PER_MINUTE);
        assertThat(seen(quick)).isEqualTo(seen(usual));
        assertThat(quick.body())
                .contains("traceparent", "ce-type")
                .doesNotContain("a-quick-key", "10.0.0.1", "x-user", "x-tenant", "cookie");
        assertThat(
                        meters.get("http.server.requests")
                                .tags("uri", PATH, "status", "200", "method", "POST")
                                .timers())
                .as("one time series for both ways")
                .hasSize(1);
    }

    @Test
    void batchesAreAnsweredAndPassedOnAlike() throws Exception {
        known(KEY);
        assertThat(batches.enter(headers(KEY))).isNotNull();
        var largest = "x".repeat(batches.maxBytes());
        for (var body : List.of("{\"events\": []}", largest, largest + "x")) {
            var quick = post(BATCH, body, KEY, "application/json", "X-Forwarded-For", "10.0.0.1");
            var usual = post(BATCH, body, KEY, USUAL, "X-Forwarded-For", "10.0.0.1");
            assertThat(quick.statusCode()).isEqualTo(usual.statusCode()).isEqualTo(200);
            assertThat(fixed(quick)).isEqualTo(fixed(usual));
            assertThat(seen(quick)).isEqualTo(seen(usual));
        }
    }

    @Test
    void theCallersRequestIdIsKept() throws Exception {
        known(KEY);
        var answer = send(KEY, "*/*", "X-Request-Id", "r-77");
        assertThat(answer.headers().allValues("x-request-id")).containsExactly("r-77");
        assertThat(JsonMapper.shared().readTree(answer.body()).at("/headers/x-request-id"))
                .isEqualTo(JsonMapper.shared().getNodeFactory().stringNode("r-77"));
    }

    @Test
    void aKeyThatIsNotKnownOrNotPlainTakesTheUsualWay() throws Exception {
        known(KEY);
        assertThat(way.enter(headers("never-heard-of"))).isNull();
        assertThat(way.enter(new DefaultHttpHeaders())).isNull();
        assertThat(way.enter(headers(KEY, "Upgrade", "h2c"))).isNull();
        assertThat(way.enter(headers(KEY, "Connection", "x-secret"))).isNull();
        assertThat(way.enter(headers(KEY, "a", "caf\u00e9"))).isNull();
        assertThat(send("never-heard-of", "*/*").statusCode()).isEqualTo(401);
    }

    @Test
    void aRevokedKeyIsRefusedWithinFiveSeconds() throws Exception {
        addKey("quick", "a-key-to-revoke", "ingest");
        known("a-key-to-revoke");
        removeKey("quick", "a-key-to-revoke");
        await().atMost(Duration.ofSeconds(5))
                .pollInterval(Duration.ofMillis(300))
                .untilAsserted(() ->
                        assertThat(send("a-key-to-revoke", "*/*").statusCode()).isEqualTo(401));
    }

    @Test
    void bothWaysTakeFromOneLimit() throws Exception {
        addKey("quick-limit", "a-limited-key", "ingest");
        known("a-limited-key");
        var answers =
                Stream.iterate(0, i -> i + 1)
                        .limit(2L * PER_MINUTE)
                        .map(i -> unchecked("a-limited-key", i % 2 == 0 ? "*/*" : USUAL))
                        .toList();
        var passed = answers.stream().filter(a -> a.statusCode() == 200).count();
        assertThat(passed).isLessThan(PER_MINUTE + 5L);
        var refused = answers.stream().filter(a -> a.statusCode() != 200).toList();
        assertThat(refused).allMatch(a -> a.statusCode() == 429);
        assertThat(refused.stream().map(a -> fixed(a).keySet()).distinct()).hasSize(1);
        assertThat(refused.getFirst().headers().firstValue("Retry-After")).isPresent();
        assertThat(refused.getFirst().body()).contains("rate-limited", "more than 30 requests");
    }

    private HttpResponse<String> unchecked(String key, String accept) {
        try {
            return send(key, accept);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({"slow, 504", "break-off, 503", "forbidden, 403"})
    void whatAServiceDoesNotAnswerIsAProblemAlike(String stub, int status) throws Exception {
        known(KEY);
        var quick = send(KEY, "*/*", "stub", stub, "X-Request-Id", "r-1");
        var usual = send(KEY, USUAL, "stub", stub, "X-Request-Id", "r-1");

        assertThat(quick.statusCode()).isEqualTo(usual.statusCode()).isEqualTo(status);
        assertThat(fixed(quick).keySet()).isEqualTo(fixed(usual).keySet());
        if (status > 500) {
            assertThat(JsonMapper.shared().readTree(quick.body()))
                    .isEqualTo(JsonMapper.shared().readTree(usual.body()));
            assertThat(quick.body()).contains("\"service\":\"ingestion-service\"");
        }
        wellAgain();
    }

    @ParameterizedTest
    @CsvSource({"*/*", "'application/json, text/plain'"})
    void aBodyThatDoesNotComeIsNotWaitedForLong(String accept) throws Exception {
        known(KEY);
        try (var socket = new Socket("127.0.0.1", port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write(
                            ("POST %s HTTP/1.1\r\nHost: x\r\nx-api-key: %s\r\nAccept: %s\r\n"
                                            + "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
                                    .formatted(PATH, KEY, accept)
                                    .getBytes(StandardCharsets.US_ASCII));
            var answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer)
                    .startsWith("HTTP/1.1 408 ")
                    .contains("problems/request-timeout", "did not arrive within 1000 ms");
        }
    }

    @Test
    void aServiceThatIsDownIsAskedByNeitherWay() throws Exception {
        known(KEY);
        var ingestion = SERVICES.get("ingestion");
        ingestion.stop();
        try {
            for (int i = 0; i < 20; i++) {
                var answer = send(KEY, "*/*");
                assertThat(answer.statusCode()).isEqualTo(503);
                assertThat(answer.headers().firstValue("Retry-After")).hasValue("2");
            }
        } finally {
            ingestion.startAgain();
        }
        assertThat(send(KEY, USUAL).statusCode()).isEqualTo(503);
        wellAgain();
        assertThat(
                        meters
                                .get("http.server.requests")
                                .tags("uri", PATH, "status", "503")
                                .timers()
                                .stream()
                                .mapToDouble(t -> t.totalTime(TimeUnit.SECONDS))
                                .sum())
                .isPositive();
    }

    /** The breaker has closed again: each of its last calls was answered. */
    private void wellAgain() {
        await().untilAsserted(() -> assertThat(send(KEY, "*/*").statusCode()).isEqualTo(200));
        for (int i = 0; i < 20; i++) {
            assertThat(unchecked(KEY, i % 2 == 0 ? "*/*" : USUAL).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void manyCallsOnOneConnectionWithOthersBetween() throws Exception {
        known(KEY);
        for (int i = 0; i < 60; i++) {
            assertThat(send(KEY, i % 3 == 2 ? USUAL : "*/*").statusCode()).isEqualTo(200);
            if (i % 10 == 0) {
                var health =
                        http.send(
                                HttpRequest.newBuilder(
                                                URI.create(
                                                        "http://127.0.0.1:"
                                                                + port()
                                                                + "/health/live"))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString());
                assertThat(health.statusCode()).isEqualTo(200);
            }
        }
    }
}
