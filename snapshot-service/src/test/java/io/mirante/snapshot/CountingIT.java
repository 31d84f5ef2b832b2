package io.mirante.snapshot;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.eventually;
import static io.mirante.snapshot.Asking.get;
import static io.mirante.snapshot.Asking.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.contracts.snapshot.SnapshotChanged;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

@MeshTest
class CountingIT {

    private static final String AT = "2026-11-20T10:15:00Z";

    @Autowired private Mesh mesh;
    private CleanLog log;
    private String tenant;

    @BeforeEach
    void open() {
        log = new CleanLog(mesh);
        tenant = mesh.newTenant();
    }

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void countsEventsIntoHourlyAndDailyWindows() throws Exception {
        log.send(
                purchase("p1", 1, "2026-11-20T10:15:00Z", "10.10"),
                purchase("p2", 1, "2026-11-20T10:59:59Z", "20.05"),
                purchase("p3", 2, "2026-11-20T11:00:00Z", "0"));
        log.send(CleanLog.event(tenant, "v1", "page_view", 1, AT, "{\"url\":\"/\"}"));
        var client = mesh.client(tenant);
        counted(log, client);

        var hourly =
                get(
                        client,
                        "/api/v1/snapshots?scope=commerce&granularity=hourly&start_time=2026-11-20T00:00:00Z&end_time=2026-11-21T00:00:00Z");
        assertThat(hourly.path("items")).hasSize(2);
        var newest = hourly.path("items").get(0);
        assertThat(newest.path("start").stringValue()).isEqualTo("2026-11-20T11:00:00Z");
        assertThat(newest.path("end").stringValue()).isEqualTo("2026-11-20T12:00:00Z");
        assertThat(newest.path("metrics"))
                .isEqualTo(Json.mapper().readTree("{\"purchases\":1,\"revenue\":\"0\"}"));
        var older = hourly.path("items").get(1);
        assertThat(older.path("metrics"))
                .isEqualTo(Json.mapper().readTree("{\"purchases\":2,\"revenue\":\"30.15\"}"));
        assertThat(older.path("dimensions"))
                .isEqualTo(Json.mapper().readTree("{\"currency\":\"USD\"}"));
        assertThat(older.path("complete").booleanValue()).isTrue();

        var daily =
                get(
                        client,
                        "/api/v1/snapshots?scope=commerce&granularity=daily&metrics=purchases,revenue,avg_order_value,refunds");
        assertThat(daily.path("items")).hasSize(1);
        assertThat(daily.path("items").get(0).path("metrics"))
                .isEqualTo(
                        Json.mapper()
                                .readTree(
                                        "{\"purchases\":3,\"revenue\":\"30.15\",\"avg_order_value\":\"10.05\",\"refunds\":0}"));
        Recount.equalsWindows(mesh, tenant);
    }

    @Test
    void endsOfRunsAreCountedOnceByTheirSource() {
        var failed = EndedRun.of(tenant, "r1", 1, RunEnded.FAILED, null, AT);
        mesh.sendAll(
                List.of(
                        failed,
                        failed,
                        EndedRun.of(tenant, "r1", 2, RunEnded.COMPLETED, 0.9, AT),
                        EndedRun.of(tenant, "r2", 1, RunEnded.COMPLETED, 0.7, AT)));
        var client = mesh.client(tenant);
        var path =
                "/api/v1/snapshots?scope=etl&granularity=daily&dimension.source=orders"
                        + "&metrics=runs,failed_runs,rows_extracted,users_loaded,avg_score,avg_duration_sec";
        eventually(() -> assertThat(runs(client, path)).isEqualTo(3));
        mesh.sendAll(List.of(failed, EndedRun.of(tenant, "r3", 1, RunEnded.COMPLETED, null, AT)));
        eventually(() -> assertThat(runs(client, path)).isEqualTo(4));
        var metrics = get(client, path).path("items").get(0).path("metrics");
        assertThat(metrics.path("failed_runs").asInt()).isEqualTo(1);
        assertThat(metrics.path("rows_extracted").asInt()).isEqualTo(400);
        assertThat(metrics.path("users_loaded").asInt()).isEqualTo(30);
        assertThat(metrics.path("avg_score").decimalValue()).isEqualByComparingTo("0.8");
        assertThat(metrics.path("avg_duration_sec").decimalValue()).isEqualByComparingTo("1.5");
    }

    private static int runs(WebTestClient client, String path) {
        return get(client, path).path("items").path(0).path("metrics").path("runs").asInt();
    }

