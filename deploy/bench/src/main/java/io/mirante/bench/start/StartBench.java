package io.mirante.bench.start;

import io.mirante.bench.client.MeshException;
import io.mirante.embedded.FreePorts;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Starts a mesh of its own (its folder and ports beside any other) and the probe, in turn, with warm class caches.
 * Ratios are limit ÷ ours.
 */
public final class StartBench {
    private static final int SERVICES = 8;
    private static final int CUT_SHORT = 130;
    private static final Duration TRAINING_LIMIT = Duration.ofMinutes(10);
    private static final Duration EXIT_LIMIT = Duration.ofSeconds(10);
    private static final Duration CLEAN_UP_LIMIT = Duration.ofMinutes(3);

    private final PrintStream out;
    private final Path checkout;
    private final Path folder;
    private final int port = FreePorts.next();

    private StartBench(PrintStream out, Path checkout, Path folder) {
        this.out = out;
        this.checkout = checkout;
        this.folder = folder;
    }

    /**
     * Runs and prints.
     *
     * @param arguments {@code --rounds N}, 1 to 20, default 5
     * @return exit code
     */
    public static int run(List<String> arguments, PrintStream out) {
        int rounds = 5;
        if (arguments.size() == 2
                && arguments.getFirst().equals("--rounds")
                && arguments.get(1).matches("[1-9]|1[0-9]|20")) {
            rounds = Integer.parseInt(arguments.get(1));
        } else if (!arguments.isEmpty()) {
            out.println("usage: ./mesh bench start [--rounds N], N from 1 to 20");
            return 2;
        }
        Path checkout =
                Path.of(System.getProperty("mirante.checkout", ".")).toAbsolutePath().normalize();
        var told = new AtomicBoolean();
        var ended = new CountDownLatch(1);
        Thread runner = Thread.currentThread();
        Thread hook =
                Thread.ofPlatform()
                        .unstarted(() -> {
                            // Told to end: the run is cut short, and this JVM stays until it has
                            // stopped what it started.
                            if (ended.getCount() > 0) {
                                told.set(true);
                                out.println("Stopping what the bench has started …");
                                runner.interrupt();
                                await(ended);
                            }
                        });
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            Path folder = Files.createTempDirectory("mirante-bench-start");
            var bench = new StartBench(out, checkout, folder);
            try {
                bench.measure(rounds);
            } finally {
                // Interrupted or not, what follows is done to its end.
                Thread.interrupted();
                bench.cleanUp();
            }
            return 0;
        } catch (IOException | InterruptedException | RuntimeException e) {
            if (told.get()) {
                return CUT_SHORT;
            }
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            throw e instanceof MeshException known
                    ? known
                    : new MeshException("bench start: " + e.getMessage(), e);
        } finally {
            ended.countDown();
        }
    }

    private static void await(CountDownLatch ended) {
        try {
            if (!ended.await(CLEAN_UP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                System.err.println(
                        "mesh bench: not everything was stopped within "
                                + CLEAN_UP_LIMIT.toSeconds()
                                + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops the mesh if it runs, and removes the folder. */
    private void cleanUp() throws IOException {
        try {
            if (Files.isDirectory(folder.resolve("home"))) {
                mesh("down");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MeshException("interrupted while stopping the mesh", e);
        } finally {
            // Of the probe, one that was just being started may be left.
            List<ProcessHandle> left = ProcessHandle.current().descendants().toList();
            left.forEach(ProcessHandle::destroyForcibly);
            left.forEach(child ->
                    child.onExit()
                            .completeOnTimeout(child, EXIT_LIMIT.toSeconds(), TimeUnit.SECONDS)
                            .join());
            delete(folder);
        }
    }

    private void measure(int rounds) throws IOException, InterruptedException {
        out.println("Training class caches: the mesh's own, then the probe's …");
        mesh("up", "--detach");
        awaitCaches();
        mesh("down");
        BareMesh bare = new BareMesh(folder.resolve("bare"));
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
        mesh("up", "--detach");
        Duration took = Duration.between(begin, Instant.now());
        Memory.settle();
        JsonNode status = JsonMapper.shared().readTree(mesh("status", "--json"));
        long pss = 0;
        for (JsonNode part : status.path("parts")) {
            pss += part.path("pss_bytes").asLong(0);
        }
        mesh("down");
        return new Measured(took, pss);
    }

    private String mesh(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(checkout.resolve("mesh").toString());
        command.addAll(List.of(arguments));
        Path output = folder.resolve("mesh.out");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(checkout.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        builder.environment().put("MIRANTE_HOME", folder.resolve("home").toString());
        builder.environment().put("PORT", Integer.toString(port));
        Process process = builder.start();
        int code;
        try {
            code = process.waitFor();
        } catch (InterruptedException e) {
            end(process);
            throw e;
        }
        String text = Files.readString(output);
        if (code != 0) {
            throw new MeshException(
                    "./mesh " + String.join(" ", arguments) + " ended with " + code + ":\n" + text);
        }
        return text;
    }

    /** Asks a {@code ./mesh} to end, with the build it may be running; the launcher stops what it has started. */
    private static void end(Process process) {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroy();
        process.onExit().join();
        children.forEach(ProcessHandle::destroy);
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
                Files.newDirectoryStream(folder.resolve("home/aot"), "*.aot")) {
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

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
