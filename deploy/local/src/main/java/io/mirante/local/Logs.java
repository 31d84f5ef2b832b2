package io.mirante.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Shows a part's log. */
final class Logs {
    private static final int LINES = 200;

    private final Home home;

    Logs(Home home) {
        this.home = home;
    }

    /** Prints the last lines and, when {@code follow}, what comes; returns tail's exit code. */
    int show(String part, boolean follow) {
        Path log = home.log(ServiceName.find(part).map(ServiceName::module).orElse(part));
        if (!Files.isRegularFile(log) || !log.normalize().startsWith(home.logs())) {
            throw new MeshException(
                    "no log of " + part + "; there are: " + String.join(", ", names()));
        }
        var command = new ArrayList<String>(List.of("tail", "-n", Integer.toString(LINES)));
        if (follow) {
            command.add("-F");
        }
        command.add(log.toString());
        try {
            Process tail = new ProcessBuilder(command).inheritIO().start();
            // Whoever ends the launcher alone, and not as a terminal does, ends what follows too.
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(tail::destroy));
            return tail.waitFor();
        } catch (IOException e) {
            throw new MeshException("cannot show " + log + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 130;
        }
    }

    private List<String> names() {
        var names = new ArrayList<String>();
        if (Files.isDirectory(home.logs())) {
            try (var files = Files.newDirectoryStream(home.logs(), "*.log")) {
                for (Path file : files) {
                    String name = file.getFileName().toString();
                    names.add(name.substring(0, name.length() - ".log".length()));
                }
            } catch (IOException e) {
                throw new MeshException("cannot list " + home.logs() + ": " + e.getMessage(), e);
            }
        }
        names.sort(String::compareTo);
        return names.isEmpty() ? List.of("none") : names;
    }
}
