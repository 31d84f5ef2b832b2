package io.mirante.platform.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.platform.security.CachingJwtDecoder;
import io.mirante.platform.security.TokenMinter;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.http.HttpStatus;
import org.springframework.security.oauth2.jwt.NimbusReactiveJwtDecoder;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.resources.LoopResources;
import tools.jackson.databind.json.JsonMapper;

/** Which calls are answered on the server, and that nobody gets in who has not been let in before. */
class QuickPostsTest {

    private static final String USUAL = "the usual way";

    private static RSAKey key;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final JsonMapper json = JsonMapper.builder().build();
    private final Draining draining = new Draining(Duration.ZERO);
    private final HttpClient client = HttpClient.newHttpClient();
    private CachingJwtDecoder tokens;
    private DisposableServer server;
    private String known;

    private static final int ROOM = 150;

    @BeforeAll
    static void makeKey() throws JOSEException {
        key = new RSAKeyGenerator(2048).keyID("gateway-test").generate();
    }

    @BeforeEach
    void start() throws JOSEException {
        tokens = decoder(Clock.systemUTC());
        known = token("ingest");
        tokens.decode(known).block();
        var posts =
                List.of(
                        new QuickPost("/quick", "ingest", 100, QuickPostsTest::echo),
                        new QuickPost(
                                "/refused",
                                "ingest",
                                100,
                                (caller, body) ->
                                        Mono.error(
                                                ProblemException.tooMany(
                                                        "too many", Duration.ofSeconds(3)))),
                        new QuickPost(
                                "/broken",
                                "ingest",
                                100,
                                (caller, body) -> {
                                    throw new IllegalStateException("a secret");
                                }));
        server = serve(HttpServer.create(), posts);
    }

    private DisposableServer serve(HttpServer http, List<QuickPost> posts) {
        return http.host("127.0.0.1")
                .port(0)
                .route(routes ->
                        new ShortWays(
                                        posts.stream()
                                                .map(post -> new QuickPostWay(post, tokens, json))
                                                .toList(),
                                        ROOM,
                                        draining,
                                        meters,
                                        json)
                                .apply(routes)
                                .route(
                                        request -> true,
                                        (request, response) ->
                                                response.status(404).sendString(Mono.just(USUAL))))
                .bindNow();
    }

    @AfterEach
    void stop() {
        server.disposeNow();
    }

    private static Mono<QuickPost.Reply> echo(Caller caller, byte[] body) {
        return Mono.just(
                new QuickPost.Reply(
                        HttpStatus.ACCEPTED,
                        Map.of(caller.tenant(), new String(body, StandardCharsets.UTF_8))));
    }

    private static CachingJwtDecoder decoder(Clock clock) throws JOSEException {
        return new CachingJwtDecoder(
                NimbusReactiveJwtDecoder.withPublicKey(key.toRSAPublicKey()).build(), clock);
    }

    private static String token(String... scopes) {
        return TokenMinter.of(key, Clock.systemUTC())
                .mint("acme", "k1", List.of(scopes), List.of());
    }

