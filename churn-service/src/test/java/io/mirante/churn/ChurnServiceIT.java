package io.mirante.churn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.mirante.churn.model.SyntheticUsers;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.churn.UserPrediction;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

@MeshTest
class ChurnServiceIT {

    private static final FakeEtl ETL = new FakeEtl();
    private static final Duration MONTH = Duration.ofDays(30);
    private static final Map<String, Double> LEAVING =
            Map.of("recency_days", 55.0, "frequency", 1.0, "noise", 0.5, "spend", 10.0);
    private static final Map<String, Double> STAYING =
            Map.of("recency_days", 2.0, "frequency", 11.0, "noise", 0.5, "spend", 110.0);

    @Autowired private Mesh mesh;

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        registry.add("mirante.churn.etl-url", ETL::url);
    }

    @Test
    void anErasedPersonsFeaturesScoreAndHistoryGoAndStayAway() throws Exception {
        var tenant = mesh.newTenant();
        mesh.send(features(tenant, "erase-me", 1, STAYING));
        mesh.send(features(tenant, "stays", 1, STAYING));
        await().untilAsserted(() -> assertThat(count("feature_vector", tenant)).isEqualTo(2));
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            for (var user : List.of("erase-me", "stays")) {
                statement.execute(
                        """
                        INSERT INTO prediction VALUES ('%1$s', 'p-%2$s', '%2$s', 'churn', 'm', 1, 'stays', 0.1, -2, -1,
                            0.5, 'low', '[]', 'request', now(), now());
                        INSERT INTO user_prediction (tenant_id, user_id, prediction_id, model_id, model_version,
                            probability, risk, reasons, as_of)
                        VALUES ('%1$s', '%2$s', 'p-%2$s', 'm', 1, 0.1, 'low', '[]', now())
                        """
                                .formatted(tenant, user));
            }
        }
        await().untilAsserted(() -> assertThat(predictionsOf(tenant, "erase-me")).isNotEmpty());

        var answer = mesh.erase(tenant, "erase-me", 4L);

        assertThat(answer.removed())
                .containsExactlyInAnyOrder(
                        new Removal("feature_vector", Removal.DELETED, 1),
                        new Removal("user_prediction", Removal.DELETED, 1),
                        new Removal("prediction", Removal.DELETED, 1),
                        new Removal(Topics.PREDICTIONS.name(), Removal.TOMBSTONE, 1));
        assertThat(predictionsOf(tenant, "erase-me").getLast()).isNull();
        assertThat(predictionsOf(tenant, "stays").getLast()).isNotNull();
        for (var table : List.of("feature_vector", "user_prediction", "prediction")) {
            assertThat(count(table, tenant)).as(table).isEqualTo(1);
        }

        // Features of before the erasure that come late stay out; a tombstone is no poison.
        mesh.send(features(tenant, "erase-me", 2, STAYING));
        mesh.send(
                new Outgoing(
                        Topics.FEATURES_USER.name(),
                        null,
                        Keys.of(tenant, "erase-me"),
                        null,
                        Map.of(CloudHeaders.TENANT, tenant)));
        mesh.send(with(Keys.of(tenant, "erase-me"), features(tenant, "after", 1, STAYING)));
        await().untilAsserted(() -> assertThat(count("feature_vector", tenant)).isEqualTo(2));
        assertThat(
                        number(
                                "SELECT count(*) FROM feature_vector WHERE user_id = 'erase-me' AND tenant_id = ?",
                                tenant))
                .isZero();
        assertThat(mesh.read(Topics.dead("churn").name()))
                .noneMatch(r -> Arrays.equals(r.key(), Keys.of(tenant, "erase-me")));
    }

    private List<byte[]> predictionsOf(String tenant, String user) {
        var values = new ArrayList<byte[]>();
        mesh.read(Topics.PREDICTIONS.name()).stream()
                .filter(r -> Arrays.equals(r.key(), Keys.of(tenant, user)))
                .forEach(r -> values.add(r.value()));
        return values;
    }

    @Test
    void trainsPromotesRescoresAndExplains() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        mesh.send(features(tenant, "known-before", 1, LEAVING));
        await().untilAsserted(() -> assertThat(count("feature_vector", tenant)).isEqualTo(1));
        get(
                client,
                "/api/v1/users/known-before/predictions",
                200,
                body -> {
                    assertThat(body.path("predictions")).isEmpty();
                });

        var result = train(tenant);

        assertThat(result.path("promoted").booleanValue()).isTrue();
        assertThat(result.path("version").intValue()).isEqualTo(1);
        var metrics = result.path("metrics");
        assertThat(metrics.path("roc_auc").path("value").doubleValue()).isGreaterThan(0.8);
        assertThat(metrics.path("roc_auc").path("low").doubleValue()).isGreaterThan(0.7);
        assertThat(metrics.path("lift_at_10").doubleValue()).isGreaterThan(1.3);
        assertThat(metrics.propertyNames())
                .containsExactlyInAnyOrder(
                        "roc_auc",
                        "pr_auc",
                        "log_loss",
                        "brier",
                        "calibration_error",
                        "lift_at_10");
        assertThat(ETL.bodies.getLast())
                .contains("\"label\":{\"type\":\"inactivity\",\"horizon\":\"P30D\"}")
                .contains("\"2026-08-02T00:00:00Z\"]");

        await().untilAsserted(() -> {
            get(
                    client,
                    "/api/v1/users/known-before/predictions",
                    200,
                    body -> {
                        assertThat(body.path("predictions")).hasSize(1);
                        var prediction = body.path("predictions").path(0);
                        assertThat(prediction.path("risk").stringValue()).isEqualTo("high");
                        assertThat(prediction.path("label").stringValue()).isEqualTo("churn");
                        assertThat(prediction.path("reasons")).isNotEmpty();
                        assertThat(prediction.path("reasons").path(0).path("text").stringValue())
                                .contains("raises the risk");
                    });
        });

        var modelId = result.path("model_id").stringValue();
        get(
                client,
                "/api/v1/models",
                200,
                body -> {
                    assertThat(body.path("items")).hasSize(1);
                    assertThat(body.path("items").path(0).path("current").booleanValue()).isTrue();
                });
        get(
                client,
                "/api/v1/models/" + modelId,
                200,
                body -> {
                    assertThat(body.path("manifest").path("seed").longValue()).isEqualTo(1);
                    assertThat(body.path("manifest").path("horizon").stringValue())
                            .isEqualTo("P30D");
                    assertThat(body.path("manifest").path("input_hash").stringValue()).hasSize(64);
                });
        predictByHand(tenant, modelId);
        aSecondModelOfTheSameDataIsAtLeastAsGood(tenant);
    }

    private void predictByHand(String tenant, String modelId) {
        var client = mesh.client(tenant);
        var all =
                post(
                        client,
                        "/api/v1/predict?reasons=all",
                        "{\"customer_id\":\"c-1\",\"input\":{\"recency_days\":50,\"frequency\":1,\"spend\":null}}",
                        200);
        double sum = all.path("base_value").doubleValue();
        for (var reason : all.path("reasons")) {
            sum += reason.path("contribution").doubleValue();
        }
        assertThat(sum).isCloseTo(all.path("margin").doubleValue(), within(1e-4));
        assertThat(all.path("model_id").stringValue()).isEqualTo(modelId);
        assertThat(all.path("reasons")).anyMatch(r -> r.path("value").isNull());

        get(
                client,
                "/api/v1/predictions/" + all.path("prediction_id").stringValue(),
                200,
                body ->
                        assertThat(body.path("probability").doubleValue())
                                .isEqualTo(all.path("probability").doubleValue()));
        get(
                client,
                "/api/v1/predictions?customer_id=c-1",
                200,
                body -> {
                    assertThat(body.path("items")).hasSize(1);
                    assertThat(body.path("next_cursor").isNull()).isTrue();
                });
        get(
                client,
                "/api/v1/predictions?limit=1",
                200,
                body -> {
                    assertThat(body.path("items")).hasSize(1);
                    assertThat(body.path("next_cursor").isString()).isTrue();
                });
        get(
                mesh.client(mesh.newTenant()),
                "/api/v1/predictions",
                200,
                body -> {
                    assertThat(body.path("items")).isEmpty();
                });

        var ofStored = post(client, "/api/v1/predict", "{\"customer_id\":\"known-before\"}", 200);
        assertThat(ofStored.path("risk").stringValue()).isEqualTo("high");
        assertThat(ofStored.path("as_of").isString()).isTrue();

        var unknown =
                post(
                        client,
                        "/api/v1/predict",
                        "{\"input\":{\"shoe_size\":44,\"frequency\":\"many\"}}",
                        400);
        assertThat(unknown.path("errors"))
                .anyMatch(e ->
                        e.path("pointer").stringValue().equals("/input/shoe_size")
                                && e.path("code").stringValue().equals("unknown_feature"))
                .anyMatch(e -> e.path("pointer").stringValue().equals("/input/frequency"));

        var batch =
                post(
                        client,
                        "/api/v1/predict/batch",
                        "{\"inputs\":[{\"recency_days\":50},{\"nonsense\":1},7,{\"customer_id\":\"known-before\"},{\"customer_id\":\"nobody\"}]}",
                        200);
        assertThat(batch.path("predictions")).hasSize(2);
        assertThat(batch.path("predictions").path(1).path("line").intValue()).isEqualTo(4);
        assertThat(batch.path("errors")).hasSize(3);
    }

    private void aSecondModelOfTheSameDataIsAtLeastAsGood(String tenant) {
        var result = train(tenant);

        assertThat(result.path("version").intValue()).isEqualTo(2);
        assertThat(result.path("promoted").booleanValue()).isTrue();
        ETL.has(tenant, SyntheticUsers.shuffled(SyntheticUsers.table(500, 3, MONTH, 9), 3));
    }

    @Test
    void aWorseModelIsKeptButNotPutInForceUntilSomeoneAsks() {
        var tenant = mesh.newTenant();
        var good = SyntheticUsers.table(500, 3, MONTH, 5);
        ETL.has(tenant, good);
        var first = order(tenant);
        // The fitted rows' labels are shuffled, the held-out ones are true: what is learned is
        // worse.
        var shuffled = SyntheticUsers.shuffled(good, 7).labels();
        System.arraycopy(good.labels(), 1000, shuffled, 1000, 500);
        ETL.has(
                tenant,
                new io.mirante.churn.model.TrainingTable(
                        good.features(), good.rows(), shuffled, good.users(), good.asOf()));
        var second = order(tenant);

        assertThat(second.path("promoted").booleanValue()).isFalse();
        assertThat(second.path("warnings").toString()).contains("not put in force");
        var client = mesh.client(tenant);
        get(
                client,
                "/api/v1/models/" + first.path("model_id").stringValue(),
                200,
                body -> assertThat(body.path("current").booleanValue()).isTrue());

        var promoted =
                post(
                        client,
                        "/api/v1/models/" + second.path("model_id").stringValue() + "/promote",
                        "{}",
                        200);
        assertThat(promoted.path("current").booleanValue()).isTrue();
    }

    @Test
    void scoresAreWrittenOnlyWhenTheyMoveAndRedeliveryChangesNothing() {
        var tenant = mesh.newTenant();
        train(tenant);

        mesh.send(features(tenant, "u", 1, LEAVING));
        await().untilAsserted(() -> assertThat(published(tenant)).hasSize(1));
        var first = published(tenant).getFirst();
        assertThat(first.risk()).isEqualTo("high");
        assertThat(first.reasons()).isNotEmpty();

        // The same revision again, an older one, and one whose features are the same
        mesh.send(features(tenant, "u", 1, STAYING));
        mesh.send(features(tenant, "u", 0, STAYING));
        mesh.send(features(tenant, "u", 2, LEAVING));
        await().untilAsserted(() ->
                assertThat(
                                number(
                                        "SELECT max(revision) FROM feature_vector WHERE tenant_id = ?",
                                        tenant))
                        .isEqualTo(2));
        assertThat(
                        number(
                                "SELECT count(*) FROM prediction WHERE customer_id = 'u' AND tenant_id = ?",
                                tenant))
                .isEqualTo(1);
        assertThat(
                        number(
                                "SELECT max(revision) FROM user_prediction WHERE user_id = 'u' AND tenant_id = ?",
                                tenant))
                .isEqualTo(first.revision());

        mesh.send(features(tenant, "u", 3, STAYING));
        await().untilAsserted(() -> assertThat(published(tenant)).hasSize(2));
        assertThat(published(tenant).getLast().risk()).isEqualTo("low");
        assertThat(published(tenant).getLast().revision()).isGreaterThan(first.revision());
        assertThat(
                        number(
                                "SELECT count(*) FROM prediction WHERE customer_id = 'u' AND tenant_id = ?",
                                tenant))
                .isEqualTo(2);
    }

    @Test
    void poisonIsKeptAndItsNeighboursAreStored() {
        var tenant = mesh.newTenant();
        var key = Keys.of(tenant, "same-partition");
        var topic = Topics.FEATURES_USER.name();

        mesh.sendAll(
                List.of(
                        with(key, features(tenant, "before", 1, LEAVING)),
                        new Outgoing(
                                topic,
                                null,
                                key,
                                "{\"features\":".getBytes(),
                                Map.of(CloudHeaders.TENANT, tenant)),
                        new Outgoing(
                                topic,
                                null,
                                key,
                                "{\"tenant_id\":\"x\"}".getBytes(),
                                Map.of(CloudHeaders.TENANT, tenant)),
                        new Outgoing(
                                topic,
                                null,
                                key,
                                ("{\"tenant_id\":\""
                                                + tenant
                                                + "\",\"user_id\":\"nan\",\"as_of\":\"2026-01-01T00:00:00Z\",\"version\":1,\"revision\":1,\"person_no\":1,\"features\":{\"a\":1e400}}")
                                        .getBytes(),
                                Map.of(CloudHeaders.TENANT, tenant)),
                        with(key, features(tenant, "after", 1, LEAVING))));

        await().untilAsserted(() -> assertThat(count("feature_vector", tenant)).isEqualTo(2));
        await().untilAsserted(() ->
                assertThat(mesh.read(Topics.dead("churn").name()))
                        .filteredOn(r ->
                                tenant.equals(
                                        new String(
                                                r.headers()
                                                        .lastHeader(CloudHeaders.TENANT)
                                                        .value())))
                        .hasSize(3));
    }

    @Test
    void saysWhyItCannotTrain() {
        var none = mesh.newTenant();
        assertThat(failed(none)).contains("no features of any user are known yet");

        var few = mesh.newTenant();
        ETL.has(few, SyntheticUsers.table(30, 3, MONTH, 5));
        hasHistory(few);
        assertThat(failed(few)).contains("at least 100 rows of either class").contains("that stay");
    }

    @Test
    void refusesWhatItCannotDoAndSaysWhy() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);

        assertThat(
                        post(client, "/api/v1/predict", "{\"input\":{}}", 422)
                                .path("detail")
                                .stringValue())
                .contains("no churn model has been trained");
        post(client, "/api/v1/predict", "{\"model_id\":\"mdl_none\",\"input\":{}}", 404);
        post(client, "/api/v1/predict", "{\"model\":\"conversion\",\"input\":{}}", 422);
        post(client, "/api/v1/predict", "{\"model\":\"astrology\",\"input\":{}}", 400);
        post(client, "/api/v1/predict", "{\"inputt\":{}}", 400);
        post(client, "/api/v1/predict", "{", 400);
        post(client, "/api/v1/predict/batch", "{\"inputs\":[]}", 400);
        get(client, "/api/v1/predictions/none", 404, body -> {});
        get(client, "/api/v1/predictions?risk=extreme", 400, body -> {});
        get(client, "/api/v1/users/nobody/predictions", 404, body -> {});
        get(client, "/api/v1/models/none", 404, body -> {});
        post(client, "/api/v1/models/none/promote", "{}", 404);
        post(client, "/api/v1/models/churn/train", "{\"label\":\"revenue\"}", 400);
        post(
                client,
                "/api/v1/models/churn/train",
                "{\"label\":\"inactivity\",\"horizon\":\"soon\"}",
                400);
        post(
                client,
                "/api/v1/models/churn/train",
                "{\"label\":\"inactivity\",\"horizon\":\"P400D\"}",
                400);
        post(client, "/api/v1/models/conversion/train", "{\"label\":\"inactivity\"}", 422);
        post(client, "/api/v1/models/weather/train", "{\"label\":\"inactivity\"}", 404);
        post(mesh.client(tenant, "ingest"), "/api/v1/predict", "{\"input\":{}}", 403);
        post(
                mesh.client(tenant, "analytics.view"),
                "/api/v1/models/churn/train",
                "{\"label\":\"inactivity\"}",
                403);
        mesh.anonymous().get().uri("/api/v1/models").exchange().expectStatus().isUnauthorized();
        client.post()
                .uri("/api/v1/models/churn/train")
                .contentType(MediaType.MULTIPART_FORM_DATA)
                .bodyValue(
                        new org.springframework.util.LinkedMultiValueMap<>(
                                Map.of("label", List.of("Churn"))))
                .exchange()
                .expectStatus()
                .isEqualTo(415);
    }

    /** One user whose features say how long the history is. */
    private void hasHistory(String tenant) {
        mesh.send(
                features(
                        tenant,
                        "veteran",
                        1,
                        Map.of("tenure_days", 240.0, "days_since_last_event", 0.0)));
        await().untilAsserted(() ->
                assertThat(
                                number(
                                        "SELECT count(*) FROM feature_vector WHERE user_id = 'veteran' AND tenant_id = ?",
                                        tenant))
                        .isEqualTo(1));
    }

    private JsonNode train(String tenant) {
        ETL.has(tenant, SyntheticUsers.table(500, 3, MONTH, 5));
        return order(tenant);
    }

    private JsonNode order(String tenant) {
        hasHistory(tenant);
        var job = job(tenant);
        assertThat(job.path("status").stringValue()).as(job.toString()).isEqualTo("completed");
        return job.path("result");
    }

    private String failed(String tenant) {
        var job = job(tenant);
        assertThat(job.path("status").stringValue()).as(job.toString()).isEqualTo("failed");
        return job.path("error").path("detail").stringValue();
    }

    private JsonNode job(String tenant) {
        var client = mesh.client(tenant);
        var id =
                post(
                                client,
                                "/api/v1/models/churn/train",
                                "{\"label\":\"inactivity\",\"horizon\":\"P30D\"}",
                                202)
                        .path("job_id")
                        .stringValue();
        return await().atMost(Duration.ofMinutes(2))
                .until(
                        () -> request(client, "/api/v1/jobs/" + id, 200),
                        j ->
                                List.of("completed", "failed")
                                        .contains(j.path("status").stringValue()));
    }

    private List<UserPrediction> published(String tenant) {
        return mesh.read(Topics.PREDICTIONS.name()).stream()
                .filter(r -> r.value() != null)
                .map(r -> Json.mapper().readValue(r.value(), UserPrediction.class))
                .filter(p -> p.tenantId().equals(tenant) && p.userId().equals("u"))
                .toList();
    }

    private long count(String table, String tenant) {
        return number("SELECT count(*) FROM " + table + " WHERE tenant_id = ?", tenant);
    }

    private long number(String sql, String tenant) {
        try (var connection = mesh.jdbc();
                var statement = connection.prepareStatement(sql)) {
            statement.setString(1, tenant);
            try (var rows = statement.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Outgoing with(byte[] key, Outgoing record) {
        return new Outgoing(record.topic(), null, key, record.value(), record.headers());
    }

    private static Outgoing features(
            String tenant, String user, long revision, Map<String, Double> values) {
        var features =
                new UserFeatures(
                        tenant,
                        user,
                        1,
                        1,
                        Instant.parse("2026-09-01T00:00:00Z").plusSeconds(revision),
                        revision,
                        values);
        return new Outgoing(
                Topics.FEATURES_USER.name(),
                null,
                Keys.of(tenant, user),
                Json.mapper().writeValueAsBytes(features),
                Map.of(CloudHeaders.TENANT, tenant));
    }

    private static void get(
            WebTestClient client,
            String uri,
            int status,
            java.util.function.Consumer<JsonNode> check) {
        check.accept(request(client, uri, status));
    }

    private static JsonNode request(WebTestClient client, String uri, int status) {
        return json(client.get().uri(uri).exchange(), status);
    }

    private static JsonNode post(WebTestClient client, String uri, String body, int status) {
        return json(
                client.post()
                        .uri(uri)
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(body)
                        .exchange(),
                status);
    }

    private static JsonNode json(WebTestClient.ResponseSpec response, int status) {
        var body = response.expectBody(String.class).returnResult();
        assertThat(body.getStatus().value()).as(body.getResponseBody()).isEqualTo(status);
        return Json.mapper().readTree(body.getResponseBody());
    }
}
