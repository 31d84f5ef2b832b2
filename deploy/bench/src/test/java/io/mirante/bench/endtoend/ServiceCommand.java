package io.mirante.bench.endtoend;

import io.mirante.testkit.FaultPointAutoConfiguration;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarFile;
import java.util.stream.Collectors;

/**
 * How the launcher started a service, to start it once more with the testkit's fault points on its class path. On Linux.
 *
 * @param command flags of the JVM, then the service's jar and main class
 */
record ServiceCommand(List<String> command, Map<String, String> environment, Path folder) {

    /** Of a service that runs. */
    static ServiceCommand of(ProcessHandle process) {
        try {
            Path proc = Path.of("/proc", Long.toString(process.pid()));
            List<String> command = new ArrayList<>(words(proc.resolve("cmdline")));
            int jar = command.indexOf("-jar");
            String path = command.get(jar + 1);
            command.subList(jar, command.size()).clear();
            command.addAll(List.of("-cp", faultPoints() + File.pathSeparator + path, main(path)));
            Map<String, String> environment =
                    words(proc.resolve("environ")).stream()
                            .map(word -> word.split("=", 2))
                            .collect(
                                    Collectors.toMap(
                                            pair -> pair[0],
                                            pair -> pair[1],
                                            (a, b) -> b,
                                            TreeMap::new));
            return new ServiceCommand(
                    List.copyOf(command), environment, proc.resolve("cwd").toRealPath());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Beside the first: another replica, on ports of its own. */
    ServiceCommand replica(int number, int port, int managementPort) {
        Map<String, String> other = new TreeMap<>(environment);
        other.put("MIRANTE_INSTANCE", "replica-" + number);
        other.put("SERVER_PORT", Integer.toString(port));
        other.put("MANAGEMENT_SERVER_PORT", Integer.toString(managementPort));
        return new ServiceCommand(command, other, folder);
    }

    /**
     * Starts it; ends with this JVM.
     *
     * @param prefix a command that runs the one that follows it
     * @param arguments such as {@code --mirante.fault.halt=after-commit:1}
     */
    Process start(Path log, List<String> prefix, String... arguments) {
        List<String> all = new ArrayList<>(prefix);
        all.addAll(command);
        all.addAll(List.of(arguments));
        var builder =
                new ProcessBuilder(all).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.directory(folder.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        try {
            Process process = builder.start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> words(Path file) throws IOException {
        return Arrays.stream(
                        new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\0"))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    private static String main(String jar) throws IOException {
        try (var file = new JarFile(jar)) {
            return file.getManifest().getMainAttributes().getValue("Main-Class");
        }
    }

    private static String faultPoints() {
        try {
            return Path.of(
                            FaultPointAutoConfiguration.class
                                    .getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
