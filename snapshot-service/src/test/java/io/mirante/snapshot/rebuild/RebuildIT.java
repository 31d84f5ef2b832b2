package io.mirante.snapshot.rebuild;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.eventually;
import static io.mirante.snapshot.Asking.get;
import static io.mirante.snapshot.Asking.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.ReplayEnded;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.contracts.snapshot.SnapshotChanged;
import io.mirante.snapshot.CleanLog;
import io.mirante.snapshot.EndedRun;
import io.mirante.snapshot.lake.LakeProbe;
import io.mirante.testkit.FakeEtl;
import io.mirante.testkit.FakeJobs;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

/** A rebuild from the log gives the same numbers, whatever became of the tables and whatever arrives meanwhile. */
@MeshTest
class RebuildIT {

    private static final FakeEtl ETL = new FakeEtl();
    private static final FakeJobs SEGMENTATION =
            new FakeJobs("/api/v1/segmentation/rebuilds", "asked_by");
    private static final Instant FIRST = Instant.parse("2026-11-01T00:00:00Z");

    /** As {@link CleanLog} says of all its events. */
    private static final Instant RECEIVED = Instant.parse("2026-11-20T12:00:00Z");

    private static final List<String> TABLES =
            List.of(
                    "SELECT scope, granularity, starts_at, dimensions, ends_at FROM metric_window",
                    "SELECT scope, granularity, starts_at, dimensions, metric, trim_scale(value) FROM metric_value",
                    "SELECT person_no, occurred_at, event_id, event_type, main_property, session_id, user_id, country,"
                            + " device, data, received_at FROM behaviour_event",
                    "SELECT person_no, user_id, anonymous_id, first_seen_at, last_seen_at FROM person");

    @Autowired private Mesh mesh;
    @Autowired private ApplicationContext context;
    private CleanLog log;

    /** The one whose tables are damaged, and one who has the same events. */
    private static final String WAITING =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE"
                    + " 'SELECT pg_advisory_xact_lock_shared%%'";

    private String tenant;

    private String control;
    private WebTestClient client;

    /** What etl has stored of the tenant; an event is here before it is on clean. */
    private final List<CleanEvent> stored = new CopyOnWriteArrayList<>();

