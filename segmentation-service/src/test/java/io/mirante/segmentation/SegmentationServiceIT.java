package io.mirante.segmentation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.churn.UserPrediction;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.PersonMerge;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.contracts.segmentation.UserCluster;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

@MeshTest
class SegmentationServiceIT {

    private static final AtomicLong OFFSETS = new AtomicLong(1_000);

    @Autowired private Mesh mesh;

    @Test
    void aDatabaseOfBeforeAnErasureErasesByTheHashAlone() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        mesh.send(event(tenant, "restored", "login", "2026-11-01T10:00:00Z", "s", "{}"));
        awaitUser(client, "restored");
        var then = Instant.parse("2026-11-02T00:00:00Z");

        var answer =
                mesh.erase(
                        new PersonErasure(
                                tenant,
                                PersonErasure.hash(tenant, "restored"),
                                null,
                                "gateway_long-done-" + tenant,
                                PersonErasure.COMPLETED,
                                then,
                                then,
                                List.of(77L),
                                3));

        assertThat(answer.removed()).contains(new Removal("profile", Removal.DELETED, 1));
        get(client, "/api/v1/users/restored", 404, body -> {});
    }

    @Test
    void anErasedPersonsProfileGoesAndStaysAway() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        var purchase = "{\"amount\":7,\"currency\":\"USD\"}";
        mesh.send(event(tenant, "erase-me", "purchase", "2026-11-01T10:00:00Z", "s", purchase));
        mesh.send(event(tenant, "stays", "purchase", "2026-11-01T10:00:00Z", "s", purchase));
        mesh.send(features(tenant, "erase-me", 1, Map.of("spend", 1.0)));
        mesh.send(risk(tenant, "erase-me", 1, 0.5));
        awaitUser(client, "erase-me");
        awaitUser(client, "stays");
        await().untilAsserted(() -> {
            assertThat(count("user_vector", tenant)).isEqualTo(1);
            assertThat(count("user_risk", tenant)).isEqualTo(1);
        });

        // etl gives each person a number of their own; in these tests all have 1.
        var answer = mesh.erase(tenant, "erase-me", 77L);

        assertThat(answer.removed())
                .contains(
                        new Removal("profile", Removal.DELETED, 1),
                        new Removal("event_count", Removal.DELETED, 1),
                        new Removal("client_session", Removal.DELETED, 1),
                        new Removal("known_as", Removal.DELETED, 1),
                        new Removal("purchase_day", Removal.DELETED, 1),
                        new Removal("user_vector", Removal.DELETED, 1),
                        new Removal("user_risk", Removal.DELETED, 1),
                        new Removal(Topics.CLUSTERS.name(), Removal.TOMBSTONE, 1));
        get(client, "/api/v1/users/erase-me", 404, body -> {});
        // Accepted before the erasure, read after it.
        mesh.send(event(tenant, "erase-me", "login", "2026-11-02T10:00:00Z", "s", "{}"));
        mesh.send(risk(tenant, "erase-me", 2, 0.6));
        mesh.send(event(tenant, "after", "login", "2026-11-02T10:00:00Z", "s", "{}"));
        awaitUser(client, "after");
        assertThat(count("profile", tenant)).isEqualTo(2);
        get(client, "/api/v1/users/erase-me", 404, body -> {});
    }

    @Test
    void profilesAddUpAndRedeliveryChangesNothing() {
        var tenant = mesh.newTenant();
        var events =
                List.of(
                        event(
                                tenant,
                                "u",
                                "page_view",
                                "2026-11-01T10:00:00Z",
                                null,
                                "{\"url\":\"/\"}"),
                        event(
                                tenant,
                                "u",
                                "page_view",
                                "2026-11-01T10:30:00Z",
                                null,
                                "{\"url\":\"/a\"}"),
                        event(
                                tenant,
                                "u",
                                "page_view",
                                "2026-11-01T11:00:01Z",
                                null,
                                "{\"url\":\"/b\"}"),
                        event(tenant, "u", "interaction", "2026-11-02T10:00:00Z", "s-1", "{}"),
                        event(tenant, "u", "interaction", "2026-11-02T11:00:00Z", "s-1", "{}"),
                        event(
                                tenant,
                                "u",
                                "purchase",
                                "2026-11-03T10:00:00Z",
                                "s-2",
                                "{\"amount\":\"10.10\",\"currency\":\"USD\"}"),
                        event(
                                tenant,
                                "u",
                                "purchase",
                                "2026-11-03T12:00:00Z",
                                "s-2",
                                "{\"amount\":25.04}"),
                        event(
                                tenant,
                                "u",
                                "purchase",
                                "2026-11-05T12:00:00Z",
                                "s-2",
                                "{\"amount\":0,\"currency\":\"USD\"}"),
                        event(
                                tenant,
                                "u",
                                "purchase",
                                "2026-11-05T13:00:00Z",
                                "s-2",
                                "{\"amount\":7,\"currency\":\"EUR\"}"),
                        event(
                                tenant,
                                "u",
                                "sign_up",
                                "2026-10-30T10:00:00Z",
                                "s-0",
                                "{\"traits\":{\"city\":\"Porto\",\"opt_in_games\":true}}"),
                        event(
                                tenant,
                                null,
                                "page_view",
                                "2026-11-01T10:00:00Z",
                                null,
                                "{\"url\":\"/\"}"));
        mesh.sendAll(events);
        mesh.sendAll(events); // the same source positions again: a redelivery
        mesh.send(event(tenant, "last", "login", "2026-11-05T00:00:00Z", null, "{}"));
        var client = mesh.client(tenant);
        awaitUser(client, "last");

        get(
                client,
                "/api/v1/users/u",
                200,
                user -> {
                    assertThat(user.path("events").path("total").longValue()).isEqualTo(10);
                    assertThat(user.path("events").path("by_type").path("purchase").longValue())
                            .isEqualTo(4);
                    assertThat(user.path("revenue").path("total").stringValue()).isEqualTo("35.14");
                    assertThat(user.path("revenue").path("orders").longValue()).isEqualTo(4);
                    assertThat(user.path("revenue").path("currency").stringValue())
                            .isEqualTo("USD");
                    // 10:00 and 10:30 are one session, 11:00:01 another; s-0, s-1, s-2 the client's
                    assertThat(user.path("sessions").longValue()).isEqualTo(5);
                    assertThat(user.path("first_seen_at").stringValue())
                            .isEqualTo("2026-10-30T10:00:00Z");
                    assertThat(user.path("last_seen_at").stringValue())
                            .isEqualTo("2026-11-05T13:00:00Z");
                    assertThat(user.path("traits").path("city").stringValue()).isEqualTo("Porto");
                    assertThat(user.path("identities")).hasSize(2);
                });
        get(
                client,
                "/api/v1/users/u/segment?at=2026-11-10",
                200,
                segment -> {
                    assertThat(segment.path("rfm").path("frequency").intValue()).isEqualTo(2);
                    assertThat(segment.path("rfm").path("monetary").stringValue())
                            .isEqualTo("35.14");
                    assertThat(segment.path("rfm").path("recency_days").intValue()).isEqualTo(5);
                    assertThat(segment.path("rfm").path("scores").path("r").intValue())
                            .isEqualTo(5);
                    assertThat(segment.path("cluster").isNull()).isTrue();
                });
        get(
                client,
                "/api/v1/users/u/segment?at=2026-11-04T23:59:59Z",
                200,
                segment ->
                        assertThat(segment.path("rfm").path("frequency").intValue()).isEqualTo(1));
        get(
                client,
                "/api/v1/users/u/segment?at=2026-11-05T00:30:00%2B01:00",
                200,
                segment ->
                        assertThat(segment.path("rfm").path("frequency").intValue()).isEqualTo(1));
        get(
                client,
                "/api/v1/users/u/segment?at=2026-11-02",
                200,
                segment -> assertThat(segment.path("rfm").isNull()).isTrue());
        get(mesh.client(mesh.newTenant()), "/api/v1/users/u", 404, body -> {});
    }

    @Test
    void whatAVisitorDidIsTheUsersOnceTheyAreKnownUntilThatIsUndone() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        mesh.sendAll(
                List.of(
                        event(tenant, null, "page_view", "2026-11-01T10:00:00Z", null, "{}"),
                        event(tenant, null, "interaction", "2026-11-01T10:10:00Z", "s-1", "{}"),
                        event(
                                tenant,
                                null,
                                "purchase",
                                "2026-11-02T10:00:00Z",
                                "s-2",
                                "{\"amount\":\"5.00\"}"),
                        event(
                                tenant,
                                "ana",
                                "purchase",
                                "2026-11-03T10:00:00Z",
                                "s-2",
                                "{\"amount\":\"10.00\"}"),
                        event(tenant, "bob", "login", "2026-11-03T10:00:00Z", "s-3", "{}")));
        awaitUser(client, "bob");
        assertFigures(client, "ana", "2026-11-03T10:00:00Z", 1, "10.00", 1, 1);
        assertThat(ids(client, "bob")).containsExactly("bob", "anon-1");

        // the visitor is ana, whatever is said of bob
        mesh.sendAll(
                List.of(
                        merge(tenant, "ana", PersonMerge.MERGED, 1),
                        merge(tenant, "bob", PersonMerge.REFUSED, 2)));
        await().untilAsserted(() ->
                assertFigures(client, "ana", "2026-11-01T10:00:00Z", 4, "15.00", 3, 2));
        assertThat(ids(client, "ana")).containsExactly("ana", "anon-1");
        assertThat(ids(client, "bob")).containsExactly("bob");
        get(
                client,
                "/api/v1/fans/ana",
                200,
                fan -> assertThat(fan.path("engagement").longValue()).isEqualTo(1));
        get(
                client,
                "/api/v1/fans",
                200,
                fans -> assertThat(fans.path("items")).as("a visitor is no fan").hasSize(2));

        mesh.send(merge(tenant, "ana", PersonMerge.UNDONE, 3));
        await().untilAsserted(() ->
                assertFigures(client, "ana", "2026-11-03T10:00:00Z", 1, "10.00", 1, 1));
        assertThat(ids(client, "ana")).containsExactly("ana");
    }

    private static void assertFigures(
            WebTestClient client,
            String id,
            String firstSeen,
            long events,
            String revenue,
            long sessions,
            int purchaseDays) {
        get(
                client,
                "/api/v1/users/" + id,
                200,
                user -> {
                    assertThat(user.path("first_seen_at").stringValue()).isEqualTo(firstSeen);
                    assertThat(user.path("events").path("total").longValue()).isEqualTo(events);
                    assertThat(user.path("revenue").path("total").stringValue()).isEqualTo(revenue);
                    assertThat(user.path("sessions").longValue()).isEqualTo(sessions);
                    assertThat(user.path("rfm").path("frequency").intValue())
                            .isEqualTo(purchaseDays);
                });
    }

    private static List<String> ids(WebTestClient client, String user) {
        return request(client, "/api/v1/users/" + user, 200)
                .path("identities")
                .valueStream()
                .map(i -> i.path("id").stringValue())
                .toList();
    }

    private static Outgoing merge(String tenant, String user, String state, long revision) {
        var at = Instant.parse("2026-11-03T10:00:00Z");
        var mergeId = user.equals("ana") ? "1-2" : "1-3";
        return new Outgoing(
                Topics.IDENTITIES.name(),
                null,
                Keys.of(tenant, "merge", mergeId),
                Json.mapper()
                        .writeValueAsBytes(
                                new PersonMerge(
                                        tenant,
                                        mergeId,
                                        state,
                                        state.equals(PersonMerge.REFUSED)
                                                ? "two_known_people"
                                                : null,
                                        "identify",
                                        "anonymous",
                                        "anon-1",
                                        1,
                                        user,
                                        user.equals("ana") ? 2 : 3,
                                        "e",
                                        at,
                                        at,
                                        null,
                                        null,
                                        revision)),
                Map.of(CloudHeaders.TENANT, tenant, CloudHeaders.TYPE, PersonMerge.TYPE));
    }

    @Test
    void moneyIsCountedInTheTenantsOwnCurrency() {
        var tenant = mesh.newTenant();
        mesh.settings(tenant, "{\"currency\": \"BRL\"}");
        var client = mesh.client(tenant);
        var amounts =
                List.of(
                        "{\"amount\":7}",
                        "{\"amount\":5,\"currency\":\"BRL\"}",
                        "{\"amount\":100,\"currency\":\"USD\"}");
        for (int i = 0; i < amounts.size(); i++) {
            mesh.send(
                    event(
                            tenant,
                            "ana",
                            "purchase",
                            "2026-11-01T1" + i + ":00:00Z",
                            null,
                            amounts.get(i)));
        }
        await().ignoreExceptions()
                .untilAsserted(() ->
                        get(
                                client,
                                "/api/v1/users/ana",
                                200,
                                user -> {
                                    assertThat(user.path("revenue").path("orders").intValue())
                                            .isEqualTo(3);
                                    assertThat(user.path("revenue").path("total").stringValue())
                                            .isEqualTo("12.00");
                                    assertThat(user.path("revenue").path("currency").stringValue())
                                            .isEqualTo("BRL");
                                }));
        get(
                client,
                "/api/v1/users/ana/segment?at=2026-11-10",
                200,
                segment ->
                        assertThat(segment.path("rfm").path("monetary").stringValue())
                                .isEqualTo("12.00"));
    }

    @Test
    void aPurchaseIsInTheNextAnswerAlthoughTheBuyersAreKept() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        for (int days = 1; days <= 3; days++) {
            int expected = days;
            mesh.send(
                    event(
                            tenant,
                            "late",
                            "purchase",
                            "2026-11-0" + days + "T10:00:00Z",
                            null,
                            "{\"amount\":1,\"currency\":\"USD\"}"));
            await().ignoreExceptions()
                    .untilAsserted(() ->
                            get(
                                    client,
                                    "/api/v1/users/late/segment?at=2026-11-10",
                                    200,
                                    segment ->
                                            assertThat(
                                                            segment.path("rfm")
                                                                    .path("frequency")
                                                                    .intValue())
                                                    .isEqualTo(expected)));
        }
    }

    @Test
    void fansAreTheSamePeopleAsUsers() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        mesh.send(event(tenant, "seen", "interaction", "2026-11-01T10:00:00Z", null, "{}"));
        awaitUser(client, "seen");

        var made =
                send(
                        client.post().uri("/api/v1/fans"),
                        "{\"name\":\"Ana\",\"city\":\"Recife\",\"opt_in_games\":true,\"traits\":{\"team\":\"blue\"}}",
                        201);
        var id = made.path("id").stringValue();
        get(
                client,
                "/api/v1/users/" + id,
                200,
                user -> {
                    assertThat(user.path("traits").path("name").stringValue()).isEqualTo("Ana");
                    assertThat(user.path("traits").path("team").stringValue()).isEqualTo("blue");
                });
        get(client, "/api/v1/fans", 200, page -> assertThat(page.path("items")).hasSize(2));
        get(
                client,
                "/api/v1/fans?limit=1",
                200,
                page -> {
                    assertThat(page.path("items")).hasSize(1);
                    get(
                            client,
                            "/api/v1/fans?limit=1&cursor=" + page.path("next_cursor").stringValue(),
                            200,
                            next -> {
                                assertThat(next.path("items")).hasSize(1);
                                assertThat(next.path("next_cursor").isNull()).isTrue();
                            });
                });
        send(client.post().uri("/api/v1/fans"), "{\"id\":\"seen\"}", 409);
        var replaced =
                send(
                        client.put().uri("/api/v1/fans/seen"),
                        "{\"name\":\"Bia\",\"opt_in_promotions\":false}",
                        200);
        assertThat(replaced.path("name").stringValue()).isEqualTo("Bia");
        assertThat(replaced.path("opt_in_promotions").booleanValue()).isFalse();
        assertThat(replaced.path("engagement").longValue()).isEqualTo(1);

        client.delete().uri("/api/v1/fans/seen").exchange().expectStatus().isNoContent();
        get(client, "/api/v1/fans/seen", 404, body -> {});
        client.delete().uri("/api/v1/fans/seen").exchange().expectStatus().isNotFound();
        get(
                client,
                "/api/v1/users/seen",
                200,
                user -> {
                    assertThat(user.path("traits")).isEmpty();
                    assertThat(user.path("events").path("total").longValue()).isEqualTo(1);
                });
        send(client.post().uri("/api/v1/fans"), "{\"id\":\"seen\",\"name\":\"Back\"}", 201);

        send(client.post().uri("/api/v1/fans"), "{\"nickname\":\"x\"}", 400);
        send(client.post().uri("/api/v1/fans"), "{\"opt_in_games\":\"maybe\"}", 400);
        send(client.post().uri("/api/v1/fans"), "{\"traits\":[1]}", 400);
        send(client.post().uri("/api/v1/fans"), "{", 400);
        send(client.put().uri("/api/v1/fans/nobody"), "{}", 404);
        get(client, "/api/v1/fans?limit=0", 400, body -> {});
        get(client, "/api/v1/users/seen/segment?at=yesterday", 400, body -> {});
        send(mesh.client(tenant, "analytics.view").post().uri("/api/v1/fans"), "{}", 403);
        mesh.anonymous().get().uri("/api/v1/fans").exchange().expectStatus().isUnauthorized();
    }

    @Test
    void clustersOnRequestPublishesPlacesAndShowsKpis() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        get(
                client,
                "/api/v1/kpis",
                422,
                body ->
                        assertThat(body.path("detail").stringValue())
                                .contains("no clustering yet"));
        var records = new ArrayList<Outgoing>();
        for (int i = 0; i < 30; i++) {
            records.add(
                    features(
                            tenant,
                            "big" + i,
                            1,
                            Map.of("spend", 900.0 + i, "visits", 40.0 + i % 5)));
            records.add(
                    features(
                            tenant,
                            "small" + i,
                            1,
                            Map.of("spend", 10.0 + i % 7, "visits", 2.0 + i % 3)));
            records.add(
                    event(
                            tenant,
                            "big" + i,
                            "purchase",
                            "2026-11-01T10:00:00Z",
                            null,
                            "{\"amount\":90,\"currency\":\"USD\"}"));
            records.add(
                    event(
                            tenant,
                            "small" + i,
                            "purchase",
                            "2026-11-01T10:00:00Z",
                            null,
                            "{\"amount\":10,\"currency\":\"USD\"}"));
            records.add(
                    event(
                            tenant,
                            "big" + i,
                            "sign_up",
                            "2026-11-01T10:00:00Z",
                            null,
                            "{\"traits\":{\"opt_in_games\":" + (i < 15) + "}}"));
            records.add(risk(tenant, "small" + i, 1, 0.8));
        }
        mesh.sendAll(records);
        await().untilAsserted(() -> {
            assertThat(count("user_vector", tenant)).isEqualTo(60);
            assertThat(count("user_risk", tenant)).isEqualTo(30);
            assertThat(count("purchase_day", tenant)).isEqualTo(60);
        });

        var result = cluster(tenant, "{\"k\":null,\"seed\":3}");

        assertThat(result.path("k").intValue()).isEqualTo(2);
        assertThat(result.path("clusters")).hasSize(2);
        get(
                client,
                "/api/v1/kpis",
                200,
                kpis -> {
                    assertThat(kpis.path("clusters")).hasSize(2);
                    var big =
                            kpis.path("clusters")
                                            .path(0)
                                            .path("average_spend")
                                            .stringValue()
                                            .equals("90.00")
                                    ? kpis.path("clusters").path(0)
                                    : kpis.path("clusters").path(1);
                    assertThat(big.path("average_spend").stringValue()).isEqualTo("90.00");
                    assertThat(big.path("total_users").longValue()).isEqualTo(30);
                    assertThat(big.path("percent_opt_in_games").doubleValue()).isEqualTo(50);
                    assertThat(big.path("revenue_share").doubleValue())
                            .isCloseTo(0.9, within(1e-9));
                    assertThat(big.path("churn_risk").isNull()).isTrue();
                    assertThat(big.path("label").stringValue()).contains("high");
                    var small =
                            kpis.path("clusters").path(0) == big
                                    ? kpis.path("clusters").path(1)
                                    : kpis.path("clusters").path(0);
                    assertThat(small.path("churn_risk").doubleValue()).isCloseTo(0.8, within(1e-9));
                    assertThat(big.path("defining_features").path(0).path("text").stringValue())
                            .contains("high");
                });
        await().untilAsserted(() -> assertThat(published(tenant)).hasSize(60));

        // Someone new, and someone who changes sides, find their place on arrival.
        mesh.send(features(tenant, "newcomer", 1, Map.of("spend", 905.0, "visits", 41.0)));
        mesh.send(features(tenant, "small0", 2, Map.of("spend", 905.0, "visits", 41.0)));
        await().untilAsserted(() -> assertThat(published(tenant)).hasSize(62));
        int big =
                published(tenant).stream()
                        .filter(c -> c.userId().equals("big0"))
                        .findFirst()
                        .orElseThrow()
                        .cluster();
        assertThat(published(tenant))
                .filteredOn(c -> c.userId().equals("newcomer"))
                .extracting(UserCluster::cluster)
                .containsExactly(big);
        assertThat(published(tenant))
                .filteredOn(c -> c.userId().equals("small0"))
                .isSortedAccordingTo(Comparator.comparingLong(UserCluster::revision))
                .last()
                .extracting(UserCluster::cluster)
                .isEqualTo(big);

        get(
                client,
                "/api/v1/segments",
                200,
                segments -> {
                    assertThat(segments.path("items")).hasSize(12);
                    long buyers = 0;
                    long clustered = 0;
                    for (var segment : segments.path("items")) {
                        if (segment.path("kind").stringValue().equals("rfm")) {
                            buyers += segment.path("users").longValue();
                        } else {
                            clustered += segment.path("users").longValue();
                        }
                    }
                    assertThat(buyers).isEqualTo(60);
                    assertThat(clustered).isEqualTo(61);
                });
        get(
                client,
                "/api/v1/segments/cluster_" + big + "/users?limit=500",
                200,
                page -> {
                    assertThat(page.path("items")).hasSize(32);
                    assertThat(Instant.parse(page.path("as_of").stringValue())).isNotNull();
                });
        get(
                client,
                "/api/v1/segments/cluster_" + big,
                200,
                segment -> {
                    assertThat(segment.path("id").stringValue()).isEqualTo("cluster_" + big);
                    assertThat(segment.path("users").longValue()).isEqualTo(32);
                    assertThat(Instant.parse(segment.path("as_of").stringValue())).isNotNull();
                });
        get(client, "/api/v1/segments/cluster_9", 404, body -> {});
        get(client, "/api/v1/segments/cluster_9/users", 404, body -> {});
        get(client, "/api/v1/segments/rfm_unheard_of/users", 404, body -> {});
        get(
                client,
                "/api/v1/users/small1",
                200,
                user -> {
                    assertThat(
                                    user.path("predictions")
                                            .path("churn")
                                            .path("probability")
                                            .doubleValue())
                            .isEqualTo(0.8);
                    assertThat(user.path("cluster").path("label").stringValue()).isNotEmpty();
                });

        var again = cluster(tenant, "{\"k\":3,\"features\":[\"spend\"]}");
        assertThat(again.path("features")).hasSize(1);
        assertThat(again.path("k").intValue()).isEqualTo(3);
        get(
                client,
                "/api/v1/kpis?model=" + result.path("model_id").stringValue(),
                200,
                kpis -> {
                    assertThat(kpis.path("clusters")).hasSize(2);
                    assertThat(
                                    kpis.path("clusters").path(0).path("total_users").longValue()
                                            + kpis.path("clusters")
                                                    .path(1)
                                                    .path("total_users")
                                                    .longValue())
                            .isEqualTo(61);
                });
        get(client, "/api/v1/kpis?model=clm_none", 404, body -> {});
        await().untilAsserted(() ->
                assertThat(
                                number(
                                        "SELECT count(*) FROM user_cluster WHERE tenant_id = ? AND model_id = '"
                                                + again.path("model_id").stringValue()
                                                + "'",
                                        tenant))
                        .isEqualTo(61));
    }

    @Test
    void refusesAClusteringThatCannotBeMade() {
        var tenant = mesh.newTenant();
        var client = mesh.client(tenant);
        mesh.send(features(tenant, "only", 1, Map.of("spend", 1.0)));
        await().untilAsserted(() -> assertThat(count("user_vector", tenant)).isEqualTo(1));

        var failed = job(tenant, "{\"k\":5}");
        assertThat(failed.path("status").stringValue()).isEqualTo("failed");
        assertThat(failed.path("error").path("detail").stringValue())
                .contains("1 users")
                .contains("at least 5");

        send(client.post().uri("/api/v1/kpis/cluster"), "{\"k\":0}", 400);
        send(client.post().uri("/api/v1/kpis/cluster"), "{\"k_min\":5,\"k_max\":3}", 400);
        send(client.post().uri("/api/v1/kpis/cluster"), "{\"features\":[]}", 400);
        send(client.post().uri("/api/v1/kpis/cluster"), "{\"kk\":3}", 400);
        send(client.post().uri("/api/v1/kpis/clusterizar"), "{}", 202);
        send(mesh.client(tenant, "analytics.view").post().uri("/api/v1/kpis/cluster"), "{}", 403);
    }

    @Test
    void poisonIsKeptAndItsNeighboursAreStored() {
        var tenant = mesh.newTenant();
        for (var topic : List.of(Topics.EVENTS_CLEAN, Topics.FEATURES_USER, Topics.PREDICTIONS)) {
            var key = Keys.of(tenant, topic.name());
            var before =
                    switch (topic.name()) {
                        case "mirante.events.clean" ->
                                event(
                                        tenant,
                                        "before",
                                        "login",
                                        "2026-11-01T00:00:00Z",
                                        null,
                                        "{}");
                        case "mirante.features.user" ->
                                features(tenant, "before", 1, Map.of("spend", 1.0));
                        default -> risk(tenant, "before", 1, 0.5);
                    };
            var after =
                    switch (topic.name()) {
                        case "mirante.events.clean" ->
                                event(tenant, "after", "login", "2026-11-01T00:00:00Z", null, "{}");
                        case "mirante.features.user" ->
                                features(tenant, "after", 1, Map.of("spend", 1.0));
                        default -> risk(tenant, "after", 1, 0.5);
                    };
            mesh.sendAll(
                    List.of(
                            new Outgoing(topic.name(), 3, key, before.value(), before.headers()),
                            new Outgoing(
                                    topic.name(),
                                    3,
                                    key,
                                    "{\"".getBytes(),
                                    Map.of(CloudHeaders.TENANT, tenant)),
                            new Outgoing(
                                    topic.name(),
                                    3,
                                    key,
                                    "{\"tenant_id\":\"x\"}".getBytes(),
                                    Map.of(CloudHeaders.TENANT, tenant)),
                            new Outgoing(topic.name(), 3, key, after.value(), after.headers())));
        }

        await().untilAsserted(() -> {
            assertThat(count("profile", tenant)).isEqualTo(2);
            assertThat(count("user_vector", tenant)).isEqualTo(2);
            assertThat(count("user_risk", tenant)).isEqualTo(2);
        });
        await().untilAsserted(() -> assertThat(deadOf(tenant)).isEqualTo(6));
    }

    /** CDNOW: 69,659 purchases of 23,570 customers; every customer's figures against a recount of the file. */
    @Test
    @Tag("realdata")
    void cdnowGivesEachCustomerTheFiguresOfARecount() throws IOException, SQLException {
        var tenant = mesh.newTenant();
        var file = Path.of(System.getenv("MIRANTE_DATA"), "cdnow", "CDNOW_master.txt");
        var days = new HashMap<String, Set<LocalDate>>();
        var amounts = new HashMap<String, BigDecimal>();
        var last = new HashMap<String, LocalDate>();
        var records = new ArrayList<Outgoing>();
        for (var line : Files.readAllLines(file)) {
            var cells = line.strip().split("\\s+");
            if (cells.length != 4 || !cells[0].matches("\\d+")) {
                continue;
            }
            var day = LocalDate.parse(cells[1], DateTimeFormatter.BASIC_ISO_DATE);
            days.computeIfAbsent(cells[0], c -> new HashSet<>()).add(day);
            amounts.merge(cells[0], new BigDecimal(cells[3]), BigDecimal::add);
            last.merge(cells[0], day, (a, b) -> a.isAfter(b) ? a : b);
            records.add(
                    event(
                            tenant,
                            cells[0],
                            "purchase",
                            day + "T00:00:00Z",
                            null,
                            "{\"amount\":\"" + cells[3] + "\",\"currency\":\"USD\"}"));
        }
        assertThat(records).hasSize(69_659);
        mesh.sendAll(records);
        await().atMost(Duration.ofMinutes(3))
                .untilAsserted(() ->
                        assertThat(
                                        number(
                                                "SELECT coalesce(sum(orders), 0)::bigint FROM purchase_day WHERE tenant_id = ?",
                                                tenant))
                                .isEqualTo(69_659));

        assertThat(count("profile", tenant)).isEqualTo(23_570);
        var at = LocalDate.parse("1998-06-30");
        var seen = new TreeMap<String, List<Object>>();
        try (var connection = mesh.jdbc();
                var statement =
                        connection.prepareStatement(
                                "SELECT user_id, max(day), count(DISTINCT day), sum(amount) FROM purchase_day WHERE tenant_id = ? GROUP BY user_id")) {
            statement.setString(1, tenant);
            try (var rows = statement.executeQuery()) {
                while (rows.next()) {
                    seen.put(
                            rows.getString(1),
                            List.of(
                                    rows.getDate(2).toLocalDate(),
                                    rows.getInt(3),
                                    rows.getBigDecimal(4)));
                }
            }
        }
        assertThat(seen).hasSize(23_570);
        var total = BigDecimal.ZERO;
        for (var customer : amounts.keySet()) {
            var row = seen.get(customer);
            assertThat(row.get(0)).isEqualTo(last.get(customer));
            assertThat(row.get(1)).isEqualTo(days.get(customer).size());
            assertThat((BigDecimal) row.get(2)).isEqualByComparingTo(amounts.get(customer));
            total = total.add((BigDecimal) row.get(2));
        }
        assertThat(total).isEqualByComparingTo("2500315.63");

        var client = mesh.client(tenant);
        var listed = new HashSet<String>();
        for (var segment : request(client, "/api/v1/segments", 200).path("items")) {
            var path =
                    "/api/v1/segments/"
                            + segment.path("id").stringValue()
                            + "/users?at=1998-06-30&limit=500";
            var page = request(client, path, 200);
            while (true) {
                for (var user : page.path("items")) {
                    assertThat(listed.add(user.path("user_id").stringValue())).isTrue();
                }
                if (page.path("next_cursor").isNull()) {
                    break;
                }
                page =
                        request(
                                client,
                                path + "&cursor=" + page.path("next_cursor").stringValue(),
                                200);
            }
        }
        assertThat(listed).isEqualTo(seen.keySet());
        for (var customer :
                seen.keySet().stream().filter(c -> Integer.parseInt(c) % 97 == 0).toList()) {
            get(
                    client,
                    "/api/v1/users/" + customer + "/segment?at=1998-06-30",
                    200,
                    body -> {
                        var rfm = body.path("rfm");
                        assertThat(rfm.path("frequency").intValue())
                                .isEqualTo(days.get(customer).size());
                        assertThat(new BigDecimal(rfm.path("monetary").stringValue()))
                                .isEqualByComparingTo(amounts.get(customer));
                        assertThat(rfm.path("recency_days").longValue())
                                .isEqualTo(ChronoUnit.DAYS.between(last.get(customer), at));
                    });
        }
    }

    private JsonNode cluster(String tenant, String body) {
        var job = job(tenant, body);
        assertThat(job.path("status").stringValue()).as(job.toString()).isEqualTo("completed");
        return job.path("result");
    }

    private JsonNode job(String tenant, String body) {
        var client = mesh.client(tenant);
        var id =
                send(client.post().uri("/api/v1/kpis/cluster"), body, 202)
                        .path("job_id")
                        .stringValue();
        return await().atMost(Duration.ofMinutes(2))
                .until(
                        () -> request(client, "/api/v1/jobs/" + id, 200),
                        j ->
                                List.of("completed", "failed")
                                        .contains(j.path("status").stringValue()));
    }

    private void awaitUser(WebTestClient client, String user) {
        await().untilAsserted(() ->
                assertThat(
                                client.get()
                                        .uri("/api/v1/users/" + user)
                                        .exchange()
                                        .returnResult(String.class)
                                        .getStatus()
                                        .value())
                        .isEqualTo(200));
    }

    private List<UserCluster> published(String tenant) {
        return mesh.read(Topics.CLUSTERS.name()).stream()
                .filter(r -> r.value() != null)
                .map(r -> Json.mapper().readValue(r.value(), UserCluster.class))
                .filter(c -> c.tenantId().equals(tenant))
                .toList();
    }

    private long deadOf(String tenant) {
        return mesh.read(Topics.dead("segmentation").name()).stream()
                .filter(r ->
                        tenant.equals(
                                new String(r.headers().lastHeader(CloudHeaders.TENANT).value())))
                .count();
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
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Outgoing event(
            String tenant, String user, String type, String at, String session, String data) {
        var empty = Json.mapper().createObjectNode();
        long offset = OFFSETS.incrementAndGet();
        var event =
                new CleanEvent(
                        tenant,
                        "e" + offset,
                        type,
                        "web",
                        user,
                        "anon-1",
                        session,
                        Instant.parse(at),
                        Instant.parse(at),
                        1,
                        Json.mapper().readTree(data),
                        empty,
                        empty);
        return new Outgoing(
                Topics.EVENTS_CLEAN.name(),
                5,
                Keys.of(tenant, user == null ? "anon-1" : user),
                Json.mapper().writeValueAsBytes(event),
                Map.of(
                        CloudHeaders.TENANT,
                        tenant,
                        CloudHeaders.SOURCE_TOPIC,
                        Topics.EVENTS_RAW.name(),
                        CloudHeaders.SOURCE_PARTITION,
                        "5",
                        CloudHeaders.SOURCE_OFFSET,
                        Long.toString(offset)));
    }

    private static Outgoing features(
            String tenant, String user, long revision, Map<String, Double> values) {
        return new Outgoing(
                Topics.FEATURES_USER.name(),
                null,
                Keys.of(tenant, user),
                Json.mapper()
                        .writeValueAsBytes(
                                new UserFeatures(
                                        tenant,
                                        user,
                                        1,
                                        1,
                                        Instant.parse("2026-11-01T00:00:00Z"),
                                        revision,
                                        values)),
                Map.of(CloudHeaders.TENANT, tenant));
    }

    private static Outgoing risk(String tenant, String user, long revision, double probability) {
        return new Outgoing(
                Topics.PREDICTIONS.name(),
                null,
                Keys.of(tenant, user),
                Json.mapper()
                        .writeValueAsBytes(
                                new UserPrediction(
                                        tenant,
                                        user,
                                        "p",
                                        "churn",
                                        "m",
                                        1,
                                        probability,
                                        "high",
                                        List.of(),
                                        Instant.parse("2026-11-01T00:00:00Z"),
                                        revision)),
                Map.of(CloudHeaders.TENANT, tenant));
    }

    private static void get(
            WebTestClient client, String uri, int status, Consumer<JsonNode> check) {
        check.accept(request(client, uri, status));
    }

    private static JsonNode request(WebTestClient client, String uri, int status) {
        return json(
                client.get().uri(b -> java.net.URI.create(b.build().toString() + uri)).exchange(),
                status);
    }

    private static JsonNode send(WebTestClient.RequestBodySpec request, String body, int status) {
        return json(
                request.contentType(MediaType.APPLICATION_JSON).bodyValue(body).exchange(), status);
    }

    private static JsonNode json(WebTestClient.ResponseSpec response, int status) {
        var body = response.expectBody(String.class).returnResult();
        assertThat(body.getStatus().value()).as(body.getResponseBody()).isEqualTo(status);
        return Json.mapper().readTree(body.getResponseBody());
    }
}
