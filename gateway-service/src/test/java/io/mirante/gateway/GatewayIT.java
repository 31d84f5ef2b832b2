package io.mirante.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.BodyInserters;
import reactor.core.publisher.Flux;
import tools.jackson.databind.JsonNode;

class GatewayIT extends AtTheDoor {

    @ParameterizedTest
    @CsvSource({
        "POST, /api/v1/events, ingestion",
        "POST, /api/v1/events/batch, ingestion",
        "POST, /api/v1/events/import, ingestion",
        "GET, /api/v1/events/rejected, ingestion",
        "GET, /api/v1/events/e1/trace, ingestion",
        "POST, /v1/track, ingestion",
        "POST, /api/v1/industry40/iot/ingest, ingestion",
        "GET, /api/v1/etl/runs, etl",
        "GET, /api/v1/features/u1, etl",
        "GET, /api/v1/quality, etl",
        "GET, /api/v1/users/u1/identities, etl",
        "GET, /api/v1/users/u1, segmentation",
        "GET, /api/v1/users/u1/segment, segmentation",
        "GET, /api/v1/users/u1/similar, segmentation",
        "GET, /api/v1/fans/42, segmentation",
        "GET, /api/v1/segments, segmentation",
        "POST, /api/v1/kpis/cluster, segmentation",
        "GET, /api/v1/notifications, segmentation",
        "GET, /api/v1/vectors/x, segmentation",
        "GET, /api/v1/users/u1/predictions, churn",
        "POST, /api/v1/predict, churn",
        "GET, /api/v1/predictions, churn",
        "GET, /api/v1/models/m1, churn",
        "GET, /api/v1/industry40/twin/press-1, industry40",
        "GET, /api/v1/users/u1/events, snapshot",
        "GET, /api/v1/users/u1/sessions, snapshot",
        "POST, /api/v1/analytics/funnel, snapshot",
        "POST, /api/v1/export, snapshot",
        "GET, /api/v1/snapshots, snapshot",
        "GET, /api/v1/metrics/catalog, snapshot",
        "GET, /api/v1/dimensions, snapshot",
        "GET, /api/v1/views, snapshot",
        "GET, /api/v1/dashboards/1, snapshot",
        "GET, /api/v1/jobs, snapshot",
        "POST, /graphql, snapshot",
        "GET, /api/v1/alerts/rules, alert",
        "GET, /api/v1/jobs/etl_1, etl",
        "GET, /api/v1/jobs/churn_1/files/a.csv, churn",
        "GET, /api/v1/fans/42/, segmentation",
    })
    void everyRouteReachesItsService(String method, String path, String service) {
        client(KEY)
                .method(HttpMethod.valueOf(method))
                .uri(path + "?a= b&c=1")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .doesNotExist("Deprecation")
                .expectBody()
                .jsonPath("$.service")
                .isEqualTo(service)
                .jsonPath("$.method")
                .isEqualTo(method)
                .jsonPath("$.uri")
                .isEqualTo(path.replaceAll("/$", "") + "?a=%20b&c=1");
    }

    @ParameterizedTest
    @CsvSource({
        "/fans/42, segmentation, /api/v1/fans/42",
        "/segments/, segmentation, /api/v1/segments",
        "/kpis, segmentation, /api/v1/kpis",
        "/kpis/clusterizar, segmentation, /api/v1/kpis/cluster",
        "/notifications, segmentation, /api/v1/notifications",
        "/predict, churn, /api/v1/predict",
        "/predict/batch, churn, /api/v1/predict/batch",
    })
    void pathsOfTheReplacedSystemsAnswerAndSayThatTheyAreDeprecated(
            String path, String service, String uri) {
        client(KEY)
                .get()
                .uri(path)
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .valueMatches("Deprecation", "@\\d{10}")
                .expectHeader()
                .valueEquals("Link", "<" + uri + ">; rel=\"successor-version\"")
                .expectBody()
                .jsonPath("$.service")
                .isEqualTo(service)
                .jsonPath("$.uri")
                .isEqualTo(uri);
    }

