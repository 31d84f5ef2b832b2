package io.mirante.bench.start;

import io.mirante.bench.client.MeshException;
import io.mirante.embedded.FreePorts;
import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * Eight applications of a {@link Probe} with the flags the launcher gives the services and a class cache each, beside a Kafka and
 * a PostgreSQL that do nothing else. All start at once; the machine decides. Not thread-safe.
 */
final class ProbeMesh {
    private static final int APPLICATIONS = 8;
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final String PASSWORD = "bench-only";
    private static final String PROCESSOR =
            "org.springframework.boot.SpringApplicationAotProcessor";

    private final Path folder;
    private final Probe probe;
    private final String classPath;
    private final KafkaServer.Settings kafkaSettings;
    private final PostgresServer.Settings postgresSettings;
    private final List<Process> processes = new ArrayList<>();

    ProbeMesh(Path folder, Probe probe) {
        this.folder = folder;
        this.probe = probe;
        this.classPath =
                probe.hasPreparedBeans()
                        ? beans(folder) + File.pathSeparator + probe.classPath()
                        : probe.classPath();
        this.kafkaSettings =
                KafkaServer.Settings.in(folder.resolve("kafka"))
                        .forTests()
                        .withPort(FreePorts.next());
        this.postgresSettings =
                PostgresServer.Settings.in(folder.resolve("postgres"), PASSWORD)
                        .withPort(FreePorts.next());
    }

    private static Path beans(Path folder) {
        return folder.resolve("beans.jar");
    }

    /**
     * Makes what the launcher makes, the class cache in a run until the application is ready; one copy per application, since
     * eight services share no pages either.
     */
    void train() throws IOException, InterruptedException {
        Files.createDirectories(folder);
        Path first = cache(0);
        try {
            KafkaServer.start(kafkaSettings);
            PostgresServer.start(postgresSettings);
            if (probe.hasPreparedBeans()) {
                prepareBeans();
            }
            int port = FreePorts.next();
            Process training =
                    start(applicationCommand("-XX:AOTCacheOutput=" + first), port, "training");
            try {
                awaitReady(ready(port), Instant.now().plus(LIMIT));
            } finally {
                training.destroy();
                training.onExit().join();
            }
        } finally {
            stop();
        }
        if (!Files.exists(first)) {
            throw new MeshException(
                    "the probe's class cache was not written, see "
                            + folder.resolve("training.log"));
        }
        for (int i = 1; i < APPLICATIONS; i++) {
            Files.copy(first, cache(i), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Lets Spring write the bean definitions as Java, compiles and packs them. */
    private void prepareBeans() throws IOException, InterruptedException {
        Path sources = folder.resolve("sources");
        Path classes = Files.createDirectories(folder.resolve("classes"));
        Process processor =
                start(
                        command(
                                List.of(
                                        "-cp",
                                        probe.classPath(),
                                        PROCESSOR,
                                        probe.application().getName(),
                                        sources.toString(),
                                        folder.resolve("resources").toString(),
                                        classes.toString(),
                                        "io.mirante",
                                        "probe")),
                        FreePorts.next(),
                        "processing");
        check(processor.waitFor(), "Spring's processing");
        var arguments = new ArrayList<>(List.of("-nowarn", "-proc:none", "-cp", classPath));
        arguments.addAll(List.of("-d", classes.toString()));
        try (Stream<Path> tree = Files.walk(sources)) {
            tree.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(arguments::add);
        }
        tool("javac", arguments);
        tool("jar", List.of("cf", beans(folder).toString(), "-C", classes.toString(), "."));
    }

    private static void tool(String name, List<String> arguments) {
        ToolProvider tool = ToolProvider.findFirst(name).orElseThrow();
        check(tool.run(System.out, System.err, arguments.toArray(String[]::new)), name);
    }

    private static void check(int code, String step) {
        if (code != 0) {
            throw new MeshException(step + " of the probe ended with " + code);
        }
    }

    /** Starts everything, measures, stops everything. */
    Measured once() throws IOException {
        Instant begin = Instant.now();
        List<URI> urls = new ArrayList<>();
        try {
            for (int i = 0; i < APPLICATIONS; i++) {
                int port = FreePorts.next();
                urls.add(ready(port));
                processes.add(
                        start(applicationCommand("-XX:AOTCache=" + cache(i)), port, "probe-" + i));
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
            stop();
        }
    }

    /** Cut short or not, what was started is stopped. */
    private void stop() {
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

    private Path cache(int number) {
        return folder.resolve("bare-" + number + ".aot");
    }

    private List<String> applicationCommand(String cacheFlag) {
        var arguments = new ArrayList<>(List.of(cacheFlag));
        if (probe.hasPreparedBeans()) {
            arguments.add("-Dspring.aot.enabled=true");
        }
        arguments.addAll(List.of("-cp", classPath, probe.application().getName()));
        return command(arguments);
    }

    private static List<String> command(List<String> arguments) {
        var command = new ArrayList<String>();
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
        command.addAll(arguments);
        return command;
    }

    private Process start(List<String> command, int port, String name) throws IOException {
        var builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve(name + ".log").toFile());
        String database =
                "r2dbc:postgresql://%s:%s@127.0.0.1:%d/%s"
                        .formatted(
                                PostgresServer.USER,
                                PASSWORD,
                                postgresSettings.port(),
                                PostgresServer.DATABASE);
        builder.environment().put("SERVER_ADDRESS", "127.0.0.1");
        builder.environment().putAll(probe.environment(name, port, kafkaSettings.port(), database));
        return builder.start();
    }

    private URI ready(int port) {
        return URI.create("http://127.0.0.1:" + port + probe.readyPath());
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
                            "an application of the probe was not ready within "
                                    + LIMIT.toSeconds()
                                    + " s");
                }
            }
            Memory.pause(Duration.ofMillis(50));
        }
    }
}
