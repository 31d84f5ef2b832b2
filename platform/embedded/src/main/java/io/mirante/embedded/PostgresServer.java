package io.mirante.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One PostgreSQL server on the loopback address, with the superuser {@value #USER} and the database {@value #DATABASE}.
 *
 * <p>A new folder is initialised with UTF-8, the built-in C.UTF-8 locale and password (SCRAM) authentication. The server
 * is a child process that outlives this JVM, unless {@link Settings#stopWithParent()} is set. Every method blocks;
 * thread-safe, except that one folder must be started by one caller at a time.
 *
 * <p>PostgreSQL refuses to run as root: as root it is started in a user namespace of its own ({@code unshare -U}), in
 * which it sees itself as nobody and its files stay root's.
 */
public final class PostgresServer implements AutoCloseable {
    /** The superuser, owner of the schemas in local mode. */
    public static final String USER = "mirante";

    public static final String DATABASE = "mirante";

    /** What initdb is told of encoding and sort order. */
    public static final List<String> LOCALE =
            List.of(
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8");

    private static final Logger log = LoggerFactory.getLogger(PostgresServer.class);
    private static final String HOST = "127.0.0.1";
    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(40);
    private static final int ATTEMPTS = 4;

    private final Settings settings;
    private final int port;
    private final ProcessRecord process;

    private PostgresServer(Settings settings, int port, ProcessRecord process) {
        this.settings = settings;
        this.port = port;
        this.process = process;
    }

    /**
     * What a server is started with.
     *
     * @param dataFolder PostgreSQL's data folder; made and initialised when it is missing or empty
     * @param logFile where the server's output is appended
     * @param port in [1, 65535], or 0 for any free one
     * @param password the superuser's, for a new folder and for connections; not empty
     * @param durable whether commits wait for the disk ({@code fsync}); false only where data may be lost, as in tests
     * @param maxConnections positive
     * @param stopWithParent whether the server stops as soon as this JVM has ended, however it ended
     * @param cacheFolder where the programs are unpacked, once per version
     */
    public record Settings(
            Path dataFolder,
            Path logFile,
            int port,
            String password,
            boolean durable,
            int maxConnections,
            boolean stopWithParent,
            Path cacheFolder) {

        public Settings {
            if (!(port >= 0 && port <= 65_535)) {
                throw new IllegalArgumentException("port must be in [0, 65535], was " + port);
            }
            if (password.isEmpty()) {
                throw new IllegalArgumentException("password must not be empty");
            }
            if (!(maxConnections > 0)) {
                throw new IllegalArgumentException(
                        "maxConnections must be positive, was " + maxConnections);
            }
            dataFolder = dataFolder.toAbsolutePath();
            logFile = logFile.toAbsolutePath();
        }

        /** Durable, on any free port, outliving this JVM; log file beside the data folder. */
        public static Settings in(Path dataFolder, String password) {
            Path absolute = dataFolder.toAbsolutePath();
            return new Settings(
                    absolute,
                    absolute.resolveSibling(absolute.getFileName() + ".log"),
                    0,
                    password,
                    true,
                    200,
                    false,
                    PostgresBinaries.defaultCache());
        }

        /** Without fsync (what is committed survives a killed server, not a power cut), and ending with this JVM. */
        public Settings forTests() {
            return new Settings(
                    dataFolder, logFile, port, password, false, maxConnections, true, cacheFolder);
        }

        public Settings withPort(int value) {
            return new Settings(
                    dataFolder,
                    logFile,
                    value,
                    password,
                    durable,
                    maxConnections,
                    stopWithParent,
                    cacheFolder);
        }

        public Settings withLogFile(Path value) {
            return new Settings(
                    dataFolder,
                    value,
                    port,
                    password,
                    durable,
                    maxConnections,
                    stopWithParent,
                    cacheFolder);
        }

        public Settings withCacheFolder(Path value) {
            return new Settings(
                    dataFolder,
                    logFile,
                    port,
                    password,
                    durable,
                    maxConnections,
                    stopWithParent,
                    value);
        }

        /**
         * PostgreSQL's own settings of such a server, all but its address and folders: a server that is started in
         * another way behaves the same with them.
         */
        public Map<String, String> configuration() {
            var values = new TreeMap<String, String>();
            values.put("max_connections", Integer.toString(maxConnections));
            values.put("shared_buffers", "64MB");
            values.put("max_wal_size", "1GB");
            values.put("wal_compression", "pglz");
            values.put("jit", "off");
            values.put("timezone", "UTC");
            values.put("log_timezone", "UTC");
            values.put("log_line_prefix", "%m [%p] %u ");
            values.put("lc_messages", "C");
            // Passwords here are 128 random bits, which no number of rounds makes harder to guess;
            // at each connection
            // 4,096 rounds cost a client that has just started 60 ms of CPU.
            values.put("scram_iterations", "1");
            if (!durable) {
                values.put("fsync", "off");
                values.put("full_page_writes", "off");
            }
            return values;
        }

        @Override
        public String toString() {
            return "Settings[dataFolder="
                    + dataFolder
                    + ", port="
                    + port
                    + ", durable="
                    + durable
                    + "]";
        }
    }

    /**
     * The server on this folder: the one that runs already, else a new one, answering.
     *
     * @throws EmbeddedServerException with a message for people, when it cannot be started
     */
    public static PostgresServer start(Settings settings) {
        Optional<PostgresServer> running = find(settings);
        if (running.isPresent()) {
            running.get().awaitAnswer(null);
            running.get().createDatabase();
            return running.get();
        }
        var binaries = PostgresBinaries.in(settings.cacheFolder());
        try {
            initialise(settings, binaries);
            removeStalePidFile(settings);
            for (int attempt = 1; ; attempt++) {
                int port = settings.port() == 0 ? FreePorts.next() : settings.port();
                try {
                    return launch(settings, binaries, port);
                } catch (NotStarted e) {
                    if (attempt == ATTEMPTS || !e.mayPass) {
                        throw new EmbeddedServerException(
                                "PostgreSQL did not start, see "
                                        + settings.logFile()
                                        + e.getMessage(),
                                e);
                    }
                    log.info("PostgreSQL did not start, trying again: {}", e.getMessage());
                    pause(Duration.ofMillis(500L * attempt));
                }
            }
        } catch (IOException e) {
            throw new EmbeddedServerException("PostgreSQL did not start: " + e.getMessage(), e);
        }
    }

    /** The server that runs on this folder, if one does. It may still be starting. */
    public static Optional<PostgresServer> find(Settings settings) {
        try {
            List<String> lines = Files.readAllLines(pidFile(settings));
            if (lines.size() < 4) {
                return Optional.empty();
            }
            int port = Integer.parseInt(lines.get(3).strip());
            return postgres(Long.parseLong(lines.get(0).strip()), settings.dataFolder())
                    .map(found -> new PostgresServer(settings, port, ProcessRecord.of(found)));
        } catch (IOException | NumberFormatException none) {
            return Optional.empty();
        }
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

    /** {@code postgresql://host:port/mirante}, without credentials. */
    public String url() {
        return "postgresql://" + HOST + ":" + port + "/" + DATABASE;
    }

    /** {@code postgresql://user:password@host:port/mirante}, the superuser's: a secret. */
    public String ownerUrl() {
        return "postgresql://"
                + USER
                + ":"
                + settings.password()
                + "@"
                + HOST
                + ":"
                + port
                + "/"
                + DATABASE;
    }

    /** A new connection of the superuser to the database {@value #DATABASE}; the caller closes it. */
    public Connection connect() throws SQLException {
        return connect(DATABASE);
    }

    /** Ends all connections and stops cleanly (fast shutdown); killed when that takes longer than 30 s. */
    public void stop() {
        process.signal("INT");
        if (!process.awaitExit(STOP_LIMIT)) {
            log.warn("PostgreSQL did not stop within {}, killing it", STOP_LIMIT);
            kill();
        }
    }

    /** kill -9 of the server; its other processes notice and end by themselves. */
    public void kill() {
        process.signal("KILL");
        process.awaitExit(STOP_LIMIT);
    }

    @Override
    public void close() {
        stop();
    }

    private static void initialise(Settings settings, PostgresBinaries binaries)
            throws IOException {
        Path data = settings.dataFolder();
        Path version = data.resolve("PG_VERSION");
        if (Files.exists(version)) {
            String found = Files.readString(version).strip();
            if (!found.equals(binaries.majorVersion())) {
                throw new EmbeddedServerException(
                        "the data in "
                                + data
                                + " was written by PostgreSQL "
                                + found
                                + ", this is version "
                                + binaries.majorVersion()
                                + ": run ./mesh backup FILE with the version that wrote it and ./mesh restore FILE"
                                + " with this one, or remove the folder to start empty");
            }
            return;
        }
        Path beside = Objects.requireNonNull(data.getParent(), "data folder has a parent");
        Files.createDirectories(beside);
        Path fresh = data.resolveSibling(data.getFileName() + ".initialising");
        deleteTree(fresh);
        Path password =
                Files.createTempFile(
                        beside,
                        "password",
                        null,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
        try {
            Files.writeString(password, settings.password());
            var command = new ArrayList<String>(asUnprivileged());
            command.addAll(
                    List.of(
                            binaries.program("initdb").toString(),
                            "--pgdata=" + fresh,
                            "--username=" + USER,
                            "--pwfile=" + password,
                            "--auth=scram-sha-256",
                            "--no-instructions"));
            command.addAll(LOCALE);
            if (!settings.durable()) {
                command.add("--no-sync");
            }
            Process initdb = Child.start(command, beside, settings.logFile(), Map.of(), false);
            if (!await(initdb)) {
                throw new EmbeddedServerException(
                        "PostgreSQL's initdb failed"
                                + rootHint()
                                + ", see "
                                + settings.logFile()
                                + Child.tail(settings.logFile()));
            }
            Files.writeString(
                    fresh.resolve("postgresql.conf"),
                    "\ninclude 'mirante.conf'\n",
                    UTF_8,
                    StandardOpenOption.APPEND);
            Files.writeString(fresh.resolve("mirante.conf"), "");
            Files.deleteIfExists(data);
            Files.move(fresh, data);
        } finally {
            Files.deleteIfExists(password);
        }
    }

    private static PostgresServer launch(Settings settings, PostgresBinaries binaries, int port)
            throws IOException, NotStarted {
        Files.writeString(
                settings.dataFolder().resolve("mirante.conf"), configuration(settings, port));
        var command = new ArrayList<String>();
        if (settings.stopWithParent()) {
            // The shell's input is a pipe that only this JVM holds: it ends when this JVM does,
            // even by kill -9.
            command.addAll(
                    List.of(
                            "sh",
                            "-c",
                            "exec 3<&0 </dev/null; \"$@\" 3<&- & child=$!; "
                                    + "(while read -r _ <&3; do :; done; kill -QUIT $child 2>/dev/null) & "
                                    + "watch=$!; exec 3<&-; wait $child; kill $watch 2>/dev/null",
                            "postgres-with-parent"));
        }
        command.addAll(asUnprivileged());
        command.add(binaries.program("postgres").toString());
        command.add("-D");
        command.add(settings.dataFolder().toString());
        Process started =
                Child.start(
                        command,
                        settings.dataFolder(),
                        settings.logFile(),
                        Map.of("LC_ALL", "C"),
                        settings.stopWithParent());
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (true) {
            Optional<PostgresServer> server = find(settings);
            if (server.isPresent() && server.get().port() == port) {
                server.get().awaitAnswer(started);
                server.get().createDatabase();
                return server.get();
            }
            if (!started.isAlive()) {
                throw new NotStarted(Child.tail(settings.logFile()));
            }
            if (System.nanoTime() > deadline) {
                started.destroyForcibly();
                throw new NotStarted(" (no answer within " + START_LIMIT.toSeconds() + " s)");
            }
            pause(POLL);
        }
    }

    private static String configuration(Settings settings, int port) {
        var lines = new ArrayList<String>();
        lines.add("# Written at each start.");
        lines.add("listen_addresses = '" + HOST + "'");
        lines.add("port = " + port);
        lines.add("unix_socket_directories = ''");
        settings.configuration().forEach((name, value) -> lines.add(name + " = '" + value + "'"));
        return String.join("\n", lines) + "\n";
    }

    /** Waits until the server takes connections; {@code started} is the process whose end means failure, if known. */
    private void awaitAnswer(@Nullable Process started) {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (true) {
            try (Connection connection = connect("postgres")) {
                return;
            } catch (SQLException notYet) {
                boolean dead = started == null ? !process.isAlive() : !started.isAlive();
                if (dead || System.nanoTime() > deadline || isFinal(notYet)) {
                    throw new EmbeddedServerException(
                            "PostgreSQL on port "
                                    + port
                                    + " does not answer ("
                                    + notYet.getMessage()
                                    + "), see "
                                    + settings.logFile()
                                    + Child.tail(settings.logFile()),
                            notYet);
                }
                pause(POLL);
            }
        }
    }

    /** Wrong password or no such database: waiting does not help. */
    private static boolean isFinal(SQLException e) {
        String state = e.getSQLState();
        return state != null && (state.startsWith("28") || state.startsWith("3D"));
    }

    private void createDatabase() {
        try (Connection connection = connect("postgres");
                var statement = connection.createStatement();
                var found =
                        statement.executeQuery(
                                "SELECT 1 FROM pg_database WHERE datname = '" + DATABASE + "'")) {
            if (!found.next()) {
                statement.execute("CREATE DATABASE " + DATABASE);
            }
        } catch (SQLException e) {
            throw new EmbeddedServerException(
                    "cannot create the database " + DATABASE + ": " + e.getMessage(), e);
        }
    }

    private Connection connect(String database) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", USER);
        properties.setProperty("password", settings.password());
        properties.setProperty("connectTimeout", "5");
        return DriverManager.getConnection(
                "jdbc:postgresql://" + HOST + ":" + port + "/" + database, properties);
    }

    private static Path pidFile(Settings settings) {
        return settings.dataFolder().resolve("postmaster.pid");
    }

    /** After kill -9 the file stays; PostgreSQL refuses to start when the number in it is another process's by now. */
    private static void removeStalePidFile(Settings settings) throws IOException {
        Path file = pidFile(settings);
        if (!Files.exists(file)) {
            return;
        }
        List<String> lines = Files.readAllLines(file);
        boolean stale;
        try {
            stale =
                    lines.isEmpty()
                            || postgres(Long.parseLong(lines.get(0).strip()), settings.dataFolder())
                                    .isEmpty();
        } catch (NumberFormatException damaged) {
            stale = true;
        }
        if (stale) {
            Files.deleteIfExists(file);
        }
    }

    private static Optional<ProcessHandle> postgres(long pid, Path dataFolder) {
        return ProcessHandle.of(pid)
                .filter(ProcessRecord::isRunning)
                .filter(process ->
                        process.info()
                                .commandLine()
                                .map(line -> line.endsWith("/postgres -D " + dataFolder))
                                .orElse(false));
    }

    private static List<String> asUnprivileged() {
        return isRoot() ? List.of("unshare", "-U") : List.of();
    }

    private static String rootHint() {
        return isRoot()
                ? " (as root it needs user namespaces, \"unshare -U true\"; else run as a normal user)"
                : "";
    }

    private static boolean isRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException | UnsupportedOperationException noProc) {
            return "root".equals(System.getProperty("user.name"));
        }
    }

    private static boolean await(Process process) {
        try {
            if (!process.waitFor(START_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                return false;
            }
            return process.exitValue() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while PostgreSQL was starting", e);
        }
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while PostgreSQL was starting", e);
        }
    }

    private static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (var tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /** A new random password of 128 bits, in hexadecimal digits. */
    public static String newPassword() {
        byte[] bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** The process ended, or never answered. */
    private static final class NotStarted extends Exception {
        private static final long serialVersionUID = 1L;

        /** A port that was taken, or processes of a killed server that have not ended yet: both may pass. */
        private final boolean mayPass;

        NotStarted(String logTail) {
            super(logTail);
            this.mayPass =
                    logTail.contains("still in use")
                            || logTail.contains("Address already in use")
                            || logTail.contains("already exists");
        }
    }
}
