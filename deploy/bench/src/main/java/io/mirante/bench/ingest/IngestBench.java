package io.mirante.bench.ingest;

import io.mirante.bench.Options;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.ingest.Load.Seen;
import io.mirante.bench.mesh.BenchMesh;
import io.mirante.embedded.FreePorts;
import io.mirante.platform.security.TokenMinter;
import java.io.IOException;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * How many events get in, against what reactor-netty and Kafka alone can do on the same machine in the same minutes. A
 * mesh of its own, of which only gateway, ingestion, Kafka and PostgreSQL stay; JVMs with all compilers. Each target, probe
 * or ours, is warmed up until its throughput is flat. Rounds are interleaved, figures are medians; closed loop for
 * ceilings, open loop for the percentile.
 */
public final class IngestBench {
    private static final int CONNECTIONS = 32;
    private static final int BATCH_CONNECTIONS = 4;
    private static final Duration WARM_UP_STEP = Duration.ofSeconds(5);
    private static final int WARM_UP_STEPS = 24;
    private static final int FLAT_STEPS = 4;
    private static final double FLAT = 0.05;
    private static final Duration ROUND = Duration.ofSeconds(10);
    private static final Duration OPEN_ROUND = Duration.ofSeconds(8);
    private static final long PROBE_RECORDS = 300_000;
    private static final String TOPIC = "bench.raw";
    private static final byte[] EVENT_ID = "\"bench-".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] USER_ID = ":\"user_".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ONE =
            ("{\"event\":" + eventJson(0) + "}").getBytes(StandardCharsets.UTF_8);

    /** Whose events are sent. */
    static final int PERSONS = 20_000;

    private static final List<String> STAY = List.of("gateway", "ingestion", "kafka", "postgres");

    private final PrintStream out;
    private final BenchMesh mesh;
    private final Path folder;
    private final int rounds;
    private final int connections;
    private final Map<String, BenchMesh.Part> parts;
    private final AtomicLong numbers = new AtomicLong();
    private final Map<String, List<Double>> figures = new LinkedHashMap<>();
    private final Map<String, List<Double>> micros = new LinkedHashMap<>();

    private IngestBench(PrintStream out, BenchMesh mesh, int rounds, int connections)
            throws IOException, InterruptedException {
        this.out = out;
        this.mesh = mesh;
        this.folder = mesh.folder();
        this.rounds = rounds;
        this.connections = connections;
        this.parts =
                mesh.parts().stream()
                        .collect(Collectors.toMap(BenchMesh.Part::name, Function.identity()));
    }

    /**
     * Runs and prints.
     *
     * @param arguments {@code --rounds N}, 1 to 20, default 5; {@code --connections N} of the closed loop with one event a request, 1
     *     to 512, default 32
     * @return exit code
     */
    public static int run(List<String> arguments, PrintStream out) {
        Options options =
                Options.of("ingest")
                        .number("--rounds", 5, 1, 20)
                        .number("--connections", CONNECTIONS, 1, 512)
                        .read(arguments);
        return BenchMesh.use(
                "ingest",
                Map.of("MESH_ALL_TIERS", "on", "MESH_AOT", "off"),
                out,
                mesh -> {
                    mesh.run("up", "--detach");
                    new IngestBench(
                                    out,
                                    mesh,
                                    options.value("--rounds"),
                                    options.value("--connections"))
                            .measure();
                });
    }

    private void measure() throws IOException, InterruptedException {
        parts.values().stream()
                .filter(part -> !STAY.contains(part.name()))
                .forEach(BenchMesh.Part::end);
        int bare = FreePorts.next();
        Process probe = startProbe(bare);
        try {
            List<Target> targets =
                    List.of(
                            new Target("L1 echo", bare, "/echo", "", probe.pid()),
                            new Target("L2 netty + producer", bare, "/send", "", probe.pid()),
                            new Target(
                                    "L2 with a person's key", bare, "/send-keyed", "", probe.pid()),
                            new Target(
                                    "ingestion direct",
                                    port("ingestion"),
                                    "/api/v1/events",
                                    token(),
                                    pid("ingestion")),
                            new Target(
                                    "through the gateway",
                                    port("gateway"),
                                    "/api/v1/events",
                                    key(),
                                    pid("gateway")));
            out.printf("One event a request, %d connections, closed loop%n", connections);
            for (int round = 0; round <= rounds; round++) {
                for (Target target : targets) {
                    single(target, round);
                }
            }
            percentile();
            batches();
            print();
        } finally {
            probe.destroy();
            probe.waitFor();
        }
    }

    private record Target(String name, int port, String path, String header, long pid) {}

    private void single(Target target, int round) {
        String header = target.header().startsWith("authorization") ? token() : target.header();
        try (Load load =
                new Load(
                        target.port(),
                        target.path(),
                        header,
                        connections,
                        IngestBench::event,
                        numbers)) {
            if (round == 0) {
                warmUp(load, target.name());
                return;
            }
            Map<String, Long> before = cpu(target);
            Seen seen = load.closed(ROUND);
            none(seen, target.name());
            note(target.name(), seen.perSecond());
            cpu(target)
                    .forEach((part, nanos) ->
                            noteMicros(
                                    target.name() + ", CPU of " + part,
                                    (nanos - before.getOrDefault(part, 0L))
                                            / 1e3
                                            / seen.requests()));
        }
    }

    /**
     * Until four steps after one another are no faster than the best before them, or two minutes have passed: with two the
     * second compiler was not done with ingestion, which then became a half faster while it was measured.
     */
    private void warmUp(Load load, String name) {
        double best = 0;
        int flat = 0;
        for (int step = 1; step <= WARM_UP_STEPS && flat < FLAT_STEPS; step++) {
            Seen seen = load.closed(WARM_UP_STEP);
            none(seen, name);
            flat = seen.perSecond() > best * (1 + FLAT) ? 0 : flat + 1;
            best = Math.max(best, seen.perSecond());
        }
        out.printf("  warm: %s, %,.0f requests a second%n", name, best);
    }

    /** Processes whose CPU a target's requests cost. */
    private Map<String, Long> cpu(Target target) {
        Map<String, Long> nanos = new LinkedHashMap<>();
        if (target.name().startsWith("L")) {
            nanos.put("probe", BenchMesh.cpuNanos(target.pid()));
        } else {
            if (target.name().contains("gateway")) {
                nanos.put("gateway", part("gateway").cpuNanos());
            }
            nanos.put("ingestion", part("ingestion").cpuNanos());
        }
        nanos.put("kafka", part("kafka").cpuNanos());
        return nanos;
    }

    private void percentile() {
        double rate = median("through the gateway") / 2;
        for (int round = 1; round <= rounds; round++) {
            try (Load load =
                    new Load(
                            port("gateway"),
                            "/api/v1/events",
                            key(),
                            CONNECTIONS,
                            IngestBench::event,
                            numbers)) {
                Seen seen = load.open(OPEN_ROUND, rate);
                none(seen, "open loop");
                note("p50 at half of the maximum, ms", seen.millis(0.50));
                note("p99 at half of the maximum, ms", seen.millis(0.99));
            }
        }
    }

    private void batches() throws IOException, InterruptedException {
        Path payload = folder.resolve("payload.txt");
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            lines.add(eventJson(i));
        }
        Files.write(payload, lines);
        for (int round = 0; round <= rounds; round++) {
            double probe = producerPerformance(payload);
            if (round > 0) {
                note("L3 ProducerPerformance", probe);
            }
            for (int size : List.of(100, 500)) {
                batch(
                        "batches of " + size + ", ingestion direct",
                        port("ingestion"),
                        token(),
                        size,
                        round);
                batch(
                        "batches of " + size + ", through the gateway",
                        port("gateway"),
                        key(),
                        size,
                        round);
            }
        }
    }

    private void batch(String name, int port, String header, int size, int round) {
        byte[] many = batchOf(size);
        LongFunction<byte[]> body = n -> numbered(many, n * size, size);
        try (Load load =
                new Load(port, "/api/v1/events/batch", header, BATCH_CONNECTIONS, body, numbers)) {
            if (round == 0) {
                warmUp(load, name);
                return;
            }
            Seen seen = load.closed(ROUND);
            none(seen, name);
            note(name, seen.perSecond() * size);
        }
    }

    private void print() {
        out.printf(
                "Medians of %d rounds; JDK %s, %d processors, load average %s%n",
                rounds,
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                loadAverage());
        figures.forEach((name, all) -> out.printf("  %-44s %,12.1f%n", name, median(name)));
        out.println("CPU microseconds a request");
        micros.forEach((name, all) -> out.printf("  %-44s %,12.1f%n", name, median(all)));
        out.println("Ratios (must / aim)");
        ratio("one event direct ÷ L2", "ingestion direct", "L2 netty + producer", "0.60 / 0.75");
        ratio(
                "one event direct ÷ L2 with a person's key",
                "ingestion direct",
                "L2 with a person's key",
                "0.60 / 0.75");
        ratio(
                "through the gateway ÷ direct",
                "through the gateway",
                "ingestion direct",
                "0.45 / 0.60");
        for (int size : List.of(100, 500)) {
            ratio(
                    "batches of " + size + " direct ÷ L3",
                    "batches of " + size + ", ingestion direct",
                    "L3 ProducerPerformance",
                    "0.20 / 0.35");
            ratio(
                    "batches of " + size + " through the gateway ÷ L3",
                    "batches of " + size + ", through the gateway",
                    "L3 ProducerPerformance",
                    "0.20 / 0.35");
        }
    }

    private void ratio(String name, String ours, String limit, String wanted) {
        out.printf("  %-44s %12.2f   (%s)%n", name, median(ours) / median(limit), wanted);
    }

    // --- what is sent

    private static String eventJson(long number) {
        return """
        {"event_id":"bench-%012d","user_id":"user_%05d","anonymous_id":null,"session_id":"sess_%06d",\
        "timestamp":"2026-11-20T10:00:00Z","schema_version":1,"event_type":{"type":"PageView","data":\
        {"url":"/products/%04d","title":"Products","duration_ms":5000}},"metadata":{},"context":{"device":\
        {"device_type":"Desktop","os":"Windows","browser":"Chrome","screen_resolution":[1920,1080]},\
        "location":{"country":"BR","city":"Recife","timezone":"America/Recife"},"referrer":null,\
        "user_agent":"Mozilla/5.0","viewport":{"width":1920,"height":1080}}}\
        """
                .formatted(number, number % PERSONS, number % 100_000, number % 1_000);
    }

    /** The body of the n-th single event. */
    static byte[] event(long number) {
        return numbered(ONE, number, 1);
    }

    /** Bodies are made once; only the events' numbers are written anew, since making texts costs more than sending them. */
    private static byte[] numbered(byte[] body, long first, int size) {
        byte[] copy = body.clone();
        int from = 0;
        for (int i = 0; i < size; i++) {
            int at = find(copy, EVENT_ID, from) + EVENT_ID.length;
            write(copy, at, first + i, 12);
            at = find(copy, USER_ID, at) + USER_ID.length;
            write(copy, at, (first + i) % PERSONS, 5);
            from = at;
        }
        return copy;
    }

    private static void write(byte[] text, int at, long number, int digits) {
        long rest = number;
        for (int i = digits - 1; i >= 0; i--) {
            text[at + i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    private static int find(byte[] text, byte[] wanted, int from) {
        for (int at = from; ; at++) {
            if (text[at] == wanted[0]
                    && Arrays.equals(text, at, at + wanted.length, wanted, 0, wanted.length)) {
                return at;
            }
        }
    }

    private static byte[] batchOf(int size) {
        StringBuilder text = new StringBuilder(size * 620).append("{\"events\":[");
        for (int i = 0; i < size; i++) {
            text.append(i == 0 ? "" : ",").append(eventJson(i));
        }
        return text.append("]}").toString().getBytes(StandardCharsets.UTF_8);
    }

    private String token() {
        return "authorization: Bearer "
                + TokenMinter.fromFile(mesh.home().resolve("keys/gateway.jwk"), Clock.systemUTC())
                        .mint("demo", "bench", List.of("ingest"), List.of())
                + "\r\n";
    }

    private static String key() {
        return "x-api-key: dev-key-123\r\n";
    }

    private static void none(Seen seen, String name) {
        if (seen.refused() > 0) {
            throw new MeshException(
                    name
                            + ": "
                            + seen.refused()
                            + " requests were refused; the figure would mean nothing");
        }
    }

    // --- the probes

    private Process startProbe(int port) throws IOException {
        String servers = "127.0.0.1:" + port("kafka");
        try (Admin admin =
                Admin.create(
                        Map.<String, Object>of(
                                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, servers))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, 12, (short) 1)))
                    .all()
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
        }
        Process probe =
                java(
                        "probe",
                        BareProducer.class.getName(),
                        List.of(Integer.toString(port), servers, TOPIC));
        Instant limit = Instant.now().plusSeconds(60);
        while (!answers(URI.create("http://127.0.0.1:" + port + "/ready"))) {
            if (!probe.isAlive() || Instant.now().isAfter(limit)) {
                throw new MeshException(
                        "the probe did not start, see " + folder.resolve("probe.log"));
            }
            Thread.onSpinWait();
        }
        return probe;
    }

    private double producerPerformance(Path payload) throws IOException, InterruptedException {
        Process process =
                java(
                        "producer-performance",
                        "org.apache.kafka.tools.ProducerPerformance",
                        List.of(
                                "--topic",
                                TOPIC,
                                "--num-records",
                                Long.toString(PROBE_RECORDS),
                                "--throughput",
                                "-1",
                                "--payload-file",
                                payload.toString(),
                                "--producer-props",
                                "bootstrap.servers=127.0.0.1:" + port("kafka"),
                                "acks=all",
                                "enable.idempotence=true",
                                "linger.ms=1",
                                "batch.size=262144",
                                "compression.type=lz4",
                                "buffer.memory=67108864"));
        int code = process.waitFor();
        String text = Files.readString(folder.resolve("producer-performance.log"));
        Matcher last =
                Pattern.compile(PROBE_RECORDS + " records sent, ([0-9.]+) records/sec")
                        .matcher(text);
        if (code != 0 || !last.find()) {
            throw new MeshException("ProducerPerformance ended with " + code + ":\n" + text);
        }
        return Double.parseDouble(last.group(1));
    }

    private Process java(String name, String main, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(
                        "-XX:+UseSerialGC",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        main));
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile())
                .start();
    }

    private static boolean answers(URI url) {
        try {
            var connection = (HttpURLConnection) url.toURL().openConnection();
            connection.setConnectTimeout(500);
            connection.setReadTimeout(1000);
            return connection.getResponseCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    // --- figures

    private BenchMesh.Part part(String name) {
        BenchMesh.Part part = parts.get(name);
        if (part == null) {
            throw new MeshException("the mesh has no part " + name);
        }
        return part;
    }

    private int port(String part) {
        return part(part).port();
    }

    private long pid(String part) {
        return part(part).pid();
    }

    private void note(String name, double figure) {
        figures.computeIfAbsent(name, ignored -> new ArrayList<>()).add(figure);
    }

    private void noteMicros(String name, double figure) {
        micros.computeIfAbsent(name, ignored -> new ArrayList<>()).add(figure);
    }

    private double median(String name) {
        return median(figures.getOrDefault(name, List.of()));
    }

    private static double median(List<Double> all) {
        return all.isEmpty() ? Double.NaN : all.stream().sorted().toList().get(all.size() / 2);
    }

    private static String loadAverage() {
        try {
            return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
        } catch (IOException unknown) {
            return "unknown";
        }
    }
}
