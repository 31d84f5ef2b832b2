package io.mirante.embedded;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Kafka broker (KRaft, broker and controller in one process) on the loopback address, without automatic topics.
 *
 * <p>The broker is a child process that outlives this JVM, unless {@link Settings#stopWithParent()} is set. It does not
 * wait for the disk: what it acknowledged survives a killed process, not a power cut. Every method blocks; thread-safe,
 * except that one folder must be started by one caller at a time.
 */
public final class KafkaServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(KafkaServer.class);
    private static final String HOST = "127.0.0.1";
    private static final Duration START_LIMIT = Duration.ofSeconds(120);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int ATTEMPTS = 4;

    private final Settings settings;
    private final int port;
    private final ProcessRecord process;

    private KafkaServer(Settings settings, int port, ProcessRecord process) {
        this.settings = settings;
        this.port = port;
        this.process = process;
    }

    /**
     * What a broker is started with.
     *
     * @param folder holds the log ({@code data}), the properties and the process's number; made when missing
     * @param logFile where the broker's output is appended
     * @param port the broker's, in [1, 65535], or 0 for any free one
     * @param heapMib {@code -Xmx} in MiB, at least 128
     * @param allCompilers whether it is to be fast under load for long, rather than soon and small: with all compilers, and
     *     a collector whose pauses do not grow with the broker's metrics
     * @param stopWithParent whether the broker stops as soon as this JVM has ended, however it ended
     * @param classPath of the broker's JVM
     * @param properties Kafka's own settings, in place of the ones this class chooses or beside them
     */
    public record Settings(
            Path folder,
            Path logFile,
            int port,
            int heapMib,
            boolean allCompilers,
            boolean stopWithParent,
            String classPath,
            Map<String, String> properties) {

        public Settings {
            if (!(port >= 0 && port <= 65_535)) {
                throw new IllegalArgumentException("port must be in [0, 65535], was " + port);
            }
            if (!(heapMib >= 128)) {
                throw new IllegalArgumentException("heapMib must be at least 128, was " + heapMib);
            }
            folder = folder.toAbsolutePath();
            logFile = logFile.toAbsolutePath();
            properties = Map.copyOf(properties);
        }

        /** On any free port, outliving this JVM, with its class path; log file beside the folder. */
        public static Settings in(Path folder) {
            Path absolute = folder.toAbsolutePath();
            return new Settings(
                    absolute,
                    absolute.resolveSibling(absolute.getFileName() + ".log"),
                    0,
                    256,
                    false,
                    false,
                    System.getProperty("java.class.path"),
                    Map.of());
        }

        /** Ending with this JVM. */
        public Settings forTests() {
            return new Settings(
                    folder, logFile, port, heapMib, allCompilers, true, classPath, properties);
        }

        /** Fast under load for long. */
        public Settings withAllCompilers() {
            return new Settings(
                    folder, logFile, port, heapMib, true, stopWithParent, classPath, properties);
        }

        public Settings withPort(int value) {
            return new Settings(
                    folder,
                    logFile,
                    value,
                    heapMib,
                    allCompilers,
                    stopWithParent,
                    classPath,
                    properties);
        }

        public Settings withLogFile(Path value) {
            return new Settings(
                    folder,
                    value,
                    port,
                    heapMib,
                    allCompilers,
                    stopWithParent,
                    classPath,
                    properties);
        }

        public Settings withClassPath(String value) {
            return new Settings(
                    folder,
                    logFile,
                    port,
                    heapMib,
                    allCompilers,
                    stopWithParent,
                    value,
                    properties);
        }

        /** One more of Kafka's own settings, for example {@code group.initial.rebalance.delay.ms}. */
        public Settings withProperty(String name, String value) {
            var more = new TreeMap<>(properties);
            more.put(name, value);
            return new Settings(
                    folder, logFile, port, heapMib, allCompilers, stopWithParent, classPath, more);
        }

        /**
         * Kafka's own settings of such a broker, all but its role, addresses and folders: a broker that is started in
         * another way behaves the same with them.
         */
        public Map<String, String> configuration() {
            var values = new TreeMap<String, String>();
            values.put("auto.create.topics.enable", "false");
            values.put("offsets.topic.num.partitions", "4");
            values.put("offsets.topic.replication.factor", "1");
            values.put("transaction.state.log.num.partitions", "4");
            values.put("transaction.state.log.replication.factor", "1");
            values.put("transaction.state.log.min.isr", "1");
            values.put("share.coordinator.state.topic.num.partitions", "1");
            values.put("share.coordinator.state.topic.replication.factor", "1");
            values.put("share.coordinator.state.topic.min.isr", "1");
            values.put("group.initial.rebalance.delay.ms", "0");
            // After kill -9 the controller admits the same broker only when the old session has run
            // out.
            values.put("broker.session.timeout.ms", "3000");
            values.put("broker.heartbeat.interval.ms", "500");
            values.put("num.network.threads", "2");
            values.put("num.io.threads", "4");
            values.put("num.replica.fetchers", "1");
            values.put("background.threads", "4");
            values.put("num.recovery.threads.per.data.dir", "2");
            // The default of 128 MiB is half of the heap.
            values.put("log.cleaner.dedupe.buffer.size", "16777216");
            values.put("log.cleaner.threads", "1");
            values.put("log.segment.bytes", "134217728");
            values.put("log.index.size.max.bytes", "2097152");
            values.put("log.retention.hours", "168");
            values.put("message.max.bytes", "2097152");
            values.putAll(properties);
            return values;
        }

        /** Whether the log has this topic, be the broker running or not. */
        public boolean holds(String topic) {
            return Files.isDirectory(data().resolve(topic + "-0"));
        }

        private Path data() {
            return folder.resolve("data");
        }

        private Path pidFile() {
            return folder.resolve("kafka.pid");
        }

        private Path portFile() {
            return folder.resolve("kafka.port");
        }
    }

    /**
     * The broker on this folder: the one that runs already, else a new one, answering.
     *
     * @throws EmbeddedServerException with a message for people, when it cannot be started
     */
    public static KafkaServer start(Settings settings) {
        Optional<KafkaServer> running = find(settings);
        if (running.isPresent()) {
            running.get().awaitAnswer();
            return running.get();
        }
        for (int attempt = 1; ; attempt++) {
            int port = settings.port() == 0 ? FreePorts.next() : settings.port();
            try {
                KafkaServer server = launch(settings, port, FreePorts.nextBut(port));
                server.awaitAnswer();
                return server;
            } catch (EmbeddedServerException e) {
                boolean portTaken =
                        String.valueOf(e.getMessage()).contains("Address already in use");
                if (attempt == ATTEMPTS
                        || !portTaken
                        || (settings.port() != 0 && !FreePorts.isFree(port))) {
                    throw e;
                }
                log.info("Kafka's port was taken meanwhile, trying another");
            } catch (IOException e) {
                throw new EmbeddedServerException("Kafka did not start: " + e.getMessage(), e);
            }
        }
    }

    /** The broker that runs on this folder, if one does. It may still be starting. */
    public static Optional<KafkaServer> find(Settings settings) {
        return ProcessRecord.read(settings.pidFile())
                .filter(ProcessRecord::isAlive)
                .flatMap(process ->
                        readPort(settings).map(port -> new KafkaServer(settings, port, process)));
    }

    public int port() {
        return port;
    }

    public ProcessRecord process() {
        return process;
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public String bootstrapServers() {
        return HOST + ":" + port;
    }

    /** Stops cleanly (SIGTERM); killed when that takes longer than 30 s. */
    public void stop() {
        process.signal("TERM");
        if (!process.awaitExit(STOP_LIMIT)) {
            log.warn("Kafka did not stop within {}, killing it", STOP_LIMIT);
            kill();
        }
    }

    /** kill -9. */
    public void kill() {
        process.signal("KILL");
        process.awaitExit(STOP_LIMIT);
    }

    @Override
    public void close() {
        stop();
    }

    private static KafkaServer launch(Settings settings, int port, int controllerPort)
            throws IOException {
        Path folder = settings.folder();
        Files.createDirectories(folder);
        Path properties = folder.resolve("server.properties");
        Files.writeString(properties, configuration(settings, port, controllerPort));
        Path logback = folder.resolve("logback.xml");
        Files.writeString(logback, LOGBACK);
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                settings.allCompilers()
                        // All of the heap at once: in a small one G1 marks without end, and pauses
                        // for it.
                        ? List.of("-XX:+UseG1GC", "-Xms" + settings.heapMib() + "m")
                        : List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(
                List.of(
                        "-Xmx" + settings.heapMib() + "m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-Xshare:auto",
                        "-Djava.awt.headless=true",
                        "-Dlogback.configurationFile=" + logback,
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        "-Dorg.slf4j.simpleLogger.showDateTime=true",
                        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
                        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.server=info",
                        "-Dorg.slf4j.simpleLogger.log.kafka.server=info",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        KafkaMain.class.getName(),
                        properties.toString(),
                        settings.data().toString()));
        if (settings.stopWithParent()) {
            command.add("stop-with-parent");
        }
        Process started =
                Child.start(
                        command,
                        folder,
                        settings.logFile(),
                        Map.of("CLASSPATH", brokerClassPath(settings.classPath())),
                        settings.stopWithParent());
        var record = ProcessRecord.of(started.toHandle());
        Files.writeString(settings.portFile(), port + "\n");
        record.write(settings.pidFile());
        return new KafkaServer(settings, port, record);
    }

    /** Without the bridge that replaces Log4j's core, which the broker brings and asks for. */
    private static String brokerClassPath(String classPath) {
        return Arrays.stream(classPath.split(File.pathSeparator))
                .filter(entry -> !entry.contains("log4j-to-slf4j"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static String configuration(Settings settings, int port, int controllerPort) {
        var values = new TreeMap<String, String>();
        values.put("process.roles", "broker,controller");
        values.put("node.id", "1");
        values.put("controller.quorum.voters", "1@" + HOST + ":" + controllerPort);
        values.put(
                "listeners",
                "BROKER://" + HOST + ":" + port + ",CONTROLLER://" + HOST + ":" + controllerPort);
        values.put("advertised.listeners", "BROKER://" + HOST + ":" + port);
        values.put("listener.security.protocol.map", "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT");
        values.put("inter.broker.listener.name", "BROKER");
        values.put("controller.listener.names", "CONTROLLER");
        values.put("log.dirs", settings.data().toString());
        values.putAll(settings.configuration());
        return values.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining("\n", "# Written at each start.\n", "\n"));
    }

    private void awaitAnswer() {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (!accepts()) {
            if (!process.isAlive()) {
                throw new EmbeddedServerException(
                        "Kafka did not start, see "
                                + settings.logFile()
                                + Child.tail(settings.logFile()));
            }
            if (System.nanoTime() > deadline) {
                throw new EmbeddedServerException(
                        "Kafka did not answer within "
                                + START_LIMIT.toSeconds()
                                + " s, see "
                                + settings.logFile());
            }
            pause();
        }
        Map<String, Object> client =
                Map.of(
                        AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                        bootstrapServers(),
                        AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                        (int) START_LIMIT.toMillis(),
                        AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
                        5_000);
        try (Admin admin = Admin.create(client)) {
            while (admin.describeCluster()
                    .nodes()
                    .get(START_LIMIT.toSeconds(), TimeUnit.SECONDS)
                    .isEmpty()) {
                if (!process.isAlive() || System.nanoTime() > deadline) {
                    throw new EmbeddedServerException(
                            "Kafka did not register, see "
                                    + settings.logFile()
                                    + Child.tail(settings.logFile()));
                }
                pause();
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new EmbeddedServerException(
                    "Kafka on port "
                            + port
                            + " does not answer ("
                            + e.getMessage()
                            + "), see "
                            + settings.logFile()
                            + Child.tail(settings.logFile()),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while Kafka was starting", e);
        }
    }

    private boolean accepts() {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    private static Optional<Integer> readPort(Settings settings) {
        try {
            return Optional.of(Integer.valueOf(Files.readString(settings.portFile()).strip()));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (IOException | NumberFormatException damaged) {
            return Optional.empty();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(POLL);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while Kafka was starting", e);
        }
    }

    private static final String LOGBACK =
            """
            <configuration>
              <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
                <encoder><pattern>%d{yyyy-MM-dd'T'HH:mm:ss.SSS} %-5level [%thread] %logger{30} %msg%n</pattern></encoder>
              </appender>
              <logger name="kafka.server" level="INFO"/>
              <logger name="org.apache.kafka.server" level="INFO"/>
              <root level="WARN"><appender-ref ref="OUT"/></root>
            </configuration>
            """;
}
