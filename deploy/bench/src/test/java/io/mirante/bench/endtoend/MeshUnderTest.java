package io.mirante.bench.endtoend;

import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A mesh of its own for tests: started by the launcher of {@code deploy/local} from the built jars, in a folder below
 * {@code target}, on free ports.
 */
public final class MeshUnderTest implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Path CHECKOUT =
            Path.of(System.getProperty("mirante.checkout")).toAbsolutePath();

    /** JaCoCo's agent when this JVM has it: then the launcher and the services write to the same file. */
    private static final List<String> COVERAGE =
            ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                    .filter(flag -> flag.startsWith("-javaagent:") && flag.contains("jacoco"))
                    .map(MeshUnderTest::withAbsoluteFile)
                    .toList();

    private static final Duration KNOWN = Duration.ofSeconds(10);

    private final Path home;
    private final int port;
    private final Map<String, String> environment = new TreeMap<>();
    private final Map<String, Integer> ports = new ConcurrentHashMap<>();

    /** What a command printed and how it ended. */
    public record Ended(int code, String output) {}

    public MeshUnderTest(String name) {
        this.home = CHECKOUT.resolve("deploy/bench/target/endtoend").resolve(name);
        this.port = freePort();
        environment.put("MIRANTE_HOME", home.toString());
        environment.put("PORT", Integer.toString(port));
        environment.put("MESH_AOT", "off");
        environment.put("API_KEYS", "");
        environment.put("MESH_JVM_FLAGS", String.join(" ", COVERAGE));
        deleteTree(home);
    }

    public static Path checkout() {
        return CHECKOUT;
    }

    public Map<String, String> environment() {
        return Map.copyOf(environment);
    }

    public Path home() {
        return home;
    }

    public URI url() {
        return URI.create("http://127.0.0.1:" + port);
    }

    public MeshClient client() {
        return new MeshClient(url(), "dev-key-123");
    }

    /**
     * A tenant of its own.
     *
     * @param key with all scopes but the platform's, without a rate limit
     */
    public record Tenant(String id, String key) {}

    /** A new tenant; its key is in force. */
    public Tenant newTenant(String name) {
        try (MeshClient root = client()) {
            String id =
                    root.post("/api/v1/admin/tenants", Map.of("name", name))
                            .required("a tenant")
                            .body()
                            .path("id")
                            .asString("");
            String key =
                    root.post(
                                    "/api/v1/admin/keys",
                                    Map.of(
                                            "tenant_id",
                                            id,
                                            "name",
                                            "tests",
                                            "scopes",
                                            List.of(
                                                    "ingest",
                                                    "analytics.view",
                                                    "analytics.manage",
                                                    "admin"),
                                            "rate_limit",
                                            0))
                            .required("a key")
                            .body()
                            .path("key")
                            .asString("");
            try (MeshClient other = new MeshClient(url(), key)) {
                await().atMost(KNOWN)
                        .until(() ->
                                other.exchange("GET", "/api/v1/metrics/catalog", null, false).ok());
            }
            return new Tenant(id, key);
        }
    }

    /** Runs a command of the launcher. */
    public Ended launcher(List<String> arguments, Map<String, String> more) {
        try {
            Path local = CHECKOUT.resolve("deploy/local/target");
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.add("-XX:+UseSerialGC");
            command.add("-XX:TieredStopAtLevel=1");
            command.addAll(COVERAGE);
            command.add("-Dmirante.checkout=" + CHECKOUT);
            command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=error");
            command.add("-cp");
            command.add(
                    local.resolve("classes")
                            + ":"
                            + Files.readString(local.resolve("classpath.txt")).strip());
            command.add("io.mirante.local.Mesh");
            command.addAll(arguments);
            Path output = Files.createTempFile("mesh", ".out");
            ProcessBuilder builder =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile());
            builder.environment().putAll(environment);
            builder.environment().putAll(more);
            Process process = builder.start();
            if (!process.waitFor(6, TimeUnit.MINUTES)) {
                process.destroy();
                return new Ended(-1, "no end after six minutes: " + Files.readString(output));
            }
            String text = Files.readString(output);
            Files.delete(output);
            return new Ended(process.exitValue(), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Starts what does not run. */
    public void up() {
        up(Map.of());
    }

    /** Starts what does not run, with more settings. */
    public void up(Map<String, String> more) {
        Ended ended = launcher(List.of("up", "--detach"), more);
        if (ended.code() != 0) {
            throw new AssertionError("the mesh did not start:\n" + ended.output());
        }
    }

    public void down() {
        Ended ended = launcher(List.of("down"), Map.of());
        if (ended.code() != 0) {
            throw new AssertionError("the mesh did not stop:\n" + ended.output());
        }
    }

    /** The launcher's view of one part. */
    public JsonNode part(String name) {
        JsonNode status = JSON.readTree(launcher(List.of("status", "--json"), Map.of()).output());
        for (JsonNode part : status.path("parts")) {
            if (part.path("name").asString("").equals(name)) {
                return part;
            }
        }
        throw new AssertionError("no part " + name + " in " + status);
    }

    /** Process of a part. */
    public ProcessHandle process(String part) {
        return ProcessHandle.of(part(part).path("pid").asLong(-1)).orElseThrow();
    }

    /** SIGKILL. */
    public void kill(String part) {
        kill(process(part));
    }

    /** SIGKILL. */
    public static void kill(ProcessHandle process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        process.onExit().join();
    }

    /** The port of a part, which stays the same for as long as the mesh's folder is there. */
    public int port(String part) {
        return ports.computeIfAbsent(part, name -> part(name).path("port").asInt(0));
    }

    /** Kafka's bootstrap server. */
    public String kafka() {
        return "127.0.0.1:" + port("kafka");
    }

    /** The database with its owner's rights, to recount what the mesh says. */
    public Connection database() throws SQLException {
        Properties passwords = new Properties();
        try (var in = Files.newInputStream(home.resolve("keys/passwords.properties"))) {
            passwords.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port("postgres") + "/mirante",
                "mirante",
                passwords.getProperty("owner"));
    }

    @Override
    public void close() {
        down();
    }

    /** The agent's file is named as seen from this module's folder; the services run in others. */
    private static String withAbsoluteFile(String flag) {
        var file = Pattern.compile("destfile=([^,]+)").matcher(flag);
        return file.replaceAll(found ->
                "destfile="
                        + Matcher.quoteReplacement(
                                Path.of(found.group(1)).toAbsolutePath().toString()));
    }

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void deleteTree(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
