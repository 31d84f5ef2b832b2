package io.mirante.bench.endtoend;

import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Two tenants of their own under load, and their judge. */
final class Traffic implements AutoCloseable {
    private static final Duration SOON = Duration.ofMinutes(2);

    private final MeshUnderTest mesh;
    private final String prefix;
    private final Ledger ledger;
    private final Oracle oracle;
    private final List<MeshUnderTest.Tenant> tenants;
    private final List<MeshClient> clients;
    private final LedgerLoad load;

    /** @param name of the fault, unlike any other on this mesh */
    Traffic(MeshUnderTest mesh, String name, long seed) {
        this(
                mesh,
                name,
                seed,
                List.of(mesh.newTenant("Of " + name), mesh.newTenant("Beside " + name)),
                new Oracle(mesh));
    }

    private Traffic(
            MeshUnderTest mesh,
            String name,
            long seed,
            List<MeshUnderTest.Tenant> tenants,
            Oracle oracle) {
        this.mesh = mesh;
        this.tenants = tenants;
        this.oracle = oracle;
        prefix = "fault-" + name + "-" + seed + "-";
        System.out.println(prefix + ": -Dmirante.fault.seed=" + seed);
        ledger = new Ledger(mesh.home().resolveSibling("ledger-" + name + ".txt"));
        clients = tenants.stream().map(tenant -> new MeshClient(mesh.url(), tenant.key())).toList();
        load =
                new LedgerLoad(
                        ledger,
                        List.of(
                                new LedgerLoad.Sender(tenants.getFirst().id(), clients.getFirst()),
                                new LedgerLoad.Sender(tenants.getLast().id(), clients.getLast())),
                        prefix,
                        seed,
                        true,
                        Duration.ofMillis(400));
    }

    /** More of the same tenants, on a Kafka that has lost what there was. */
    Traffic again(String name, long seed, Oracle.Accounts lost) {
        return new Traffic(mesh, name, seed, tenants, new Oracle(mesh, lost));
    }

    List<MeshUnderTest.Tenant> tenants() {
        return tenants;
    }

    List<MeshClient> clients() {
        return clients;
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
