package io.mirante.bench.analytics;

import io.mirante.bench.Options;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.etl.BenchPostgres;
import io.mirante.bench.etl.EtlBench;
import io.mirante.bench.etl.EtlBench.Figures;
import io.mirante.bench.mesh.BenchMesh;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Questions about behaviour through the gateway, over a lake of generated events. Probe L6: DuckDB alone, with as many threads, reads
 * and filters the same columns of the same files and consumes every value. The first answer is compared with a count of its own.
 */
public final class AnalyticsBench {
    private static final String KEY = "dev-key-123";
    private static final String TENANT = "demo";
    private static final int DAYS = 90;
    private static final LocalDate FIRST = LocalDate.parse("2026-08-01");
    private static final List<String> STEPS =
            List.of("page_view", "product_view", "add_to_cart", "purchase");
    private static final int WINDOW_DAYS = 14;
    private static final String FUNNEL = "funnel, seconds";
    private static final String READ = "L6 DuckDB reads and filters the same, seconds";

    private AnalyticsBench() {}

    /**
     * Runs and prints.
     *
     * @param arguments {@code --rounds N}, 1 to 20, default 5; {@code --millions N} of events, 1 to 100, default 10
     * @return exit code
     */
    public static int run(List<String> arguments, PrintStream out) {
        Options options =
                Options.of("analytics")
                        .number("--rounds", 5, 1, 20)
                        .number("--millions", 10, 1, 100)
                        .read(arguments);
        return BenchMesh.use(
                "analytics",
                Map.of(
                        "MESH_SERVICES",
                        "gateway,snapshot",
                        "MESH_ALL_TIERS",
                        "on",
                        "MESH_AOT",
                        "off",
                        "MESH_START_TIMEOUT_SECONDS",
                        "600"),
                out,
                mesh -> measure(mesh, options, out));
    }

    private static void measure(BenchMesh mesh, Options options, PrintStream out)
            throws IOException, InterruptedException {
        mesh.run("up", "--detach");
        var figures = new Figures();
        int events = options.value("--millions") * 1_000_000;
        out.printf(
                "JDK %s, %d processors; %,d events of %,d persons over %d days …%n",
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                events,
                events / 20,
                DAYS);
        var snapshot = mesh.part("snapshot");
        try (var postgres = new BenchPostgres(mesh.home(), mesh.part("postgres").port());
                var lake = new GeneratedLake(mesh.home().resolve("files/snapshot/lake"), TENANT);
                var client =
                        new MeshClient(
                                URI.create("http://127.0.0.1:" + mesh.part("gateway").port()),
                                KEY)) {
            lake.write(FIRST, DAYS, events, postgres::execute);
            out.printf("  %,d MiB in files%n", lake.bytes() >> 20);
            for (int round = -1; round <= options.value("--rounds"); round++) {
                double read = lake.read(STEPS);
                long cpu = snapshot.cpuNanos();
                long begin = System.nanoTime();
                List<Long> users = funnel(client);
                double seconds = (System.nanoTime() - begin) / 1e9;
                double busy = (snapshot.cpuNanos() - cpu) / 1e9;
                if (round < 0) {
                    List<Long> expected = lake.funnel(STEPS, WINDOW_DAYS);
                    if (!users.equals(expected)) {
                        throw new MeshException(
                                "the funnel is %s, counted here %s".formatted(users, expected));
                    }
                }
                out.printf(
                        "  %s: %.2f s (snapshot's CPU %.2f s), %s; L6 %.2f s%n",
                        round > 0 ? "round " + round : "warm", seconds, busy, users, read);
                if (round > 0) {
                    figures.note(FUNNEL, seconds);
                    figures.note("funnel, CPU seconds of snapshot", busy);
                    figures.note(READ, read);
                }
            }
        }
        figures.ratio(
                "L6 ÷ funnel (must / aim; and at most 1 s)",
                figures.median(READ) / figures.median(FUNNEL),
                "0.40 / 0.70");
        out.printf(
                "Medians of %d rounds; snapshot's largest resident memory %d MiB; load average %s%n",
                options.value("--rounds"),
                EtlBench.peakMebibytes(snapshot.pid()),
                EtlBench.loadAverage());
        figures.print(out);
    }

    private static List<Long> funnel(MeshClient client) {
        var answer =
                client.post(
                                "/api/v1/analytics/funnel",
                                Map.of(
                                        "window",
                                        "P" + WINDOW_DAYS + "D",
                                        "steps",
                                        STEPS.stream()
                                                .map(type -> Map.of("condition_type", type))
                                                .toList()))
                        .required("the funnel")
                        .body();
        var users = new ArrayList<Long>();
        IntStream.range(0, STEPS.size())
                .forEach(i -> users.add(answer.path("steps").path(i).path("users").asLong()));
        return users;
    }
}
