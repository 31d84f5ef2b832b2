package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import io.mirante.testkit.FaultPointAutoConfiguration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

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

    private final Random random = new Random(SEED);

    // --- events

    @Test
    void killedBetweenCommitAndPublicationNothingIsLostOrCountedTwice(MeshUnderTest mesh) {
        killBetweenCommitAndPublication(mesh, "gap", 2);
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

    private static Path log(MeshUnderTest mesh, String name) {
        return mesh.home().resolve("logs").resolve("fault-" + name + ".log");
    }
}
