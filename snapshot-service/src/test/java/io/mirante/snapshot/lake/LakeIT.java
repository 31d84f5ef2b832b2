package io.mirante.snapshot.lake;

import static io.mirante.snapshot.Asking.counted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.contracts.snapshot.LakeCovered;
import io.mirante.platform.messaging.FaultPoint;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.snapshot.CleanLog;
import io.mirante.snapshot.CountedUpTo;
import io.mirante.snapshot.SnapshotApplication;
import io.mirante.testkit.FaultPointAutoConfiguration;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;

/** What is in files and what is not yet are together the rows, each once, whatever happens in between. */
@MeshTest
class LakeIT {

    private static final FaultPoint NOTHING = (moment, tenant) -> {};
    private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

    @Autowired private Mesh mesh;
    @Autowired private StreamDatabase stream;
    @Autowired private LakeManifest manifest;
    @Autowired private LakeSettings settings;
    @Autowired private CountedUpTo countedUpTo;
    @Autowired private MeterRegistry meters;
    @Autowired private ApplicationContext context;
    private LakeProbe lake;

    @BeforeEach
    void open() {
        lake = new LakeProbe(mesh, context);
    }

    /** As by kill -9: nothing that comes after is done. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    @Test
    void rowsBecomeAFileADayWithTheirTypesAndTheTopicSaysHowFar() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            log.send(
                    event(tenant, "c", 2, "2026-11-10T23:59:59.999999Z", "{\"amount\":\"1.50\"}"),
                    event(
                            tenant,
                            "a",
                            7,
                            "2026-11-10T00:00:00Z",
                            "{\"n\":12345678901234567890.10}"),
                    event(
                            tenant,
                            "b",
                            0,
                            "1970-01-01T00:00:00.000001Z",
                            "{\"text\":\"ä 'q' \\\\\"}"),
                    event(tenant, "d", 2, "2026-11-11T00:00:00Z", "{}"));
            counted(log, mesh.client(tenant));
            var before = Instant.now();
            keeper(NOTHING).keep(tenant);

            var files = manifest.files(tenant);
            assertThat(files.stream().map(f -> f.day() + " " + f.rows()))
                    .containsExactlyInAnyOrder("1970-01-01 1", "2026-11-10 2", "2026-11-11 1");
            for (var file : files) {
                var path = settings.folder().resolve(file.file());
                assertThat(LakeFolder.sha256(path)).isEqualTo(file.sha256());
                assertThat(Files.size(path)).isEqualTo(file.bytes());
            }
            assertThat(LakeProbe.sorted(lake.files(tenant)))
                    .isEqualTo(LakeProbe.sorted(lake.rows(tenant, 0)));
            assertThat(lake.files(tenant).stream().map(LakeRow::eventId))
                    .as("by person and time")
                    .containsExactly("b", "c", "d", "a");
            assertThat(types(files.getFirst()))
                    .containsEntry("person_no", "BIGINT")
                    .containsEntry("occurred_at", "TIMESTAMP WITH TIME ZONE")
                    .containsEntry("received_at", "TIMESTAMP WITH TIME ZONE")
                    .containsEntry("event_type", "VARCHAR")
                    .containsEntry("data", "JSON");
            assertThat(covered(tenant)).isBeforeOrEqualTo(before);

            // A file once written stays; what is new comes into another.
            log.send(event(tenant, "e", 2, "2026-11-11T00:00:00Z", "{}"));
            counted(log, mesh.client(tenant));
            var time = Instant.now().truncatedTo(ChronoUnit.MICROS);
            log.progress(time);
            Awaitility.await().until(() -> !countedUpTo.now().block().isBefore(time));
            keeper(NOTHING).keep(tenant);
            assertThat(manifest.files(tenant)).hasSize(4).containsAll(files);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> !covered(tenant).isBefore(time));
            lake.assertEachRowOnce(tenant);
        }
    }

    @Test
    void rowsAreWrittenOnceTheyAreManyOrHaveWaited() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            sendRandom(log, tenant, 30, 11);
            var many = new LakeSettings(settings.folder(), Duration.ofHours(1), 29);
            keeper(new LakeSettings(settings.folder(), Duration.ofHours(1), 30), NOTHING).turn();
            assertThat(manifest.files(tenant)).isEmpty();
            keeper(many, NOTHING).turn();
            assertThat(lake.files(tenant)).hasSize(30);
            sendRandom(log, tenant, 5, 12);
            keeper(many, NOTHING).turn();
            assertThat(lake.tail(tenant)).hasSize(5);
            keeper(NOTHING).turn();
            assertThat(lake.tail(tenant)).isEmpty();
            lake.assertEachRowOnce(tenant);
        }
    }

    @Test
    void batchesFollowEachOtherAndManySmallFilesBecomeOne() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            sendRandom(log, tenant, 100, 1);
            var batches = new LakeSettings(settings.folder(), Duration.ZERO, 8);
            keeper(batches, NOTHING).keep(tenant);
            assertThat(manifest.files(tenant).stream().map(LakeFile::rows).reduce(0L, Long::sum))
                    .isEqualTo(100);
            assertThat(manifest.files(tenant).stream().map(LakeFile::day).distinct())
                    .as("each day's were more than %d", KeepLake.FILES_OF_DAY - 1)
                    .hasSameSizeAs(manifest.files(tenant));
            lake.assertEachRowOnce(tenant);
            assertThat(onDisk(tenant)).hasSizeGreaterThan(manifest.files(tenant).size());
            age(tenant);
            keeper(NOTHING).keep(tenant);
            assertThat(onDisk(tenant)).hasSameSizeAs(manifest.files(tenant));
            lake.assertEachRowOnce(tenant);
        }
    }

    @Test
    void killedBeforeTheManifestNothingCountsTwiceAndNothingIsMissing() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            sendRandom(log, tenant, 30, 2);
            assertThatThrownBy(() -> keeper(killedAt(KeepLake.BEFORE_MANIFEST)).keep(tenant))
                    .isInstanceOf(Killed.class);
            assertThat(onDisk(tenant)).isNotEmpty();
            assertThat(manifest.files(tenant)).isEmpty();
            assertThat(lake.tail(tenant)).hasSize(30);

            keeper(NOTHING).keep(tenant);
            assertThat(lake.files(tenant)).hasSize(30);
            lake.assertEachRowOnce(tenant);
            assertThat(onDisk(tenant))
                    .as("young")
                    .hasSizeGreaterThan(manifest.files(tenant).size());
            age(tenant);
            keeper(NOTHING).keep(tenant);
            assertThat(onDisk(tenant)).hasSameSizeAs(manifest.files(tenant));
        }
    }

    /** kill -9 of a replica between a file and its row. */
    @Test
    @Tag("fault")
    void aReplicaKilledBeforeTheManifestLeavesItToAnother() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            for (var other : tenants()) {
                lake.keep(other);
            }
            sendRandom(log, tenant, 30, 8);
            try (var replica =
                    mesh.replica(
                            SnapshotApplication.class,
                            Map.of(
                                    "mirante.fault.halt",
                                    KeepLake.BEFORE_MANIFEST + ":1",
                                    "mirante.lake.flush-after",
                                    "0s"))) {
                assertThat(replica.awaitExit(Duration.ofMinutes(2)))
                        .isEqualTo(FaultPointAutoConfiguration.KILLED);
            }
            assertThat(onDisk(tenant)).isNotEmpty();
            assertThat(manifest.files(tenant)).isEmpty();
            keeper(NOTHING).keep(tenant);
            assertThat(manifest.files(tenant)).as("it had the lease").isEmpty();
            execute("UPDATE lake_tenant SET lease_until = now() WHERE tenant_id = ?", tenant);
            keeper(NOTHING).keep(tenant);
            assertThat(lake.files(tenant)).hasSize(30);
            lake.assertEachRowOnce(tenant);
        }
    }

    private List<String> tenants() throws SQLException {
        var tenants = new ArrayList<String>();
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement();
                var rows =
                        statement.executeQuery("SELECT DISTINCT tenant_id FROM behaviour_event")) {
            while (rows.next()) {
                tenants.add(rows.getString(1));
            }
        }
        return tenants;
    }

    @Test
    void killedAfterTheManifestTheReplacedFilesCountNoMore() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            var one = new LakeSettings(settings.folder(), Duration.ZERO, 2);
            var events = new ArrayList<CleanEvent>();
            for (int i = 0; i < 2 * KeepLake.FILES_OF_DAY; i++) {
                events.add(event(tenant, "e" + i, 1, "2026-11-10T10:00:00Z", "{}"));
            }
            log.send(events);
            counted(log, mesh.client(tenant));
            int flushes = KeepLake.FILES_OF_DAY + 1;
            assertThatThrownBy(() ->
                            keeper(one, killedAt(KeepLake.AFTER_MANIFEST, flushes + 1))
                                    .keep(tenant))
                    .isInstanceOf(Killed.class);
            assertThat(manifest.files(tenant)).as("merged").hasSize(1);
            assertThat(onDisk(tenant)).hasSize(KeepLake.FILES_OF_DAY + 1);
            lake.assertEachRowOnce(tenant);
            age(tenant);
            keeper(NOTHING).keep(tenant);
            assertThat(onDisk(tenant)).hasSize(1);
            lake.assertEachRowOnce(tenant);
        }
    }

    /** The first comes to a stop before its row in the manifest, its lease runs out, and another does the same. */
    @Test
    void whatASecondWriterHasWrittenIsNotWrittenAgain() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            sendRandom(log, tenant, 30, 3);
            var pause = new Pause();
            var first = CompletableFuture.runAsync(() -> keeper(pause).keep(tenant), THREADS);
            pause.awaitReached();
            keeper(NOTHING).keep(tenant);
            assertThat(manifest.files(tenant)).as("the first has the lease").isEmpty();
            execute("UPDATE lake_tenant SET lease_until = now() WHERE tenant_id = ?", tenant);
            keeper(NOTHING).keep(tenant);
            assertThat(lake.files(tenant)).hasSize(30);
            pause.goOn();
            first.get(1, TimeUnit.MINUTES);
            assertThat(lake.files(tenant)).hasSize(30);
            lake.assertEachRowOnce(tenant);
            assertThat(onDisk(tenant)).as("taken back").hasSameSizeAs(manifest.files(tenant));
        }
    }

    /** Rows do not become visible in the order of their numbers. */
    @Test
    void aRowThatIsStillBeingStoredIsNotPassedOver() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh);
                var storing = mesh.jdbc()) {
            sendRandom(log, tenant, 10, 9);
            storing.setAutoCommit(false);
            try (var statement = storing.createStatement()) {
                statement.execute(
                        "SELECT pg_advisory_xact_lock_shared(hashtextextended(current_schema() || '.generation %s', 0))"
                                .formatted(tenant));
                statement.execute(
                        """
                        INSERT INTO behaviour_event (tenant_id, person_no, occurred_at, event_id, event_type, data, received_at)
                        VALUES ('%s', 1, '2026-11-10', 'slow', 'login', '{}', '2026-11-20')\
                        """
                                .formatted(tenant));
            }
            sendRandom(log, tenant, 10, 10);
            var keeping = CompletableFuture.runAsync(() -> keeper(NOTHING).keep(tenant), THREADS);
            Awaitility.await().until(() -> keeping.isDone() || waitsForStoring());
            storing.commit();
            keeping.get(1, TimeUnit.MINUTES);
            assertThat(lake.files(tenant)).hasSize(21);
            lake.assertEachRowOnce(tenant);
        }
    }

    private boolean waitsForStoring() throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE"
                                        + " 'SELECT pg_advisory_xact_lock(%'")) {
            rows.next();
            return rows.getLong(1) > 0;
        }
    }

    @Test
    void severalAtOnceWhileEventsCome() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            var few = new LakeSettings(settings.folder(), Duration.ZERO, 50);
            var stop = new CountDownLatch(1);
            var keepers =
                    IntStream.range(0, 3)
                            .mapToObj(i ->
                                    CompletableFuture.runAsync(
                                            () -> {
                                                var keeper = keeper(few, NOTHING);
                                                while (stop.getCount() > 0) {
                                                    keeper.keep(tenant);
                                                }
                                            },
                                            THREADS))
                            .toList();
            try {
                for (int i = 0; i < 20; i++) {
                    sendRandom(log, tenant, 20, 100 + i);
                }
            } finally {
                stop.countDown();
            }
            for (var keeper : keepers) {
                keeper.get(1, TimeUnit.MINUTES);
            }
            keeper(few, NOTHING).keep(tenant);
            assertThat(lake.tail(tenant)).isEmpty();
            assertThat(lake.files(tenant)).hasSize(400);
            lake.assertEachRowOnce(tenant);
        }
    }

    @Test
    void anErasedPersonIsInNoFileAnyMore() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            sendRandom(log, tenant, 60, 4);
            assertThatThrownBy(() -> keeper(killedAt(KeepLake.BEFORE_MANIFEST)).keep(tenant))
                    .isInstanceOf(Killed.class);
            keeper(NOTHING).keep(tenant);
            assertThat(onDisk(tenant)).hasSizeGreaterThan(manifest.files(tenant).size());
            assertThat(naming(tenant, "user-1")).isNotEmpty();
            long files = manifest.files(tenant).stream().filter(f -> holds(f, 1)).count();
            var others = lake.files(tenant).stream().filter(r -> r.personNo() != 1).toList();

            var answer = mesh.erase(tenant, "user-1", 1L);

            assertThat(answer.removed())
                    .contains(new Removal("files of the lake", Removal.BLANKED, files));
            assertThat(naming(tenant, "user-1")).isEmpty();
            assertThat(onDisk(tenant)).hasSameSizeAs(manifest.files(tenant));
            assertThat(lake.files(tenant)).hasSize(60).containsAll(others);
            assertThat(lake.files(tenant).stream().filter(r -> r.personNo() == 1))
                    .isNotEmpty()
                    .allSatisfy(row -> {
                        assertThat(row.userId()).isNull();
                        assertThat(row.sessionId()).isNotNull().doesNotContain("session");
                        assertThat(row.data()).doesNotContain("note").contains("amount");
                    });
            lake.assertEachRowOnce(tenant);
            assertThat(mesh.erase(tenant, "user-1", 1L).removed()).isEmpty();
        }
    }

    /** Rows are read before the person is erased, and their file is to count afterwards. */
    @Test
    void aFileBeingWrittenDoesNotBringAnErasedPersonBack() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            sendRandom(log, tenant, 20, 5);
            var pause = new Pause();
            var writing = CompletableFuture.runAsync(() -> keeper(pause).keep(tenant), THREADS);
            pause.awaitReached();
            var erasing =
                    CompletableFuture.supplyAsync(() -> mesh.erase(tenant, "user-1", 1L), THREADS);
            Awaitility.await()
                    .until(() ->
                            lake.rows(tenant, 0).stream()
                                    .noneMatch(r -> "user-1".equals(r.userId())));
            // It stands still for longer than its lease.
            execute("UPDATE lake_tenant SET lease_until = now() WHERE tenant_id = ?", tenant);
            erasing.get(2, TimeUnit.MINUTES);
            pause.goOn();
            writing.get(1, TimeUnit.MINUTES);
            assertThat(manifest.files(tenant)).as("its files do not count").isEmpty();
            assertThat(naming(tenant, "user-1")).isEmpty();
            keeper(NOTHING).keep(tenant);
            assertThat(naming(tenant, "user-1")).isEmpty();
            assertThat(lake.files(tenant)).hasSize(20);
            lake.assertEachRowOnce(tenant);
        }
    }

    @Test
    void daysSentBackAreWrittenAnew() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            sendRandom(log, tenant, 40, 6);
            keeper(NOTHING).keep(tenant);
            var day = manifest.files(tenant).getFirst().day();
            execute(
                    "UPDATE behaviour_event SET country = 'PT' WHERE tenant_id = ? AND (occurred_at AT TIME ZONE 'UTC')::date = '%s'"
                            .formatted(day),
                    tenant);
            manifest.sendBack(tenant, List.of(day));
            assertThat(lake.tail(tenant)).isNotEmpty().allMatch(r -> "PT".equals(r.country()));
            lake.assertEachRowOnce(tenant);
            keeper(NOTHING).keep(tenant);
            assertThat(lake.tail(tenant)).isEmpty();
            lake.assertEachRowOnce(tenant);
        }
    }

    @Test
    void aFolderThatCannotBeWrittenOrIsGoneIsToldAndLosesNothing() throws Exception {
        var tenant = mesh.newTenant();
        try (var log = new CleanLog(mesh)) {
            sendRandom(log, tenant, 20, 7);
            var file = Files.createTempFile("lake", "");
            var unwritable = new LakeSettings(file.resolve("lake"), Duration.ZERO, 1_000);
            assertThatThrownBy(() -> keeper(unwritable, NOTHING).keep(tenant))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining("cannot be written, events stay in PostgreSQL");
            assertThat(lake.tail(tenant)).hasSize(20);
            assertThat(manifest.files(tenant)).isEmpty();

            // What was written until then would fill a full disk further with each try.
            var half = Files.createTempDirectory("lake");
            Files.createDirectory(half.resolve(tenant));
            Files.createFile(half.resolve(tenant).resolve("2026-11-12"));
            var halfWritable = new LakeSettings(half, Duration.ZERO, 1_000);
            assertThatThrownBy(() -> keeper(halfWritable, NOTHING).keep(tenant))
                    .hasMessageContaining("cannot be written");
            try (Stream<Path> files = Files.walk(half)) {
                assertThat(files.filter(f -> f.toString().contains(".parquet"))).isEmpty();
            }
            assertThat(lake.tail(tenant)).hasSize(20);

            keeper(NOTHING).keep(tenant);
            var empty = Files.createTempDirectory("lake");
            var elsewhere = new LakeSettings(empty, Duration.ZERO, 1_000);
            assertThatThrownBy(() -> keeper(elsewhere, NOTHING).keep(tenant))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("is it mounted");
            assertThat(empty).isEmptyDirectory();
            execute("INSERT INTO lake_erased (tenant_id, person_no) VALUES (?, 99)", tenant);
            assertThatThrownBy(() -> new EraseFromLake(manifest, elsewhere, NOTHING).erase(tenant))
                    .hasMessageContaining("is it mounted");
            lake.assertEachRowOnce(tenant);

            var lost = manifest.files(tenant).getFirst();
            Files.delete(settings.folder().resolve(lost.file()));
            keeper(NOTHING).keep(tenant);
            assertThat(manifest.files(tenant)).isNotEmpty().doesNotContain(lost);
            assertThat(lake.files(tenant)).hasSize(20);
            lake.assertEachRowOnce(tenant);
        }
    }

    /** Stops whoever comes to {@link KeepLake#BEFORE_MANIFEST} first. */
    private static final class Pause implements FaultPoint {
        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch goOn = new CountDownLatch(1);

        @Override
        public void reached(String moment, String tenant) {
            if (moment.equals(KeepLake.BEFORE_MANIFEST) && reached.getCount() > 0) {
                reached.countDown();
                await(goOn);
            }
        }

        void awaitReached() {
            await(reached);
        }

        void goOn() {
            goOn.countDown();
        }

        private static void await(CountDownLatch latch) {
            try {
                assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static FaultPoint killedAt(String moment) {
        return killedAt(moment, 1);
    }

    private static FaultPoint killedAt(String moment, int times) {
        var left = new java.util.concurrent.atomic.AtomicInteger(times);
        return (reached, tenant) -> {
            if (reached.equals(moment) && left.decrementAndGet() == 0) {
                throw new Killed();
            }
        };
    }

    private KeepLake keeper(FaultPoint faults) {
        return keeper(new LakeSettings(settings.folder(), Duration.ZERO, 1_000), faults);
    }

    private KeepLake keeper(LakeSettings with, FaultPoint faults) {
        return new KeepLake(
                stream,
                manifest,
                with,
                countedUpTo,
                new EraseFromLake(manifest, with, faults),
                faults,
                meters);
    }

    /** Events of five persons within three days. */
    private void sendRandom(CleanLog log, String tenant, int count, long seed) {
        var random = new Random(seed);
        var events = new ArrayList<CleanEvent>();
        for (int i = 0; i < count; i++) {
            long person = i < 5 ? i : random.nextInt(5);
            events.add(
                    CleanLog.event(
                            tenant,
                            seed + "-" + i,
                            random.nextBoolean() ? "page_view" : "purchase",
                            person,
                            Instant.parse("2026-11-10T00:00:00Z")
                                    .plusSeconds(random.nextInt(3 * 86_400)),
                            "session-" + person,
                            "{\"amount\":\"%d.50\",\"note\":\"of user-%d\",\"url\":\"/u/user-%d\"}"
                                    .formatted(i, person, person)));
        }
        log.send(events);
        counted(log, mesh.client(tenant));
    }

    private static CleanEvent event(String tenant, String id, long person, String at, String data) {
        return CleanLog.event(tenant, id, "purchase", person, at, data);
    }

    private boolean holds(LakeFile file, long person) {
        return lake.read(List.of(file)).stream().anyMatch(r -> r.personNo() == person);
    }

    private void execute(String sql, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.prepareStatement(sql)) {
            statement.setString(1, tenant);
            statement.executeUpdate();
        }
    }

    /** Of what the topic says last. */
    private Instant covered(String tenant) {
        return mesh.read(Topics.LAKE.name()).stream()
                .map(r -> Json.mapper().readValue(r.value(), LakeCovered.class))
                .filter(c -> c.tenantId().equals(tenant))
                .reduce((a, b) -> b)
                .map(LakeCovered::coveredUntil)
                .orElse(Instant.EPOCH);
    }

    private List<Path> onDisk(String tenant) throws IOException {
        try (Stream<Path> files = Files.walk(settings.folder().resolve(tenant))) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    /** Rows of any file on disk that hold a text. */
    private List<String> naming(String tenant, String text) throws Exception {
        var found = new ArrayList<String>();
        for (var path : onDisk(tenant)) {
            try (var duckdb = DriverManager.getConnection("jdbc:duckdb:");
                    var statement = duckdb.createStatement();
                    var rows =
                            statement.executeQuery(
                                    "SELECT r::VARCHAR FROM read_parquet('%s') r WHERE r::VARCHAR LIKE '%%%s%%'"
                                            .formatted(path, text))) {
                while (rows.next()) {
                    found.add(rows.getString(1));
                }
            }
        }
        return found;
    }

    private Map<String, String> types(LakeFile file) throws SQLException {
        var types = new TreeMap<String, String>();
        try (var duckdb = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duckdb.createStatement();
                var rows =
                        statement.executeQuery(
                                "DESCRIBE SELECT * FROM read_parquet('%s')"
                                        .formatted(settings.folder().resolve(file.file())))) {
            while (rows.next()) {
                types.put(rows.getString(1), rows.getString(2));
            }
        }
        return types;
    }

    private void age(String tenant) throws IOException {
        var old = FileTime.from(Instant.now().minus(KeepLake.RETIRED).minusSeconds(60));
        onDisk(tenant)
                .forEach(path -> {
                    try {
                        Files.setLastModifiedTime(path, old);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
    }
}
