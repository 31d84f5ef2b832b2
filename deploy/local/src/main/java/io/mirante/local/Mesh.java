package io.mirante.local;

import io.mirante.embedded.EmbeddedServerException;
import io.mirante.embedded.ProcessRecord;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The launcher behind {@code ./mesh}: {@code up}, {@code down}, {@code status}, {@code logs}, {@code backup},
 * {@code restore}. Settings come from the environment. An error is one clear line; its trace goes to the log.
 */
public final class Mesh {
    private static final Duration LOCK_LIMIT = Duration.ofSeconds(90);

    private final MeshSettings settings;
    private final Home home;

    private Mesh(MeshSettings settings) {
        this.settings = settings;
        this.home = new Home(settings.home());
    }

    /** Runs one command and ends the JVM with its exit code. */
    public static void main(String[] arguments) {
        Path checkout = Path.of(System.getProperty("mirante.checkout", ""));
        Home home = null;
        int code;
        try {
            var mesh = new Mesh(MeshSettings.from(System.getenv(), checkout));
            home = mesh.home;
            code = mesh.run(Arrays.asList(arguments));
        } catch (MeshException | EmbeddedServerException e) {
            System.err.println("mesh: " + e.getMessage());
            trace(home, e);
            code = 1;
        } catch (RuntimeException e) {
            System.err.println(
                    "mesh: unexpected: " + e + (home == null ? "" : ", see " + home.log("mesh")));
            trace(home, e);
            code = 1;
        }
        System.out.flush();
        System.exit(code);
    }

    private int run(List<String> arguments) {
        String command = arguments.isEmpty() ? "" : arguments.getFirst();
        List<String> rest =
                arguments.isEmpty() ? List.of() : arguments.subList(1, arguments.size());
        switch (command) {
            case "up" -> {
                allow(rest, List.of("--detach"), 0);
                new Up(home, settings, new Progress(System.out)).run(rest.contains("--detach"));
            }
            case "down" -> {
                allow(rest, List.of(), 0);
                down();
            }
            case "status" -> {
                allow(rest, List.of("--json"), 0);
                return new Status(home, settings).print(System.out, rest.contains("--json"))
                        ? 0
                        : 3;
            }
            case "logs" -> {
                List<String> names = allow(rest, List.of("-f", "--follow"), 1);
                return new Logs(home)
                        .show(names.getFirst(), rest.contains("-f") || rest.contains("--follow"));
            }
            case "backup" ->
                    new Backup(home, new Progress(System.out))
                            .write(Path.of(allow(rest, List.of(), 1).getFirst()));
            case "restore" ->
                    new Restore(home, settings, new Progress(System.out))
                            .read(Path.of(allow(rest, List.of(), 1).getFirst()));
            case "train" -> new Training(home, settings).run();
            default ->
                    throw new MeshException(
                            "unknown command \""
                                    + command
                                    + "\": up, down, status, logs, backup, restore");
        }
        return 0;
    }

    private void down() {
        var progress = new Progress(System.out);
        if (!home.exists()) {
            progress.text("Nothing runs: there is no mesh in " + home.folder() + ".");
            return;
        }
        HomeLock.holder(home)
                .filter(holder -> holder.pid() != ProcessHandle.current().pid())
                .filter(Mesh::isStillStarting)
                .ifPresent(holder -> holder.signal("TERM"));
        try (var lock = HomeLock.await(home, LOCK_LIMIT)) {
            int stopped = new Shutdown(home, settings, progress).stopAll();
            progress.text(
                    stopped == 0
                            ? "Nothing was running."
                            : "The mesh is down; its data stays in " + home.folder() + ".");
        }
    }

    /** A launcher that is asked to end while it starts the mesh stops what it has started. */
    private static boolean isStillStarting(ProcessRecord holder) {
        return holder.handle()
                .flatMap(handle -> handle.info().commandLine())
                .map(line -> line.contains(Mesh.class.getName() + " up"))
                .orElse(false);
    }

    /** The arguments that are no options: exactly {@code count} of them; unknown options are refused. */
    private static List<String> allow(List<String> arguments, List<String> options, int count) {
        List<String> plain =
                arguments.stream().filter(argument -> !argument.startsWith("-")).toList();
        for (String argument : arguments) {
            if (argument.startsWith("-") && !options.contains(argument)) {
                throw new MeshException(
                        "unknown option "
                                + argument
                                + (options.isEmpty()
                                        ? ""
                                        : "; known: " + String.join(", ", options)));
            }
        }
        if (plain.size() != count) {
            throw new MeshException(
                    count == 0
                            ? "unexpected argument " + plain.getFirst()
                            : "exactly one argument is needed, see ./mesh help");
        }
        return plain;
    }

    private static void trace(@Nullable Home home, Exception error) {
        if (home == null || !Files.isDirectory(home.folder())) {
            return;
        }
        try {
            Files.createDirectories(home.logs());
            try (var out =
                    new PrintWriter(
                            Files.newBufferedWriter(
                                    home.log("mesh"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.APPEND))) {
                out.println(Instant.now());
                error.printStackTrace(out);
            }
        } catch (IOException e) {
            System.err.println("mesh: cannot write " + home.log("mesh") + ": " + e.getMessage());
        }
    }
}
