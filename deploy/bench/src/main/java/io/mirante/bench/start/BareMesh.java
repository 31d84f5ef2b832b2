package io.mirante.bench.start;

import io.mirante.bench.client.MeshException;
import io.mirante.embedded.FreePorts;
import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Probe L9: eight bare applications with the flags the launcher gives the services and a class cache each, beside a Kafka
 * and a PostgreSQL that do nothing. All start at once; the machine decides. Not thread-safe.
 */
final class BareMesh {
    private static final int APPLICATIONS = 8;
    private static final Duration LIMIT = Duration.ofMinutes(3);

    private final Path folder;
    private final String classPath;
    private final List<Process> processes = new ArrayList<>();

    BareMesh(Path folder) {
        this.folder = folder;
        // A class cache wants jars: the folder of classes becomes the jar built from it.
        this.classPath =
                Arrays.stream(System.getProperty("java.class.path").split(":"))
                        .map(BareMesh::jar)
                        .collect(Collectors.joining(":"));
    }

    private static String jar(String entry) {
        Path path = Path.of(entry);
        return path.endsWith("target/classes")
                ? path.resolveSibling("mirante-bench.jar").toString()
                : entry;
    }

    /**
     * Makes the caches as the launcher does, in a run until the application is ready; one copy per application, since eight
     * services share no pages either.
     */
    void train() throws IOException, InterruptedException {
        Files.createDirectories(folder);
        Path first = cache(0);
        int port = FreePorts.next();
        Process training =
                builder(command(List.of("-XX:AOTCacheOutput=" + first), port), "training").start();
        try {
            awaitReady(ready(port), Instant.now().plus(LIMIT));
        } finally {
            training.destroy();
            training.onExit().join();
        }
        if (!Files.exists(first)) {
            throw new MeshException(
                    "the probe's class cache was not written, see "
                            + folder.resolve("training.log"));
        }
        for (int i = 1; i < APPLICATIONS; i++) {
            Files.copy(first, cache(i), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Starts everything, measures, stops everything. */
    Measured once() throws IOException {
        Instant begin = Instant.now();
        List<URI> urls = new ArrayList<>();
        KafkaServer.Settings kafkaSettings =
                KafkaServer.Settings.in(folder.resolve("kafka")).forTests();
        PostgresServer.Settings postgresSettings =
                PostgresServer.Settings.in(folder.resolve("postgres"), "bench-only");
        try {
            for (int i = 0; i < APPLICATIONS; i++) {
                int port = FreePorts.next();
                urls.add(ready(port));
                processes.add(
                        builder(command(List.of("-XX:AOTCache=" + cache(i)), port), "bare-" + i)
                                .start());
            }
            KafkaServer kafka = KafkaServer.start(kafkaSettings);
            PostgresServer postgres = PostgresServer.start(postgresSettings);
            for (URI url : urls) {
                awaitReady(url, begin.plus(LIMIT));
            }
            Duration took = Duration.between(begin, Instant.now());
            Memory.settle();
            long pss =
                    processes.stream()
                            .mapToLong(process -> Memory.pssOfTree(process.toHandle()))
                            .sum();
            pss += kafka.process().handle().map(Memory::pssOfTree).orElse(0L);
            pss += postgres.process().handle().map(Memory::pssOfTree).orElse(0L);
            return new Measured(took, pss);
        } finally {
            // Cut short or not, what was started is stopped.
            boolean interrupted = Thread.interrupted();
            processes.forEach(Process::destroy);
            processes.forEach(process -> process.onExit().join());
            processes.clear();
            KafkaServer.find(kafkaSettings).ifPresent(KafkaServer::stop);
            PostgresServer.find(postgresSettings).ifPresent(PostgresServer::stop);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Path cache(int number) {
        return folder.resolve("bare-" + number + ".aot");
    }

    private List<String> command(List<String> cacheFlags, int port) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmn32m",
                        "-XX:ReservedCodeCacheSize=128m",
                        "-Xmx256m",
                        "-Xss512k",
                        "-Dfile.encoding=UTF-8",
                        "-Duser.timezone=UTC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(cacheFlags);
        command.addAll(List.of("-cp", classPath, BareApplication.class.getName()));
        command.add("--server.port=" + port);
        command.add("--server.address=127.0.0.1");
        return command;
    }

    private ProcessBuilder builder(List<String> command, String name) {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile());
    }

    private static URI ready(int port) {
        return URI.create("http://127.0.0.1:" + port + "/ready");
    }

    private static void awaitReady(URI url, Instant limit) {
        while (true) {
            try {
                var connection = (HttpURLConnection) url.toURL().openConnection();
                connection.setConnectTimeout(1000);
                connection.setReadTimeout(3000);
                if (connection.getResponseCode() == 200) {
                    return;
                }
            } catch (IOException notYet) {
                if (Instant.now().isAfter(limit)) {
                    throw new MeshException(
                            "a bare application was not ready within " + LIMIT.toSeconds() + " s");
                }
            }
            Memory.pause(Duration.ofMillis(50));
        }
    }
}
