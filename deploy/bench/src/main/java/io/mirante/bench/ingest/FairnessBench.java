package io.mirante.bench.ingest;

import io.mirante.bench.Options;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.ingest.Load.Seen;
import io.mirante.bench.mesh.BenchMesh;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a tenant feels of another one that offers twice its limit. Single events through the gateway of a whole mesh, open
 * loop: one tenant sends a steady {@value #STEADY} a second, the other has a limit and offers 95 % of it or twice as much, in
 * turn, its bucket emptied before. The figure is the steady tenant's 99th percentile in the one and in the other.
 */
public final class FairnessBench {

    private static final int STEADY = 50;
    private static final Duration ROUND = Duration.ofSeconds(20);
    private static final double BEHAVING = 0.95;
    private static final double OFFENDING = 2;

    /** At 2.7 times the rate a bucket that holds a minute's worth is empty after 35 s. */
    private static final double EMPTYING = 2.7;

    private static final Duration EMPTIED = Duration.ofSeconds(50);

    private final AtomicLong numbers = new AtomicLong();
    private final int port;
    private final int limit;
    private final String steadyKey;
    private final String limitedKey;

    private FairnessBench(BenchMesh mesh, int limit) throws IOException, InterruptedException {
        this.limit = limit;
        this.port =
                mesh.parts().stream()
                        .filter(part -> part.name().equals("gateway"))
                        .findFirst()
                        .orElseThrow(() -> new MeshException("the mesh has no gateway"))
                        .port();
        try (MeshClient root =
                new MeshClient(URI.create("http://127.0.0.1:" + port), "dev-key-123")) {
            this.steadyKey = key(root, "steady", 0);
            this.limitedKey = key(root, "limited", limit * 60);
        }
    }

    private static String key(MeshClient root, String tenant, int perMinute) {
        root.post("/api/v1/admin/tenants", Map.of("id", tenant, "name", tenant))
                .required("a tenant");
        return root.post(
                        "/api/v1/admin/keys",
                        Map.of(
                                "tenant_id",
                                tenant,
                                "name",
                                "bench",
                                "scopes",
                                List.of("ingest"),
                                "rate_limit",
                                perMinute))
                .required("a key")
                .body()
                .path("key")
                .asString("");
    }

    /**
     * Runs and prints.
     *
     * @param arguments {@code --limit N} requests a second of the limited tenant, {@code --rounds N} of both kinds
     * @return exit code; 1 when the median of the steady tenant's percentile grew by more than a quarter
     */
    public static int run(List<String> arguments, PrintStream out) {
        Options options =
                Options.of("fairness")
                        .number("--limit", 200, 10, 2_000)
                        .number("--rounds", 5, 1, 20)
                        .read(arguments);
        var fair = new boolean[1];
        int code =
                BenchMesh.use(
                        "fairness",
                        Map.of("MESH_AOT", "off"),
                        out,
                        mesh -> {
                            mesh.run("up", "--detach");
                            fair[0] =
                                    new FairnessBench(mesh, options.value("--limit"))
                                            .measure(options.value("--rounds"), out);
                        });
        return code == 0 && !fair[0] ? 1 : code;
    }

    private record Both(Seen steady, Seen limited) {}

    private boolean measure(int rounds, PrintStream out) {
        Both emptied = offer(EMPTYING, EMPTIED);
        if (emptied.limited().refused() == 0) {
            throw new MeshException("the limited tenant was never refused");
        }
        List<Double> behaving = new ArrayList<>();
        List<Double> offending = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            behaving.add(told(offer(BEHAVING, ROUND), "within its limit", out));
            offending.add(told(offer(OFFENDING, ROUND), "at twice its limit", out));
        }
        double ratio = median(offending) / median(behaving);
        out.printf(
                "steady tenant's p99: %.1f ms, and %.1f ms beside twice the limit of another: %.2f (must be 1.25 or less)%n",
                median(behaving), median(offending), ratio);
        return ratio <= 1.25;
    }

    private static double told(Both seen, String what, PrintStream out) {
        if (seen.steady().refused() > 0) {
            throw new MeshException(
                    "the steady tenant was refused %d times".formatted(seen.steady().refused()));
        }
        double p99 = seen.steady().millis(0.99);
        out.printf(
                "  other tenant %-20s %,6d accepted, %,6d refused; steady tenant p50 %.1f ms, p99 %.1f ms%n",
                what + ":",
                seen.limited().requests(),
                seen.limited().refused(),
                seen.steady().millis(0.50),
                p99);
        return p99;
    }

    private Both offer(double ofLimit, Duration time) {
        try (Load steady = load(steadyKey, 8);
                Load limited = load(limitedKey, 32)) {
            var other = CompletableFuture.supplyAsync(() -> limited.open(time, limit * ofLimit));
            return new Both(steady.open(time, STEADY), other.join());
        }
    }

    private Load load(String key, int connections) {
        return new Load(
                port,
                "/api/v1/events",
                "x-api-key: " + key + "\r\n",
                connections,
                IngestBench::event,
                numbers);
    }

    private static double median(List<Double> all) {
        return all.stream().sorted().toList().get(all.size() / 2);
    }
}
