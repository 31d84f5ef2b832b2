package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import io.mirante.testkit.FaultPointAutoConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/**
 * Faults of etl on a whole mesh. Events are judged by ledgers and the {@link Oracle}, loads of features by what a reader sees all the
 * time. A moment is held before something is killed in it: etl waits for what the test has locked, be it a row or, in the middle of a COPY,
 * a {@link CopyGate}. {@code -Dmirante.fault.seed} repeats a run. docs/reliability.md says which row of the fault matrix is proven where.
 */
@ExtendWith(RunningMesh.class)
class EtlFaultsIT {
    private static final int RUNS = Integer.getInteger("mirante.fault.runs", 1);
    private static final long SEED = Long.getLong("mirante.fault.seed", System.currentTimeMillis());
    private static final Duration SOON = Duration.ofMinutes(2);

    private static final int USERS = 2_000;
    private static final int ROWS = 4_000;
    private static final int MORE_ROWS = 6_000;

    private static final String ONE = FeatureReader.state("one", USERS, ROWS, "one");
    private static final String TWO = FeatureReader.state("two", USERS, MORE_ROWS, "one, two");

    private final Random random = new Random(SEED);

    /** Whatever the test before has left. */
    @BeforeEach
    void allIsUp(MeshUnderTest mesh) {
        mesh.up();
    }

    // --- events

    @Test
    void killedBetweenCommitAndPublicationNothingIsLostOrCountedTwice(MeshUnderTest mesh) {
        killBetweenCommitAndPublication(mesh, "gap", 2);
    }

    @Test
    @Tag("fault")
    void killedBetweenCommitAndPublicationManyTimesNothingIsLostOrCountedTwice(MeshUnderTest mesh) {
        killBetweenCommitAndPublication(mesh, "gaps", RUNS);
    }

    /** Another start of etl alone for each seed; the rest of the mesh goes on, and so do its clients. */
    private static void killBetweenCommitAndPublication(
            MeshUnderTest mesh, String name, int times) {
        try (Traffic traffic = new Traffic(mesh, name, SEED)) {
            ProcessHandle etl = mesh.process("etl");
            ServiceCommand command = ServiceCommand.of(etl);
            MeshUnderTest.kill(etl);
            for (int i = 0; i < times; i++) {
                int polls = 1 + new Random(SEED + i).nextInt(6);
                Path log = log(mesh, name + i);
                Process halting =
                        command.start(log, List.of(), "--mirante.fault.halt=after-commit:" + polls);
                await("halt after poll " + polls + " of seed " + (SEED + i))
                        .atMost(SOON)
                        .until(() -> !halting.isAlive());
                assertThat(halting.exitValue())
                        .as("see %s", log)
                        .isEqualTo(FaultPointAutoConfiguration.KILLED);
            }
            mesh.up();
            traffic.flows();
            traffic.judge();
        }
    }

    @Test
    @Tag("fault")
    void replicasJoinAndLeaveAndNothingIsLostOrCountedTwice(MeshUnderTest mesh) {
        try (Traffic traffic = new Traffic(mesh, "replicas", SEED)) {
            ServiceCommand command = ServiceCommand.of(mesh.process("etl"));
            for (boolean kindly : List.of(true, false)) {
                int management = MeshUnderTest.freePort();
                Process replica =
                        command.replica(kindly ? 1 : 2, MeshUnderTest.freePort(), management)
                                .start(log(mesh, kindly ? "replica-1" : "replica-2"), List.of());
                try {
                    awaitReady(management);
                    traffic.flows();
                    if (kindly) {
                        replica.destroy();
                    } else {
                        MeshUnderTest.kill(replica.toHandle());
                    }
                    await("the replica's end").atMost(SOON).until(() -> !replica.isAlive());
                } finally {
                    replica.destroyForcibly();
                }
                traffic.flows();
            }
            traffic.judge();
        }
    }

    // --- loads

