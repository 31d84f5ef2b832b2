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
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/**
 * Faults of etl on a whole mesh. Events are judged by ledgers and the {@link Oracle}, loads of features by what a reader sees all the
 * time. {@code -Dmirante.fault.runs} says how often, {@code -Dmirante.fault.seed} repeats a run. docs/reliability.md says which row of
 * the fault matrix is proven where.
 */
@ExtendWith(RunningMesh.class)
class EtlFaultsIT {
    private static final int RUNS = Integer.getInteger("mirante.fault.runs", 1);
    private static final long SEED = Long.getLong("mirante.fault.seed", System.currentTimeMillis());
    private static final Duration SOON = Duration.ofMinutes(2);

    private static final int USERS = 8_000;

    private static final int ROWS = 24_000;

    private final Random random = new Random(SEED);

    // --- events

    @Test
    void killedBetweenCommitAndPublicationNothingIsLostOrCountedTwice(MeshUnderTest mesh) {
        killBetweenCommitAndPublication(mesh, "gap", 2);
    }

    @Test
    @Tag("fault")
    void killedBetweenCommitAndPublicationAgainAndAgain(MeshUnderTest mesh) {
        killBetweenCommitAndPublication(mesh, "gaps", RUNS);
    }

    private void killBetweenCommitAndPublication(MeshUnderTest mesh, String name, int times) {
        try (Traffic traffic = new Traffic(mesh, name)) {
            ProcessHandle etl = mesh.process("etl");
            ServiceCommand command = ServiceCommand.of(etl);
            MeshUnderTest.kill(etl);
            for (int i = 0; i < times; i++) {
                int polls = 1 + new Random(SEED + i).nextInt(6);
                Process halting =
                        command.start(
                                log(mesh, name + i),
                                List.of(),
                                "--mirante.fault.halt=after-commit:" + polls);
                await("halt after poll " + polls + " of seed " + (SEED + i))
                        .atMost(SOON)
                        .until(() -> !halting.isAlive());
                assertThat(halting.exitValue())
                        .as("see %s", log(mesh, name + i))
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
        try (Traffic traffic = new Traffic(mesh, "replicas")) {
            ServiceCommand command = ServiceCommand.of(mesh.process("etl"));
            for (boolean kindly : List.of(true, false)) {
                int management = MeshUnderTest.freePort();
                Process replica =
                        command.replica(kindly ? 1 : 2, MeshUnderTest.freePort(), management)
                                .start(log(mesh, kindly ? "replica-1" : "replica-2"), List.of());
                awaitReady(management);
                traffic.flows();
                pause(random.nextInt(2_000));
                if (kindly) {
                    replica.destroy();
                } else {
                    MeshUnderTest.kill(replica.toHandle());
                }
                await().atMost(SOON).until(() -> !replica.isAlive());
                traffic.flows();
            }
            traffic.judge();
        }
    }

    // --- runs and loads

    @Test
    @Tag("fault")
    void poisonRowsOfALargeFileCostTheirNeighboursNothing(MeshUnderTest mesh) {
        try (FeatureRuns runs = runs(mesh, "Poison")) {
            int rows = 300_000;
            runs.upload(csv(rows, 2_000, true));
            runs.begin("poison");
            JsonNode run = runs.ended("poison");
            assertThat(run.path("status").asString()).as("%s", run).isEqualTo("completed");
            assertThat(run.path("records_extracted").asInt()).isEqualTo(rows + 3 * POISON.size());
            assertThat(run.path("records_cleaned").asInt()).isEqualTo(rows);
            assertThat(FeatureReader.look(mesh, runs.tenant()))
                    .isEqualTo(FeatureReader.state("poison", 2_000, rows, "poison"));
            JsonNode rejected = runs.report("poison").path("cleaning").path("rejected");
            assertThat(rejected.path("unreadable line").path("count").asInt())
                    .as("%s", rejected)
                    .isEqualTo(3 * 3);
            assertThat(rejected.path("type of amount").path("count").asInt())
                    .as("%s", rejected)
                    .isEqualTo(3);
        }
    }

    @Test
    @Tag("fault")
    void onAFullDiskARunFailsAndLeavesNothing(MeshUnderTest mesh) {
        try (FeatureRuns runs = runs(mesh, "Full disk");
                FeatureReader reader = new FeatureReader(mesh, runs.tenant())) {
            runs.upload(csv(ROWS, USERS, false));
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
                                    "mount -t tmpfs -o size=3m none \"$0\" && exec \"$@\"",
                                    jobs.toString()));
            runs.begin("one");
            JsonNode run = runs.ended("one");
            assertThat(run.path("status").asString()).isEqualTo("failed");
            assertThat(run.path("error").asString()).contains("tried three times");
            assertNothingLeft(Path.of("/proc/" + cramped.pid() + "/root" + jobs));
            cramped.destroyForcibly();
            await().until(() -> !cramped.isAlive());
            mesh.up();
            runs.begin("two");
            completed(runs, "two");
            reader.sawOnly(" | ", FeatureReader.state("two", USERS, ROWS, "two"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // --- inside

    /** Two tenants under load, and their judge. */
    private final class Traffic implements AutoCloseable {
        private final String prefix;
        private final Ledger ledger;
        private final Oracle oracle;
        private final MeshClient one;
        private final MeshClient two;
        private final LedgerLoad load;

        Traffic(MeshUnderTest mesh, String name) {
            prefix = "etl-" + name + "-" + SEED + "-";
            System.out.println(prefix + ": -Dmirante.fault.seed=" + SEED + ", runs " + RUNS);
            ledger = new Ledger(mesh.home().resolveSibling("ledger-etl-" + name + ".txt"));
            oracle = new Oracle(mesh);
            MeshUnderTest.Tenant other = mesh.newTenant("Beside " + name);
            one = mesh.client();
            two = new MeshClient(mesh.url(), other.key());
            load =
                    new LedgerLoad(
                            ledger,
                            List.of(
                                    new LedgerLoad.Sender("demo", one),
                                    new LedgerLoad.Sender(other.id(), two)),
                            prefix,
                            random.nextLong(),
                            true,
                            Duration.ofMillis(150));
        }

        /** Returns once events are acknowledged. */
        void flows() {
            int before = ledger.countAcknowledged();
            await().atMost(SOON)
                    .until(() -> load.failed() || ledger.countAcknowledged() > before + 100);
        }

        /** Ends the load, and asks the oracle. */
        void judge() {
            load.stop();
            System.out.println(prefix + oracle.awaitQuiet(one, two));
            oracle.check(ledger, prefix);
        }

        @Override
        public void close() {
            load.close();
            one.close();
            two.close();
            ledger.close();
        }
    }

    private static FeatureRuns runs(MeshUnderTest mesh, String name) {
        MeshUnderTest.Tenant tenant = mesh.newTenant(name);
        return new FeatureRuns(mesh, tenant.id(), tenant.key());
    }

    private static void completed(FeatureRuns runs, String id) {
        JsonNode run = runs.ended(id);
        assertThat(run.path("status").asString()).as("%s", run).isEqualTo("completed");
        assertThat(run.path("records_loaded").asInt()).isEqualTo(USERS);
    }

    /** Lines that are no rows, and a row whose number is none. */
    private static final List<String> POISON =
            List.of(
                    "p,u\u00ff,1.00,bet,,2026-11-20T10:00:00Z\n",
                    "p,u1,1.00,bet,,2026-11-20T10:00:00Z,one,too,many\n",
                    "p,u1\n",
                    "p,u1,1e400,bet,,2026-11-20T10:00:00Z\n");

    /** Transactions, each user's turn after the other's; poison at the start, in the middle and at the end. */
    private static byte[] csv(int rows, int users, boolean poison) {
        var text =
                new StringBuilder(
                        "transaction_id,user_id,amount,transaction_type,status,created_at\n");
        var random = new Random(SEED);
        for (int row = 0; row < rows; row++) {
            if (poison && (row == 0 || row == rows / 2 || row == rows - 1)) {
                POISON.forEach(text::append);
            }
            text.append(
                    "t%d,u%d,%d.50,bet,,2026-11-%02dT%02d:00:00Z\n"
                            .formatted(
                                    row,
                                    row % users,
                                    random.nextInt(100),
                                    1 + random.nextInt(20),
                                    random.nextInt(24)));
        }
        // So that a letter outside ASCII is no UTF-8.
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static Path jobs(MeshUnderTest mesh) {
        return mesh.home().resolve("files/etl/jobs");
    }

    /** Of what runs keep while they work; the lists of refused users stay. */
    private static void assertNothingLeft(Path jobs) {
        await("scratch is removed")
                .atMost(SOON)
                .untilAsserted(() -> {
                    try (Stream<Path> files = Files.walk(jobs)) {
                        assertThat(
                                        files.filter(Files::isRegularFile)
                                                .filter(file -> !file.endsWith("refused.csv")))
                                .isEmpty();
                    }
                });
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

    /** A time of the test's own choosing, not a condition. */
    private static void pause(long millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        long left;
        while ((left = end - System.nanoTime()) > 0) {
            LockSupport.parkNanos(left);
        }
    }
}
