package io.mirante.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Json;
import io.mirante.embedded.FreePorts;
import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import io.mirante.embedded.ProcessRecord;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The launcher as a process of its own, on real Kafka and PostgreSQL and stand-ins for the services. */
final class MeshIT {
    private static final int CTRL_C = 3;

    private static final String PREPARED = "The next start is prepared in the background";

    /** What the JVM calls a cache. */
    private static final String SHARED = "shared objects file";

    private static final String KEPT =
            """
            CREATE TABLE kept (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text NOT NULL,
                               size int GENERATED ALWAYS AS (length(what)) STORED,
                               published_revision bigint NOT NULL DEFAULT 1);
            ALTER TABLE kept ENABLE ROW LEVEL SECURITY;
            ALTER TABLE kept FORCE ROW LEVEL SECURITY;
            """;

    /** Rows of the table before it have to be there when it runs. */
    private static final String LOUD =
            """
            ALTER TABLE kept ADD COLUMN loud text;
            UPDATE kept SET loud = upper(what);
            ALTER TABLE kept ALTER COLUMN loud SET NOT NULL;
            ALTER TABLE kept DROP COLUMN what CASCADE;
            """;

    @TempDir Path folder;

    private Path checkout;
    private Home home;
    private int port;
    private Home otherHome;
    private int otherPort;

    @BeforeEach
    void layOutACheckout() throws IOException {
        checkout = folder.resolve("checkout");
        home = new Home(folder.resolve("home"));
        otherHome = new Home(folder.resolve("other"));
        port = FreePorts.next();
        otherPort = FreePorts.next();
        for (ServiceName service : ServiceName.all()) {
            Path target = checkout.resolve(service.module()).resolve("target");
            Files.createDirectories(target);
            writeJar(target.resolve(service.module() + ".jar"), Map.of("V001__kept", KEPT));
        }
    }

    @AfterEach
    void stopWhatRuns() throws IOException, InterruptedException {
        mesh(Map.of(), "down");
        other("down");
    }

    @Test
    void comesUpGoesDownRecoversAndRestores() throws Exception {
        Result up = mesh(Map.of(), "up", "--detach");
        assertThat(up.output()).contains("The mesh is up").contains("http://127.0.0.1:" + port);
        assertThat(up.code()).isZero();
        JsonNode first = status();
        assertThat(first.get("state").asString()).isEqualTo("ready");
        assertThat(mesh(Map.of(), "status").code()).isZero();
        String masterKeyFile = get(port(first, "ingestion"), "MIRANTE_MASTER_KEY_FILE");
        String masterKey = Files.readString(Path.of(masterKeyFile));
        assertThat(get(port(first, "etl"), "MIRANTE_MASTER_KEY_FILE")).isEqualTo(masterKeyFile);
        assertThat(get(port(first, "churn"), "MIRANTE_MASTER_KEY_FILE")).isEmpty();

        sql("INSERT INTO etl.kept VALUES (DEFAULT, 'saved')");
        sql("INSERT INTO etl.consumer_position VALUES ('c', 'mirante.events.raw', 0, 'id', 7)");
        Path backup = folder.resolve("backup.zip");
        assertThat(mesh(Map.of(), "backup", backup.toString()).output()).contains("backup");
        sql("INSERT INTO etl.kept VALUES (DEFAULT, 'later')");

        for (String part : List.of("etl", "gateway", "kafka", "postgres")) {
            kill(pid(first, part));
        }
        await().atMost(Duration.ofMinutes(2))
                .until(() -> status().get("state").asString().equals("partial"));
        assertThat(mesh(Map.of(), "status").code()).isEqualTo(3);
        assertThat(mesh(Map.of(), "up", "--detach").code()).isZero();
        JsonNode second = status();
        assertThat(second.get("state").asString()).isEqualTo("ready");
        assertThat(pid(second, "churn")).isEqualTo(pid(first, "churn"));
        assertThat(pid(second, "etl")).isNotEqualTo(pid(first, "etl"));
        assertThat(port(second, "kafka")).isEqualTo(port(first, "kafka"));
        assertThat(kept()).isEqualTo(2);

        assertThat(mesh(Map.of(), "restore", backup.toString()).output())
                .contains("./mesh down first");
        assertThat(mesh(Map.of(), "down").output()).contains("is down");
        assertThat(status().get("state").asString()).isEqualTo("down");
        assertThat(mesh(Map.of(), "down").output()).contains("Nothing was running");

        Files.writeString(Path.of(masterKeyFile), "that of another folder");
        Result restored = mesh(Map.of(), "restore", backup.toString());
        assertThat(restored.output()).contains("Restored");
        assertThat(Path.of(masterKeyFile)).hasContent(masterKey);
        assertThat(mesh(Map.of(), "up", "--detach").code()).isZero();
        assertThat(kept()).isEqualTo(1);
        sql("INSERT INTO etl.kept VALUES (DEFAULT, 'number two again')");
        assertThat(kept()).isEqualTo(2);
        // Kafka is the one that the positions are of.
        assertThat(number(home, "SELECT next_offset FROM etl.consumer_position")).isEqualTo(7);
        assertThat(number(home, "SELECT min(published_revision) FROM etl.kept")).isEqualTo(1);

        assertThat(other("restore", backup.toString()).output()).contains("Restored");
        assertThat(other("up", "--detach").code()).isZero();
        assertThat(kept(otherHome)).isEqualTo(1);
        // Here it is not: everything is read from its beginning, and told again.
        assertThat(number(otherHome, "SELECT count(*) FROM etl.consumer_position")).isZero();
        assertThat(number(otherHome, "SELECT published_revision FROM etl.kept")).isZero();
    }