    @Test
    @Tag("fault")
    void killedWithinItsCopyBeforeItsCommitAndAnywhereALoadIsDoneOnceAllTheSame(
            MeshUnderTest mesh) {
        for (int round = 0; round < Math.max(1, RUNS / 10); round++) {
            try (FeatureRuns copying = runs(mesh, "Copying");
                    FeatureRuns committing = runs(mesh, "Committing");
                    Traffic traffic = new Traffic(mesh, "runs" + round, SEED + round)) {
                List<FeatureRuns> both = List.of(copying, committing);
                Duration took = loadOne(mesh, both);
                List<String> before = both.stream().map(runs -> rows(mesh, runs)).toList();
                try (FeatureReader readerOfOne = new FeatureReader(mesh, copying.tenant());
                        FeatureReader readerOfOther =
                                new FeatureReader(mesh, committing.tenant())) {
                    traffic.flows();
                    killInCopyAndBeforeCommit(mesh, copying, committing);
                    for (FeatureRuns runs : both) {
                        assertThat(FeatureReader.look(mesh, runs.tenant())).isEqualTo(ONE);
                    }
                    mesh.up();
                    ProcessHandle etl = mesh.process("etl");
                    await("a second try")
                            .atMost(FeatureRuns.LIMIT)
                            .until(() -> tries(mesh, both) > 2);
                    pause(took.multipliedBy(random.nextInt(100)).dividedBy(100));
                    MeshUnderTest.kill(etl);
                    mesh.up();
                    for (FeatureRuns runs : both) {
                        completed(runs, "two");
                    }
                    readerOfOne.sawOnly(ONE, TWO);
                    readerOfOther.sawOnly(ONE, TWO);
                }
                for (FeatureRuns runs : both) {
                    assertThat(FeatureReader.look(mesh, runs.tenant())).isEqualTo(TWO);
                    assertNothingLeft(mesh, runs);
                    runs.rollBack("two");
                    assertThat(FeatureReader.look(mesh, runs.tenant())).isEqualTo(ONE);
                }
                assertThat(both.stream().map(runs -> rows(mesh, runs)).toList()).isEqualTo(before);
                traffic.judge();
            }
        }
    }

    private static void killInCopyAndBeforeCommit(
            MeshUnderTest mesh, FeatureRuns copying, FeatureRuns committing) {
        ProcessHandle etl = mesh.process("etl");
        try (CopyGate gate = new CopyGate(mesh);
                Locked copy = gate.of(copying);
                Locked other = gate.of(committing);
                // The load's last statement notes it with its run.
                Locked note = Locked.run(mesh, committing, "execution_id = 'two'")) {
            copy.take();
            other.take();
            committing.begin("two");
            copying.begin("two");
            other.awaitWaiting();
            note.take();
            other.close();
            copy.awaitWaiting();
            note.awaitWaiting();
            MeshUnderTest.kill(etl);
        }
    }

    @Test
    @Tag("fault")
    void withoutItsDatabaseInMidCopyALoadIsDoneOnceAllTheSame(MeshUnderTest mesh) {
        try (FeatureRuns runs = runs(mesh, "Without database");
                Traffic traffic = new Traffic(mesh, "database", SEED)) {
            loadOne(mesh, List.of(runs));
            ProcessHandle postgres = mesh.process("postgres");
            traffic.flows();

            try (FeatureReader reader = new FeatureReader(mesh, runs.tenant());
                    CopyGate gate = new CopyGate(mesh);
                    Locked copy = gate.of(runs)) {
                copy.take();
                runs.begin("two");
                copy.terminate(copy.awaitWaiting());
                copy.close();
                completed(runs, "two");
                reader.sawOnly(ONE, TWO);
            }

            String three = FeatureReader.state("three", USERS, ROWS, "one, two, three");
            runs.upload(csv(mesh, ROWS, false));
            try (FeatureReader reader = new FeatureReader(mesh, runs.tenant());
                    CopyGate gate = new CopyGate(mesh);
                    Locked copy = gate.of(runs)) {
                copy.take();
                runs.begin("three");
                copy.awaitWaiting();
                MeshUnderTest.kill(postgres);
                Instant gone = Instant.now();
                await("events are acknowledged without PostgreSQL")
                        .atMost(SOON)
                        .until(() -> traffic.acknowledgedSince(gone) >= 20);
                mesh.up();
                completed(runs, "three");
                reader.sawOnly(TWO, three);
            }
            assertThat(FeatureReader.look(mesh, runs.tenant())).isEqualTo(three);
            assertNothingLeft(mesh, runs);
            runs.rollBack("three");
            assertThat(FeatureReader.look(mesh, runs.tenant())).isEqualTo(TWO);
            traffic.judge();
        }
    }

