package io.mirante.bench.demo;

import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The mesh on this machine, driven through {@code ./mesh} so that there is one way to start it. */
public final class LocalMesh {
    /** What the gateway takes in local mode when {@code API_KEYS} names none. */
    static final String DEVELOPMENT_KEY = "dev-key-123";

    private final Path root;
    private final Map<String, String> environment;

    public LocalMesh(Path root, Map<String, String> environment) {
        this.root = root;
        this.environment = environment;
    }

    /** The repository: where {@code ./mesh} lies. */
    public static LocalMesh here() {
        return new LocalMesh(
                Path.of(System.getProperty("mirante.checkout", ".")).toAbsolutePath().normalize(),
                System.getenv());
    }

    /** Folder of the mesh's data; {@code MIRANTE_HOME} or {@code .mesh}. */
    Path home() {
        return root.resolve(environment.getOrDefault("MIRANTE_HOME", ".mesh"));
    }

    /** Where the demo notes what this mesh holds; null before the mesh has a folder. */
    @Nullable Path stateFile() {
        return Files.exists(home().resolve("version.properties"))
                ? home().resolve("demo.json")
                : null;
    }

    public URI url() {
        return URI.create("http://127.0.0.1:" + environment.getOrDefault("PORT", "3000"));
    }

    /** The first of {@code API_KEYS}, which the gateway takes; else the development key. */
    String key() {
        return Arrays.stream(environment.getOrDefault("API_KEYS", "").split(","))
                .map(String::strip)
                .filter(key -> !key.isEmpty())
                .findFirst()
                .orElse(DEVELOPMENT_KEY);
    }

    /** The key that was given; keys of the local mesh go to the local mesh alone. */
    public String keyFor(URI to, @Nullable String given) {
        if (given != null) {
            return given;
        }
        return to.equals(url()) ? key() : DEVELOPMENT_KEY;
    }

    /**
     * Brings the mesh up when it does not answer, and leaves it up.
     *
     * @throws MeshException when it does not come up; the launcher has said why
     */
    void ensureUp(MeshClient mesh, Screen screen) {
        if (mesh.ready()) {
            return;
        }
        Path script = root.resolve("mesh");
        if (!Files.isExecutable(script)) {
            throw new MeshException(
                    "no mesh answers at "
                            + mesh.base()
                            + " and "
                            + script
                            + " is not there to start one");
        }
        screen.line("Starting the mesh …");
        try {
            Process process =
                    new ProcessBuilder(List.of(script.toString(), "up", "--detach"))
                            .directory(root.toFile())
                            .inheritIO()
                            .start();
            int code = process.waitFor();
            if (code != 0) {
                throw new MeshException("the mesh did not start (exit code " + code + ")");
            }
        } catch (IOException e) {
            throw new MeshException("cannot run " + script + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MeshException("interrupted", e);
        }
    }
}