    @Test
    void tellsInWhichWindowsAnEventIsCounted() {
        log.send(purchase("p1", 1, AT, "10.10"));
        var client = mesh.client(tenant);
        counted(log, client);

        var path = "/api/v1/snapshots/events/p1?occurred_at=" + AT;
        var answer = get(client, path);
        assertThat(answer.path("counted").booleanValue()).isTrue();
        assertThat(answer.path("as_of").isString()).isTrue();
        var commerce =
                answer.path("windows")
                        .valueStream()
                        .filter(w -> w.path("scope").stringValue().equals("commerce"))
                        .toList();
        assertThat(commerce)
                .extracting(w -> w.path("granularity").stringValue())
                .containsExactlyInAnyOrder("hourly", "daily");
        for (var window : commerce) {
            assertThat(window.path("metrics").valueStream().map(JsonNode::stringValue))
                    .contains("purchases", "revenue");
            var stored =
                    get(
                                    client,
                                    "/api/v1/snapshots?scope=commerce&granularity="
                                            + window.path("granularity").stringValue())
                            .path("items")
                            .get(0);
            assertThat(window.path("start")).isEqualTo(stored.path("start"));
            assertThat(window.path("dimensions")).isEqualTo(stored.path("dimensions"));
        }
        assertThat(get(mesh.client(mesh.newTenant()), path).path("counted").booleanValue())
                .isFalse();
        assertThat(
                        get(client, "/api/v1/snapshots/events/p2?occurred_at=" + AT)
                                .path("counted")
                                .booleanValue())
                .isFalse();
    }

    @Test
    void filtersByDimensionPagesAndCompares() {
        var events = new ArrayList<CleanEvent>();
        for (int day = 1; day <= 4; day++) {
            for (int i = 0; i < day; i++) {
                events.add(
                        conversation("w" + day + i, "2026-10-0" + day + "T08:00:00Z", "whatsapp"));
            }
            events.add(conversation("e" + day, "2026-10-0" + day + "T08:00:00Z", "email"));
        }
        log.send(events);
        var client = mesh.client(tenant);
        counted(log, client);

        var page =
                get(
                        client,
                        "/api/v1/snapshots?scope=conversation&granularity=daily&dimension.channel=whatsapp&metrics=volume&limit=3");
        assertThat(
                        page.path("items")
                                .valueStream()
                                .map(i -> i.path("metrics").path("volume").asInt()))
                .containsExactly(4, 3, 2);
        var rest =
                get(
                        client,
                        "/api/v1/snapshots?scope=conversation&granularity=daily&dimension.channel=whatsapp&metrics=volume&limit=3&cursor={c}",
                        page.path("next_cursor").stringValue());
        assertThat(
                        rest.path("items")
                                .valueStream()
                                .map(i -> i.path("metrics").path("volume").asInt()))
                .containsExactly(1);
        assertThat(rest.path("next_cursor").isNull()).isTrue();

        var compared =
                get(
                        client,
                        "/api/v1/snapshots?scope=conversation&granularity=daily&dimension.channel=whatsapp&metrics=volume&compare=previous&start_time=2026-10-03T00:00:00Z&end_time=2026-10-05T00:00:00Z");
        assertThat(
                        compared.path("items")
                                .valueStream()
                                .map(i -> i.path("previous").path("volume").asInt()))
                .containsExactly(2, 1);
        assertThat(page.path("items").get(0).has("previous")).isFalse();
    }

    @Test
    void publishesEachChangedWindow() {
        log.send(CleanLog.event(tenant, "l1", "login", 1, AT, "{}"));
        counted(log, mesh.client(tenant));
        eventually(() -> {
            var published =
                    mesh.read(Topics.SNAPSHOTS.name()).stream()
                            .map(r -> Json.mapper().readValue(r.value(), SnapshotChanged.class))
                            .filter(s -> s.tenantId().equals(tenant))
                            .toList();
            // event and web, by hour and by day
            assertThat(published).hasSize(4);
            assertThat(published)
                    .anySatisfy(s -> {
                        assertThat(s.scope()).isEqualTo("web");
                        assertThat(s.granularity()).isEqualTo("hourly");
                        assertThat(s.start()).isEqualTo("2026-11-20T10:00:00Z");
                        assertThat(s.metrics()).containsEntry("logins", java.math.BigDecimal.ONE);
                        assertThat(s.revision()).isPositive();
                    });
        });
    }