    @Test
    void deadLettersArePassedToTheServiceNamedAndTheGatewayHasItsOwn() throws Exception {
        for (var service : SERVICES.keySet()) {
            client(KEY)
                    .get()
                    .uri("/api/v1/admin/dead-letters?service=" + service + "&limit=5")
                    .exchange()
                    .expectStatus()
                    .isOk()
                    .expectBody()
                    .jsonPath("$.service")
                    .isEqualTo(service)
                    .jsonPath("$.uri")
                    .isEqualTo("/api/v1/admin/dead-letters?service=" + service + "&limit=5");
            client(KEY)
                    .post()
                    .uri("/api/v1/admin/dead-letters/replay?service=" + service)
                    .contentType(MediaType.APPLICATION_JSON)
                    .bodyValue("{}")
                    .exchange()
                    .expectStatus()
                    .isOk()
                    .expectBody()
                    .jsonPath("$.service")
                    .isEqualTo(service);
        }
        client(KEY)
                .get()
                .uri("/api/v1/admin/dead-letters?service=gateway")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.items")
                .isArray();
        for (var query : new String[] {"", "?service=", "?service=etl2"}) {
            for (var path : new String[] {"", "/replay"}) {
                var request =
                        path.isEmpty()
                                ? client(KEY).get().uri("/api/v1/admin/dead-letters" + query)
                                : client(KEY)
                                        .post()
                                        .uri("/api/v1/admin/dead-letters/replay" + query)
                                        .contentType(MediaType.APPLICATION_JSON)
                                        .bodyValue("{\"service\": \"etl\"}");
                request.exchange()
                        .expectStatus()
                        .isBadRequest()
                        .expectBody()
                        .jsonPath("$.errors[0].pointer")
                        .isEqualTo("?service")
                        .jsonPath("$.detail")
                        .value(
                                String.class,
                                detail ->
                                        assertThat(detail)
                                                .contains(
                                                        "gateway, ingestion, etl, segmentation, churn,"
                                                                + " industry40, snapshot, alert"));
            }
        }
        var viewer = "a-key-that-administers-nothing";
        addKey(mesh.newTenant(), viewer, "analytics.view");
        client(viewer)
                .get()
                .uri("/api/v1/admin/dead-letters?service=gateway")
                .exchange()
                .expectStatus()
                .isForbidden();
    }

    @ParameterizedTest
    @CsvSource({"/api/v1/nothing", "/", "/api/v1/jobs/x_1", "/api/v1/admin/nothing", "/nothing"})
    void whatNobodyAnswersIsNotFound(String path) {
        client(KEY)
                .get()
                .uri(path)
                .exchange()
                .expectStatus()
                .isNotFound()
                .expectHeader()
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.instance")
                .isEqualTo(path)
                .jsonPath("$.request_id")
                .isNotEmpty();
    }

    @Test
    void aKeyMayComeInThreeForms() {
        var basic =
                Base64.getEncoder().encodeToString((KEY + ":").getBytes(StandardCharsets.UTF_8));
        for (var header :
                new String[][] {
                    {"x-api-key", KEY},
                    {"Authorization", "Bearer " + KEY},
                    {"Authorization", "Basic " + basic}
                }) {
            mesh.anonymous()
                    .get()
                    .uri("/api/v1/fans")
                    .header(header[0], header[1])
                    .exchange()
                    .expectStatus()
                    .isOk();
        }
    }

    @Test
    void withoutAKnownKeyEverythingIs401() {
        for (var path : new String[] {"/api/v1/fans", "/api/v1/nothing", "/ws", "/"}) {
            for (var key : new String[] {null, "wrong", ""}) {
                var request = mesh.anonymous().get().uri(path);
                if (key != null) {
                    request.header("x-api-key", key);
                }
                request.exchange()
                        .expectStatus()
                        .isUnauthorized()
                        .expectHeader()
                        .valueEquals("WWW-Authenticate", "Bearer")
                        .expectHeader()
                        .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                        .expectBody()
                        .jsonPath("$.status")
                        .isEqualTo(401);
            }
        }
        // A key in the query is for the live feed only.
        mesh.anonymous()
                .get()
                .uri("/api/v1/fans?api_key=" + KEY)
                .exchange()
                .expectStatus()
                .isUnauthorized();
    }

