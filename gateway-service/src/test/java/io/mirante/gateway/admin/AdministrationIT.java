package io.mirante.gateway.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jwt.SignedJWT;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.AuditEntry;
import io.mirante.contracts.gateway.PersonErased;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.gateway.StubService;
import io.mirante.platform.audit.AuditTrail;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.tenants.Tenants;
import io.mirante.setup.TopicSetup;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

/** Tenants, keys, people and the audit log, over the door. */
@MeshTest
@ExtendWith(OutputCaptureExtension.class)
class AdministrationIT {

    private static final String ROOT = "the-key-of-the-installation";
    private static final Duration IN_FORCE = Duration.ofSeconds(5);
    private static final StubService STUB = new StubService("stub");
    private static final TestIssuer ISSUER = new TestIssuer();

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        for (var name : Topics.services()) {
            if (!name.equals("gateway")) {
                registry.add("mirante.gateway.services." + name + ".url", STUB::url);
                registry.add("mirante.gateway.services." + name + ".management-url", STUB::url);
            }
        }
        registry.add("mirante.gateway.api-keys", () -> ROOT);
        registry.add("mirante.gateway.bootstrap-tenant", () -> "root-of-all");
        registry.add("mirante.gateway.keys.environment", () -> "test");
        registry.add("mirante.gateway.keys.last-use-every", () -> "200ms");
        registry.add("mirante.gateway.oidc.issuer", ISSUER::url);
        registry.add("logging.level.io.mirante", () -> "DEBUG");
    }

    @Autowired Mesh mesh;
    @Autowired Tenants tenants;
    @Autowired AuditTrail trail;

    private record Answer(int status, JsonNode body, String tag, String raw) {
        String text(String field) {
            return body.path(field).stringValue();
        }

        String pointer() {
            return body.path("errors").path(0).path("pointer").stringValue();
        }
    }

    private Answer call(String key, String method, String path, String json, String... header) {
        WebTestClient.RequestBodySpec request =
                mesh.anonymous().method(HttpMethod.valueOf(method)).uri(path);
        request.header("Authorization", "Bearer " + key);
        if (header.length == 2) {
            request.header(header[0], header[1]);
        }
        var result =
                (json == null
                                ? request
                                : request.contentType(MediaType.APPLICATION_JSON)
                                        .bodyValue(json.replace('\'', '"')))
                        .exchange()
                        .expectBody(String.class)
                        .returnResult();
        var raw = result.getResponseBody() == null ? "" : result.getResponseBody();
        return new Answer(
                result.getStatus().value(),
                raw.isEmpty() ? Json.mapper().createObjectNode() : Json.mapper().readTree(raw),
                result.getResponseHeaders().getETag(),
                raw);
    }

    private String newTenant() {
        var id = mesh.newTenant();
        var made =
                call(
                        ROOT,
                        "POST",
                        "/api/v1/admin/tenants",
                        "{'id': '%s', 'name': 'A tenant'}".formatted(id));
        assertThat(made.status()).as(made.raw()).isEqualTo(201);
        return id;
    }

    private Answer newKey(String tenant, String scopes, String more) {
        var made =
                call(
                        ROOT,
                        "POST",
                        "/api/v1/admin/keys",
                        "{'tenant_id': '%s', 'name': 'a key', 'scopes': [%s]%s}"
                                .formatted(tenant, scopes, more));
        assertThat(made.status()).as(made.raw()).isEqualTo(201);
        return made;
    }

    private String newKey(String tenant, String scopes) {
        return newKey(tenant, scopes, "").text("key");
    }

    private int use(String key) {
        return call(key, "GET", "/api/v1/fans", null).status();
    }

    // --- tenants

    // --- erasure

    @Test
    void anErasureIsAJobThatGathersEveryServicesAnswerIntoAReceipt() {
        var tenant = newTenant();
        var admin = newKey(tenant, "'admin', 'analytics.view'");
        assertThat(
                        call(
                                        newKey(tenant, "'analytics.manage'"),
                                        "DELETE",
                                        "/api/v1/users/eva",
                                        null)
                                .status())
                .isEqualTo(403);
        call(admin, "GET", "/api/v1/users/eva 1/segment", null);

        assertThat(call(admin, "DELETE", "/api/v1/users/ ", null).pointer()).isEqualTo("{id}");

        var accepted = call(admin, "DELETE", "/api/v1/users/eva 1", null);
        assertThat(accepted.status()).as(accepted.raw()).isEqualTo(202);
        var job = accepted.text("job_id");
        assertThat(job).startsWith("gateway_");
        assertThat(call(admin, "DELETE", "/api/v1/users/eva 1", null).text("job_id"))
                .as("the one under way")
                .isEqualTo(job);

        // Until etl has answered, it alone is asked.
        var asked = erasures(tenant, 1).getLast();
        assertThat(asked.state()).isEqualTo(PersonErasure.REQUESTED);
        assertThat(asked.userId()).isEqualTo("eva 1");
        assertThat(asked.erasureId()).isEqualTo(job);
        assertThat(job(admin, job).text("status")).isEqualTo("running");
        var person = new PersonErased.Removal("person", "deleted", 1);
        answer(asked, "etl", true, List.of(person), 4L);
        var numbered = erasures(tenant, 2).getLast();
        assertThat(numbered.state()).isEqualTo(PersonErasure.NUMBERED);
        assertThat(numbered.personNos()).containsExactly(4L);
        assertThat(numbered.erasedAt()).isNotNull();
        for (var service : Topics.services()) {
            if (!List.of("gateway", "etl", "churn").contains(service)) {
                answer(asked, service, false, List.of());
            }
        }
        // The gateway's own part is done by itself; etl is at work on files; churn is still down.
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        assertThat(job(admin, job).text("detail"))
                                .isEqualTo("waiting for etl, churn"));
        assertThat(job(admin, job).body().at("/result/services").toString())
                .doesNotContain("\"person\"");
        var file = new PersonErased.Removal("files of sources", "blanked", 1);
        answer(asked, "etl", false, List.of(person, file), 4L);
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() ->
                        assertThat(job(admin, job).text("detail")).isEqualTo("waiting for churn"));
        var waiting = job(admin, job);
        assertThat(waiting.body().path("progress").doubleValue()).isEqualTo(7.0 / 8);
        assertThat(waiting.body().path("result").path("services")).hasSize(8);
        answer(
                asked,
                "churn",
                false,
                List.of(new PersonErased.Removal("prediction", "deleted", 3)));
        answer(asked, "churn", false, List.of());

        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(
                        () -> assertThat(job(admin, job).text("status")).isEqualTo("completed"));
        var done = job(admin, job);
        var receipt = done.body().path("result");
        assertThat(receipt.path("services").valueStream().map(s -> s.path("status").stringValue()))
                .hasSize(8)
                .containsOnly("done");
        assertThat(receipt.at("/services/4/removed/0/count").longValue()).isEqualTo(3);
        assertThat(receipt.path("services").toString())
                .contains("\"person\"", "\"files of sources\"");
        assertThat(receipt.path("remaining").valueStream().map(r -> r.path("where").stringValue()))
                .contains("mirante.events.raw", "mirante.ingest." + tenant, "backups");
        assertThat(done.raw()).doesNotContain("eva");
        var mark = erasures(tenant, 3).getLast();
        assertThat(mark.state()).isEqualTo(PersonErasure.COMPLETED);
        assertThat(mark.userId()).isNull();
        assertThat(mark.personNos()).containsExactly(4L);
        assertThat(mark.userHash()).isEqualTo(PersonErasure.hash(tenant, "eva 1"));

        // Who did it is in the audit log, of whom only as the hash; again is another erasure.
        var audit = call(admin, "GET", "/api/v1/admin/audit?action=user.erased", null);
        assertThat(audit.body().path("items").path(0).path("target").stringValue())
                .isEqualTo(mark.userHash());
        var again = call(admin, "DELETE", "/api/v1/users/eva 1", null).text("job_id");
        assertThat(again).isNotEqualTo(job);
        assertThat(erasures(tenant, 4).getLast().personNos()).containsExactly(4L);
    }

    private Answer job(String key, String id) {
        return call(key, "GET", "/api/v1/jobs/" + id, null);
    }

    /** What stands on the topic of a tenant's person, once there is that much. */
    private List<PersonErasure> erasures(String tenant, int atLeast) {
        return await().atMost(Duration.ofMinutes(2))
                .until(
                        () ->
                                mesh.read(Topics.ERASURES.name()).stream()
                                        .map(r ->
                                                Json.mapper()
                                                        .readValue(r.value(), PersonErasure.class))
                                        .filter(e -> e.tenantId().equals(tenant))
                                        .toList(),
                        found -> found.size() >= atLeast);
    }

    private void answer(
            PersonErasure erasure,
            String service,
            boolean unfinished,
            List<PersonErased.Removal> removed,
            Long... personNos) {
        var erased =
                new PersonErased(
                        erasure.tenantId(),
                        erasure.userHash(),
                        erasure.erasureId(),
                        service,
                        Instant.now(),
                        removed,
                        List.of(personNos),
                        unfinished);
        mesh.send(
                new Outgoing(
                        Topics.ERASURES_DONE.name(),
                        null,
                        Keys.of(erasure.tenantId(), erasure.userHash()),
                        Json.mapper().writeValueAsBytes(erased),
                        Map.of()));
    }

    @Test
    void aTenantComesWithTheTopicOfItsOwnProducers() {
        var servers = mesh.infrastructure().bootstrapServers();
        assertThat(TopicSetup.createIngest(servers, newTenant())).as("still missing").isEmpty();
        assertThat(TopicSetup.createIngest(servers, mesh.newTenant())).hasSize(1);
    }

    @Test
    void aTenantOfLongAgoHasItsTopicAgainOnceKafkaHasLostIt() throws Exception {
        var topic = Topics.ingest(newTenant()).name();
        try (var admin =
                Admin.create(
                        Map.of("bootstrap.servers", mesh.infrastructure().bootstrapServers()))) {
            var lost = topicId(admin, topic);
            admin.deleteTopics(List.of(topic)).all().get();
            await().atMost(Duration.ofMinutes(2))
                    .ignoreExceptionsMatching(
                            e -> e.getCause() instanceof UnknownTopicOrPartitionException)
                    .untilAsserted(() -> assertThat(topicId(admin, topic)).isNotEqualTo(lost));
        }
    }

    private static Uuid topicId(Admin admin, String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
    }

    @Test
    void aTenantIsMadeWithDefaultsAndPublishedAndItsIdIsMadeFromItsName() {
        var made =
                call(
                        ROOT,
                        "POST",
                        "/api/v1/admin/tenants",
                        "{'name': 'Açaí & Companhia', 'timezone': 'America/Sao_Paulo', 'currency': 'BRL'}");
        assertThat(made.status()).isEqualTo(201);
        assertThat(made.text("id")).isEqualTo("acai-companhia");
        assertThat(made.tag()).isEqualTo("\"1\"");
        assertThat(made.text("locale")).isEqualTo("en");
        assertThat(made.body().path("retention").path("raw_events").stringValue())
                .isEqualTo("P90D");
        assertThat(Instant.parse(made.text("created_at"))).isBefore(Instant.now());
        await().atMost(IN_FORCE)
                .untilAsserted(() ->
                        assertThat(tenants.settings("acai-companhia").currency()).isEqualTo("BRL"));
        var again = call(ROOT, "POST", "/api/v1/admin/tenants", "{'name': 'Açaí & Companhia'}");
        assertThat(again.text("id")).matches("acai-companhia-[0-9a-f]{6}");
        assertThat(
                        call(
                                        ROOT,
                                        "POST",
                                        "/api/v1/admin/tenants",
                                        "{'id': 'acai-companhia', 'name': 'x'}")
                                .status())
                .isEqualTo(409);
    }

    @Test
    void aPatchChangesWhatItNamesInForceWithinFiveSeconds() {
        var id = newTenant();
        var path = "/api/v1/admin/tenants/" + id;
        var changed =
                call(
                        ROOT,
                        "PATCH",
                        path,
                        "{'timezone': 'Europe/Lisbon', 'mode': 'strict', 'limits': {'events_per_second': 5},"
                                + " 'masking': [{'kind': 'email', 'action': 'hash'}]}");
        assertThat(changed.status()).as(changed.raw()).isEqualTo(200);
        assertThat(changed.tag()).isNotEqualTo("\"1\"");
        await().atMost(IN_FORCE)
                .untilAsserted(() ->
                        assertThat(tenants.settings(id))
                                .returns("Europe/Lisbon", TenantSettings::timezone)
                                .returns(TenantSettings.Mode.STRICT, TenantSettings::mode)
                                .returns(
                                        changed.tag(),
                                        settings -> "\"" + settings.revision() + "\""));
        var back =
                call(
                        ROOT,
                        "PATCH",
                        path,
                        "{'timezone': null, 'limits': {'events_per_second': null}}");
        assertThat(back.text("timezone")).isEqualTo("UTC");
        assertThat(back.text("mode")).isEqualTo("strict");
        assertThat(back.body().path("limits").path("events_per_second").isNull()).isTrue();
        assertThat(call(ROOT, "PATCH", path, "{'mode': 'strict'}").tag())
                .as("nothing changed, so nothing to publish")
                .isEqualTo(back.tag());
        assertThat(call(ROOT, "GET", path + "/", null).tag()).isEqualTo(back.tag());
    }

    @Test
    void whoWasSlowerIsToldInsteadOfOverwriting() {
        var path = "/api/v1/admin/tenants/" + newTenant();
        var faster = call(ROOT, "PATCH", path, "{'name': 'b'}", "If-Match", "\"1\"");
        assertThat(faster.status()).isEqualTo(200);
        var slower = call(ROOT, "PATCH", path, "{'name': 'c'}", "If-Match", "\"1\"");
        assertThat(slower.status()).isEqualTo(412);
        assertThat(slower.text("detail")).contains(faster.tag());
        assertThat(call(ROOT, "PATCH", path, "{'name': 'c'}", "If-Match", "*").status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'timezone': 'Mars/Olympus'} | /timezone | invalid",
                "{'mode': 'loose'} | /mode | wrong_type",
                "{'zone': 'UTC'} | /zone | unknown_field",
                "{'id': 'other'} | /id | read_only",
                "{'limits': {'events_per_hour': 5}} | /limits/events_per_hour | unknown_field",
                "{'limits': {'events_per_second': -5}} | /limits/events_per_second | out_of_range",
                "{'masking': [{'kind': 'email', 'action': 'hash'}, {'kind': 'email'}]} | /masking/1/action | required",
                "{'retention': {'raw_events': 'P0D'}} | /retention/raw_events | out_of_range",
                "{'retention': {'modules': {'webb': 'P30D'}}} | /retention/modules/webb | invalid",
                "{'benchmark_opt_in': 'perhaps'} | /benchmark_opt_in | wrong_type",
            })
    void whatIsWrongIsNamedByAPointer(String patch, String pointer, String code) {
        var answer = call(ROOT, "PATCH", "/api/v1/admin/tenants/root-of-all", patch);
        assertThat(answer.status()).as(answer.raw()).isEqualTo(400);
        assertThat(answer.pointer()).isEqualTo(pointer);
        assertThat(answer.body().path("errors").path(0).path("code").stringValue()).isEqualTo(code);
    }

    @Test
    void scopeAdminReachesTheOwnTenantOnlyAndPlatformAll() {
        var one = newTenant();
        var other = newTenant();
        var admin = newKey(one, "'admin'");
        var theirs = newKey(other, "'ingest'", "").text("id");

        var own = call(admin, "GET", "/api/v1/admin/tenants", null).body().path("items");
        assertThat(own.size()).isEqualTo(1);
        assertThat(own.path(0).path("id").stringValue()).isEqualTo(one);
        var page = call(ROOT, "GET", "/api/v1/admin/tenants?limit=2", null).body();
        assertThat(page.path("items").size()).isEqualTo(2);
        assertThat(page.path("next_cursor").isString()).isTrue();
        assertThat(call(admin, "GET", "/api/v1/admin/tenants/" + other, null).status())
                .isEqualTo(404);
        assertThat(call(admin, "PATCH", "/api/v1/admin/tenants/" + other, "{'name': 'x'}").status())
                .isEqualTo(404);
        assertThat(call(admin, "POST", "/api/v1/admin/tenants", "{'name': 'x'}").status())
                .isEqualTo(403);
        assertThat(
                        call(
                                        admin,
                                        "PATCH",
                                        "/api/v1/admin/tenants/" + one,
                                        "{'limits': {'events_per_second': 9}}")
                                .status())
                .isEqualTo(403);
        for (var path : List.of("keys", "users", "audit")) {
            assertThat(
                            call(
                                            admin,
                                            "GET",
                                            "/api/v1/admin/" + path + "?tenant_id=" + other,
                                            null)
                                    .status())
                    .isEqualTo(404);
        }
        assertThat(call(admin, "DELETE", "/api/v1/admin/keys/" + theirs, null).status())
                .isEqualTo(404);
        assertThat(call(admin, "POST", "/api/v1/admin/keys/" + theirs + "/rotate", null).status())
                .isEqualTo(404);
        assertThat(
                        call(
                                        admin,
                                        "POST",
                                        "/api/v1/admin/keys",
                                        "{'tenant_id': '%s', 'name': 'x', 'scopes': ['ingest']}"
                                                .formatted(other))
                                .status())
                .isEqualTo(404);
        assertThat(call(ROOT, "DELETE", "/api/v1/admin/keys/" + theirs, null).status())
                .isEqualTo(204);
        var viewer = newKey(one, "'analytics.view'");
        for (var path : List.of("tenants", "keys", "users", "audit")) {
            assertThat(call(viewer, "GET", "/api/v1/admin/" + path, null).status()).isEqualTo(403);
        }
        assertThat(
                        mesh.anonymous()
                                .get()
                                .uri("/api/v1/admin/keys")
                                .exchange()
                                .expectBody()
                                .returnResult()
                                .getStatus()
                                .value())
                .isEqualTo(401);
    }

    // --- keys

    @Test
    void aKeyOpensTheDoorWithItsScopesAndItsLastUseIsSeen() throws Exception {
        var tenant = newTenant();
        var made =
                newKey(
                        tenant,
                        "'analytics.view', 'ingest'",
                        ", 'org_units': ['north'], 'rate_limit': 50");
        var key = made.text("key");
        assertThat(key).startsWith("mrt_test_" + made.text("id") + "_");
        var passed = call(key, "GET", "/api/v1/fans", null);
        var token = passed.body().path("headers").path("authorization").stringValue().substring(7);
        var claims = SignedJWT.parse(token).getJWTClaimsSet();
        assertThat(claims.getStringClaim("tenant")).isEqualTo(tenant);
        assertThat(claims.getStringClaim("scope")).isEqualTo("analytics.view ingest");
        assertThat(claims.getStringListClaim("org_units")).containsExactly("north");
        assertThat(claims.getSubject()).isEqualTo(made.text("id"));

        await().atMost(IN_FORCE)
                .untilAsserted(() -> {
                    var listed = call(ROOT, "GET", "/api/v1/admin/keys?tenant_id=" + tenant, null);
                    var item = listed.body().path("items").path(0);
                    assertThat(item.path("last_used_at").isString()).isTrue();
                    assertThat(item.path("rate_limit").asInt()).isEqualTo(50);
                    assertThat(item.path("created_by").stringValue()).startsWith("key_");
                    assertThat(listed.raw())
                            .doesNotContain(key.substring(30, 60))
                            .doesNotContain("\"key\"");
                });
        assertThat(use(key.substring(0, key.length() - 1) + "!")).isEqualTo(401);
        assertThat(use(key.split("_")[3])).as("the secret alone").isEqualTo(401);
    }

    @Test
    void aRevokedKeyIsRefusedAtOnceHereAndWithinFiveSecondsWhereOthersRevokedIt() throws Exception {
        var tenant = newTenant();
        var here = newKey(tenant, "'analytics.view'", "");
        var elsewhere = newKey(tenant, "'analytics.view'", "");
        assertThat(use(here.text("key"))).isEqualTo(200);
        assertThat(use(elsewhere.text("key"))).isEqualTo(200);

        assertThat(call(ROOT, "DELETE", "/api/v1/admin/keys/" + here.text("id"), null).status())
                .isEqualTo(204);
        assertThat(use(here.text("key"))).isEqualTo(401);
        assertThat(call(ROOT, "DELETE", "/api/v1/admin/keys/" + here.text("id"), null).status())
                .isEqualTo(404);

        sql(tenant, "DELETE FROM api_key WHERE key_id = '" + elsewhere.text("id") + "'");
        await().atMost(IN_FORCE).until(() -> use(elsewhere.text("key")) == 401);
    }

    @Test
    void anExpiredKeyIsRefused() throws Exception {
        var tenant = newTenant();
        var key = newKey(tenant, "'analytics.view'", ", 'expires_at': '2099-01-01T00:00:00Z'");
        assertThat(use(key.text("key"))).isEqualTo(200);
        sql(
                tenant,
                "UPDATE api_key SET expires_at = now() WHERE key_id = '" + key.text("id") + "'");
        await().atMost(IN_FORCE).until(() -> use(key.text("key")) == 401);
    }

    @Test
    void whileAKeyRotatesTwoSecretsAreGoodAndNeverThree() throws Exception {
        var tenant = newTenant();
        var first = newKey(tenant, "'analytics.view'", "");
        var path = "/api/v1/admin/keys/" + first.text("id") + "/rotate";
        var second = call(ROOT, "POST", path, null);
        assertThat(second.status()).isEqualTo(200);
        assertThat(second.text("id")).isEqualTo(first.text("id"));
        assertThat(Instant.parse(second.text("previous_valid_until")))
                .isBetween(Instant.now().plusSeconds(86_000), Instant.now().plusSeconds(86_500));
        assertThat(use(first.text("key"))).isEqualTo(200);
        assertThat(use(second.text("key"))).isEqualTo(200);

        var third = call(ROOT, "POST", path, "{'grace': 'PT1H'}");
        assertThat(use(first.text("key"))).isEqualTo(401);
        assertThat(use(second.text("key"))).isEqualTo(200);
        assertThat(use(third.text("key"))).isEqualTo(200);

        sql(
                tenant,
                "UPDATE api_key SET previous_until = now() WHERE key_id = '"
                        + first.text("id")
                        + "'");
        await().atMost(IN_FORCE).until(() -> use(second.text("key")) == 401);
        assertThat(use(third.text("key"))).isEqualTo(200);

        var fourth = call(ROOT, "POST", path, "{'grace': 'PT0S'}");
        assertThat(use(third.text("key"))).isEqualTo(401);
        assertThat(use(fourth.text("key"))).isEqualTo(200);
        assertThat(call(ROOT, "POST", path, "{'grace': 'P31D'}").pointer()).isEqualTo("/grace");
    }

    @Test
    void nobodyGivesMoreThanTheyHave() {
        var tenant = newTenant();
        var admin = newKey(tenant, "'admin'");
        assertThat(
                        call(
                                        admin,
                                        "POST",
                                        "/api/v1/admin/keys",
                                        "{'name': 'x', 'scopes': ['platform']}")
                                .status())
                .isEqualTo(403);
        assertThat(
                        call(
                                        admin,
                                        "POST",
                                        "/api/v1/admin/keys",
                                        "{'name': 'x', 'scopes': ['ingest'], 'rate_limit': 0}")
                                .status())
                .isEqualTo(403);
        assertThat(
                        call(
                                        admin,
                                        "POST",
                                        "/api/v1/admin/keys",
                                        "{'name': 'x', 'scopes': ['ingest'], 'rate_limit': 1001}")
                                .status())
                .isEqualTo(403);
        assertThat(
                        call(
                                        admin,
                                        "POST",
                                        "/api/v1/admin/keys",
                                        "{'name': 'x', 'scopes': ['ingest'], 'rate_limit': 1000}")
                                .status())
                .isEqualTo(201);
        assertThat(
                        call(
                                        admin,
                                        "POST",
                                        "/api/v1/admin/users",
                                        "{'email': 'p@x.example', 'roles': ['platform']}")
                                .status())
                .isEqualTo(403);
        var north = newKey(tenant, "'admin'", ", 'org_units': ['north']").text("key");
        assertThat(
                        call(
                                        north,
                                        "POST",
                                        "/api/v1/admin/keys",
                                        "{'name': 'x', 'scopes': ['ingest']}")
                                .status())
                .isEqualTo(403);
        assertThat(
                        call(
                                        north,
                                        "POST",
                                        "/api/v1/admin/keys",
                                        "{'name': 'x', 'scopes': ['ingest'], 'org_units': ['south']}")
                                .status())
                .isEqualTo(403);
        assertThat(
                        call(
                                        north,
                                        "POST",
                                        "/api/v1/admin/keys",
                                        "{'name': 'x', 'scopes': ['ingest'], 'org_units': ['north']}")
                                .status())
                .isEqualTo(201);
        var ofSettings = call(ROOT, "GET", "/api/v1/admin/keys", null).body().path("items").path(0);
        assertThat(ofSettings.path("source").stringValue()).isEqualTo("API_KEYS");
        assertThat(
                        call(
                                        ROOT,
                                        "DELETE",
                                        "/api/v1/admin/keys/" + ofSettings.path("id").stringValue(),
                                        null)
                                .status())
                .isEqualTo(409);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'scopes': ['ingest']} | /name",
                "{'name': 'x'} | /scopes",
                "{'name': 'x', 'scopes': ['ingest', 'internal']} | /scopes/1",
                "{'name': 'x', 'scopes': ['ingest'], 'org_units': []} | /org_units",
                "{'name': 'x', 'scopes': ['ingest'], 'expires_at': '2001-01-01T00:00:00Z'} | /expires_at",
                "{'name': 'x', 'scopes': ['ingest'], 'expires_at': 'tomorrow'} | /expires_at",
                "{'name': 'x', 'scopes': ['ingest'], 'rate_limit': -1} | /rate_limit",
                "{'name': 'x', 'scopes': ['ingest'], 'tenant_id': 'nobody'} | /tenant_id",
                "{'name': 'x', 'scopes': ['ingest'], 'secret': 'mine'} | /secret",
            })
    void aKeyThatCannotBeIsRefusedWithAPointer(String form, String pointer) {
        var answer = call(ROOT, "POST", "/api/v1/admin/keys", form);
        assertThat(answer.status()).as(answer.raw()).isEqualTo(400);
        assertThat(answer.pointer()).isEqualTo(pointer);
    }

    // --- people

    @Test
    void aPersonSignsInWithTheIssuersTokenAndIsOutWhenLetOut() throws Exception {
        var tenant = newTenant();
        var email = UUID.randomUUID() + "@x.example";
        var token = ISSUER.token("sub-" + email, email.toUpperCase(java.util.Locale.ROOT));
        assertThat(use(token)).as("not let in yet").isEqualTo(401);
        var person =
                call(
                        ROOT,
                        "POST",
                        "/api/v1/admin/users",
                        "{'tenant_id': '%s', 'email': '%s', 'name': 'Ann', 'roles': ['analyst'], 'org_units': ['north']}"
                                .formatted(tenant, email));
        assertThat(person.status()).as(person.raw()).isEqualTo(201);
        await().atMost(IN_FORCE).until(() -> use(token) == 200);
        var passed = call(token, "GET", "/api/v1/fans", null);
        var claims =
                SignedJWT.parse(
                                passed.body()
                                        .path("headers")
                                        .path("authorization")
                                        .stringValue()
                                        .substring(7))
                        .getJWTClaimsSet();
        assertThat(claims.getStringClaim("tenant")).isEqualTo(tenant);
        assertThat(claims.getStringClaim("scope")).isEqualTo("analytics.view analytics.manage");
        assertThat(claims.getStringListClaim("org_units")).containsExactly("north");
        assertThat(claims.getSubject()).isEqualTo(person.text("id"));
        assertThat(claims.getIssuer())
                .as("the issuer's own token goes no further")
                .isEqualTo("mirante");

        assertThat(use(ISSUER.token("somebody-else", email)))
                .as("the address was given to somebody else")
                .isEqualTo(401);
        assertThat(use(ISSUER.token("sub-" + email, "renamed@x.example"))).isEqualTo(200);
        assertThat(call(token, "GET", "/api/v1/admin/users", null).status()).isEqualTo(403);
        assertThat(
                        call(
                                        ROOT,
                                        "POST",
                                        "/api/v1/admin/users",
                                        "{'email': '%s', 'roles': ['viewer']}".formatted(email))
                                .status())
                .isEqualTo(409);
        var listed =
                call(ROOT, "GET", "/api/v1/admin/users?tenant_id=" + tenant, null)
                        .body()
                        .path("items");
        assertThat(listed.path(0).path("subject").stringValue()).isEqualTo("sub-" + email);

        assertThat(call(ROOT, "DELETE", "/api/v1/admin/users/" + person.text("id"), null).status())
                .isEqualTo(204);
        assertThat(use(token)).isEqualTo(401);
    }

    @Test
    void aTokenThatIsNotGoodOpensNothing() {
        var tenant = newTenant();
        var email = UUID.randomUUID() + "@x.example";
        assertThat(
                        call(
                                        ROOT,
                                        "POST",
                                        "/api/v1/admin/users",
                                        "{'tenant_id': '%s', 'email': '%s', 'roles': ['admin']}"
                                                .formatted(tenant, email))
                                .status())
                .isEqualTo(201);
        var past = Date.from(Instant.now().minusSeconds(600));
        var bad =
                Map.of(
                        "forged", ISSUER.forged("s", email),
                        "expired", ISSUER.token("s", email, c -> c.expirationTime(past)),
                        "without end", ISSUER.token("s", email, c -> c.expirationTime(null)),
                        "other issuer",
                                ISSUER.token("s", email, c -> c.issuer("https://evil.example")),
                        "other audience", ISSUER.token("s", email, c -> c.audience("shop")),
                        "unverified",
                                ISSUER.token("s", email, c -> c.claim("email_verified", false)),
                        "nobody", ISSUER.token("", email),
                        "garbage", "eyJhbGciOiJub25lIn0.e30.");
        bad.forEach((why, token) -> assertThat(use(token)).as(why).isEqualTo(401));
        assertThat(use(ISSUER.token("s", email))).isEqualTo(200);
    }

    @Test
    void tokensOfKeysMadeUpDoNotKnockAtTheIssuerOnceEach() {
        int before = ISSUER.keysAsked();
        for (int i = 0; i < 20; i++) {
            assertThat(use(ISSUER.ofUnknownKey(UUID.randomUUID().toString()))).isEqualTo(401);
        }
        assertThat(ISSUER.keysAsked() - before).isLessThanOrEqualTo(2);
    }

    // --- audit

    @Test
    void everyActIsInTheAuditLogAtOnceAndOnTheTopicWithoutValues() {
        var tenant = newTenant();
        call(
                ROOT,
                "PATCH",
                "/api/v1/admin/tenants/" + tenant,
                "{'name': 'A secret name', 'locale': 'pt-BR'}");
        var key = newKey(tenant, "'admin'", "");
        call(ROOT, "POST", "/api/v1/admin/keys/" + key.text("id") + "/rotate", null);
        call(ROOT, "DELETE", "/api/v1/admin/keys/" + key.text("id"), null);
        var log =
                call(
                        ROOT,
                        "GET",
                        "/api/v1/admin/audit?kind=administration&tenant_id=" + tenant,
                        null);
        var items = log.body().path("items");
        var actions = new ArrayList<String>();
        items.forEach(i -> actions.add(i.path("action").stringValue()));
        assertThat(actions)
                .containsExactly(
                        "key.revoked",
                        "key.rotated",
                        "key.created",
                        "tenant.changed",
                        "tenant.created");
        assertThat(items.path(3).path("detail").stringValue()).isEqualTo("locale, name");
        assertThat(items.path(1).path("target").stringValue()).isEqualTo(key.text("id"));
        assertThat(items.path(0).path("subject").stringValue()).startsWith("key_");
        assertThat(log.raw()).doesNotContain("A secret name");

        await().atMost(IN_FORCE)
                .untilAsserted(() ->
                        assertThat(
                                        mesh.read(Topics.AUDIT.name()).stream()
                                                .map(r ->
                                                        Json.mapper()
                                                                .readValue(
                                                                        r.value(),
                                                                        AuditEntry.class))
                                                .filter(e -> e.tenantId().equals(tenant))
                                                .map(AuditEntry::action))
                                .contains(
                                        "key.revoked",
                                        "key.rotated",
                                        "key.created",
                                        "tenant.changed",
                                        "tenant.created"));
    }

    @Test
    void whatServicesTellIsStoredOnceFilteredAndPaged() {
        var tenant = newTenant();
        var start = Instant.parse("2026-11-21T10:00:00Z");
        var entries = new ArrayList<AuditEntry>();
        for (int i = 0; i < 5; i++) {
            entries.add(
                    new AuditEntry(
                            "audit-" + i,
                            tenant,
                            start.plusSeconds(i),
                            AuditEntry.QUERY,
                            i % 2 == 0 ? "key_a" : "key_b",
                            "snapshot",
                            "GET /api/v1/users/{id}/events",
                            "/api/v1/users/u" + i + "/events",
                            null,
                            200,
                            "req-" + i));
        }
        entries.forEach(e -> mesh.send(AuditTrail.outgoing(e)));
        mesh.send(AuditTrail.outgoing(entries.getFirst()));
        var base = "/api/v1/admin/audit?kind=query&tenant_id=" + tenant;
        await().atMost(Duration.ofMinutes(2))
                .until(() -> call(ROOT, "GET", base, null).body().path("items").size() == 5);
        assertThat(ids(call(ROOT, "GET", base + "&subject=key_b", null)))
                .containsExactly("audit-3", "audit-1");
        assertThat(
                        ids(
                                call(
                                        ROOT,
                                        "GET",
                                        base + "&target=/api/v1/users/u2/events&service=snapshot",
                                        null)))
                .containsExactly("audit-2");
        assertThat(
                        ids(
                                call(
                                        ROOT,
                                        "GET",
                                        base
                                                + "&start_time=2026-11-21T10:00:01Z&end_time=2026-11-21T10:00:03Z",
                                        null)))
                .containsExactly("audit-2", "audit-1");
        var first = call(ROOT, "GET", base + "&limit=3", null);
        assertThat(ids(first)).containsExactly("audit-4", "audit-3", "audit-2");
        var second = call(ROOT, "GET", base + "&limit=3&cursor=" + first.text("next_cursor"), null);
        assertThat(ids(second)).containsExactly("audit-1", "audit-0");
        assertThat(second.body().path("next_cursor").isNull()).isTrue();
        assertThat(call(ROOT, "GET", base + "&start_time=yesterday", null).pointer())
                .isEqualTo("?start_time");
    }

    @Test
    void refusedAndReadingCallsAreToldAsWell() {
        var tenant = newTenant();
        var viewer = newKey(tenant, "'analytics.view'", "");
        call(viewer.text("key"), "GET", "/api/v1/admin/keys", null);
        var path = "/api/v1/admin/audit?subject=" + viewer.text("id") + "&tenant_id=" + tenant;
        await().atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> {
                    var item = call(ROOT, "GET", path, null).body().path("items").path(0);
                    assertThat(item.path("action").stringValue(""))
                            .isEqualTo("GET /api/v1/admin/keys");
                    assertThat(item.path("status").asInt()).isEqualTo(403);
                });
    }

    private static List<String> ids(Answer page) {
        var ids = new ArrayList<String>();
        page.body().path("items").forEach(i -> ids.add(i.path("audit_id").stringValue()));
        return ids;
    }

    // --- secrets

    @Test
    void noSecretIsEverLoggedNorStored(CapturedOutput output) throws SQLException {
        var tenant = newTenant();
        var made = newKey(tenant, "'admin', 'analytics.view'", "");
        var rotated = call(ROOT, "POST", "/api/v1/admin/keys/" + made.text("id") + "/rotate", null);
        var token = ISSUER.token("nobody", "nobody@x.example");
        var secrets = new ArrayList<String>();
        for (var key : List.of(made.text("key"), rotated.text("key"))) {
            secrets.add(key.split("_")[3]);
            use(key);
            call(key, "GET", "/api/v1/nothing", null);
            call(key, "GET", "/api/v1/fans/forbidden", null);
            call(key, "POST", "/api/v1/admin/keys", "{'name': 5, 'scopes': '" + key + "'}");
            call(key, "PATCH", "/api/v1/admin/tenants/" + tenant, "{'timezone': 'x'}");
            mesh.anonymous().get().uri("/ws?api_key=" + key).exchange();
            mesh.anonymous().get().uri("/api/v1/fans?api_key=" + key).exchange();
        }
        use(token);
        secrets.add(token.substring(token.lastIndexOf('.') + 1));
        secrets.add(ROOT);
        assertThat(output.getAll()).contains("mirante.access");
        for (var secret : secrets) {
            assertThat(output.getAll()).doesNotContain(secret);
            assertThat(mesh.read(Topics.AUDIT.name()))
                    .noneMatch(r -> new String(r.value(), StandardCharsets.UTF_8).contains(secret));
            for (var table : List.of("api_key", "audit_entry", "tenant", "person")) {
                try (var connection = mesh.jdbc();
                        var query =
                                connection.prepareStatement(
                                        "SELECT count(*) FROM %1$s WHERE %1$s::text LIKE '%%' || ? || '%%'"
                                                .formatted(table))) {
                    query.setString(1, secret);
                    try (var rows = query.executeQuery()) {
                        rows.next();
                        assertThat(rows.getInt(1)).as(table).isZero();
                    }
                }
            }
        }
    }

    private void sql(String tenant, String statement) throws SQLException {
        try (var connection = mesh.jdbc();
                var sql = connection.createStatement()) {
            sql.execute("SELECT set_config('mirante.tenant', '" + tenant + "', false)");
            sql.execute(statement);
        }
    }
}
