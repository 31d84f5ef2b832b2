package io.mirante.bench.start;

import io.mirante.bench.Options;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.mesh.BenchMesh;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Starts a mesh of its own (its folder and ports beside any other) and the probe, in turn, with warm class caches.
 * Ratios are limit ÷ ours.
 */
public final class StartBench {
    private static final int SERVICES = 8;
    private static final Duration TRAINING_LIMIT = Duration.ofMinutes(20);

    private final PrintStream out;
    private final BenchMesh mesh;

    private StartBench(PrintStream out, BenchMesh mesh) {
        this.out = out;
        this.mesh = mesh;
    }

    /**
     * Runs and prints.
     *
     * @param arguments {@code --rounds N}, 1 to 20, default 5
     * @return exit code
     */
    public static int run(List<String> arguments, PrintStream out) {
        int rounds =
                Options.of("start").number("--rounds", 5, 1, 20).read(arguments).value("--rounds");
        return BenchMesh.use(
                "start", Map.of(), out, mesh -> new StartBench(out, mesh).measure(rounds));
    }

    private void measure(int rounds) throws IOException, InterruptedException {
        out.println("Training class caches: the mesh's own, then the probe's …");
        mesh.run("up", "--detach");
        awaitCaches();
        mesh.run("down");
        BareMesh bare = new BareMesh(mesh.folder().resolve("bare"));
        bare.train();
        List<Measured> ours = new ArrayList<>();
        List<Measured> limit = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            ours.add(once());
            limit.add(bare.once());
            out.printf(
                    "  round %d: mesh %.1f s, %d MiB; probe %.1f s, %d MiB%n",
                    round,
                    seconds(ours.getLast()),
                    mebibytes(ours.getLast()),
                    seconds(limit.getLast()),
                    mebibytes(limit.getLast()));
        }
        double start = median(ours, StartBench::seconds);
        double startLimit = median(limit, StartBench::seconds);
        double memory = median(ours, measured -> mebibytes(measured));
        double memoryLimit = median(limit, measured -> mebibytes(measured));
        out.printf(
                "Medians of %d rounds; JDK %s, %d processors, %s%n",
                rounds,
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name"));
        out.printf("  %-34s %10s %10s %8s%n", "", "mesh", "L9", "ratio");
        out.printf(
                "  %-34s %8.1f s %8.1f s %8.2f%n",
                "start to all ready", start, startLimit, startLimit / start);
        out.printf(
                "  %-34s %6.0f MiB %6.0f MiB %8.2f%n",
                "memory, idle (PSS)", memory, memoryLimit, memoryLimit / memory);
    }

    private Measured once() throws IOException, InterruptedException {
        Instant begin = Instant.now();
        mesh.run("up", "--detach");
        Duration took = Duration.between(begin, Instant.now());
        Memory.settle();
        long pss = mesh.parts().stream().mapToLong(BenchMesh.Part::pssBytes).sum();
        mesh.run("down");
        return new Measured(took, pss);
    }

    /** The launcher trains in the background after the first start. */
    private void awaitCaches() throws IOException {
        Instant limit = Instant.now().plus(TRAINING_LIMIT);
        while (caches() < SERVICES) {
            if (Instant.now().isAfter(limit)) {
                throw new MeshException(
                        "only %d of %d class caches after %d minutes"
                                .formatted(caches(), SERVICES, TRAINING_LIMIT.toMinutes()));
            }
            Memory.pause(Duration.ofSeconds(1));
        }
    }

    private int caches() throws IOException {
        int count = 0;
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(mesh.home().resolve("aot"), "*.aot")) {
            for (Path ignored : files) {
                count++;
            }
        }
        return count;
    }

    private static double seconds(Measured measured) {
        return measured.untilReady().toMillis() / 1000.0;
    }

    private static long mebibytes(Measured measured) {
        return measured.pssBytes() >> 20;
    }

    private static double median(List<Measured> all, ToDoubleFunction<Measured> figure) {
        return all.stream()
                .mapToDouble(figure)
                .sorted()
                .skip(all.size() / 2)
                .findFirst()
                .orElse(Double.NaN);
    }
}