    @Test
    @Tag("fault")
    void killedBeforeAMicroBatchIsLoadedAndBeforeItIsCountedAStreamGoesOn(MeshUnderTest mesh) {
        try (Traffic traffic = new Traffic(mesh, "streams", SEED);
                FeatureRuns loading = traffic.runs(0);
                FeatureRuns counting = traffic.runs(1)) {
            List<FeatureRuns> both = List.of(loading, counting);
            traffic.flows();
            for (FeatureRuns runs : both) {
                runs.stream("s");
            }
            await("the first micro-batches")
                    .atMost(FeatureRuns.LIMIT)
                    .until(() -> both.stream().allMatch(runs -> microBatches(mesh, runs) > 0));
            try (FeatureReader readerOfOne =
                            new FeatureReader(mesh, loading.tenant(), FeatureReader.LAST_LOAD);
                    FeatureReader readerOfOther =
                            new FeatureReader(mesh, counting.tenant(), FeatureReader.LAST_LOAD)) {
                ProcessHandle etl = mesh.process("etl");
                try (Locked batch =
                                Locked.run(mesh, loading, "part_of = 's' AND status = 'running'");
                        Locked stream =
                                Locked.run(
                                        mesh,
                                        counting,
                                        "execution_id = 's' AND EXISTS (SELECT FROM etl.etl_run b WHERE b.tenant_id = r.tenant_id"
                                                + " AND b.part_of = 's' AND b.status = 'running')")) {
                    batch.take();
                    batch.awaitWaiting();
                    stream.take();
                    stream.awaitWaiting();
                    MeshUnderTest.kill(etl);
                }
                assertThat(uncounted(mesh, loading)).as("loaded and not counted").isZero();
                assertThat(uncounted(mesh, counting)).as("loaded and not counted").isOne();
                mesh.up();
                traffic.flows();
                traffic.judge();
                for (FeatureRuns runs : both) {
                    await("all events are in loaded features")
                            .atMost(FeatureRuns.LIMIT)
                            .untilAsserted(() ->
                                    assertThat(featuresOfLog(mesh, runs))
                                            .isEqualTo(log(mesh, runs)));
                    runs.cancel();
                }
                readerOfOne.sawOnly(FeatureReader.WHOLE);
                readerOfOther.sawOnly(FeatureReader.WHOLE);
            }
            for (FeatureRuns runs : both) {
                assertThat(notCountedOnce(mesh, runs)).isZero();
                assertNothingLeft(mesh, runs);
            }
        }
    }

