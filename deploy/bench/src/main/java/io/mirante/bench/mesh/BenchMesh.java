package io.mirante.bench.mesh;

import io.mirante.bench.client.MeshException;
import io.mirante.embedded.FreePorts;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A mesh of a benchmark's own, in a folder and on ports beside any other. What the benchmark has started, in the mesh or
 * as child processes, is gone when it ends, also when it is told to end. Not thread-safe.
 */
public final class BenchMesh {
    private static final int CUT_SHORT = 130;
    private static final int NOT_ALL_READY = 3;
    private static final Duration EXIT_LIMIT = Duration.ofSeconds(10);
    private static final Duration CLEAN_UP_LIMIT = Duration.ofMinutes(3);

    /** A process of the mesh. */
    public record Part(String name, long pid, int port, long pssBytes) {

        /** CPU time that it, and what it has started, has used so far; 0 when it has ended. */
        public long cpuNanos() {
            return BenchMesh.cpuNanos(pid);
        }

        /** Asks it to end and waits until it has. */
        public void end() {
            ProcessHandle.of(pid)
                    .ifPresent(process -> {
                        process.destroy();
                        process.onExit().join();
                    });
        }
    }

    /** CPU time that a process and those it has started have used so far; 0 when it has ended. */
    public static long cpuNanos(long pid) {
        return ProcessHandle.of(pid).stream()
                .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
                .flatMap(process -> process.info().totalCpuDuration().stream())
                .mapToLong(Duration::toNanos)
                .sum();
    }

    /** What a benchmark does with its mesh, which it starts itself. */
    @FunctionalInterface
    public interface Work {
        void measure(BenchMesh mesh) throws IOException, InterruptedException;
    }

    private final Path checkout =
            Path.of(System.getProperty("mirante.checkout", ".")).toAbsolutePath().normalize();
    private final Path folder;
    private final Map<String, String> environment;
    private final int port = FreePorts.next();

    private BenchMesh(Path folder, Map<String, String> environment) {
        this.folder = folder;
        this.environment = environment;
    }

    /**
     * Runs a benchmark and cleans up after it.
     *
     * @param environment settings of the mesh
     * @return exit code: 0, or 130 when it was told to end
     * @throws MeshException when it failed
     */
    public static int use(
            String name, Map<String, String> environment, PrintStream out, Work work) {
        var told = new AtomicBoolean();
        var ended = new CountDownLatch(1);
        Thread runner = Thread.currentThread();
        Runtime.getRuntime()
                .addShutdownHook(
                        Thread.ofPlatform()
                                .unstarted(() -> {
                                    // Told to end: the run is cut short, and this JVM stays until
                                    // it has stopped what it started.
                                    if (ended.getCount() > 0) {
                                        told.set(true);
                                        out.println("Stopping what the bench has started …");
                                        runner.interrupt();
                                        await(ended);
                                    }
                                }));
        try {
            var mesh =
                    new BenchMesh(Files.createTempDirectory("mirante-bench-" + name), environment);
            try {
                work.measure(mesh);
            } finally {
                // Interrupted or not, what follows is done to its end.
                Thread.interrupted();
                mesh.cleanUp();
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
                    : new MeshException("bench " + name + ": " + e.getMessage(), e);
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

    /** Files of the benchmark; removed at its end. */
    public Path folder() {
        return folder;
    }

    /** Where the mesh keeps its data, keys and logs. */
    public Path home() {
        return folder.resolve("home");
    }

    /**
     * Runs a command of {@code ./mesh}, such as {@code up --detach}.
     *
     * @return what it printed
     * @throws MeshException when it did not end with 0
     */
    public String run(String... arguments) throws IOException, InterruptedException {
        return run(Set.of(0), arguments);
    }

    private String run(Set<Integer> fine, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(checkout.resolve("mesh").toString());
        command.addAll(List.of(arguments));
        Path output = folder.resolve("mesh.out");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(checkout.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        builder.environment().put("MIRANTE_HOME", home().toString());
        builder.environment().put("PORT", Integer.toString(port));
        builder.environment().putAll(environment);
        Process process = builder.start();
        int code;
        try {
            code = process.waitFor();
        } catch (InterruptedException e) {
            end(process);
            throw e;
        }
        String text = Files.readString(output);
        if (!fine.contains(code)) {
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

    /** One of its processes, which is running. */
    public Part part(String name) throws IOException, InterruptedException {
        return parts().stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new MeshException("the mesh has no part " + name));
    }

    /** The processes that run, also while one of them is not ready. */
    public List<Part> parts() throws IOException, InterruptedException {
        List<Part> parts = new ArrayList<>();
        String status = run(Set.of(0, NOT_ALL_READY), "status", "--json");
        for (JsonNode part : JsonMapper.shared().readTree(status).path("parts")) {
            parts.add(
                    new Part(
                            part.path("name").asString(""),
                            part.path("pid").asLong(-1),
                            part.path("port").asInt(0),
                            part.path("pss_bytes").asLong(0)));
        }
        return List.copyOf(parts);
    }

    /** Stops the mesh if it runs, and removes the folder. */
    private void cleanUp() throws IOException {
        try {
            if (Files.isDirectory(home())) {
                run("down");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MeshException("interrupted while stopping the mesh", e);
        } finally {
            // Of the probes, one that was just being started may be left.
            List<ProcessHandle> left = ProcessHandle.current().descendants().toList();
            left.forEach(ProcessHandle::destroyForcibly);
            left.forEach(child ->
                    child.onExit()
                            .completeOnTimeout(child, EXIT_LIMIT.toSeconds(), TimeUnit.SECONDS)
                            .join());
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
