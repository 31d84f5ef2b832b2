package io.mirante.segmentation.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.ReplayEnded;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.setup.Migrator;
import io.mirante.testkit.FakeEtl;
import io.mirante.testkit.FakeJobs;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.core.ThrowingRunnable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.MediaType;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

/** A rebuild from the log gives the same figures, whatever became of the tables and whatever arrives meanwhile. */
@MeshTest
class ProfileRebuildIT {

    private static final FakeEtl ETL = new FakeEtl();
    private static final Instant FIRST = Instant.parse("2026-11-01T00:00:00Z");
    private static final Instant RECEIVED = Instant.parse("2026-11-20T12:00:00Z");
    private static final int PARTITION = 6;
    private static final AtomicLong OFFSETS = new AtomicLong(1);

    private static final List<String> TABLES =
            List.of(
                    "SELECT user_id, first_seen_at, last_seen_at, engagement, traits, traits_at, removed FROM profile",
                    "SELECT user_id, anonymous_id FROM known_as",
                    "SELECT user_id, day, first_seen_at, last_seen_at, engagement, visits FROM user_day",
                    "SELECT user_id, day, event_type, events, received_from FROM event_count",
                    "SELECT user_id, day, session_id FROM client_session",
                    "SELECT user_id, day, currency, orders, trim_scale(amount) FROM purchase_day",
                    "SELECT anonymous_id, day, first_seen_at, last_seen_at, engagement, visits FROM visitor_day",
                    "SELECT anonymous_id, day, event_type, events, received_from FROM visitor_event_count",
                    "SELECT anonymous_id, day, session_id FROM visitor_session",
                    "SELECT anonymous_id, day, currency, orders, trim_scale(amount) FROM visitor_purchase_day");

    private static final String NOT_SUMS =
            """
            SELECT count(*) FROM profile p LEFT JOIN (SELECT tenant_id, user_id, min(first_seen_at) AS f,
                    max(last_seen_at) AS l, sum(engagement) AS e FROM user_day GROUP BY tenant_id, user_id) d
                USING (tenant_id, user_id)
            WHERE p.tenant_id = '%s' AND (p.first_seen_at, p.last_seen_at, p.engagement::numeric)
                IS DISTINCT FROM (d.f, d.l, coalesce(d.e, 0))\
            """;

    @Autowired private Mesh mesh;

    /** The one whose tables are damaged, and one who has the same events. */
    private String tenant;

    private String control;
    private WebTestClient asker;

