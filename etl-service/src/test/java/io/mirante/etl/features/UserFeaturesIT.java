package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.etl.RawRecords;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@MeshTest
class UserFeaturesIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant END = Instant.parse("2026-11-20T00:00:00Z");

    @Autowired Mesh mesh;
    @Autowired MeterRegistry meters;

    @Test
    void liveFeaturesEqualARecountOnRandomHistories() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var tenant = mesh.newTenant();
        Map<String, List<Recount.Event>> histories = new HashMap<>();
        var records = new ArrayList<Outgoing>();
        for (int i = 0; i < 40; i++) {
            var user = "user-" + i;
            var history = RandomEvents.history(random, END, 1 + random.nextInt(60), 200);
            histories.put(user, history);
            history.forEach(
                    e -> records.add(RawRecords.raw(tenant, RandomEvents.canonical(user, e))));
        }
        java.util.Collections.shuffle(records, random);
        mesh.sendAll(records);
        await().atMost(SOON)
                .until(() -> {
                    var latest = published(tenant);
                    return histories.entrySet().stream()
                            .allMatch(h -> {
                                var features = latest.get(h.getKey());
                                return features != null
                                        && features.features().get("events_total")
                                                == h.getValue().size();
                            });
                });
        published(tenant)
                .forEach((user, features) -> {
                    assertSame(
                            "seed " + seed + ", " + user,
                            features.features(),
                            Recount.of(histories.get(user), features.asOf(), "USD"));
                    assertThat(features.categories())
                            .as("seed " + seed + ", " + user)
                            .isEqualTo(Recount.texts(histories.get(user), features.asOf()));
                    assertThat(features.version()).isEqualTo(FeatureCatalog.VERSION);
                    assertThat(features.personNo()).isBetween(1L, 40L);
                });

        var user = "user-7";
        mesh.client(tenant)
                .get()
                .uri("/api/v1/features/" + user)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.user_id")
                .isEqualTo(user)
                .jsonPath("$.as_of")
                .isNotEmpty()
                .jsonPath("$.version")
                .isEqualTo(2)
                .jsonPath("$.features.events_total")
                .isEqualTo((double) histories.get(user).size());
        mesh.client(mesh.newTenant())
                .get()
                .uri("/api/v1/features/" + user)
                .exchange()
                .expectStatus()
                .isNotFound();
    }

    @Test
    void theQueryAsOfAPastMomentEqualsARecountAndIgnoresTheFuture() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var tenant = mesh.newTenant();
        var moment = END.minus(Duration.ofDays(60));
        Map<String, List<Recount.Event>> histories = new HashMap<>();
        var records = new ArrayList<Outgoing>();
        for (int i = 0; i < 25; i++) {
            var user = "user-" + i;
            var history = new ArrayList<>(RandomEvents.history(random, END, 30, 120));
            // planted leaks: at the moment itself and right after it
            history.add(purchase(moment, "100000"));
            history.add(purchase(moment.plusNanos(1_000), "100000"));
            histories.put(user, history);
            history.forEach(
                    e -> records.add(RawRecords.raw(tenant, RandomEvents.canonical(user, e))));
        }
        mesh.sendAll(records);
        await().atMost(SOON).until(() -> stored(tenant) == records.size());
        var computed = query(tenant, moment);
        assertThat(computed).hasSize(25);
        computed.forEach((user, features) -> {
            assertSame(
                    "seed " + seed + ", " + user,
                    features,
                    Recount.of(histories.get(user), moment, "USD"));
            assertThat(features.get("monetary")).as("leak").isLessThan(100_000);
        });
    }

    @Test
    void anEventOfTheFutureIsCountedOnceItsTimeHasCome() throws Exception {
        var tenant = mesh.newTenant();
        var later = Instant.now().plusSeconds(8);
        mesh.sendAll(
                List.of(
                        RawRecords.raw(tenant, RawRecords.purchase("ana", END, "10.00")),
                        RawRecords.raw(tenant, RawRecords.purchase("ana", later, "5.00"))));
        await().atMost(SOON).until(() -> published(tenant).containsKey("ana"));
        var first = published(tenant).get("ana");
        if (first.asOf().isBefore(later)) {
            assertThat(first.features()).containsEntry("monetary", 10.0);
        }
        await().atMost(SOON)
                .until(() -> published(tenant).get("ana").features().get("monetary") == 15.0);
        assertThat(published(tenant).get("ana").asOf()).isAfter(later);
    }

    @Test
    void aUserWhoCannotBeComputedStepsBackAndOthersGoOn() throws Exception {
        var tenant = mesh.newTenant();
        double before = meters.counter("mirante.etl.features.set.aside").count();
        execute(
                """
                CREATE FUNCTION public.refuse_stuck() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'stuck'; END $$\
                """);
        execute(
                """
                CREATE TRIGGER stuck BEFORE UPDATE ON user_feature_state FOR EACH ROW
                WHEN (new.tenant_id = '%s' AND new.user_id = 'stuck' AND new.revision > old.revision)
                EXECUTE FUNCTION public.refuse_stuck()\
                """
                        .formatted(tenant));
        try {
            mesh.sendAll(
                    List.of(
                            RawRecords.raw(tenant, RawRecords.pageView("stuck", END)),
                            RawRecords.raw(tenant, RawRecords.pageView("ana", END.plusSeconds(1))),
                            RawRecords.raw(
                                    tenant, RawRecords.pageView("bea", END.plusSeconds(2)))));
            await().atMost(SOON)
                    .until(() -> published(tenant).keySet().equals(Set.of("ana", "bea")));
            await().atMost(SOON)
                    .until(() -> meters.counter("mirante.etl.features.set.aside").count() > before);
        } finally {
            execute("DROP TRIGGER stuck ON user_feature_state");
            execute("DROP FUNCTION public.refuse_stuck()");
        }
        execute(
                "UPDATE user_feature_state SET retry_at = 'epoch' WHERE tenant_id = '%s' AND retry_at IS NOT NULL"
                        .formatted(tenant));
        await().atMost(SOON).until(() -> published(tenant).containsKey("stuck"));
    }

    @Test
    void eventsDoNotWaitForFeaturesOfTheirUsers() throws Exception {
        var tenant = mesh.newTenant();
        mesh.send(RawRecords.raw(tenant, RawRecords.pageView("ana", END)));
        await().atMost(SOON).until(() -> published(tenant).containsKey("ana"));
        try (var holder = mesh.jdbc();
                var hold =
                        holder.prepareStatement(
                                "SELECT 1 FROM user_feature_state WHERE tenant_id = ? FOR UPDATE")) {
            holder.setAutoCommit(false);
            hold.setString(1, tenant);
            hold.executeQuery();
            mesh.send(RawRecords.raw(tenant, RawRecords.pageView("ana", END.plusSeconds(1))));
            await().atMost(SOON).until(() -> stored(tenant) == 2);
            assertThat(published(tenant).get("ana").features()).containsEntry("events_total", 1.0);
            holder.rollback();
        }
        await().atMost(SOON)
                .until(() -> published(tenant).get("ana").features().get("events_total") == 2.0);
    }

    @Test
    void anonymousVisitorsHaveNoFeatures() throws Exception {
        var tenant = mesh.newTenant();
        var visitor =
                new io.mirante.contracts.events.CanonicalEvent(
                        RawRecords.id(),
                        "page_view",
                        "web",
                        null,
                        "cookie",
                        null,
                        END,
                        null,
                        false,
                        1,
                        RawRecords.json("{}"),
                        RawRecords.json("{}"),
                        RawRecords.json("{}"));
        mesh.sendAll(
                List.of(
                        RawRecords.raw(tenant, visitor),
                        RawRecords.raw(tenant, RawRecords.pageView("ana", END))));
        await().atMost(SOON).until(() -> published(tenant).containsKey("ana"));
        assertThat(published(tenant)).containsOnlyKeys("ana");
    }

    @Test
    void theCatalogIsServed() {
        mesh.client(mesh.newTenant())
                .get()
                .uri("/api/v1/features/catalog")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.version")
                .isEqualTo(2)
                .jsonPath("$.features[0].name")
                .isEqualTo("recency_days")
                .jsonPath("$.features[0].unit")
                .isEqualTo("days")
                .jsonPath("$.features[0].sql")
                .doesNotExist()
                .jsonPath("$.features.length()")
                .isEqualTo(FeatureCatalog.all().size());
    }

    @Test
    void withoutTheScopeNothingIsServed() {
        mesh.client(mesh.newTenant(), "ingest")
                .get()
                .uri("/api/v1/features/catalog")
                .exchange()
                .expectStatus()
                .isForbidden();
    }

    private static Recount.Event purchase(Instant at, String amount) {
        return new Recount.Event(RawRecords.id(), "purchase", null, at, amount, null, null);
    }

    static void assertSame(String what, Map<String, Double> actual, Map<String, Double> expected) {
        assertThat(actual.keySet()).as(what).containsExactlyInAnyOrderElementsOf(expected.keySet());
        expected.forEach((name, value) ->
                assertThat(actual.get(name))
                        .as(what + ": " + name)
                        .isCloseTo(value, within(1e-9 * Math.max(1, Math.abs(value)))));
    }

    /** Each user's newest features on the topic. */
    private Map<String, UserFeatures> published(String tenant) {
        Map<String, UserFeatures> latest = new HashMap<>();
        for (var record : mesh.read(Topics.FEATURES_USER.name())) {
            var header = record.headers().lastHeader(CloudHeaders.TENANT);
            if (header != null
                    && tenant.equals(new String(header.value(), StandardCharsets.UTF_8))) {
                var features = Json.mapper().readValue(record.value(), UserFeatures.class);
                latest.merge(
                        features.userId(), features, (a, b) -> b.revision() > a.revision() ? b : a);
            }
        }
        return latest;
    }

    private Map<String, Map<String, Double>> query(String tenant, Instant asOf)
            throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "WITH p AS (SELECT ?::text AS tenant, ?::timestamptz AS as_of) "
                                        + "SELECT f.* FROM ("
                                        + FeatureQuery.sql(
                                                "(SELECT tenant FROM p)",
                                                "(SELECT as_of FROM p)",
                                                "'USD'",
                                                null)
                                        + ") f")) {
            query.setString(1, tenant);
            query.setTimestamp(2, Timestamp.from(asOf));
            var rows = query.executeQuery();
            Map<String, Map<String, Double>> result = new HashMap<>();
            while (rows.next()) {
                Map<String, Double> features = new HashMap<>();
                for (var feature : FeatureQuery.computed()) {
                    if (feature.isText()) {
                        continue;
                    }
                    @Nullable Double value = rows.getObject(feature.name(), Double.class);
                    if (value != null) {
                        features.put(feature.name(), value);
                    }
                }
                result.put(rows.getString("user_id"), features);
            }
            return result;
        }
    }

    private void execute(String sql) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private long stored(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT count(*) FROM analytics_event WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getLong(1);
        }
    }
}
