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
 * Starts a mesh of its own (its folder and ports beside any other) and the probes, in turn, with warm class caches.
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
        out.println("Training class caches: the mesh's own, then the probes' …");
        mesh.run("up", "--detach");
        awaitCaches();
        mesh.run("down");
        var bare = new ProbeMesh(mesh.folder().resolve("bare"), Probe.BARE);
        bare.train();
        var libraries = new ProbeMesh(mesh.folder().resolve("libraries"), Probe.LIBRARIES);
        libraries.train();
        List<Measured> ours = new ArrayList<>();
        List<Measured> limit = new ArrayList<>();
        List<Measured> libraryLimit = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            ours.add(once());
            limit.add(bare.once());
            libraryLimit.add(libraries.once());
            out.printf(
                    "  round %d: mesh %s; L9 %s; with a service's libraries %s%n",
                    round,
                    text(ours.getLast()),
                    text(limit.getLast()),
                    text(libraryLimit.getLast()));
        }
        out.printf(
                "Medians of %d rounds; JDK %s, %d processors, %s%n",
                rounds,
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name"));
        out.printf(
                "  %-24s %9s %9s %7s %16s %7s%n",
                "", "mesh", "L9", "ratio", "with libraries", "ratio");
        row("start to all ready", "s", StartBench::seconds, ours, limit, libraryLimit);
        row("memory, idle (PSS)", "MiB", StartBench::mebibytes, ours, limit, libraryLimit);
    }

    private void row(
            String name,
            String unit,
            ToDoubleFunction<Measured> figure,
            List<Measured> ours,
            List<Measured> limit,
            List<Measured> libraryLimit) {
        double mesh = median(ours, figure);
        double bare = median(limit, figure);
        double libraries = median(libraryLimit, figure);
        out.printf(
                "  %-24s %9s %9s %7.2f %16s %7.2f%n",
                name,
                text(mesh, unit),
                text(bare, unit),
                bare / mesh,
                text(libraries, unit),
                libraries / mesh);
    }

    private static String text(Measured measured) {
        return text(seconds(measured), "s") + ", " + text(mebibytes(measured), "MiB");
    }

    private static String text(double value, String unit) {
        return (unit.equals("s") ? "%.1f %s" : "%.0f %s").formatted(value, unit);
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