    @Test
    void restoresABackupOfAnEarlierVersionAndMigratesItOnAndNoOther() throws Exception {
        assertThat(mesh(Map.of(), "up", "--detach").code()).isZero();
        sql("INSERT INTO etl.kept VALUES (DEFAULT, 'saved')");
        Path early = folder.resolve("early.zip");
        assertThat(mesh(Map.of(), "backup", early.toString()).code()).isZero();
        assertThat(mesh(Map.of(), "down").code()).isZero();

        Path etl = checkout.resolve("etl-service/target/etl-service.jar");
        writeJar(etl, Map.of("V001__kept", KEPT, "V002__loud", LOUD));
        Result restored = other("restore", early.toString());
        assertThat(restored.output()).contains("Restored, with tables as Mirante ");
        assertThat(restored.code()).isZero();
        assertThat(other("up", "--detach").code()).isZero();
        assertThat(number(otherHome, "SELECT count(*) FROM etl.kept WHERE loud = 'SAVED'"))
                .isEqualTo(1);
        assertThat(number(otherHome, "SELECT count(*) FROM churn.kept")).isZero();

        Path late = folder.resolve("late.zip");
        assertThat(other("backup", late.toString()).code()).isZero();
        assertThat(other("down").code()).isZero();
        Result back = other("restore", early.toString());
        assertThat(back.code()).isEqualTo(1);
        assertThat(back.output().strip())
                .startsWith(
                        "mesh: the tables in " + otherHome.folder() + " are newer than the backup")
                .contains("without the migrations etl 002: move the folder away")
                .doesNotContain("\n");

        writeJar(etl, Map.of("V001__kept", KEPT));
        Result newer = mesh(Map.of(), "restore", late.toString());
        assertThat(newer.code()).isEqualTo(1);
        assertThat(newer.output().strip())
                .startsWith("mesh: the backup is newer than this version")
                .contains("does not know its migrations etl 002: restore it with Mirante")
                .doesNotContain("\n");
        assertThat(mesh(Map.of(), "up", "--detach").code()).isZero();
        assertThat(number(home, "SELECT count(*) FROM etl.kept WHERE what = 'saved'")).isEqualTo(1);
    }