    /** How many of them the last replay sent. */
    private int replayed;

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        registry.add("mirante.rebuild.etl-url", ETL::url);
        registry.add("mirante.snapshot.segmentation-url", SEGMENTATION::url);
    }

    @BeforeEach
    void open() {
        SEGMENTATION.job = FakeJobs.RUNNING;
        log = new CleanLog(mesh);
        tenant = mesh.newTenant();
        control = mesh.newTenant();
        client = mesh.client(tenant);
    }

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void damagedTablesAreRightAgainWhileEventsArrive() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        arrive(random, "before", 600);
        // Runs are not in the log: a rebuild leaves them.
        for (var each : List.of(tenant, control)) {
            mesh.sendAll(
                    List.of(
                            EndedRun.of(
                                    each,
                                    "run",
                                    1,
                                    RunEnded.COMPLETED,
                                    0.9,
                                    "2026-11-07T10:00:00Z")));
            eventually(() ->
                    assertThat(tables(each).toString()).contains("etl").contains("users_loaded"));
        }
        counted(log, client);
        var lake = new LakeProbe(mesh, context);
        lake.keep(tenant);
        assertThat(lake.size(tenant)).isEqualTo(600);
        execute(
                "UPDATE metric_value SET value = value * 2 WHERE tenant_id = '%1$s' AND metric = 'revenue';"
                        + " DELETE FROM metric_value WHERE tenant_id = '%1$s' AND starts_at < '2026-11-04';"
                        + " DELETE FROM metric_window WHERE tenant_id = '%1$s' AND starts_at < '2026-11-03';"
                        + " INSERT INTO metric_value SELECT tenant_id, scope, granularity, starts_at, dimensions, 'x', 1"
                        + " FROM metric_window WHERE tenant_id = '%1$s' AND starts_at = '2026-11-05T00:00:00Z';"
                        + " INSERT INTO metric_window VALUES ('%1$s', 'web', 'daily', '2026-11-05T00:00:00Z',"
                        + " '{\"country\":\"XX\"}', '2026-11-06', now(), 7, 7);"
                        + " INSERT INTO metric_value VALUES ('%1$s', 'web', 'daily', '2026-11-05T00:00:00Z',"
                        + " '{\"country\":\"XX\"}', 'page_views', 9);"
                        + " DELETE FROM behaviour_event WHERE tenant_id = '%1$s' AND person_no = 3;"
                        + " UPDATE behaviour_event SET country = 'XX' WHERE tenant_id = '%1$s' AND person_no = 4;"
                        + " INSERT INTO behaviour_event SELECT tenant_id, 77, occurred_at, event_id || 'b', event_type,"
                        + " main_property, session_id, user_id, anonymous_id, country, device, data, received_at"
                        + " FROM behaviour_event WHERE tenant_id = '%1$s' AND person_no = 5;"
                        + " DELETE FROM person WHERE tenant_id = '%1$s' AND person_no IN (1, 3)");
        assertThat(tables(tenant)).as("the damage").isNotEqualTo(tables(control));

        var stop = new AtomicBoolean();
        var writer = Thread.ofPlatform().start(() -> keepArriving(random, stop));
        try {
            var job = recalculate("{}");
            eventually(() -> assertThat(ETL.asked(job)).isNotNull());
            replay(job);
            arrive(random, "during", 100);
            // A crash of etl: the last part comes again.
            replay(job);
            ended(job);
            var result = completed(job);
            assertThat(result.path("windows_corrected").asInt()).isPositive();
            assertThat(result.path("windows_added").asInt()).isPositive();
            assertThat(result.path("events_removed").asInt()).isPositive();
            assertThat(result.path("events_written").asInt()).isPositive();
        } finally {
            stop.set(true);
            writer.join();
        }
        arrive(random, "after", 50);
        counted(log, client);
        publishedAsStored();
        // What nothing was counted in is zero, and those who held it were told.
        assertThat(
                        count(
                                "SELECT min(w.revision) FROM metric_window w JOIN metric_value v USING (tenant_id, scope,"
                                        + " granularity, starts_at, dimensions) WHERE tenant_id = '%s' AND dimensions LIKE"
                                        + " '%%XX%%' AND value = 0"))
                .isGreaterThan(7);
        execute(
                "DELETE FROM metric_window WHERE tenant_id = '%1$s' AND dimensions LIKE '%%XX%%';"
                        + " DELETE FROM metric_value WHERE tenant_id = '%1$s' AND dimensions LIKE '%%XX%%'");
        assertThat(tables(tenant))
                .as("seed %d", seed)
                .containsExactlyInAnyOrderElementsOf(tables(control));
        nothingIsLeft();
        // Files of what was wrong do not count any more.
        lake.assertEachRowOnce(tenant);
        lake.keep(tenant);
        lake.assertEachRowOnce(tenant);
        assertThat(lake.size(tenant))
                .isEqualTo(count("SELECT count(*) FROM behaviour_event WHERE tenant_id = '%s'"));
    }

    @Test
    void aSwapHoldsUpItsOwnTenantAlone() throws Exception {
        var stored = "SELECT count(*) FROM behaviour_event WHERE tenant_id = '%s'";
        try (var swap = mesh.jdbc()) {
            swap.setAutoCommit(false);
            swap.createStatement()
                    .execute(
                            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.generation "
                                    + control
                                    + "', 0))");
            log.send(CleanLog.event(tenant, "e", "page_view", 1, "2026-11-05T10:00:00Z", "{}"));
            eventually(() -> assertThat(count(stored)).isEqualTo(1));
            log.send(CleanLog.event(control, "e", "page_view", 1, "2026-11-05T10:00:00Z", "{}"));
            eventually(() -> assertThat(count(WAITING)).isEqualTo(1));
            assertThat(count(stored, control)).isZero();
            swap.rollback();
        }
        eventually(() -> assertThat(count(stored, control)).isEqualTo(1));
    }

    @Test
    void aRebuildOfWhatIsRightChangesNothingAndNoReaderSeesLess() throws Exception {
        var random = new Random(5);
        arrive(random, "before", 300);
        counted(log, client);
        var stop = new AtomicBoolean();
        var fault = new AtomicReference<String>();
        var reader = Thread.ofPlatform().start(() -> fault.set(readUntil(stop)));
        var writer = Thread.ofPlatform().start(() -> keepArriving(random, stop));
        try {
            var job = recalculate("{}");
            eventually(() -> assertThat(ETL.asked(job)).isNotNull());
            // Another worker takes the job: this one seems to be dead.
            execute(
                    "UPDATE job SET lease_until = now() - interval '1 second' WHERE tenant_id = '%s'");
            eventually(() ->
                    assertThat(count("SELECT attempts FROM job WHERE tenant_id = '%s'"))
                            .isGreaterThan(1));
            replay(job);
            ended(job);
            var result = completed(job);
            for (var name :
                    List.of(
                            "events_removed",
                            "events_written",
                            "persons_written",
                            "windows_added",
                            "windows_corrected")) {
                assertThat(result.path(name).asInt(-1)).as(name).isZero();
            }
            assertThat(result.path("events").asInt()).isGreaterThanOrEqualTo(300);
        } finally {
            stop.set(true);
            writer.join();
            reader.join();
        }
        assertThat(fault.get()).isNull();
        counted(log, client);
        assertThat(tables(tenant)).containsExactlyInAnyOrderElementsOf(tables(control));
    }

    @Test
    void onlyWholeDaysOfTheRangeAreMadeAnew() throws Exception {
        arrive(new Random(7), "e", 400);
        counted(log, client);
        execute("DELETE FROM metric_value WHERE tenant_id = '%s'");
        execute("DELETE FROM behaviour_event WHERE tenant_id = '%s'");
        var job =
                recalculate(
                        "{\"start_time\":\"2026-11-03T11:00:00Z\",\"end_time\":\"2026-11-04T11:00:00Z\"}");
        eventually(() -> assertThat(ETL.asked(job)).isNotNull());
        assertThat(ETL.asked(job).path("start_time").stringValue())
                .isEqualTo("2026-11-03T00:00:00Z");
        assertThat(ETL.asked(job).path("end_time").stringValue()).isEqualTo("2026-11-05T00:00:00Z");
        var range =
                stored.stream()
                        .filter(e ->
                                !e.occurredAt().isBefore(Instant.parse("2026-11-03T00:00:00Z"))
                                        && e.occurredAt()
                                                .isBefore(Instant.parse("2026-11-05T00:00:00Z")))
                        .toList();
        replay(job);
        FakeEtl.end(mesh, new ReplayEnded(tenant, job, range.size(), RECEIVED));
        completed(job);
        var of = "starts_at >= '2026-11-03' AND starts_at < '2026-11-05' AND tenant_id = '%s'";
        var wanted = count("SELECT sum(value) FROM metric_value WHERE " + of, control);
        assertThat(wanted).isPositive();
        assertThat(count("SELECT sum(value) FROM metric_value WHERE tenant_id = '%s'", tenant))
                .isEqualTo(wanted);
    }

    @Test
    void aRebuildThatWouldLoseWhatTheLogNoLongerHasIsRefused() throws Exception {
        arrive(new Random(8), "e", 50);
        counted(log, client);
        var before = tables(tenant);
        var job = recalculate("{}");
        eventually(() -> assertThat(ETL.asked(job)).isNotNull());
        // Some are gone, as after their retention.
        ETL.replay(mesh, job, stored.subList(0, 45));
        FakeEtl.end(mesh, new ReplayEnded(tenant, job, 45, RECEIVED.plusSeconds(1)));
        eventually(() -> assertThat(job(job).path("status").stringValue()).isEqualTo("failed"));
        assertThat(job(job).path("error").path("detail").asString("")).contains("no longer holds");
        assertThat(tables(tenant)).isEqualTo(before);
        nothingIsLeft();
    }

    @Test
    void aRebuildThatMissesAReplayedEventIsRefused() throws Exception {
        arrive(new Random(9), "e", 50);
        counted(log, client);
        var before = tables(tenant);
        var job = recalculate("{}");
        eventually(() -> assertThat(ETL.asked(job)).isNotNull());
        ETL.replay(mesh, job, stored.subList(0, 49));
        FakeEtl.end(mesh, new ReplayEnded(tenant, job, stored.size(), RECEIVED));
        eventually(() -> assertThat(job(job).path("status").stringValue()).isEqualTo("failed"));
        assertThat(job(job).path("error").path("detail").asString("")).contains("not every event");
        assertThat(tables(tenant)).isEqualTo(before);
        nothingIsLeft();
    }

    @Test
    void whatRetentionMayHaveRemovedIsRebuiltAsLongAsItIsThere() throws Exception {
        arrive(new Random(10), "e", 50);
        counted(log, client);
        execute("DELETE FROM metric_value WHERE tenant_id = '%s' AND metric = 'revenue'");
        var job = recalculate("{}");
        eventually(() -> assertThat(ETL.asked(job)).isNotNull());
        replay(job);
        FakeEtl.end(mesh, new ReplayEnded(tenant, job, 50, RECEIVED.plusSeconds(1)));
        completed(job);
        assertThat(tables(tenant)).containsExactlyInAnyOrderElementsOf(tables(control));
    }

    @Test
    void aRebuildEndsWhenItsReplayFailsOrItIsCancelledAndTheNextOneIsWhole() throws Exception {
        arrive(new Random(9), "e", 50);
        counted(log, client);
        ETL.job = "{\"status\":\"failed\",\"error\":{\"detail\":\"no disk\"}}";
        var failed = recalculate("{}");
        eventually(() -> assertThat(job(failed).path("status").stringValue()).isEqualTo("failed"));
        assertThat(job(failed).path("error").path("detail").asString("")).contains("no disk");
        ETL.job = FakeJobs.RUNNING;
        var cancelled = recalculate("{}");
        eventually(() -> assertThat(ETL.asked(cancelled)).isNotNull());
        ETL.replay(mesh, cancelled, stored.subList(0, 20));
        var second = recalculate("{}");
        eventually(() ->
                assertThat(job(second).path("error").path("detail").asString(""))
                        .contains("another rebuild"));
        client.delete().uri("/api/v1/jobs/" + cancelled).exchange().expectStatus().isOk();
        eventually(() ->
                assertThat(job(cancelled).path("status").stringValue()).isEqualTo("cancelled"));
        nothingIsLeft();
        var job = recalculate("{}");
        eventually(() -> assertThat(ETL.asked(job)).isNotNull());
        // Late records of the one that was cancelled are nobody's.
        replay(cancelled);
        ended(cancelled);
        replay(job);
        ended(job);
        assertThat(completed(job).path("windows_corrected").asInt(-1)).isZero();
        assertThat(tables(tenant)).containsExactlyInAnyOrderElementsOf(tables(control));
    }

    @Test
    void anErasedPersonStaysErased() throws Exception {
        for (var of : List.of(tenant, control)) {
            log.send(
                    CleanLog.event(of, "a", "login", 1, "2026-11-02T10:00:00Z", "{}"),
                    CleanLog.event(of, "b", "login", 2, "2026-11-02T10:00:00Z", "{}"));
        }
        stored.add(CleanLog.event(tenant, "a", "login", 1, "2026-11-02T10:00:00Z", "{}"));
        stored.add(CleanLog.event(tenant, "b", "login", 2, "2026-11-02T10:00:00Z", "{}"));
        counted(log, client);
        var job = recalculate("{}");
        eventually(() -> assertThat(ETL.asked(job)).isNotNull());
        ETL.replay(mesh, job, List.of(stored.getFirst()));
        eventually(() ->
                assertThat(count("SELECT count(*) FROM rebuilt_event WHERE tenant_id = '%s'"))
                        .isEqualTo(1));
        // Its receipt waits for the rebuild, whose files might name the person.
        var erasure = CompletableFuture.supplyAsync(() -> mesh.erase(tenant, "user-1", 1L));
        eventually(() ->
                assertThat(
                                count(
                                        "SELECT count(*) FROM rebuilt_event WHERE tenant_id = '%s' AND user_id IS NULL"))
                        .isEqualTo(1));
        // What was under way names the person still.
        replay(job);
        ended(job);
        completed(job);
        erasure.join();
        assertThat(
                        count(
                                "SELECT count(*) FROM behaviour_event WHERE tenant_id = '%s' AND user_id = 'user-1'"))
                .isZero();
        assertThat(count("SELECT count(*) FROM behaviour_event WHERE tenant_id = '%s'"))
                .isEqualTo(2);
        assertThat(
                        count(
                                "SELECT count(*) FROM person WHERE tenant_id = '%s' AND user_id = 'user-1'"))
                .isZero();
    }

    @Test
    void aBackfillRebuildsSegmentationFirstAndThenWhatIsKeptHere() throws Exception {
        arrive(new Random(11), "e", 50);
        counted(log, client);
        execute("DELETE FROM metric_value WHERE tenant_id = '%s' AND metric = 'revenue'");
        var job = begin("backfill", "{\"start_time\":\"2026-11-01T12:00:00Z\"}");
        eventually(() -> assertThat(job(job).path("progress").asDouble(0)).isEqualTo(0.25));
        assertThat(job(job).path("detail").stringValue())
                .isEqualTo("profiles: segmentation-service");
        var asked = SEGMENTATION.asked(job);
        assertThat(asked.path("start_time").asString("")).isEqualTo("2026-11-01T12:00:00Z");
        assertThat(asked.has("end_time")).isFalse();
        // A crash: another worker goes on with the same job of segmentation's.
        execute("UPDATE job SET lease_until = now() - interval '1 second' WHERE tenant_id = '%s'");
        eventually(() ->
                assertThat(SEGMENTATION.begun.stream().filter(job::equals).count()).isEqualTo(2));
        assertThat(ETL.asked(job)).as("one after the other").isNull();
        SEGMENTATION.job = "{\"status\":\"completed\",\"result\":{\"rows_written\":7}}";
        eventually(() -> assertThat(ETL.asked(job)).isNotNull());
        ETL.replay(mesh, job, List.copyOf(stored));
        ended(job);
        var result = completed(job);
        assertThat(job(job).path("detail").stringValue()).isEmpty();
        assertThat(result.path("segmentation").path("rows_written").asInt()).isEqualTo(7);
        assertThat(result.path("snapshot").path("windows_corrected").asInt()).isPositive();
        assertThat(tables(tenant)).containsExactlyInAnyOrderElementsOf(tables(control));
    }

    @Test
    void aBackfillThatSegmentationRefusesChangesNothingAndOneThatIsCancelledIsItsToo()
            throws Exception {
        SEGMENTATION.job =
                "{\"status\":\"failed\",\"error\":{\"detail\":\"start after that day\"}}";
        var refused = begin("backfill", "{}");
        eventually(() -> assertThat(job(refused).path("status").stringValue()).isEqualTo("failed"));
        assertThat(job(refused).path("error").path("detail").asString(""))
                .contains("start after that day");
        assertThat(ETL.asked(refused)).isNull();
        SEGMENTATION.job = FakeJobs.RUNNING;
        var cancelled = begin("backfill", "{}");
        eventually(() -> assertThat(SEGMENTATION.asked(cancelled)).isNotNull());
        client.delete().uri("/api/v1/jobs/" + cancelled).exchange().expectStatus().isOk();
        eventually(() ->
                assertThat(job(cancelled).path("status").stringValue()).isEqualTo("cancelled"));
        assertThat(SEGMENTATION.cancelled).contains("of_" + cancelled);
    }

    @Test
    void saysWhatAJobCannotBe() {
        for (var body :
                List.of(
                        "{}",
                        "{\"kind\":\"retention_cleanup\"}",
                        "{\"kind\":\"snapshot_recalc\",\"scheduled_at\":\"2027-01-01T00:00:00Z\"}",
                        "{\"kind\":\"snapshot_recalc\",\"payload\":{\"scope\":\"web\"}}",
                        "{\"kind\":\"snapshot_recalc\",\"payload\":{\"start_time\":\"2026-11-02T00:00:00Z\","
                                + "\"end_time\":\"2026-11-01T00:00:00Z\"}}")) {
            post(client, 400, "/api/v1/jobs", body);
        }
        post(
                mesh.client(tenant, "analytics.view", "analytics.manage"),
                403,
                "/api/v1/jobs",
                "{\"kind\":\"snapshot_recalc\"}");
    }

    private String recalculate(String payload) {
        return begin("snapshot_recalc", payload);
    }

    private String begin(String kind, String payload) {
        return post(
                        client,
                        202,
                        "/api/v1/jobs",
                        "{\"kind\":\"" + kind + "\",\"payload\":" + payload + "}")
                .path("job_id")
                .stringValue();
    }

    /** Sends what is in the log now. */
    private void replay(String job) {
        var log = List.copyOf(stored);
        ETL.replay(mesh, job, log);
        replayed = log.size();
    }

    private void ended(String job) {
        FakeEtl.end(mesh, new ReplayEnded(tenant, job, replayed, RECEIVED));
    }

    private JsonNode job(String id) {
        return get(client, "/api/v1/jobs/" + id);
    }

    private JsonNode completed(String id) {
        var last = new AtomicReference<JsonNode>();
        eventually(() -> {
            last.set(job(id));
            assertThat(last.get().path("status").stringValue())
                    .as("%s", last)
                    .isEqualTo("completed");
        });
        return last.get().path("result");
    }

    /** Events of seven days, shuffled; some of the days before come late; some come twice. */
    private void arrive(Random random, String name, int number) {
        var events = new ArrayList<CleanEvent>();
        for (int i = 0; i < number; i++) {
            var at = FIRST.plus(Duration.ofMinutes(random.nextInt(7 * 24 * 60)));
            long person = random.nextInt(9);
            var event =
                    random.nextBoolean()
                            ? CleanLog.event(
                                    tenant,
                                    name + i,
                                    "purchase",
                                    person,
                                    at,
                                    "s" + person,
                                    "{\"amount\":\"%d.%02d\"}"
                                            .formatted(random.nextInt(90), random.nextInt(100)))
                            : CleanLog.event(
                                    tenant,
                                    name + i,
                                    "page_view",
                                    person,
                                    at,
                                    null,
                                    "{\"url\":\"/\"}");
            stored.add(event);
            events.add(event);
            events.add(ofControl(event));
            if (i % 10 == 0) {
                events.add(event);
            }
        }
        sendInOrder(events);
    }

    /** Source positions rise on each partition, as etl's single writer of it makes them. */
    private void sendInOrder(List<CleanEvent> events) {
        synchronized (log) {
            log.send(events);
        }
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

    private void keepArriving(Random random, AtomicBoolean stop) {
        for (int i = 0; !stop.get(); i++) {
            var event =
                    CleanLog.event(
                            tenant,
                            "live" + i,
                            "page_view",
                            random.nextInt(9),
                            FIRST.plus(Duration.ofHours(i % 200)),
                            null,
                            "{\"url\":\"/live\"}");
            stored.add(event);
            sendInOrder(List.of(event, ofControl(event)));
        }
    }

    /** Null when the number of events never fell. */
    private @org.jspecify.annotations.Nullable String readUntil(AtomicBoolean stop) {
        long most = 0;
        while (!stop.get()) {
            long events = 0;
            for (var item :
                    get(client, "/api/v1/snapshots?scope=event&granularity=daily&limit=500")
                            .path("items")) {
                events += item.path("metrics").path("events").asLong();
            }
            if (events < most) {
                return "%d events after %d".formatted(events, most);
            }
            most = events;
        }
        return most == 0 ? "nothing was read" : null;
    }

    /** The newest record of each window on {@code mirante.snapshots} says what the tables say, zeros included. */
    private void publishedAsStored() {
        eventually(() -> {
            var newest =
                    mesh.read(Topics.SNAPSHOTS.name()).stream()
                            .map(r -> Json.mapper().readValue(r.value(), SnapshotChanged.class))
                            .filter(s -> s.tenantId().equals(tenant))
                            .collect(
                                    Collectors.toMap(
                                            s ->
                                                    s.scope()
                                                            + s.granularity()
                                                            + s.start()
                                                            + s.dimensions(),
                                            Function.identity(),
                                            (a, b) -> b.revision() > a.revision() ? b : a));
            long events =
                    newest.values().stream()
                            .filter(s -> s.scope().equals("event"))
                            .mapToLong(s -> s.metrics().get("events").longValue())
                            .sum();
            assertThat(events)
                    .isEqualTo(
                            count(
                                    "SELECT sum(value) FROM metric_value WHERE tenant_id = '%s' AND scope = 'event'"));
        });
    }

    private void nothingIsLeft() {
        eventually(() ->
                assertThat(
                                count(
                                        "SELECT (SELECT count(*) FROM rebuilt_event WHERE tenant_id = '%1$s') + (SELECT"
                                                + " count(*) FROM rebuilt_window WHERE tenant_id = '%1$s') + (SELECT count(*)"
                                                + " FROM rebuilt_value WHERE tenant_id = '%1$s')"))
                        .isZero());
    }

    private List<String> tables(String of) throws SQLException {
        var rows = new ArrayList<String>();
        for (var table : TABLES) {
            try (var connection = mesh.jdbc();
                    var statement = connection.createStatement();
                    var result =
                            statement.executeQuery(
                                    "SELECT t::text FROM (%s WHERE tenant_id = '%s') t ORDER BY 1"
                                            .formatted(table, of))) {
                while (result.next()) {
                    rows.add(result.getString(1));
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

    private long count(String sql) throws SQLException {
        return count(sql, tenant);
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
