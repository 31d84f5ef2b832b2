package io.mirante.alert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.alert.AlertChanged;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.TestPropertySource;
import tools.jackson.databind.JsonNode;

/** The whole way: events in, alert out, on real Kafka and PostgreSQL, with receivers on loopback. */
@MeshTest
@TestPropertySource(properties = "mirante.alert.webhook-allowed-hosts=127.0.0.1")
class AlertServiceIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String RULES = "/api/v1/alerts/rules";
    private static final String ALERTS = "/api/v1/alerts";
    private static final AtomicLong OFFSETS = new AtomicLong();

    @Autowired Mesh mesh;
    private String tenant = "";

    @BeforeEach
    void newTenant() {
        tenant = mesh.newTenant();
    }

    private Outgoing ticket(Instant at, String channel) {
        long offset = OFFSETS.incrementAndGet();
        var event =
                new CleanEvent(
                        tenant,
                        "e" + offset,
                        "ticket.created",
                        "support",
                        null,
                        null,
                        null,
                        at,
                        at,
                        0,
                        Json.mapper().createObjectNode().put("channel", channel),
                        Json.mapper().createObjectNode(),
                        Json.mapper().createObjectNode());
        return new Outgoing(
                Topics.EVENTS_CLEAN.name(),
                5,
                Keys.of(tenant, "x"),
                Json.mapper().writeValueAsBytes(event),
                Map.of(
                        CloudHeaders.TENANT,
                        tenant,
                        CloudHeaders.SOURCE_TOPIC,
                        "raw-" + tenant,
                        CloudHeaders.SOURCE_PARTITION,
                        "0",
                        CloudHeaders.SOURCE_OFFSET,
                        Long.toString(offset)));
    }

    private List<Outgoing> tickets(int count) {
        return IntStream.range(0, count).mapToObj(i -> ticket(Instant.now(), "email")).toList();
    }

    private static String rule(String threshold, String recipients) {
        return """
        {"type":"load","filter":{"channel":"email"},"threshold":%s,"status":"active","recipients":[%s]}\
        """
                .formatted(threshold, recipients);
    }

    private static String atLeast(int value) {
        return "{\"metric\":\"ticket.volume\",\"value\":" + value + ",\"window\":\"15m\"}";
    }

    private static String webhook(String url) {
        return "{\"kind\":\"webhook\",\"url\":\"" + url + "\"}";
    }

    private JsonNode create(String body) {
        return json(
                mesh.client(tenant)
                        .post()
                        .uri(RULES)
                        .header("content-type", "application/json")
                        .bodyValue(body)
                        .exchange()
                        .expectStatus()
                        .isCreated()
                        .expectBody()
                        .returnResult()
                        .getResponseBody());
    }

    private JsonNode refused(String path, String body, int status) {
        return json(
                mesh.client(tenant)
                        .post()
                        .uri(path)
                        .header("content-type", "application/json")
                        .bodyValue(body)
                        .exchange()
                        .expectStatus()
                        .isEqualTo(status)
                        .expectBody()
                        .returnResult()
                        .getResponseBody());
    }

    private JsonNode get(String path) {
        return json(
                mesh.client(tenant)
                        .get()
                        .uri(path)
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody()
                        .returnResult()
                        .getResponseBody());
    }

    private static JsonNode json(byte[] body) {
        return Json.mapper().readTree(body);
    }

    private List<AlertChanged> published() {
        return mesh.read(Topics.ALERTS.name()).stream()
                .map(r -> Json.mapper().readValue(r.value(), AlertChanged.class))
                .filter(a -> a.tenantId().equals(tenant))
                .toList();
    }

    private BigDecimal counted() {
        return summed("ticket.volume");
    }

    private BigDecimal summed(String metric) {
        return query(
                "SELECT coalesce(sum(total), 0) FROM metric_minute WHERE metric = '%s' AND tenant_id = '%s'"
                        .formatted(metric, tenant));
    }

    private BigDecimal query(String sql) {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getBigDecimal(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void execute(String sql) {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String signature(String secret, Receiver.Request request) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(
                    new SecretKeySpec(
                            Base64.getDecoder().decode(secret.substring("whsec_".length())),
                            "HmacSHA256"));
            var signed =
                    request.header("webhook-id")
                            + "."
                            + request.header("webhook-timestamp")
                            + "."
                            + request.body();
            return "v1,"
                    + Base64.getEncoder()
                            .encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void holdsNothingOfAPersonAndSaysSo() {
        assertThat(mesh.erase(tenant, "anyone", 1L).removed()).isEmpty();
    }

    @Test
    void firesOnTheThresholdAndTellsReceiverFeedAndList() {
        try (var receiver = new Receiver(Receiver.status(204))) {
            var rule = create(rule(atLeast(3), webhook(receiver.url())));
            var secret = rule.at("/recipients/0/secret").stringValue();
            assertThat(get(RULES).at("/items/0/recipients/0").has("secret")).isFalse();

            mesh.sendAll(tickets(2));
            mesh.send(ticket(Instant.now(), "phone"));
            mesh.send(ticket(Instant.now().minus(Duration.ofMinutes(17)), "email"));
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(counted()).isEqualByComparingTo("4"));
            await().during(Duration.ofSeconds(2))
                    .atMost(SOON)
                    .untilAsserted(() -> assertThat(get(ALERTS).get("items")).isEmpty());

            mesh.sendAll(tickets(1));
            await().atMost(SOON).untilAsserted(() -> assertThat(receiver.requests()).hasSize(1));
            var request = receiver.requests().getFirst();
            assertThat(request.header("webhook-signature")).isEqualTo(signature(secret, request));
            var message = Json.mapper().readTree(request.body());
            assertThat(message.get("type").stringValue()).isEqualTo("analytics.alert.triggered");
            assertThat(message.at("/data/state").stringValue()).isEqualTo("firing");
            assertThat(message.at("/data/rule_id")).isEqualTo(rule.get("id"));
            assertThat(message.at("/data/metric").stringValue()).isEqualTo("ticket.volume");
            assertThat(message.at("/data/value").decimalValue()).isEqualByComparingTo("3");

            var alert = get(ALERTS + "?state=firing").at("/items/0");
            assertThat(alert.get("rule_id")).isEqualTo(rule.get("id"));
            assertThat(get(ALERTS + "?state=pending").get("items")).isEmpty();
            await().atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(published())
                                    .singleElement()
                                    .matches(a -> a.state().equals("firing"))
                                    .matches(a -> a.firedAt() != null));

            // Paused: the alert is over, and those who heard of it hear that too.
            mesh.client(tenant)
                    .put()
                    .uri(RULES + "/" + rule.get("id").stringValue())
                    .header("content-type", "application/json")
                    .bodyValue(
                            rule(atLeast(3), webhook(receiver.url()))
                                    .replace("\"active\"", "\"paused\""))
                    .exchange()
                    .expectStatus()
                    .isOk();
            await().atMost(SOON).untilAsserted(() -> assertThat(receiver.requests()).hasSize(2));
            var second = receiver.requests().getLast();
            assertThat(second.header("webhook-signature")).isEqualTo(signature(secret, second));
            assertThat(second.header("webhook-id")).isNotEqualTo(request.header("webhook-id"));
            assertThat(Json.mapper().readTree(second.body()).at("/data/state").stringValue())
                    .isEqualTo("resolved");
            await().atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(published())
                                    .extracting(AlertChanged::revision)
                                    .containsExactly(1L, 2L));
            var deliveries = get(ALERTS + "/" + alert.get("id").stringValue()).get("deliveries");
            assertThat(deliveries).hasSize(2);
            assertThat(deliveries.at("/0/status").stringValue()).isEqualTo("delivered");
        }
    }

    private Outgoing runEnded(
            String id, long revision, String status, int anomalies, Instant endedAt) {
        var ended =
                new RunEnded(
                        tenant,
                        id,
                        "batch",
                        "orders",
                        status,
                        status.equals(RunEnded.FAILED) ? "fail" : "pass",
                        10L,
                        10L,
                        null,
                        null,
                        null,
                        null,
                        null,
                        List.of(),
                        null,
                        1.0,
                        IntStream.range(0, anomalies)
                                .mapToObj(i -> new RunEnded.Anomaly("rows", 10, 100, -18, 20))
                                .toList(),
                        endedAt,
                        revision);
        return new Outgoing(
                Topics.QUALITY.name(),
                null,
                Keys.of(tenant),
                Json.mapper().writeValueAsBytes(ended),
                Map.of(CloudHeaders.TENANT, tenant));
    }

    @Test
    void aFailedRunAndAnAnomalyRaiseAlertsOnceHoweverOftenTheyAreTold() {
        for (var metric : List.of("etl.failed_runs", "gate_failures", "etl.anomalies")) {
            create(
                    """
                    {"type":"quality","threshold":{"metric":"%s","value":1,"window":"15m"}}\
                    """
                            .formatted(metric));
        }
        assertThat(
                        refused(
                                        RULES,
                                        rule(
                                                "{\"metric\":\"etl.runs\",\"value\":1,\"window\":\"15m\"}",
                                                ""),
                                        422)
                                .path("detail")
                                .asString())
                .contains("filter.channel");
        var now = Instant.now();
        var failed = runEnded("night", 1, RunEnded.FAILED, 0, now);
        var old = now.minus(Duration.ofHours(49));
        mesh.sendAll(
                List.of(
                        failed,
                        failed,
                        runEnded("night", 2, RunEnded.COMPLETED, 2, now),
                        runEnded("old", 1, RunEnded.FAILED, 0, old)));
        mesh.sendAll(List.of(failed, runEnded("last", 1, RunEnded.COMPLETED, 0, now)));
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(summed("etl.runs"))
                                .as("two ends of the one run, one of the last")
                                .isEqualByComparingTo("3"));
        assertThat(summed("etl.failed_runs")).isEqualByComparingTo("1");
        assertThat(summed("etl.gate_failures")).isEqualByComparingTo("1");
        assertThat(summed("etl.anomalies")).isEqualByComparingTo("2");
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(get(ALERTS + "?state=firing").get("items"))
                                .extracting(alert -> alert.get("metric").stringValue())
                                .containsExactlyInAnyOrder(
                                        "etl.failed_runs", "etl.gate_failures", "etl.anomalies"));
    }

    @Test
    void resolvesWhenTheWindowHasPassed() {
        var rule = create(rule(atLeast(2), ""));
        mesh.sendAll(tickets(2));
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(get(ALERTS).at("/items/0/state").asString(""))
                                .isEqualTo("firing"));
        // What takes sixteen minutes otherwise: the counted minutes grow old.
        execute(
                "UPDATE metric_minute SET minute = minute - interval '17 minutes' WHERE tenant_id = '"
                        + tenant
                        + "'");
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(get(ALERTS).at("/items/0/state").asString(""))
                                .isEqualTo("resolved"));
        // The next one is another alert.
        mesh.sendAll(tickets(2));
        await().atMost(SOON).untilAsserted(() -> assertThat(get(ALERTS).get("items")).hasSize(2));
        var trial =
                json(
                        mesh.client(tenant)
                                .post()
                                .uri(RULES + "/" + rule.get("id").stringValue() + "/test")
                                .exchange()
                                .expectStatus()
                                .isOk()
                                .expectBody()
                                .returnResult()
                                .getResponseBody());
        assertThat(trial.get("value").decimalValue()).isEqualByComparingTo("2");
        assertThat(trial.get("would_have_fired")).isNotEmpty();
    }

    @Test
    void pendingFiresOnlyAfterItsTimeAndGoesOnFromWhatWasStored() {
        var threshold = atLeast(1).replace("}", ",\"operator\":\"gte\",\"for\":\"1h\"}");
        create(rule(threshold, ""));
        mesh.sendAll(tickets(1));
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(get(ALERTS).at("/items/0/state").asString(""))
                                .isEqualTo("pending"));
        await().during(Duration.ofSeconds(2))
                .atMost(SOON)
                .untilAsserted(
                        () -> assertThat(get(ALERTS + "?state=firing").get("items")).isEmpty());
        // As if it had been pending for an hour, across any number of restarts.
        execute(
                "UPDATE alert SET started_at = started_at - interval '1 hour' WHERE tenant_id = '"
                        + tenant
                        + "'");
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(get(ALERTS + "?state=firing").get("items")).hasSize(1));
        var alert = get(ALERTS).at("/items/0");
        assertThat(Instant.parse(alert.get("started_at").stringValue()))
                .isBefore(Instant.now().minus(Duration.ofMinutes(59)));
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(published())
                                .extracting(AlertChanged::state)
                                .containsExactly("pending", "firing"));
    }

    @Test
    void aRuleOnAnotherMetricEndsTheAlertOfTheOldOne() {
        var rule = create(rule(atLeast(1), "")).get("id").stringValue();
        mesh.sendAll(tickets(1));
        await().atMost(SOON).untilAsserted(() -> assertThat(get(ALERTS).get("items")).hasSize(1));
        mesh.client(tenant)
                .put()
                .uri(RULES + "/" + rule)
                .header("content-type", "application/json")
                .bodyValue(rule(atLeast(1).replace("ticket.volume", "ticket.reopened"), ""))
                .exchange()
                .expectStatus()
                .isOk();
        var alert = get(ALERTS).at("/items/0");
        assertThat(alert.get("state").stringValue()).isEqualTo("resolved");
        assertThat(alert.get("metric").stringValue()).isEqualTo("ticket.volume");
    }

    @Test
    void whileAnotherReplicaMovesTheTenantsAlertsThisOneWaits() throws SQLException {
        try (var other = mesh.jdbc();
                var statement = other.createStatement()) {
            create(rule(atLeast(1), ""));
            statement.execute(
                    "SELECT pg_advisory_lock(hashtextextended('alert-moves:" + tenant + "', 0))");
            mesh.sendAll(tickets(1));
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(counted()).isEqualByComparingTo("1"));
            await().during(Duration.ofSeconds(2))
                    .atMost(SOON)
                    .untilAsserted(() -> assertThat(get(ALERTS).get("items")).isEmpty());
        }
        await().atMost(SOON).untilAsserted(() -> assertThat(get(ALERTS).get("items")).hasSize(1));
    }

    @Test
    void aReceiverThatWasDownIsToldOnceItIsUpWithTheSameId() {
        var first = new Receiver(Receiver.status(503));
        var port = first.port();
        create(rule(atLeast(1), webhook(first.url())));
        mesh.sendAll(tickets(1));
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(first.requests()).hasSizeGreaterThan(1));
        first.close();
        await().atMost(SOON)
                .until(() ->
                        query(
                                                "SELECT count(*) FROM delivery WHERE last_answer NOT LIKE 'HTTP%' AND tenant_id = '"
                                                        + tenant
                                                        + "'")
                                        .signum()
                                > 0);
        try (var second = new Receiver(port, Receiver.status(200))) {
            await().atMost(SOON.multipliedBy(2))
                    .untilAsserted(() -> assertThat(second.requests()).hasSize(1));
            await().during(Duration.ofSeconds(3))
                    .atMost(SOON)
                    .untilAsserted(() -> assertThat(second.requests()).hasSize(1));
            var ids = new ArrayList<String>();
            first.requests().forEach(r -> ids.add(r.header("webhook-id")));
            ids.add(second.requests().getFirst().header("webhook-id"));
            assertThat(ids).hasSizeGreaterThan(2).containsOnly(ids.getFirst());
            assertThat(second.requests().getFirst().body())
                    .isEqualTo(first.requests().getFirst().body());
        }
    }

    @Test
    void aSlowReceiverDelaysNoOther() {
        var release = new CountDownLatch(1);
        try (var slow =
                        new Receiver(exchange -> {
                            var unused = release.await(30, TimeUnit.SECONDS);
                            exchange.sendResponseHeaders(204, -1);
                        });
                var fast = new Receiver(Receiver.status(204))) {
            create(rule(atLeast(1), webhook(slow.url()) + "," + webhook(fast.url())));
            create(rule(atLeast(1), webhook(fast.url())));
            mesh.sendAll(tickets(1));
            await().atMost(SOON).untilAsserted(() -> assertThat(slow.requests()).isNotEmpty());
            await().atMost(Duration.ofSeconds(5))
                    .untilAsserted(() -> assertThat(fast.requests()).hasSize(2));
            release.countDown();
        }
    }

    @Test
    void a410DisablesTheRecipient() {
        try (var receiver = new Receiver(Receiver.status(410))) {
            create(rule(atLeast(1), webhook(receiver.url())));
            mesh.sendAll(tickets(1));
            await().atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(get(RULES).at("/items/0/recipients/0/status").asString(""))
                                    .isEqualTo("disabled"));
            execute(
                    "UPDATE metric_minute SET minute = minute - interval '17 minutes' WHERE tenant_id = '"
                            + tenant
                            + "'");
            await().atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(get(ALERTS).at("/items/0/state").asString(""))
                                    .isEqualTo("resolved"));
            await().during(Duration.ofSeconds(2))
                    .atMost(SOON)
                    .untilAsserted(() -> assertThat(receiver.requests()).hasSize(1));
        }
    }

    @Test
    void aRedirectIsNotFollowedAndIsSaid() {
        try (var canary = new Receiver(Receiver.status(204));
                var receiver =
                        new Receiver(exchange -> {
                            exchange.getResponseHeaders().set("location", canary.url());
                            exchange.sendResponseHeaders(302, -1);
                        })) {
            create(rule(atLeast(1), webhook(receiver.url())));
            mesh.sendAll(tickets(1));
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(get(ALERTS).get("items")).hasSize(1));
            var id = get(ALERTS).at("/items/0/id").stringValue();
            await().atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(
                                            get(ALERTS + "/" + id)
                                                    .at("/deliveries/0/last_answer")
                                                    .asString(""))
                                    .isEqualTo("HTTP 302: redirects are not followed"));
            assertThat(canary.requests()).isEmpty();
        }
    }

    @Test
    void anEventThatComesTwiceCountsOnce() {
        var event = ticket(Instant.now(), "email");
        mesh.sendAll(List.of(event, event));
        mesh.send(event);
        mesh.send(ticket(Instant.now(), "email"));
        await().atMost(SOON).untilAsserted(() -> assertThat(counted()).isEqualByComparingTo("2"));
        await().during(Duration.ofSeconds(1))
                .atMost(SOON)
                .untilAsserted(() -> assertThat(counted()).isEqualByComparingTo("2"));
    }

    @Test
    void neighboursOfPoisonAreCounted() {
        var poll = new ArrayList<Outgoing>(tickets(3));
        for (var poison :
                List.of(
                        "{not json",
                        "{\"tenant_id\":\"" + tenant + "\"}",
                        "{\"tenant_id\":\""
                                + tenant
                                + "\",\"event_type\":\"purchase\",\"person_no\":0,\"occurred_at\":\""
                                + Instant.now()
                                + "\",\"data\":{\"amount\":1e400},\"context\":{}}")) {
            poll.add(
                    2,
                    new Outgoing(
                            Topics.EVENTS_CLEAN.name(),
                            5,
                            Keys.of(tenant, "x"),
                            poison.getBytes(StandardCharsets.UTF_8),
                            Map.of(CloudHeaders.TENANT, tenant)));
        }
        mesh.sendAll(poll);
        await().atMost(SOON).untilAsserted(() -> assertThat(counted()).isEqualByComparingTo("3"));
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(mesh.read(Topics.dead("alert").name()))
                                .filteredOn(r ->
                                        new String(
                                                        r.headers()
                                                                .lastHeader(CloudHeaders.TENANT)
                                                                .value(),
                                                        StandardCharsets.UTF_8)
                                                .equals(tenant))
                                .hasSize(3));
    }

    @Test
    void anotherTenantsRuleAndAlertAreNotThere() {
        var rule = create(rule(atLeast(1), "")).get("id").stringValue();
        mesh.sendAll(tickets(1));
        await().atMost(SOON).untilAsserted(() -> assertThat(get(ALERTS).get("items")).hasSize(1));
        var alert = get(ALERTS).at("/items/0/id").stringValue();
        var other = mesh.client(mesh.newTenant());
        other.get().uri(ALERTS + "/" + alert).exchange().expectStatus().isNotFound();
        other.post()
                .uri(ALERTS + "/" + alert + "/acknowledge")
                .exchange()
                .expectStatus()
                .isNotFound();
        other.post().uri(RULES + "/" + rule + "/test").exchange().expectStatus().isNotFound();
        other.delete().uri(RULES + "/" + rule).exchange().expectStatus().isNotFound();
        other.put()
                .uri(RULES + "/" + rule)
                .header("content-type", "application/json")
                .bodyValue(rule(atLeast(1), ""))
                .exchange()
                .expectStatus()
                .isNotFound();
        other.get().uri(RULES).exchange().expectBody().jsonPath("$.items").isEmpty();
        other.get().uri(ALERTS).exchange().expectBody().jsonPath("$.items").isEmpty();
        mesh.client(tenant, "analytics.view")
                .delete()
                .uri(RULES + "/" + rule)
                .exchange()
                .expectStatus()
                .isForbidden();
        mesh.client(tenant)
                .delete()
                .uri(RULES + "/" + rule)
                .exchange()
                .expectStatus()
                .isNoContent();
        assertThat(get(RULES).get("items")).isEmpty();
        assertThat(get(ALERTS).at("/items/0/state").stringValue()).isEqualTo("resolved");
    }

    @Test
    void badInputIsRefusedByTheNameOfItsField() {
        var pointers = new ArrayList<String>();
        refused(
                        RULES,
                        """
                        {"filter":{"channel":""},"threshold":{"metric":"volume","value":1e20,"window":"30s","operator":"eq","for":"x"},
                        "status":"on","recipients":[{"kind":"webhook","url":"ftp://x"},{"kind":"pigeon"},{"kind":"webhook","url":"https://example.com/","secret":"s"}]}
                        """,
                        400)
                .get("errors")
                .forEach(e -> pointers.add(e.get("pointer").stringValue()));
        assertThat(pointers)
                .containsExactlyInAnyOrder(
                        "/type",
                        "/filter/channel",
                        "/threshold/value",
                        "/threshold/window",
                        "/threshold/operator",
                        "/threshold/for",
                        "/status",
                        "/recipients/0/url",
                        "/recipients/1/kind",
                        "/recipients/2/secret");
        assertThat(refused(RULES, "{}", 400).toString()).contains("/threshold", "/type");
        assertThat(refused(RULES, "{\"typ\":\"x\"}", 400).at("/errors/0/pointer").stringValue())
                .isEqualTo("/typ");
        assertThat(refused(RULES, "{", 400).at("/errors/0/code").stringValue())
                .isEqualTo("bad_json");
        assertThat(detail(atLeast(1).replace("ticket.volume", "ticket.volum"), ""))
                .contains("threshold.metric")
                .contains("ticket.volume");
        assertThat(detail(atLeast(1).replace("ticket.volume", "volume"), ""))
                .contains("conversation.volume, ticket.volume");
        assertThat(detail(atLeast(1).replace("ticket.volume", "commerce.revenue"), ""))
                .contains("filter.channel");
        assertThat(
                        detail(
                                atLeast(1),
                                "{\"kind\":\"email\",\"address\":\"a@b.c\"}"
                                        .replace(",\"address\":\"a@b.c\"", "")))
                .contains("not offered yet");
        refused(ALERTS, "{\"type\":\"x\\u0000\"}", 400);
        mesh.client(tenant)
                .get()
                .uri(ALERTS + "?state=broken")
                .exchange()
                .expectStatus()
                .isBadRequest();
        mesh.client(tenant)
                .get()
                .uri(ALERTS + "?cursor=AAAA")
                .exchange()
                .expectStatus()
                .isBadRequest();
        assertThat(get(RULES).get("items")).isEmpty();
    }

    private String detail(String threshold, String recipients) {
        return refused(RULES, rule(threshold, recipients), 422).get("detail").stringValue();
    }

    @Test
    void privateAddressesThatNobodyAllowedAreRefused() {
        try (var canary = new Receiver(Receiver.status(204))) {
            for (var host :
                    List.of("localhost", "127.0.0.2", "[::1]", "10.0.0.1", "169.254.169.254")) {
                assertThat(
                                detail(
                                        atLeast(1),
                                        webhook("http://" + host + ":" + canary.port() + "/hook")))
                        .contains("/recipients/0/url", "not a public address");
            }
            assertThat(canary.requests()).isEmpty();
        }
    }

    @Test
    void anAlertRaisedByHandIsToldAndEndsWithItsAcknowledgement() {
        try (var receiver = new Receiver(Receiver.status(204))) {
            var raised =
                    json(
                            mesh.client(tenant)
                                    .post()
                                    .uri(ALERTS)
                                    .header("content-type", "application/json")
                                    .bodyValue(
                                            "{\"type\":\"fire drill\",\"recipients\":["
                                                    + webhook(receiver.url())
                                                    + "]}")
                                    .exchange()
                                    .expectStatus()
                                    .isCreated()
                                    .expectBody()
                                    .returnResult()
                                    .getResponseBody());
            var id = raised.at("/alert/id").stringValue();
            await().atMost(SOON).untilAsserted(() -> assertThat(receiver.requests()).hasSize(1));
            for (int i = 0; i < 2; i++) {
                mesh.client(tenant)
                        .post()
                        .uri(ALERTS + "/" + id + "/acknowledge")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody()
                        .jsonPath("$.acknowledged_by")
                        .isEqualTo("test")
                        .jsonPath("$.state")
                        .isEqualTo("resolved");
            }
            await().atMost(SOON).untilAsserted(() -> assertThat(receiver.requests()).hasSize(2));
            await().atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(published())
                                    .extracting(AlertChanged::state)
                                    .endsWith("resolved"));
        }
    }
}