    private HttpResponse<String> post(String path, UnaryOperator<HttpRequest.Builder> more)
            throws IOException, InterruptedException {
        var request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                        .version(HttpClient.Version.HTTP_1_1)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString("{}"));
        return client.send(more.apply(request).build(), HttpResponse.BodyHandlers.ofString());
    }

    private UnaryOperator<HttpRequest.Builder> as(String token) {
        return request -> request.header("Authorization", "Bearer " + token);
    }

    /** Two clients that have announced, and not sent, fill the room; it is free again when they have gone or were answered. */
    @Test
    void bodiesThatFindNoRoomTakeTheUsualWay() throws Exception {
        try (var first = announce(100);
                var second = announce(ROOM - 100)) {
            Awaitility.await()
                    .untilAsserted(
                            () -> assertThat(post("/quick", as(known)).body()).isEqualTo(USUAL));
            second.close();
            Awaitility.await()
                    .untilAsserted(() ->
                            assertThat(post("/quick", as(known)).statusCode()).isEqualTo(202));
            first.getOutputStream().write("x".repeat(100).getBytes(StandardCharsets.UTF_8));
            assertThat(statusOf(first)).isEqualTo("HTTP/1.1 202 Accepted");
        }
        for (int i = 0; i < 5; i++) {
            assertThat(post("/quick", as(known)).statusCode()).isEqualTo(202);
        }
    }

    private Socket announce(int bytes) throws IOException {
        var socket = new Socket("127.0.0.1", server.port());
        socket.getOutputStream()
                .write(
                        ("POST /quick HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                                        + "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n")
                                .formatted(known, bytes)
                                .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    @Test
    void aRequestWhoseClientHasHungUpIsDropped() throws Exception {
        var entered = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var taken = new ConcurrentLinkedQueue<String>();
        var post =
                new QuickPost(
                        "/busy",
                        "ingest",
                        100,
                        (caller, body) -> {
                            taken.add(new String(body, StandardCharsets.UTF_8));
                            entered.countDown();
                            await(goOn);
                            return echo(caller, body);
                        });
        server.disposeNow();
        var loops = LoopResources.create("one", 1, true);
        server = serve(HttpServer.create().runOn(loops), List.of(post));
        try (var first = send("[1]")) {
            await(entered);
            // The only event loop is busy; these two wait in the kernel.
            send("[2]").close();
            try (var third = send("[3]")) {
                goOn.countDown();
                assertThat(statusOf(first)).isEqualTo("HTTP/1.1 202 Accepted");
                assertThat(statusOf(third)).isEqualTo("HTTP/1.1 202 Accepted");
            }
        } finally {
            goOn.countDown();
            loops.dispose();
        }
        assertThat(taken).containsExactly("[1]", "[3]");
    }

    private Socket send(String body) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(10_000);
        socket.getOutputStream()
                .write(
                        ("POST /busy HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                                        .formatted(known, body.length(), body))
                                .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static String statusOf(Socket socket) throws IOException {
        return new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
                .readLine();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aPlainCallIsAnsweredWithWhatEveryAnswerHas() throws Exception {
        var answer =
                post("/quick", request -> as(known).apply(request).header("X-Request-Id", "r-1"));

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(answer.body()).isEqualTo("{\"acme\":\"{}\"}");
        assertThat(answer.headers().map())
                .containsEntry("x-request-id", List.of("r-1"))
                .containsEntry("content-type", List.of("application/json"))
                .containsEntry("x-content-type-options", List.of("nosniff"))
                .containsEntry("x-frame-options", List.of("DENY"))
                .containsKeys("cache-control", "pragma", "expires", "referrer-policy");
        assertThat(
                        meters.get("http.server.requests")
                                .tags("uri", "/quick", "status", "202", "outcome", "SUCCESS")
                                .timer()
                                .count())
                .isOne();
    }

    @Test
    void aCallWithoutAnIdGetsOne() throws Exception {
        assertThat(post("/quick", as(known)).headers().firstValue("X-Request-Id").orElseThrow())
                .matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    }

    @Test
    void aTokenThatWasNotVerifiedTakesTheUsualWay() throws Exception {
        assertThat(post("/quick", as(token("ingest", "admin"))).body()).isEqualTo(USUAL);
        assertThat(post("/quick", as(known + "x")).body()).isEqualTo(USUAL);
        assertThat(post("/quick", request -> request).body()).isEqualTo(USUAL);
        assertThat(post("/quick", request -> as(known).apply(as(known).apply(request))).body())
                .isEqualTo(USUAL);
    }

    @Test
    void aTokenWithoutTheScopeTakesTheUsualWay() throws Exception {
        var other = token("analytics.view", "ingestion");
        tokens.decode(other).block();
        assertThat(post("/quick", as(other)).body()).isEqualTo(USUAL);
    }

    @Test
    void anExpiredTokenIsNobody() throws Exception {
        var time = new Instant[] {Instant.now()};
        var clock =
                new Clock() {
                    @Override
                    public ZoneOffset getZone() {
                        return ZoneOffset.UTC;
                    }

                    @Override
                    public Clock withZone(java.time.ZoneId zone) {
                        return this;
                    }

                    @Override
                    public Instant instant() {
                        return time[0];
                    }
                };
        var decoder = decoder(clock);
        var token = token("ingest");
        decoder.decode(token).block();
        assertThat(Objects.requireNonNull(decoder.callerOf(token)).tenant()).isEqualTo("acme");

        time[0] = time[0].plus(TokenMinter.VALID).plusSeconds(1);

        assertThat(decoder.callerOf(token)).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "/quick?verbose=true, Accept, */*",
        "/quick/, Accept, */*",
        "/quick, Accept, text/plain",
        "/quick, Content-Encoding, gzip",
        "/quick, Origin, https://a.example"
    })
    void anyOtherFormTakesTheUsualWay(String path, String header, String value) throws Exception {
        assertThat(post(path, request -> as(known).apply(request).header(header, value)).body())
                .isEqualTo(USUAL);
    }

    @Test
    void otherMethodsTypesAndLengthsTakeTheUsualWay() throws Exception {
        assertThat(post("/quick", request -> as(known).apply(request).GET()).body())
                .isEqualTo(USUAL);
        assertThat(
                        post(
                                        "/quick",
                                        request ->
                                                as(known)
                                                        .apply(request)
                                                        .setHeader("Content-Type", "text/plain"))
                                .body())
                .isEqualTo(USUAL);
        assertThat(
                        post(
                                        "/quick",
                                        request ->
                                                as(known)
                                                        .apply(request)
                                                        .POST(
                                                                HttpRequest.BodyPublishers.ofString(
                                                                        "x".repeat(101))))
                                .body())
                .isEqualTo(USUAL);
    }

    @Test
    void problemsLookAsAnywhere() throws Exception {
        var answer = post("/refused", as(known));

        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.headers().firstValue("Retry-After")).hasValue("3");
        assertThat(answer.headers().firstValue("Content-Type"))
                .hasValue("application/problem+json");
        var problem = JsonMapper.shared().readTree(answer.body());
        assertThat(problem.path("status").intValue()).isEqualTo(429);
        assertThat(problem.path("instance").stringValue()).isEqualTo("/refused");
        assertThat(problem.path("detail").stringValue()).isEqualTo("too many");
        assertThat(problem.path("type").stringValue()).endsWith("/problems/too-many-requests");
        assertThat(problem.path("request_id").stringValue())
                .isEqualTo(answer.headers().firstValue("X-Request-Id").orElseThrow());
        assertThat(problem.path("errors").isArray()).isTrue();
    }

    @Test
    void aFaultOfOursSaysNothingOfItself() throws Exception {
        var answer = post("/broken", as(known));

        assertThat(answer.statusCode()).isEqualTo(500);
        assertThat(answer.body()).contains("internal-error").doesNotContain("secret");
    }

    @Test
    void whileDrainingAnswersCloseTheirConnections() throws Exception {
        draining.stop();
        assertThat(post("/quick", as(known)).headers().firstValue("Connection")).hasValue("close");
    }
}
