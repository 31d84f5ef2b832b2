package io.mirante.bench.etl;

import io.mirante.bench.Options;
import io.mirante.bench.mesh.BenchMesh;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What etl-service does with events and with files, against what PostgreSQL and DuckDB alone need for the same rows. A mesh of its
 * own with the gateway, etl, Kafka and PostgreSQL alone. Rounds are interleaved with their probes, figures are medians.
 */
public final class EtlBench {
    private static final int IDS = 1_000_000;
    private static final int ALL_IDS = 10_000_000;
    private static final int ROWS = 1_000_000;
    private static final int ALL_ROWS = 10_000_000;
    private static final int USERS = 50_000;
    private static final int ALL_USERS = 1_000_000;

    private EtlBench() {}

    /**
     * Runs and prints.
     *
     * @param arguments {@code --rounds N}, 1 to 20, default 3; {@code --events N} of a round of the event log; {@code --full}: with 10
     *     million ids already there, and once a file of 10 million rows with poison among them; {@code --only-log}, {@code --only-batch}
     * @return exit code
     */
    public static int run(List<String> arguments, PrintStream out) {
        Options options =
                Options.of("etl")
                        .number("--rounds", 3, 1, 20)
                        .number("--events", 60_000, 1_000, 1_000_000)
                        .flag("--full")
                        .flag("--only-log")
                        .flag("--only-batch")
                        .read(arguments);
        return BenchMesh.use(
                "etl",
                Map.of(
                        "MESH_SERVICES",
                        "gateway,etl",
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
        boolean full = options.isOn("--full");
        int rounds = options.value("--rounds");
        var figures = new Figures();
        out.printf(
                "JDK %s, %d processors, load average %s%n",
                Runtime.version(), Runtime.getRuntime().availableProcessors(), loadAverage());
        try (var postgres = new BenchPostgres(mesh.home(), mesh.part("postgres").port())) {
            if (!options.isOn("--only-batch")) {
                new EventLogBench(
                                out,
                                mesh.folder(),
                                postgres,
                                mesh.part("kafka"),
                                mesh.part("etl"),
                                figures)
                        .measure(full ? ALL_IDS : IDS, options.value("--events"), rounds);
            }
            if (!options.isOn("--only-log")) {
                try (var batch =
                        new BatchBench(
                                out,
                                mesh.folder(),
                                postgres,
                                mesh.part("postgres"),
                                mesh.part("gateway").port(),
                                mesh.part("etl"),
                                figures)) {
                    batch.measure(ROWS, USERS, rounds);
                    if (full) {
                        batch.large(ALL_ROWS, ALL_USERS);
                    }
                }
            }
        }
        out.printf("Medians of %d rounds; load average %s%n", rounds, loadAverage());
        figures.print(out);
    }

    /** Largest resident memory of a process so far, in MiB; 0 where the system does not say. */
    public static long peakMebibytes(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) >> 10)
                    .findFirst()
                    .orElse(0);
        } catch (IOException unknown) {
            return 0;
        }
    }

    /** Of the last minute, as the system says it. */
    public static String loadAverage() {
        try {
            return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
        } catch (IOException unknown) {
            return "unknown";
        }
    }

    /** Measured values by name. */
    public static final class Figures {
        private final Map<String, List<Double>> all = new LinkedHashMap<>();
        private final List<Runnable> lines = new ArrayList<>();
        private PrintStream out = System.out;

        public void note(String name, double figure) {
            all.computeIfAbsent(
                            name,
                            ignored -> {
                                lines.add(
                                        () -> out.printf("  %-58s %,12.1f%n", name, median(name)));
                                return new ArrayList<>();
                            })
                    .add(figure);
        }

        public double median(String name) {
            List<Double> values = all.getOrDefault(name, List.of());
            return values.isEmpty()
                    ? Double.NaN
                    : values.stream().sorted().toList().get(values.size() / 2);
        }

        public void ratio(String name, double ratio, String wanted) {
            lines.add(() -> out.printf("  %-58s %12.2f   (%s)%n", name, ratio, wanted));
        }

        public void print(PrintStream to) {
            out = to;
            lines.forEach(Runnable::run);
        }
    }
}
