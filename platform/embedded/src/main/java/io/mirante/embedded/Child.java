package io.mirante.embedded;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Starts processes that write to a log file and belong to a session of their own: Ctrl-C does not reach them. */
final class Child {
    private static final int TAIL_LINES = 12;
    private static final int TAIL_BYTES = 16 * 1024;

    private Child() {}

    static Process start(
            List<String> command,
            Path folder,
            Path log,
            Map<String, String> environment,
            boolean pipeInput)
            throws IOException {
        var all = new ArrayList<String>();
        if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
            all.add("/usr/bin/setsid");
        }
        all.addAll(command);
        Files.createDirectories(log.toAbsolutePath().getParent());
        var builder = new ProcessBuilder(all);
        builder.directory(folder.toFile());
        builder.redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        if (!pipeInput) {
            builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        }
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** The log's last lines, each on a line of its own and indented; empty when there is no log. */
    static String tail(Path log) {
        try {
            byte[] bytes = Files.readAllBytes(log);
            int from = Math.max(0, bytes.length - TAIL_BYTES);
            var lines =
                    new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8)
                            .lines()
                            .toList();
            return String.join(
                    "",
                    lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()).stream()
                            .map(line -> "\n    " + line)
                            .toList());
        } catch (IOException none) {
            return "";
        }
    }
}