    @Test
    void theServiceGetsATokenAndNothingByWhichAClientClaimsToBeSomeone() throws Exception {
        var headers =
                client(KEY)
                        .get()
                        .uri("/api/v1/fans")
                        .header("X-Tenant-Id", "other")
                        .header("X-Mirante-Tenant", "other")
                        .header("x-user-id", "root")
                        .header("Cookie", "session=1")
                        .header("X-Request-Id", "req-1")
                        .header("Accept-Language", "pt")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectHeader()
                        .valueEquals("X-Request-Id", "req-1")
                        .expectBody(JsonNode.class)
                        .returnResult()
                        .getResponseBody()
                        .path("headers");
        assertThat(headers.propertyNames())
                .doesNotContain(
                        "x-api-key", "x-tenant-id", "x-mirante-tenant", "x-user-id", "cookie");
        assertThat(headers.path("x-request-id").stringValue()).isEqualTo("req-1");
        assertThat(headers.path("accept-language").stringValue()).isEqualTo("pt");
        var claims = SignedJWT.parse(bearer(headers)).getJWTClaimsSet();
        assertThat(claims.getStringClaim("tenant")).isEqualTo("demo");
        assertThat(claims.getStringClaim("scope").split(" "))
                .containsExactlyInAnyOrder(
                        "ingest", "analytics.view", "analytics.manage", "admin", "platform");
        assertThat(claims.getSubject()).startsWith("key_").doesNotContain(KEY);
    }

    @Test
    void oneTokenServesAllRequestsOfAKeyForAMinute() {
        var first = tokenOf(KEY);
        for (int i = 0; i < 20; i++) {
            assertThat(tokenOf(KEY)).isEqualTo(first);
        }
        assertThat(tokenOf(OTHER_KEY)).isNotEqualTo(first);
    }

    @Test
    void whatTheServiceRefusesIsPassedOn() {
        client(KEY).get().uri("/api/v1/fans/forbidden").exchange().expectStatus().isForbidden();
    }

    @Test
    void aServiceThatIsDownIs503WithItsNameAndComesBackByItself() {
        var alert = SERVICES.get("alert");
        alert.stop();
        try {
            client(KEY)
                    .get()
                    .uri("/api/v1/alerts")
                    .exchange()
                    .expectStatus()
                    .isEqualTo(503)
                    .expectHeader()
                    .exists("Retry-After")
                    .expectHeader()
                    .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                    .expectBody()
                    .jsonPath("$.service")
                    .isEqualTo("alert-service")
                    .jsonPath("$.detail")
                    .value(detail -> assertThat((String) detail).contains("alert-service"));
            client(KEY).get().uri("/api/v1/fans").exchange().expectStatus().isOk();
        } finally {
            alert.startAgain();
        }
        client(KEY).get().uri("/api/v1/alerts").exchange().expectStatus().isOk();
    }

    @Test
    void aServiceThatIsTooSlowIs504ButNotOnRoutesWithoutATimeLimit() {
        client(KEY)
                .get()
                .uri("/api/v1/fans/slow")
                .exchange()
                .expectStatus()
                .isEqualTo(504)
                .expectHeader()
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.service")
                .isEqualTo("segmentation-service");
        client(KEY).post().uri("/api/v1/predict/batch?slow").exchange().expectStatus().isOk();
    }

    @Test
    void aBodyAboveEightMebibytesIsRefusedExceptWhereItStreams() {
        var large = new byte[8 * 1024 * 1024 + 1];
        client(KEY)
                .post()
                .uri("/api/v1/events/batch")
                .bodyValue(large)
                .exchange()
                .expectStatus()
                .isEqualTo(413);
        client(KEY)
                .post()
                .uri("/api/v1/events/batch")
                .body(BodyInserters.fromDataBuffers(chunks(9)))
                .exchange()
                .expectStatus()
                .isEqualTo(413);
        client(KEY)
                .post()
                .uri("/api/v1/events/batch")
                .body(BodyInserters.fromDataBuffers(chunks(7)))
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.bytes")
                .isEqualTo(7 * 1024 * 1024);
        client(KEY)
                .post()
                .uri("/api/v1/events/import")
                .body(BodyInserters.fromDataBuffers(chunks(20)))
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.bytes")
                .isEqualTo(20 * 1024 * 1024);
    }