    /** One in a terminal and one detached: what ends one leaves the other and its data alone. */
    @Test
    void runsBesideASecondMeshUntilCtrlCInItsTerminal() throws Exception {
        Path screen = folder.resolve("screen.txt");
        var environment = environment(Map.of("API_KEYS", "it's mine, second"), home, port);
        environment.put("SHELL", "/bin/sh");
        String line =
                String.join(" ", command("up").stream().map(word -> "'" + word + "'").toList());
        // A shell's background job ignores Ctrl-C, and so would what it starts.
        var builder =
                new ProcessBuilder(
                        "env",
                        "--default-signal=INT",
                        "script",
                        "-qefc",
                        "exec " + line,
                        screen.toString());
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        Process terminal = builder.start();
        try {
            await().atMost(Duration.ofMinutes(2))
                    .until(() ->
                            Files.exists(screen)
                                    && Files.readString(screen).contains("Ctrl-C stops the mesh."));
            assertThat(Files.readString(screen))
                    .contains("key          it's mine   (tenant demo)")
                    .contains("-H 'x-api-key: it'\\''s mine'");
            sql("INSERT INTO etl.kept VALUES (DEFAULT, 'of the first')");

            assertThat(other("up", "--detach").code()).isZero();
            assertThat(get(port, "PORT")).isEqualTo(Integer.toString(port));
            assertThat(get(otherPort, "PORT")).isEqualTo(Integer.toString(otherPort));
            JsonNode second = Json.mapper().readTree(other("status", "--json").output());
            assertThat(kept(otherHome)).isZero();

            try (var keyboard = terminal.getOutputStream()) {
                keyboard.write(CTRL_C);
                keyboard.flush();
                await().atMost(Duration.ofMinutes(2))
                        .until(() -> Files.readString(screen).contains("Stopping the mesh"));
                keyboard.write(CTRL_C);
                keyboard.flush();
                assertThat(terminal.waitFor(60, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(terminal.exitValue()).isEqualTo(130);
            assertThat(status().get("state").asString()).isEqualTo("down");
            JsonNode after = Json.mapper().readTree(other("status", "--json").output());
            assertThat(after.get("state").asString()).isEqualTo("ready");
            assertThat(pid(after, "postgres")).isEqualTo(pid(second, "postgres"));
            assertThat(pid(after, "gateway")).isEqualTo(pid(second, "gateway"));
        } finally {
            terminal.destroy();
        }

        assertThat(mesh(Map.of(), "up", "--detach").code()).isZero();
        JsonNode first = status();
        assertThat(other("down").output()).contains("is down");
        assertThat(status().get("state").asString()).isEqualTo("ready");
        assertThat(pid(status(), "kafka")).isEqualTo(pid(first, "kafka"));
        assertThat(kept()).isEqualTo(1);
    }

    @Test
    void saysWhyAServiceDidNotStartAndStopsTheRest() throws Exception {
        Result up = mesh(Map.of("FAKE_FAILURE", "snapshot-1"), "up", "--detach");

        assertThat(up.code()).isEqualTo(1);
        assertThat(up.output())
                .contains("snapshot-service ended while it was starting")
                .contains("this service cannot start")
                .contains(home.log("snapshot-service").toString())
                .doesNotContain("\tat ");
        assertThat(status().get("state").asString()).isEqualTo("down");
        assertThat(KafkaServer.find(new Infrastructure(home).kafka())).isEmpty();

        Result stopped = mesh(Map.of("FAKE_STOPPED", "etl-1"), "up", "--detach");
        assertThat(stopped.code()).isEqualTo(1);
        assertThat(stopped.output())
                .endsWith("mesh: etl-service: storeEvents is stopped: do this, or that\n");
        assertThat(status().get("state").asString()).isEqualTo("down");
    }

    @Test
    void saysWhoseThePortIsAndStartsNothing() throws Exception {
        try (var other = new ServerSocket()) {
            other.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            Result up = mesh(Map.of(), "up", "--detach");
            assertThat(up.code()).isEqualTo(1);
            assertThat(up.output().strip())
                    .startsWith("mesh: port " + port + " (gateway) is taken by another program")
                    .doesNotContain("\n");
        }
    }

    /** The JVM itself says of each class whether it came from a cache. */
    @Test
    void trainsAClassCacheAfterTheFirstStartAndUsesItUntilTheJarIsAnother() throws Exception {
        var settings =
                Map.of(
                        "MESH_AOT", "on",
                        "MESH_SERVICES", "etl",
                        "MESH_JVM_FLAGS", "-Xlog:class+load");
        assertThat(mesh(settings, "up", "--detach").output()).contains(PREPARED);
        assertThat(sourceOfEtl()).startsWith("file:");
        Path cache = trainedCache();

        assertThat(startEtlAgain(settings)).doesNotContain(PREPARED);
        assertThat(sourceOfEtl()).isEqualTo(SHARED);

        byte[] whole = Files.readAllBytes(cache);
        for (byte[] damaged :
                List.of(new byte[0], new byte[4096], Arrays.copyOf(whole, whole.length / 2))) {
            put(damaged, cache);
            assertThat(startEtlAgain(settings)).contains("The mesh is up");
            assertThat(sourceOfEtl()).startsWith("file:");
        }
        put(whole, cache);

        writeJar(
                checkout.resolve("etl-service/target/etl-service.jar"),
                Map.of("V001__kept", KEPT, "V002__loud", LOUD));
        assertThat(startEtlAgain(settings)).contains(PREPARED);
        assertThat(sourceOfEtl()).startsWith("file:");
        assertThat(trainedCache()).isNotEqualTo(cache);
        assertThat(cache).doesNotExist();
        assertThat(startEtlAgain(settings)).doesNotContain(PREPARED);
        assertThat(sourceOfEtl()).isEqualTo(SHARED);
    }

    private String startEtlAgain(Map<String, String> settings) throws Exception {
        ProcessHandle etl = ProcessHandle.of(pid(status(), "etl")).orElseThrow();
        etl.destroyForcibly();
        etl.onExit().get(60, TimeUnit.SECONDS);
        Result up = mesh(settings, "up", "--detach");
        assertThat(up.code()).as(up.output()).isZero();
        return up.output();
    }

    /** As another file: the one before is mapped by a process that runs. */
    private static void put(byte[] content, Path file) throws IOException {
        Path fresh = Files.write(file.resolveSibling("fresh"), content);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** When the training that runs has ended. */
    private Path trainedCache() throws IOException {
        await().atMost(Duration.ofMinutes(5))
                .until(() ->
                        ProcessRecord.read(home.run().resolve(Training.PID_FILE))
                                .filter(ProcessRecord::isAlive)
                                .isEmpty());
        try (var files = Files.list(home.aot())) {
            List<Path> caches = files.filter(file -> file.toString().endsWith(".aot")).toList();
            assertThat(caches).hasSize(1);
            return caches.getFirst();
        }
    }

    private String sourceOfEtl() throws IOException {
        try (var lines = Files.lines(home.log(ServiceName.ETL.module()))) {
            String loaded = FakeService.class.getName() + " source: ";
            return lines.filter(line -> line.contains(loaded))
                    .map(line -> line.substring(line.indexOf(loaded) + loaded.length()))
                    .collect(Collectors.joining());
        }
    }

    private record Result(int code, String output) {}

    private Result mesh(Map<String, String> more, String... arguments)
            throws IOException, InterruptedException {
        return run(environment(more, home, port), arguments);
    }

    /** The same checkout with another folder and another port. */
    private Result other(String... arguments) throws IOException, InterruptedException {
        return run(environment(Map.of(), otherHome, otherPort), arguments);
    }

    private Result run(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command(arguments)).redirectErrorStream(true);
        Path output = Files.createTempFile(folder, "output", ".txt");
        builder.redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(180, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), Files.readString(output));
    }

    private List<String> command(String... arguments) {
        var command =
                new ArrayList<>(
                        List.of(
                                Jvm.java(),
                                "-XX:TieredStopAtLevel=1",
                                "-Dmirante.checkout=" + checkout,
                                Mesh.class.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private static Map<String, String> environment(Map<String, String> more, Home home, int port) {
        var environment = new TreeMap<>(more);
        environment.put("CLASSPATH", System.getProperty("java.class.path"));
        environment.put("MIRANTE_HOME", home.folder().toString());
        environment.put("PORT", Integer.toString(port));
        environment.putIfAbsent("MESH_AOT", "off");
        return environment;
    }

    private static String get(int port, String path) throws IOException {
        URI uri = URI.create("http://127.0.0.1:" + port + "/" + path);
        try (var in = uri.toURL().openStream()) {
            return new String(in.readAllBytes(), UTF_8);
        }
    }

    private JsonNode status() throws IOException, InterruptedException {
        return Json.mapper().readTree(mesh(Map.of(), "status", "--json").output());
    }

    private static JsonNode part(JsonNode status, String name) {
        for (JsonNode part : status.get("parts")) {
            if (part.get("name").asString().equals(name)) {
                return part;
            }
        }
        throw new AssertionError("no part " + name);
    }

    private static long pid(JsonNode status, String name) {
        return part(status, name).get("pid").asLong();
    }

    private static int port(JsonNode status, String name) {
        return part(status, name).get("port").asInt();
    }

    private static void kill(long pid) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    }

    private static PostgresServer postgres(Home home) {
        return PostgresServer.find(new Infrastructure(home).postgres(Secrets.of(home)))
                .orElseThrow();
    }

    private void sql(String statement) throws SQLException {
        try (var connection = postgres(home).connect();
                var execution = connection.createStatement()) {
            execution.execute(statement);
        }
    }

    private int kept() throws SQLException {
        return kept(home);
    }

    private static int kept(Home home) throws SQLException {
        return number(home, "SELECT count(*) FROM etl.kept");
    }

    private static int number(Home home, String query) throws SQLException {
        try (var connection = postgres(home).connect();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private static void writeJar(Path jar, Map<String, String> migrations) throws IOException {
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, FakeService.class.getName());
        try (var out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            String path = FakeService.class.getName().replace('.', '/') + ".class";
            out.putNextEntry(new ZipEntry(path));
            try (var in = FakeService.class.getClassLoader().getResourceAsStream(path)) {
                out.write(java.util.Objects.requireNonNull(in).readAllBytes());
            }
            for (var migration : new TreeMap<>(migrations).entrySet()) {
                out.putNextEntry(new ZipEntry("db/migration/" + migration.getKey() + ".sql"));
                out.write(migration.getValue().getBytes(UTF_8));
            }
        }
    }
}