    /** A number of more digits than may be read back; the door refuses such ones, this one came another way. */
    @Test
    void aWindowThatCannotBeReadDoesNotKeepTheOthersWaiting() throws Exception {
        var broken = mesh.newTenant();
        var window = "('" + broken + "', 'web', 'hourly', '2026-11-20T10:00:00Z', '{}'";
        try (var owner = mesh.jdbc();
                var sql = owner.createStatement()) {
            owner.setAutoCommit(false);
            sql.execute(
                    "INSERT INTO metric_value (tenant_id, scope, granularity, starts_at, dimensions, metric, value)"
                            + " VALUES "
                            + window
                            + ", 'logins', repeat('9', 1500)::numeric)");
            sql.execute(
                    "INSERT INTO metric_window (tenant_id, scope, granularity, starts_at, dimensions, ends_at, as_of)"
                            + " VALUES "
                            + window
                            + ", now(), now())");
            owner.commit();
            owner.setAutoCommit(true);
            try {
                publishesEachChangedWindow();
                eventually(() -> {
                    try (var rows =
                            sql.executeQuery(
                                    "SELECT published_revision FROM metric_window WHERE tenant_id = '"
                                            + broken
                                            + "'")) {
                        assertThat(rows.next()).isTrue();
                        assertThat(rows.getLong(1)).as("passed over").isEqualTo(1);
                    }
                });
            } finally {
                sql.execute("DELETE FROM metric_value WHERE tenant_id = '" + broken + "'");
                sql.execute("DELETE FROM metric_window WHERE tenant_id = '" + broken + "'");
            }
        }
    }

    @Test
    void poisonIsDeadLetteredAndItsNeighboursAreStoredOnce() throws Exception {
        var first = CleanLog.event(tenant, "n1", "login", 1, AT, "{}");
        var second = CleanLog.event(tenant, "n2", "login", 1, AT, "{}");
        var bad = CleanLog.event(tenant, "bad", "login", 1, AT, "{}");
        var nul = CleanLog.event(tenant, "nul", "login", 1, AT, "{\"text\":\"\\u0000\"}");
        log.transaction(
                List.of(
                        CleanLog.next(first),
                        CleanLog.record(
                                bad,
                                "{\"tenant_id\":".getBytes(StandardCharsets.UTF_8),
                                CleanLog.takeSourceOffset(bad)),
                        CleanLog.next(nul),
                        CleanLog.next(second)));
        var client = mesh.client(tenant);
        counted(log, client);

        assertThat(
                        get(client, "/api/v1/users/user-1/events")
                                .path("items")
                                .valueStream()
                                .map(e -> e.path("event_id").stringValue()))
                .containsExactlyInAnyOrder("n1", "n2");
        Recount.equalsWindows(mesh, tenant);
        eventually(() ->
                assertThat(
                                mesh.read(Topics.dead("snapshot").name()).stream()
                                        .filter(r ->
                                                tenant.equals(
                                                        header(
                                                                r.headers()
                                                                        .lastHeader(
                                                                                CloudHeaders
                                                                                        .TENANT))))
                                        .map(r -> header(r.headers().lastHeader(CloudHeaders.ID))))
                        .containsOnly("bad", "nul")
                        .contains("bad", "nul"));
    }

