package io.mirante.bench.ingest;

import io.mirante.bench.client.MeshException;
import io.mirante.embedded.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A mesh of a benchmark's own, with its folder and ports beside any other; gone when closed, or when the JVM ends. */
final class BenchMesh implements AutoCloseable {

    /**
     * One process.
     *
     * @param port it answers on
     */
    record Part(String name, long pid, int port) {

        /** Asks it to end and waits until it has. */
        void end() {
            ProcessHandle.of(pid)
                    .ifPresent(process -> {
                        process.destroy();
                        process.onExit().join();
                    });
        }
    }

    private final Path checkout =
            Path.of(System.getProperty("mirante.checkout", ".")).toAbsolutePath().normalize();
    private final Path folder;
    private final Map<String, String> environment;
    private final int port = FreePorts.next();
    private final Thread hook = new Thread(this::remove, "bench-mesh-end");
    private List<Part> parts = List.of();

    private BenchMesh(Path folder, Map<String, String> environment) {
        this.folder = folder;
        this.environment = environment;
    }

    /** Starts all of it. */
    static BenchMesh start(String name, Map<String, String> environment)
            throws IOException, InterruptedException {
        BenchMesh mesh =
                new BenchMesh(Files.createTempDirectory("mirante-bench-" + name), environment);
        Runtime.getRuntime().addShutdownHook(mesh.hook);
        mesh.run("up", "--detach");
        List<Part> parts = new ArrayList<>();
        for (JsonNode part :
                JsonMapper.shared().readTree(mesh.run("status", "--json")).path("parts")) {
            parts.add(
                    new Part(
                            part.path("name").asString(""),
                            part.path("pid").asLong(-1),
                            part.path("port").asInt(0)));
        }
        mesh.parts = List.copyOf(parts);
        return mesh;
    }

    Path folder() {
        return folder;
    }

    Path home() {
        return folder.resolve("home");
    }

    List<Part> parts() {
        return parts;
    }

    Part part(String name) {
        return parts.stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new MeshException("the mesh has no part " + name));
    }

    private String run(String... arguments) throws IOException, InterruptedException {
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
        int code = builder.start().waitFor();
        String text = Files.readString(output);
        if (code != 0) {
            throw new MeshException(
                    "./mesh " + String.join(" ", arguments) + " ended with " + code + ":\n" + text);
        }
        return text;
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(hook);
        remove();
    }

    private void remove() {
        try {
            run("down");
            try (Stream<Path> tree = Files.walk(folder)) {
                for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            }
        } catch (IOException e) {
            throw new MeshException("cannot remove " + folder + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