    private static Flux<DataBuffer> chunks(int mebibytes) {
        return Flux.range(0, mebibytes * 16)
                .map(i -> DefaultDataBufferFactory.sharedInstance.wrap(new byte[65_536]));
    }

    @Test
    void healthNamesEveryServiceAndIsAnsweredFromMemory() {
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        mesh.anonymous()
                                .get()
                                .uri("/health/ready")
                                .exchange()
                                .expectStatus()
                                .isOk()
                                .expectBody()
                                .json(
                                        "{\"status\": \"UP\", \"services\": {\"etl\": {\"status\": \"UP\"}}}")
                                .jsonPath("$.services.length()")
                                .isEqualTo(8));
        mesh.anonymous().get().uri("/health/live/").exchange().expectStatus().isOk();
        var etl = SERVICES.get("etl");
        etl.health(
                "{\"status\":\"DOWN\",\"components\":{\"kafka\":{\"status\":\"DOWN\"},\"database\":{\"status\":\"UP\"}}}");
        try {
            await().atMost(Duration.ofMinutes(2))
                    .untilAsserted(() ->
                            mesh.anonymous()
                                    .get()
                                    .uri("/health/ready")
                                    .exchange()
                                    .expectStatus()
                                    .isEqualTo(503)
                                    .expectBody()
                                    .json(
                                            """
                                            {"status": "DOWN", "services": {
                                              "etl": {"status": "DOWN", "detail": "kafka not UP"},
                                              "churn": {"status": "UP"}}}
                                            """));
            mesh.anonymous().get().uri("/health").exchange().expectStatus().isOk();
            etl.hang(true);
            long start = System.nanoTime();
            mesh.anonymous().get().uri("/health/ready").exchange().expectStatus().isEqualTo(503);
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isLessThan(Duration.ofSeconds(4));
        } finally {
            etl.hang(false);
            etl.health("{\"status\":\"UP\"}");
        }
    }

    @Test
    void metricsOfAllServicesAreOpenOnLoopbackAndElseNeedScopePlatform() throws Exception {
        var page =
                mesh.anonymous()
                        .get()
                        .uri("/metrics")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody(String.class)
                        .returnResult()
                        .getResponseBody();
        assertThat(page)
                .contains("up{service=\"etl-service\"} 1.0", "up{service=\"alert-service\"} 1.0")
                .containsOnlyOnce("# TYPE up gauge")
                .containsPattern("jvm_\\w+\\{[^}]*service=\"gateway-service\"");

        var viewer = "a-key-that-may-only-look";
        var tenant = mesh.newTenant();
        addKey(tenant, viewer, "analytics.view");
        forwarded(null).isUnauthorized();
        forwarded("wrong").isUnauthorized();
        forwarded(viewer).isForbidden();
        forwarded(KEY).isOk();
        assertThat(SignedJWT.parse(tokenOf(viewer)).getJWTClaimsSet().getStringClaim("tenant"))
                .isEqualTo(tenant);
    }

    private org.springframework.test.web.reactive.server.StatusAssertions forwarded(String key) {
        var request =
                mesh.anonymous().get().uri("/metrics").header("X-Forwarded-For", "203.0.113.7");
        if (key != null) {
            request.header("x-api-key", key);
        }
        return request.exchange().expectStatus();
    }

    @Test
    void theActuatorIsNotOnTheDoor() {
        mesh.anonymous().get().uri("/actuator/health").exchange().expectStatus().isNotFound();
        var management = environment.getProperty("local.management.port");
        WebTestClient.bindToServer()
                .baseUrl("http://127.0.0.1:" + management)
                .build()
                .get()
                .uri("/actuator/health/readiness")
                .exchange()
                .expectStatus()
                .isOk();
    }

    private String tokenOf(String key) {
        return bearer(
                client(key)
                        .get()
                        .uri("/api/v1/fans")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody(JsonNode.class)
                        .returnResult()
                        .getResponseBody()
                        .path("headers"));
    }

    private static String bearer(JsonNode headers) {
        return headers.path("authorization").stringValue().substring("Bearer ".length());
    }
}
