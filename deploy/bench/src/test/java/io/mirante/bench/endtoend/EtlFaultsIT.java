package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import io.mirante.testkit.FaultPointAutoConfiguration;
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
    private static final Duration POLL = Duration.ofMillis(20);

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
        int times = 2;
        try (Traffic traffic = new Traffic(mesh, "gap")) {
            ProcessHandle etl = mesh.process("etl");
            ServiceCommand command = ServiceCommand.of(etl);
            MeshUnderTest.kill(etl);
            for (int i = 0; i < times; i++) {
                int polls = 1 + new Random(SEED + i).nextInt(6);
                Process halting =
                        command.start(
                                log(mesh, "gap" + i),
                                List.of(),
                                "--mirante.fault.halt=after-commit:" + polls);
                await("halt after poll " + polls + " of seed " + (SEED + i))
                        .atMost(SOON)
                        .until(() -> !halting.isAlive());
                assertThat(halting.exitValue())
                        .as("see %s", log(mesh, "gap" + i))
                        .isEqualTo(FaultPointAutoConfiguration.KILLED);
            }
            mesh.up();
            traffic.flows();
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
                    Traffic traffic = new Traffic(mesh, "runs" + round)) {
                List<FeatureRuns> both = List.of(copying, committing);
                Duration took = loadOne(both);
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
                Traffic traffic = new Traffic(mesh, "database")) {
            loadOne(List.of(runs));
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
            runs.upload(csv(ROWS));
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
        try (Traffic traffic = new Traffic(mesh, "streams");
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

    // --- inside

    /** Two tenants under load, and their judge. */
    private final class Traffic implements AutoCloseable {
        private final MeshUnderTest mesh;
        private final String prefix;
        private final Ledger ledger;
        private final Oracle oracle;
        private final List<MeshUnderTest.Tenant> tenants;
        private final List<MeshClient> clients;
        private final LedgerLoad load;

        Traffic(MeshUnderTest mesh, String name) {
            this.mesh = mesh;
            prefix = "etl-" + name + "-" + SEED + "-";
            System.out.println(prefix + ": -Dmirante.fault.seed=" + SEED + ", runs " + RUNS);
            ledger = new Ledger(mesh.home().resolveSibling("ledger-etl-" + name + ".txt"));
            oracle = new Oracle(mesh);
            tenants = List.of(mesh.newTenant("Of " + name), mesh.newTenant("Beside " + name));
            clients =
                    tenants.stream()
                            .map(tenant -> new MeshClient(mesh.url(), tenant.key()))
                            .toList();
            load =
                    new LedgerLoad(
                            ledger,
                            List.of(
                                    new LedgerLoad.Sender(
                                            tenants.getFirst().id(), clients.getFirst()),
                                    new LedgerLoad.Sender(
                                            tenants.getLast().id(), clients.getLast())),
                            prefix,
                            random.nextLong(),
                            true,
                            Duration.ofMillis(400));
        }

        /** Returns once events are acknowledged. */
        void flows() {
            int before = ledger.countAcknowledged();
            await().atMost(SOON)
                    .until(() -> load.failed() || ledger.countAcknowledged() > before + 100);
        }

        long acknowledgedSince(Instant from) {
            return load.attempts(from, Instant.now()).stream()
                    .filter(a -> a.status() >= 200 && a.status() < 300)
                    .count();
        }

        FeatureRuns runs(int tenant) {
            return new FeatureRuns(mesh, tenants.get(tenant).id(), tenants.get(tenant).key());
        }

        /** Ends the load, and asks the oracle. */
        void judge() {
            load.stop();
            System.out.println(prefix + oracle.awaitQuiet(clients.toArray(MeshClient[]::new)));
            oracle.check(ledger, prefix);
        }

        @Override
        public void close() {
            load.close();
            clients.forEach(MeshClient::close);
            ledger.close();
        }
    }

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

    /** What of a tenant the test locks, so that etl waits for it, until this is closed. */
    private static final class Locked implements AutoCloseable {
        private final Oracle oracle;
        private final Connection database;
        private final String query;
        private final String tenant;
        private final long pid;

        /** @param query that locks what it finds */
        Locked(MeshUnderTest mesh, String query, String tenant) {
            this.oracle = new Oracle(mesh);
            this.query = query;
            this.tenant = tenant;
            try {
                database = mesh.database();
                try (var statement = database.createStatement();
                        var rows = statement.executeQuery("SELECT pg_backend_pid()")) {
                    rows.next();
                    pid = rows.getLong(1);
                }
                database.setAutoCommit(false);
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        }

        /** @param condition of a run {@code r} */
        static Locked run(MeshUnderTest mesh, FeatureRuns runs, String condition) {
            return new Locked(
                    mesh,
                    "SELECT 1 FROM etl.etl_run r WHERE tenant_id = ? AND "
                            + condition
                            + " FOR UPDATE",
                    runs.tenant());
        }

        /** Waits until there is something, and locks it. */
        void take() {
            try (var statement = database.prepareStatement(query)) {
                statement.setString(1, tenant);
                await("something to lock: " + query)
                        .atMost(FeatureRuns.LIMIT)
                        .pollInSameThread()
                        .pollDelay(Duration.ZERO)
                        .pollInterval(POLL)
                        .until(() -> {
                            try (var rows = statement.executeQuery()) {
                                if (rows.next()) {
                                    return true;
                                }
                            }
                            database.rollback();
                            return false;
                        });
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        }

        /** Waits until etl does; answers its connection's process. */
        long awaitWaiting() {
            return await("etl waits for " + query)
                    .atMost(FeatureRuns.LIMIT)
                    .pollInterval(POLL)
                    .until(
                            () ->
                                    oracle.number(
                                            "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE %d = ANY (pg_blocking_pids(pid))"
                                                    .formatted(pid)),
                            waiting -> waiting > 0);
        }

        void terminate(long waiting) {
            assertThat(oracle.number("SELECT pg_terminate_backend(%d)::int".formatted(waiting)))
                    .isOne();
        }

        @Override
        public void close() {
            try {
                database.close();
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
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
    private static Duration loadOne(List<FeatureRuns> all) {
        for (FeatureRuns runs : all) {
            runs.upload(csv(ROWS));
            runs.begin("one");
        }
        Duration longest = Duration.ZERO;
        for (FeatureRuns runs : all) {
            JsonNode run = completed(runs, "one");
            runs.upload(csv(MORE_ROWS));
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

    /** Transactions, each user's turn after the other's. */
    private static byte[] csv(int rows) {
        var text =
                new StringBuilder(
                        "transaction_id,user_id,amount,transaction_type,status,created_at\n");
        var random = new Random(SEED);
        for (int row = 0; row < rows; row++) {
            text.append(
                    "t%d,u%d,%d.50,bet,,2026-11-%02dT%02d:00:00Z\n"
                            .formatted(
                                    row,
                                    row % USERS,
                                    random.nextInt(100),
                                    1 + random.nextInt(20),
                                    random.nextInt(24)));
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
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

    /** Of what runs keep while they work; the lists of refused users stay. */
    private static void assertNothingLeft(MeshUnderTest mesh, FeatureRuns runs) {
        for (String job : runs.jobs()) {
            Path folder = mesh.home().resolve("files/etl/jobs").resolve(job);
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