    private static String header(org.apache.kafka.common.header.Header header) {
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    @Test
    void theSameSourcePositionAgainIsCountedOnce() throws Exception {
        var events = new ArrayList<ProducerRecord<byte[], byte[]>>();
        for (int i = 0; i < 20; i++) {
            events.add(CleanLog.next(CleanLog.event(tenant, "r" + i, "login", 3, AT, "{}")));
        }
        log.transaction(events);
        log.transaction(events);
        var client = mesh.client(tenant);
        counted(log, client);
        assertThat(
                        Recount.count(
                                mesh,
                                "SELECT count(*) FROM behaviour_event WHERE tenant_id = ?",
                                tenant))
                .isEqualTo(20);
        var overview =
                get(
                        client,
                        "/api/v1/analytics/overview?start_time=2026-11-20T00:00:00Z&end_time=2026-11-21T00:00:00Z");
        assertThat(overview.path("events").path("value").asLong()).isEqualTo(20);
        Recount.equalsWindows(mesh, tenant);
    }

    @Test
    void asOfMovesPastIdlePartitions() {
        var client = mesh.client(tenant);
        var before = Instant.now();
        counted(log, client);
        assertThat(asOf(client)).isAfterOrEqualTo(before);
    }

    private static Instant asOf(org.springframework.test.web.reactive.server.WebTestClient client) {
        return Instant.parse(
                get(client, "/api/v1/snapshots?scope=event").path("as_of").stringValue());
    }

    @Test
    void asOfWaitsForWhatIsStillOnItsWay() {
        var client = mesh.client(tenant);
        counted(log, client);
        var later = Instant.now().plusSeconds(1);
        log.progressAhead(later);
        org.awaitility.Awaitility.await()
                .during(java.time.Duration.ofSeconds(2))
                .atMost(java.time.Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(asOf(client)).isBefore(later));
    }

    @Test
    void anotherTenantSeesNothing() {
        log.send(CleanLog.event(tenant, "x1", "login", 1, AT, "{}"));
        counted(log, mesh.client(tenant));
        var other = mesh.client(mesh.newTenant());
        assertThat(get(other, "/api/v1/snapshots?scope=event").path("items")).isEmpty();
        assertThat(refused(other, 404, "/api/v1/users/user-1/events").path("detail").stringValue())
                .contains("user-1");
    }

    @Test
    void aPollOfAHundredTenantsShowsEachItsOwn() throws Exception {
        var tenants = new ArrayList<String>();
        var events = new ArrayList<CleanEvent>();
        for (int i = 0; i < 100; i++) {
            var one = mesh.newTenant();
            tenants.add(one);
            for (int j = 0; j <= i % 3; j++) {
                events.add(CleanLog.event(one, "e" + j, "login", 1, AT, "{}"));
            }
        }
        log.send(events);
        counted(log, mesh.client(tenant));
        for (int i = 0; i < tenants.size(); i++) {
            var items =
                    get(
                                    mesh.client(tenants.get(i)),
                                    "/api/v1/snapshots?scope=event&granularity=daily")
                            .path("items");
            assertThat(items).hasSize(1);
            assertThat(items.get(0).path("metrics").path("events").asInt()).isEqualTo(1 + i % 3);
        }
    }

    @Test
    void wrongQueriesNameTheParameter() {
        var client = mesh.client(tenant);
        assertPointers(refused(client, 400, "/api/v1/snapshots"), "?scope");
        assertPointers(refused(client, 400, "/api/v1/snapshots?scope=nothing"), "?scope");
        assertPointers(
                refused(client, 400, "/api/v1/snapshots?scope=event&granularity=weekly"),
                "?granularity");
        assertPointers(
                refused(
                        client,
                        400,
                        "/api/v1/snapshots?scope=event&start_time=2026-11-21T00:00:00Z&end_time=2026-11-20T00:00:00Z"),
                "?end_time");
        assertPointers(
                refused(client, 400, "/api/v1/snapshots?scope=event&start_time=yesterday"),
                "?start_time");
        assertPointers(
                refused(client, 400, "/api/v1/snapshots?scope=event&dimension.colour=red"),
                "?dimension.colour");
        assertPointers(
                refused(client, 400, "/api/v1/snapshots?scope=event&metrics=events,nothing"),
                "?metrics");
        assertPointers(
                refused(client, 400, "/api/v1/snapshots?scope=event&compare=next"), "?compare");
        assertPointers(
                refused(client, 400, "/api/v1/snapshots?scope=event&granularty=daily"),
                "?granularty");
        assertPointers(refused(client, 400, "/api/v1/snapshots?scope=event&limit=0"), "?limit");
        assertPointers(refused(client, 400, "/api/v1/snapshots?scope=event&cursor=%21"), "?cursor");
        refused(mesh.client(tenant, "ingest"), 403, "/api/v1/snapshots?scope=event");
        refused(mesh.anonymous(), 401, "/api/v1/snapshots?scope=event");
    }

    private static void assertPointers(JsonNode problem, String... pointers) {
        assertThat(problem.path("errors").valueStream().map(e -> e.path("pointer").stringValue()))
                .containsExactly(pointers);
    }

    @Test
    void theCatalogueNamesEveryMetric() {
        var catalogue = get(mesh.client(tenant), "/api/v1/metrics/catalog");
        assertThat(catalogue.path("scopes").valueStream().map(JsonNode::stringValue))
                .contains("event", "commerce", "ticket");
        assertThat(catalogue.path("metrics").get(0).path("unit").stringValue()).isEqualTo("events");
    }

    private CleanEvent purchase(String id, long person, String at, String amount) {
        return CleanLog.event(
                tenant, id, "purchase", person, at, "{\"amount\":\"%s\"}".formatted(amount));
    }

    private CleanEvent conversation(String id, String at, String channel) {
        return CleanLog.event(
                tenant,
                id,
                "conversation.created",
                0,
                at,
                "{\"conversation_id\":\"%s\",\"channel\":\"%s\"}".formatted(id, channel));
    }
}