    @Test
    @Tag("fault")
    void onAFullDiskARunFailsAndLeavesNothing(MeshUnderTest mesh) {
        try (FeatureRuns runs = runs(mesh, "Full disk");
                FeatureReader reader = new FeatureReader(mesh, runs.tenant())) {
            runs.upload(csv(mesh, ROWS, false));
            ProcessHandle etl = mesh.process("etl");
            ServiceCommand command = ServiceCommand.of(etl);
            MeshUnderTest.kill(etl);
            Path jobs = Files.createDirectories(jobs(mesh));
            Process cramped =
                    command.start(
                            log(mesh, "cramped"),
                            List.of(
                                    "unshare",
                                    "-Urm",
                                    "sh",
                                    "-c",
                                    "mount -t tmpfs -o size=256k none \"$0\" && exec \"$@\"",
                                    jobs.toString()));
            try {
                runs.begin("one");
                JsonNode run = runs.ended("one");
                assertThat(run.path("status").asString()).as("%s", run).isEqualTo("failed");
                assertThat(run.path("error").asString()).contains("tried three times");
                assertNothingLeft(Path.of("/proc/" + cramped.pid() + "/root" + jobs), runs);
            } finally {
                MeshUnderTest.kill(cramped.toHandle());
            }
            mesh.up();
            runs.begin("two");
            completed(runs, "two");
            reader.sawOnly(" | ", FeatureReader.state("two", USERS, ROWS, "two"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @Tag("fault")
    void poisonRowsOfALargeFileCostTheirNeighboursNothing(MeshUnderTest mesh) {
        try (FeatureRuns runs = runs(mesh, "Poison")) {
            int rows = RUNS >= 50 ? 10_000_000 : 300_000;
            runs.upload(csv(mesh, rows, true));
            runs.begin("poison");
            JsonNode run = runs.ended("poison");
            assertThat(run.path("status").asString()).as("%s", run).isEqualTo("completed");
            assertThat(run.path("records_extracted").asInt()).isEqualTo(rows + 3 * POISON.size());
            assertThat(run.path("records_cleaned").asInt()).isEqualTo(rows);
            assertThat(FeatureReader.look(mesh, runs.tenant()))
                    .isEqualTo(FeatureReader.state("poison", USERS, rows, "poison"));
            JsonNode rejected = runs.report("poison").path("cleaning").path("rejected");
            assertThat(rejected.path("unreadable line").path("count").asInt())
                    .as("%s", rejected)
                    .isEqualTo(3 * 3);
            assertThat(rejected.path("type of amount").path("count").asInt())
                    .as("%s", rejected)
                    .isEqualTo(3);
        }
    }

    // --- inside

    /** Has each load's COPY wait in the middle of its rows while the test holds the tenant's lock; until this is closed. */
    private static final class CopyGate implements AutoCloseable {
        private final MeshUnderTest mesh;

        CopyGate(MeshUnderTest mesh) {
            this.mesh = mesh;
            execute(
                    mesh,
                    """
                    DROP SCHEMA IF EXISTS fault_test CASCADE;
                    CREATE SCHEMA fault_test;
                    GRANT USAGE ON SCHEMA fault_test TO PUBLIC;
                    CREATE FUNCTION fault_test.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        PERFORM pg_advisory_xact_lock_shared(hashtextextended('fault_test ' || current_setting('mirante.tenant'), 0));
                        RETURN NEW;
                    END $$;
                    CREATE FUNCTION fault_test.put() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE '%.staged') THEN
                            CREATE TRIGGER wait BEFORE INSERT ON staged FOR EACH ROW WHEN (NEW.user_id = 'u77')
                                EXECUTE FUNCTION fault_test.wait();
                        END IF;
                    END $$;
                    CREATE EVENT TRIGGER fault_test ON ddl_command_end WHEN TAG IN ('CREATE TABLE AS')
                        EXECUTE FUNCTION fault_test.put();
                    """);
        }

        /** The lock of a tenant's loads. */
        Locked of(FeatureRuns runs) {
            return new Locked(
                    mesh,
                    "SELECT pg_advisory_xact_lock(hashtextextended('fault_test ' || ?, 0))",
                    runs.tenant());
        }

        @Override
        public void close() {
            execute(mesh, "DROP SCHEMA fault_test CASCADE");
        }
    }

    private static void execute(MeshUnderTest mesh, String sql) {
        try (Connection database = mesh.database();
                var statement = database.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static FeatureRuns runs(MeshUnderTest mesh, String name) {
        MeshUnderTest.Tenant tenant = mesh.newTenant(name);
        return new FeatureRuns(mesh, tenant.id(), tenant.key());
    }

    /** Does a first run of each, leaves what a second one will load, and answers how long the longest took. */
    private static Duration loadOne(MeshUnderTest mesh, List<FeatureRuns> all) {
        for (FeatureRuns runs : all) {
            runs.upload(csv(mesh, ROWS, false));
            runs.begin("one");
        }
        Duration longest = Duration.ZERO;
        for (FeatureRuns runs : all) {
            JsonNode run = completed(runs, "one");
            runs.upload(csv(mesh, MORE_ROWS, false));
            Duration took =
                    Duration.between(
                            Instant.parse(run.path("started_at").asString()),
                            Instant.parse(run.path("finished_at").asString()));
            longest = took.compareTo(longest) > 0 ? took : longest;
        }
        return longest;
    }

    private static JsonNode completed(FeatureRuns runs, String id) {
        JsonNode run = runs.ended(id);
        assertThat(run.path("status").asString()).as("%s", run).isEqualTo("completed");
        assertThat(run.path("records_loaded").asInt()).isEqualTo(USERS);
        return run;
    }

    /** Lines that are no rows, and a row whose number is none. */
    private static final List<String> POISON =
            List.of(
                    "p,u\u00ff,1.00,bet,,2026-11-20T10:00:00Z\n",
                    "p,u1,1.00,bet,,2026-11-20T10:00:00Z,one,too,many\n",
                    "p,u1\n",
                    "p,u1,1e400,bet,,2026-11-20T10:00:00Z\n");

    /**
     * A file of transactions, each user's turn after the other's.
     *
     * @param poison whether it is poisoned at the start, in the middle and at the end
     */
    private static Path csv(MeshUnderTest mesh, int rows, boolean poison) {
        Path file = mesh.home().resolveSibling("fault.csv");
        var random = new Random(SEED);
        // A letter outside ASCII is no UTF-8 so.
        try (var text = Files.newBufferedWriter(file, StandardCharsets.ISO_8859_1)) {
            text.write("transaction_id,user_id,amount,transaction_type,status,created_at\n");
            for (int row = 0; row < rows; row++) {
                if (poison && (row == 0 || row == rows / 2 || row == rows - 1)) {
                    text.write(String.join("", POISON));
                }
                text.write(
                        "t%d,u%d,%d.50,bet,,2026-11-%02dT%02d:00:00Z\n"
                                .formatted(
                                        row,
                                        row % USERS,
                                        random.nextInt(100),
                                        1 + random.nextInt(20),
                                        random.nextInt(24)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file;
    }

    /** All of a tenant's loaded rows, as one hash. */
    private static String rows(MeshUnderTest mesh, FeatureRuns runs) {
        return text(
                mesh,
                runs,
                "SELECT md5(string_agg(u::text, chr(10) ORDER BY user_id)) FROM ml_features.user_features u WHERE tenant_id = ?");
    }

    /** Users and events of all loaded features. */
    private static String featuresOfLog(MeshUnderTest mesh, FeatureRuns runs) {
        return text(
                mesh,
                runs,
                "SELECT format('%s users, %s events', count(*), sum(events_total)::bigint) FROM ml_features.user_features WHERE tenant_id = ?");
    }

    /** The same of the event log. */
    private static String log(MeshUnderTest mesh, FeatureRuns runs) {
        return text(
                mesh,
                runs,
                "SELECT format('%s users, %s events', count(DISTINCT user_id), count(*)) FROM etl.analytics_event WHERE tenant_id = ?");
    }

    private static long microBatches(MeshUnderTest mesh, FeatureRuns runs) {
        return number(
                mesh,
                runs,
                "SELECT micro_batches FROM etl.etl_run WHERE tenant_id = ? AND execution_id = 's'");
    }

    /** Micro-batches that are loaded, beyond what their streaming run says. */
    private static long uncounted(MeshUnderTest mesh, FeatureRuns runs) {
        return number(
                        mesh,
                        runs,
                        "SELECT count(*) FROM etl.etl_run WHERE tenant_id = ? AND part_of = 's' AND loaded_at IS NOT NULL")
                - microBatches(mesh, runs);
    }

    /** How many micro-batches do not begin where the one before ended, and whether what they loaded is not what their run counts. */
    private static long notCountedOnce(MeshUnderTest mesh, FeatureRuns runs) {
        return number(
                mesh,
                runs,
                """
                WITH b AS (
                    SELECT tenant_id, loaded, position_before, lag(position) OVER (ORDER BY split_part(execution_id, '.', 2)::int) AS ended
                    FROM etl.etl_run WHERE tenant_id = ? AND part_of = 's' AND loaded_at IS NOT NULL)
                SELECT count(*) FILTER (WHERE position_before IS DISTINCT FROM ended)
                    + (SELECT (r.loaded <> sum(b.loaded) OR r.micro_batches <> count(*))::int FROM b JOIN etl.etl_run r USING (tenant_id)
                        WHERE r.execution_id = 's' GROUP BY r.loaded, r.micro_batches)
                FROM b
                """);
    }

    /** How often workers took the tenants' jobs of second runs. */
    private static long tries(MeshUnderTest mesh, List<FeatureRuns> all) {
        return all.stream()
                .mapToLong(runs ->
                        number(
                                mesh,
                                runs,
                                "SELECT attempts FROM etl.job JOIN etl.etl_run r ON r.job_id = job.id WHERE r.tenant_id = ? AND execution_id = 'two'"))
                .sum();
    }

    private static long number(MeshUnderTest mesh, FeatureRuns runs, String query) {
        return Long.parseLong(text(mesh, runs, query));
    }

    private static String text(MeshUnderTest mesh, FeatureRuns runs, String query) {
        try (Connection database = mesh.database();
                var statement = database.prepareStatement(query)) {
            statement.setString(1, runs.tenant());
            try (var rows = statement.executeQuery()) {
                rows.next();
                return String.valueOf(rows.getString(1));
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static Path jobs(MeshUnderTest mesh) {
        return mesh.home().resolve("files/etl/jobs");
    }

    private static void assertNothingLeft(MeshUnderTest mesh, FeatureRuns runs) {
        assertNothingLeft(jobs(mesh), runs);
    }

    /** Of what runs keep while they work; the lists of refused users stay. */
    private static void assertNothingLeft(Path jobs, FeatureRuns runs) {
        for (String job : runs.jobs()) {
            Path folder = jobs.resolve(job);
            await("scratch is removed")
                    .atMost(SOON)
                    .untilAsserted(() -> {
                        try (Stream<Path> files =
                                Files.exists(folder) ? Files.walk(folder) : Stream.of()) {
                            assertThat(
                                            files.filter(Files::isRegularFile)
                                                    .filter(file -> !file.endsWith("refused.csv")))
                                    .isEmpty();
                        }
                    });
        }
    }

    private static void awaitReady(int management) {
        try (MeshClient client =
                new MeshClient(URI.create("http://127.0.0.1:" + management), "none")) {
            await().atMost(SOON)
                    .ignoreExceptions()
                    .until(() ->
                            client.exchange("GET", "/actuator/health/readiness", null, false).ok());
        }
    }

    private static Path log(MeshUnderTest mesh, String name) {
        return mesh.home().resolve("logs").resolve("fault-" + name + ".log");
    }

    /** A moment of the test's own choosing, not a condition. */
    private static void pause(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        long left;
        while ((left = end - System.nanoTime()) > 0) {
            LockSupport.parkNanos(left);
        }
    }
}