    /** What etl has stored of the tenant; an event is here before it is on clean. */
    private final List<CleanEvent> stored = new CopyOnWriteArrayList<>();

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        registry.add("mirante.rebuild.etl-url", ETL::url);
    }

    @BeforeEach
    void open() {
        ETL.job = FakeJobs.RUNNING;
        tenant = mesh.newTenant();
        control = mesh.newTenant();
        asker = mesh.client(tenant, "internal");
    }

    @Test
    void damagedDaysAreRightAgainWhileEventsArrive() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        arrive(random, "before", 500);
        arrive(
                List.of(
                        event(
                                tenant,
                                "quiet",
                                "quiet",
                                "a9",
                                "purchase",
                                FIRST,
                                "s",
                                "{\"amount\":1}")));
        counted();
        assertThat(count(NOT_SUMS, control)).as("profiles that are not sums of days").isZero();
        execute(
                "UPDATE event_count SET events = events * 2 WHERE tenant_id = '%1$s' AND event_type = 'page_view';"
                        + " DELETE FROM event_count WHERE tenant_id = '%1$s' AND day < '2026-11-03';"
                        + " DELETE FROM user_day WHERE tenant_id = '%1$s' AND user_id = 'u1';"
                        + " UPDATE user_day SET engagement = 9, visits = '{}' WHERE tenant_id = '%1$s' AND user_id = 'u2';"
                        + " DELETE FROM profile WHERE tenant_id = '%1$s' AND user_id IN ('u3', 'quiet');"
                        + " UPDATE profile SET engagement = 99, first_seen_at = now() WHERE tenant_id = '%1$s' AND user_id = 'u5';"
                        + " DELETE FROM known_as WHERE tenant_id = '%1$s' AND user_id = 'u3';"
                        + " DELETE FROM client_session WHERE tenant_id = '%1$s' AND user_id = 'u2';"
                        + " INSERT INTO client_session (tenant_id, user_id, session_id, day) VALUES ('%1$s', 'u2', 'x', '2026-11-04');"
                        + " UPDATE purchase_day SET orders = orders + 1, amount = amount * 2 WHERE tenant_id = '%1$s';"
                        + " INSERT INTO purchase_day VALUES ('%1$s', 'u1', '2026-11-04', 'XXX', 1, 1);"
                        + " DELETE FROM visitor_day WHERE tenant_id = '%1$s' AND anonymous_id = 'a1';"
                        + " UPDATE visitor_event_count SET events = 0 WHERE tenant_id = '%1$s';"
                        + " DELETE FROM visitor_session WHERE tenant_id = '%1$s';"
                        + " DELETE FROM visitor_purchase_day WHERE tenant_id = '%1$s';"
                        // Nobody's
                        + " INSERT INTO profile (tenant_id, user_id, first_seen_at) VALUES ('%1$s', 'ghost', now());"
                        + " INSERT INTO known_as VALUES ('%1$s', 'ghost', 'a1');"
                        + " INSERT INTO user_day (tenant_id, user_id, day, first_seen_at, last_seen_at, engagement, visits)"
                        + " VALUES ('%1$s', 'ghost', '2026-11-04', now(), now(), 1, '{}')");
        assertThat(tables(tenant)).as("the damage").isNotEqualTo(tables(control));
        long revision =
                count("SELECT revision FROM purchase_revision WHERE tenant_id = '%s'", tenant);

        var stop = new AtomicBoolean();
        var writer = Thread.ofPlatform().start(() -> keepArriving(random, stop));
        JsonNode result;
        try {
            var job = rebuild("{}");
            await().until(() -> ETL.asked(job) != null);
            ETL.replay(mesh, job, List.copyOf(stored));
            // Live and late, of the range's first day; and again, as etl replays it after a crash.
            var late = event(tenant, "late", "u1", "a1", "interaction", FIRST, null, "{}");
            arrive(List.of(late));
            arrive(random, "during", 50);
            ETL.replay(mesh, job, List.copyOf(stored));
            ended(job);
            result = completed(job);
        } finally {
            stop.set(true);
            writer.join();
        }
        for (var name :
                List.of(
                        "rows_removed",
                        "rows_written",
                        "profiles_written",
                        "profiles_corrected",
                        "profiles_removed")) {
            assertThat(result.path(name).asInt()).as(name).isPositive();
        }
        arrive(random, "after", 50);
        counted();
        assertThat(tables(tenant))
                .as("seed %d", seed)
                .containsExactlyInAnyOrderElementsOf(tables(control));
        assertThat(count(NOT_SUMS, tenant)).isZero();
        assertThat(count("SELECT revision FROM purchase_revision WHERE tenant_id = '%s'", tenant))
                .as("what is kept of all purchases is read again")
                .isGreaterThan(revision);
        nothingIsLeft();
    }

    @Test
    void aRebuildOfWhatIsRightChangesNothingAlsoWhenItsWorkerIsTakenForDead() throws Exception {
        var random = new Random(5);
        arrive(random, "before", 200);
        counted();
        var stop = new AtomicBoolean();
        var writer = Thread.ofPlatform().start(() -> keepArriving(random, stop));
        try {
            var job = rebuild("{}");
            await().until(() -> ETL.asked(job) != null);
            execute(
                    "UPDATE job SET lease_until = now() - interval '1 second' WHERE tenant_id = '%1$s'");
            eventually(() ->
                    assertThat(count("SELECT attempts FROM job WHERE tenant_id = '%s'", tenant))
                            .isGreaterThan(1));
            ETL.replay(mesh, job, List.copyOf(stored));
            ended(job);
            var result = completed(job);
            for (var name :
                    List.of(
                            "rows_removed",
                            "rows_written",
                            "profiles_written",
                            "profiles_corrected",
                            "profiles_removed")) {
                assertThat(result.path(name).asInt(-1)).as(name).isZero();
            }
        } finally {
            stop.set(true);
            writer.join();
        }
        counted();
        assertThat(tables(tenant)).containsExactlyInAnyOrderElementsOf(tables(control));
    }

    @Test
    void onlyTheDaysOfTheRangeAreReplacedAndDaysOfBeforeTheyWereKeptNever() throws Exception {
        arrive(new Random(7), "e", 200);
        counted();
        // What was there when days began to be kept: everything of the first three days.
        execute(
                """
                UPDATE user_day SET day = '-infinity' WHERE tenant_id = '%1$s' AND day = '2026-11-03';
                DELETE FROM user_day WHERE tenant_id = '%1$s' AND day IN ('2026-11-01', '2026-11-02');
                UPDATE event_count SET day = '-infinity' WHERE tenant_id = '%1$s' AND day = '2026-11-03';
                UPDATE profile p SET engagement = (SELECT coalesce(sum(engagement), 0) FROM user_day d
                    WHERE d.tenant_id = p.tenant_id AND d.user_id = p.user_id) WHERE tenant_id = '%1$s'\
                """);
        var refused = rebuild("{\"start_time\":\"2026-11-03T23:00:00Z\"}");
        eventually(() -> assertThat(job(refused).path("status").stringValue()).isEqualTo("failed"));
        assertThat(job(refused).path("error").path("detail").asString(""))
                .contains("up to 2026-11-03 is not kept by day");
        assertThat(ETL.asked(refused)).as("etl is not asked").isNull();
        var kept = tables(tenant, "day < '2026-11-04' OR day = '2026-11-06'");
        assertThat(kept).isNotEmpty();

        execute(
                "DELETE FROM user_day WHERE tenant_id = '%1$s' AND day IN ('2026-11-04', '2026-11-06');"
                        + " DELETE FROM event_count WHERE tenant_id = '%1$s' AND day = '2026-11-05'");
        var kept6 = tables(tenant, "day < '2026-11-04' OR day = '2026-11-06'");
        var job =
                rebuild(
                        "{\"start_time\":\"2026-11-04T10:00:00Z\",\"end_time\":\"2026-11-05T01:00:00Z\"}");
        await().until(() -> ETL.asked(job) != null);
        assertThat(ETL.asked(job).path("start_time").asString(""))
                .isEqualTo("2026-11-04T00:00:00Z");
        assertThat(ETL.asked(job).path("end_time").asString("")).isEqualTo("2026-11-06T00:00:00Z");
        ETL.replay(mesh, job, List.copyOf(stored));
        FakeEtl.end(mesh, new ReplayEnded(tenant, job, 0, RECEIVED));
        completed(job);
        assertThat(tables(tenant, "day IN ('2026-11-04', '2026-11-05')"))
                .isEqualTo(tables(control, "day IN ('2026-11-04', '2026-11-05')"));
        assertThat(tables(tenant, "day < '2026-11-04' OR day = '2026-11-06'")).isEqualTo(kept6);
        // With what was counted before days were kept, without the day that was lost and not asked
        // for.
        assertThat(count(NOT_SUMS, tenant)).isZero();
        assertThat(
                        count(
                                "SELECT sum(engagement) FROM user_day WHERE tenant_id = '%s' AND day = '-infinity'",
                                tenant))
                .isPositive();
    }

    @Test
    void whatWasCountedBeforeDaysWereKeptIsADayOfItsOwn() throws Exception {
        var schema = "segmentation_before_days";
        var url = mesh.infrastructure().ownerUrl();
        var loader = getClass().getClassLoader();
        Migrator.migrateOnly(
                url,
                schema,
                "app",
                "stream",
                loader,
                List.of("0.1", "0.2", "0.3", "0.4", "001", "002", "003"));
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute("SET search_path = " + schema);
            for (var table : TABLES) {
                var name =
                        table.substring(table.lastIndexOf(' ') + 1)
                                .replace("visitor_day", "visitor");
                if (!name.equals("user_day")) {
                    statement.execute("ALTER TABLE " + name + " NO FORCE ROW LEVEL SECURITY");
                }
            }
            statement.execute(
                    """
                    INSERT INTO profile (tenant_id, user_id, first_seen_at, last_seen_at, engagement, visits)
                        VALUES ('t', 'u', '2026-11-01', '2026-11-02', 3, '{[2026-11-01,2026-11-02)}'),
                            ('t', 'only-said', NULL, NULL, 0, '{}');
                    INSERT INTO event_count VALUES ('t', 'u', 'login', 5);
                    INSERT INTO client_session VALUES ('t', 'u', 's');
                    INSERT INTO visitor VALUES ('t', 'a', '2026-11-01', '2026-11-02', 3, '{}');
                    INSERT INTO visitor_event_count VALUES ('t', 'a', 'login', 5);
                    INSERT INTO visitor_session VALUES ('t', 'a', 's')\
                    """);
            for (var name : List.of("profile", "event_count", "client_session", "visitor")) {
                statement.execute("ALTER TABLE " + name + " FORCE ROW LEVEL SECURITY");
            }
            Migrator.migrate(url, schema, "app", "stream", loader);
            for (var name :
                    List.of(
                            "user_day",
                            "event_count",
                            "client_session",
                            "visitor_day",
                            "visitor_event_count",
                            "visitor_session")) {
                statement.execute("ALTER TABLE " + name + " NO FORCE ROW LEVEL SECURITY");
                try (var rows =
                        statement.executeQuery("SELECT count(*), min(day)::text FROM " + name)) {
                    rows.next();
                    assertThat(rows.getString(2)).as(name).isEqualTo("-infinity");
                    assertThat(rows.getLong(1)).as(name).isEqualTo(1);
                }
            }
            try (var rows =
                    statement.executeQuery(
                            "SELECT last_seen_at = '2026-11-02', engagement, visits::text FROM user_day")) {
                rows.next();
                assertThat(rows.getBoolean(1)).isTrue();
                assertThat(rows.getLong(2)).isEqualTo(3);
                assertThat(rows.getString(3)).contains("2026-11-01");
            }
        }
    }

    @Test
    void aRebuildThatWouldLoseOrMissSomethingIsRefused() throws Exception {
        arrive(new Random(8), "e", 60);
        counted();
        var before = tables(tenant);
        var lost = rebuild("{}");
        await().until(() -> ETL.asked(lost) != null);
        // Some are gone, as after their retention.
        ETL.replay(mesh, lost, stored.subList(0, 55));
        FakeEtl.end(mesh, new ReplayEnded(tenant, lost, 55, RECEIVED.plusSeconds(1)));
        eventually(() -> assertThat(job(lost).path("status").stringValue()).isEqualTo("failed"));
        assertThat(job(lost).path("error").path("detail").asString("")).contains("no longer holds");
        var missing = rebuild("{}");
        await().until(() -> ETL.asked(missing) != null);
        ETL.replay(mesh, missing, stored.subList(0, 59));
        ended(missing);
        eventually(() -> assertThat(job(missing).path("status").stringValue()).isEqualTo("failed"));
        assertThat(job(missing).path("error").path("detail").asString(""))
                .contains("not every event");
        assertThat(tables(tenant)).isEqualTo(before);
        nothingIsLeft();
        // What retention may have removed is rebuilt as long as it is there.
        execute("UPDATE event_count SET events = 0 WHERE tenant_id = '%1$s'");
        var whole = rebuild("{}");
        await().until(() -> ETL.asked(whole) != null);
        ETL.replay(mesh, whole, List.copyOf(stored));
        FakeEtl.end(mesh, new ReplayEnded(tenant, whole, 60, RECEIVED.plusSeconds(1)));
        completed(whole);
        assertThat(tables(tenant)).isEqualTo(before);
    }

    @Test
    void whatIsSaidAboutFansStaysAndTraitsThatWereLostComeBack() throws Exception {
        var traits = "{\"traits\":{\"city\":\"Porto\",\"plan\":\"gold\"}}";
        arrive(
                List.of(
                        event(tenant, "1", "edited", null, "identify", FIRST, null, traits),
                        event(tenant, "2", "removed", null, "identify", FIRST, null, traits),
                        event(tenant, "3", "lost", null, "identify", FIRST, null, traits)));
        counted();
        var client = mesh.client(tenant);
        client.put()
                .uri("/api/v1/fans/edited")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"city\":\"Lisbon\"}")
                .exchange()
                .expectStatus()
                .isOk();
        client.delete().uri("/api/v1/fans/removed").exchange().expectStatus().isNoContent();
        post(client, "/api/v1/fans", "{\"id\":\"said\",\"name\":\"Ana\"}", 201);
        var before = tables(tenant);
        execute("DELETE FROM profile WHERE tenant_id = '%1$s' AND user_id = 'lost'");
        var job = rebuild("{}");
        await().until(() -> ETL.asked(job) != null);
        ETL.replay(mesh, job, List.copyOf(stored));
        ended(job);
        completed(job);
        assertThat(tables(tenant)).isEqualTo(before);
    }

    @Test
    void anErasedPersonStaysErased() throws Exception {
        for (var user : List.of("gone", "stays")) {
            arrive(
                    List.of(
                            event(
                                    tenant,
                                    user + 1,
                                    user,
                                    "a-" + user,
                                    "purchase",
                                    FIRST,
                                    "s",
                                    "{\"amount\":1}"),
                            event(
                                    tenant,
                                    user + 2,
                                    null,
                                    "a-" + user,
                                    "purchase",
                                    FIRST,
                                    "s",
                                    "{\"amount\":1}")));
        }
        counted();
        var job = rebuild("{}");
        await().until(() -> ETL.asked(job) != null);
        ETL.replay(mesh, job, List.copyOf(stored));
        eventually(() ->
                assertThat(
                                count(
                                        "SELECT count(*) FROM rebuilt_event WHERE tenant_id = '%s'",
                                        tenant))
                        .isEqualTo(4));
        // Its receipt waits for the job, which began before.
        var erasure = CompletableFuture.supplyAsync(() -> mesh.erase(tenant, "gone", 77L));
        eventually(() ->
                assertThat(
                                count(
                                        "SELECT count(*) FROM rebuilt_profile WHERE tenant_id = '%s'",
                                        tenant))
                        .isEqualTo(1));
        // What was under way names the person still.
        ETL.replay(mesh, job, List.copyOf(stored));
        ended(job);
        completed(job);
        var removed = erasure.join().removed();
        for (var table :
                List.of(
                        "user_day",
                        "event_count",
                        "client_session",
                        "purchase_day",
                        "profile",
                        "known_as",
                        "visitor_day",
                        "visitor_event_count",
                        "visitor_session",
                        "visitor_purchase_day")) {
            assertThat(removed)
                    .contains(
                            new Removal(table, Removal.DELETED, 1),
                            new Removal("rebuilt_" + table, Removal.DELETED, 1));
            assertThat(count("SELECT count(*) FROM " + table + " WHERE tenant_id = '%s'", tenant))
                    .as(table)
                    .isEqualTo(1);
        }
        nothingIsLeft();
    }

    @Test
    void onlyServicesMayAskAndAskingAgainFindsTheJob() throws Exception {
        var body = "{\"asked_by\":\"snapshot_1\",\"start_time\":\"2026-11-01T00:00:00Z\"}";
        var first = post(asker, "/api/v1/segmentation/rebuilds", body, 202);
        assertThat(post(asker, "/api/v1/segmentation/rebuilds", body, 202)).isEqualTo(first);
        post(asker, "/api/v1/segmentation/rebuilds", "{}", 400);
        post(
                mesh.client(tenant, "admin", "analytics.manage", "analytics.view"),
                "/api/v1/segmentation/rebuilds",
                body,
                403);
        var id = first.path("job_id").stringValue();
        await().until(() -> ETL.asked(id) != null);
        asker.delete().uri("/api/v1/jobs/" + id).exchange().expectStatus().isOk();
        eventually(() -> assertThat(job(id).path("status").stringValue()).isEqualTo("cancelled"));
    }

    private String rebuild(String range) {
        var body = Json.mapper().readTree(range);
        ((tools.jackson.databind.node.ObjectNode) body).put("asked_by", "job-" + System.nanoTime());
        return post(asker, "/api/v1/segmentation/rebuilds", body.toString(), 202)
                .path("job_id")
                .stringValue();
    }

    private void ended(String job) {
        FakeEtl.end(mesh, new ReplayEnded(tenant, job, stored.size(), RECEIVED));
    }

    private JsonNode job(String id) {
        return Json.mapper()
                .readTree(
                        asker.get()
                                .uri("/api/v1/jobs/" + id)
                                .exchange()
                                .expectBody(String.class)
                                .returnResult()
                                .getResponseBody());
    }

    private JsonNode completed(String id) {
        eventually(() ->
                assertThat(job(id).path("status").stringValue())
                        .as("%s", job(id))
                        .isEqualTo("completed"));
        return job(id).path("result");
    }

    private static JsonNode post(WebTestClient client, String uri, String body, int status) {
        return Json.mapper()
                .readTree(
                        client.post()
                                .uri(uri)
                                .contentType(MediaType.APPLICATION_JSON)
                                .bodyValue(body)
                                .exchange()
                                .expectStatus()
                                .isEqualTo(status)
                                .expectBody(String.class)
                                .returnResult()
                                .getResponseBody());
    }

    private static void eventually(ThrowingRunnable assertion) {
        await().atMost(Duration.ofMinutes(1)).untilAsserted(assertion);
    }

    /** Events of seven days of users and visitors, shuffled; some come twice. */
    private void arrive(Random random, String name, int number) {
        var events = new ArrayList<CleanEvent>();
        for (int i = 0; i < number; i++) {
            var user = random.nextInt(4) == 0 ? null : "u" + random.nextInt(8);
            events.add(
                    event(
                            tenant,
                            name + i,
                            user,
                            "a" + random.nextInt(5),
                            List.of("purchase", "page_view", "interaction", "identify")
                                    .get(random.nextInt(4)),
                            FIRST.plus(Duration.ofSeconds(random.nextInt(7 * 24 * 3600))),
                            random.nextBoolean() ? null : "s" + random.nextInt(20),
                            "{\"amount\":\"%d.%02d\"}"
                                    .formatted(random.nextInt(90), random.nextInt(100))));
        }
        arrive(events);
    }

    private void keepArriving(Random random, AtomicBoolean stop) {
        for (int i = 0; !stop.get(); i++) {
            arrive(
                    List.of(
                            event(
                                    tenant,
                                    "live" + i,
                                    i % 3 == 0 ? null : "u" + i % 8,
                                    "a" + i % 5,
                                    "interaction",
                                    FIRST.plus(Duration.ofHours(i % 200)),
                                    null,
                                    "{}")));
        }
    }

    /** The log first, then clean; for both tenants, and in the order of source positions. */
    private void arrive(List<CleanEvent> events) {
        synchronized (OFFSETS) {
            stored.addAll(events);
            mesh.sendAll(
                    events.stream()
                            .flatMap(e -> java.util.stream.Stream.of(e, ofControl(e)))
                            .map(ProfileRebuildIT::live)
                            .toList());
        }
    }

    /** Waits until everything that was sent is counted. */
    private void counted() {
        eventually(() ->
                assertThat(
                                count(
                                        "SELECT (SELECT coalesce(sum(events), 0) FROM event_count WHERE tenant_id = '%1$s')"
                                                + " + (SELECT coalesce(sum(events), 0) FROM visitor_event_count WHERE"
                                                + " tenant_id = '%1$s')",
                                        control))
                        .isEqualTo(stored.size()));
    }

    private static Outgoing live(CleanEvent e) {
        return new Outgoing(
                Topics.EVENTS_CLEAN.name(),
                PARTITION,
                Keys.of(e.tenantId(), String.valueOf(e.personId())),
                Json.mapper().writeValueAsBytes(e),
                Map.of(
                        CloudHeaders.TENANT,
                        e.tenantId(),
                        CloudHeaders.SOURCE_TOPIC,
                        Topics.EVENTS_RAW.name(),
                        CloudHeaders.SOURCE_PARTITION,
                        Integer.toString(PARTITION),
                        CloudHeaders.SOURCE_OFFSET,
                        Long.toString(OFFSETS.getAndIncrement())));
    }

    private static CleanEvent event(
            String tenant,
            String id,
            @Nullable String user,
            @Nullable String visitor,
            String type,
            Instant at,
            @Nullable String session,
            String data) {
        var empty = Json.mapper().createObjectNode();
        return new CleanEvent(
                tenant,
                id,
                type,
                "web",
                user,
                visitor,
                session,
                at,
                RECEIVED,
                1,
                Json.mapper().readTree(data),
                empty,
                empty);
    }

    private CleanEvent ofControl(CleanEvent e) {
        return new CleanEvent(
                control,
                e.eventId(),
                e.eventType(),
                e.module(),
                e.userId(),
                e.anonymousId(),
                e.sessionId(),
                e.occurredAt(),
                e.receivedAt(),
                e.personNo(),
                e.data(),
                e.metadata(),
                e.context());
    }

    private void nothingIsLeft() throws SQLException {
        for (var table : TABLES) {
            var name = "rebuilt_" + table.substring(table.lastIndexOf(' ') + 1);
            eventually(() ->
                    assertThat(
                                    count(
                                            "SELECT count(*) FROM "
                                                    + name
                                                    + " WHERE tenant_id = '%s'",
                                            tenant))
                            .as(name)
                            .isZero());
        }
    }

    private List<String> tables(String of) throws SQLException {
        return tables(of, "true");
    }

    private List<String> tables(String of, String days) throws SQLException {
        var rows = new ArrayList<String>();
        for (var table : TABLES) {
            if (!days.equals("true") && !table.contains(" day,")) {
                continue;
            }
            try (var connection = mesh.jdbc();
                    var statement = connection.createStatement();
                    var result =
                            statement.executeQuery(
                                    "SELECT t::text FROM (%s WHERE tenant_id = '%s' AND (%s)) t ORDER BY 1"
                                            .formatted(table, of, days))) {
                while (result.next()) {
                    rows.add(table.substring(table.lastIndexOf(' ')) + " " + result.getString(1));
                }
            }
        }
        return rows;
    }

    private void execute(String sql) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute(sql.formatted(tenant));
        }
    }

    private long count(String sql, String of) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement();
                var result = statement.executeQuery(sql.formatted(of))) {
            result.next();
            return result.getLong(1);
        }
    }
}
