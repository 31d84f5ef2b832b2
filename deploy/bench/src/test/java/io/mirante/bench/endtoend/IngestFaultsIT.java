package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import io.mirante.testkit.TcpProxy;
import io.mirante.testkit.TcpProxy.Fault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/**
 * Faults of the way in, on a whole mesh: what happens is judged by ledgers and the {@link Oracle}. {@code
 * -Dmirante.fault.runs} says how often and how long, {@code -Dmirante.fault.seed} repeats a run. docs/reliability.md says
 * which row of the fault matrix is proven where.
 */
@Tag("fault")
@ExtendWith(RunningMesh.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class IngestFaultsIT {
    private static final int RUNS = Integer.getInteger("mirante.fault.runs", 1);
    private static final long SEED = Long.getLong("mirante.fault.seed", System.currentTimeMillis());
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Duration RESTARTED = Duration.ofSeconds(20);
    private static final Duration STEADY = Duration.ofSeconds(10);

    /** The second tenant and its key, once it is there. */
    private static String otherTenant = "";

    private static String otherKey = "";

    private final Random random = new Random(SEED);

    @BeforeEach
    void secondTenant(MeshUnderTest mesh) {
        if (!otherKey.isEmpty()) {
            return;
        }
        System.out.println("IngestFaultsIT: -Dmirante.fault.seed=" + SEED + ", runs " + RUNS);
        MeshUnderTest.Tenant other = mesh.newTenant("Somebody else");
        otherTenant = other.id();
        otherKey = other.key();
    }

    // --- processes that end
    // -----------------------------------------------------------------------------------------

    @Test
    @Order(1)
    void gatewayAndIngestionKilledAtRandomInstantsLoseNothing(MeshUnderTest mesh) {
        try (Field field = new Field(mesh, "kill", mesh.url(), true)) {
            for (int run = 0; run < Math.max(1, RUNS / 5); run++) {
                for (List<String> victims :
                        List.of(List.of("ingestion"), List.of("gateway", "ingestion"))) {
                    List<ProcessHandle> processes = victims.stream().map(mesh::process).toList();
                    field.flows();
                    for (ProcessHandle process : processes) {
                        pause(random.nextInt(1_500));
                        MeshUnderTest.kill(process);
                    }
                    mesh.up();
                    field.steadyAfter(Instant.now(), RESTARTED);
                }
            }
            field.judge();
        }
    }

    @Test
    @Order(2)
    void onSigtermNoEventIsStoredThatItsClientDoesNotKnowOf(MeshUnderTest mesh) {
        for (String victim : List.of("ingestion", "gateway")) {
            try (Field field = new Field(mesh, "term-" + victim, mesh.url(), false)) {
                for (int run = 0; run < Math.max(1, RUNS / 10); run++) {
                    ProcessHandle process = mesh.process(victim);
                    field.flows();
                    pause(random.nextInt(500));
                    process.destroy();
                    await().atMost(RESTARTED).until(() -> !process.isAlive());
                    mesh.up();
                    field.steadyAfter(Instant.now(), RESTARTED);
                }
                field.judge();
                assertThat(field.oracle.repeats(field.prefix, "duplicate"))
                        .as("events that were stored, and sent again because nobody said so")
                        .isZero();
                if (victim.equals("ingestion")) {
                    assertThat(field.load.attempts()).allMatch(LedgerLoad.Attempt::clear);
                }
            }
        }
    }

    @Test
    @Order(3)
    void aBrokerThatStandsStillIsSaidSoAtOnceAndHealthGoesOnAnswering(MeshUnderTest mesh)
            throws Exception {
        Duration still = Duration.ofSeconds(RUNS >= 10 ? 45 : 15);
        ProcessHandle kafka = mesh.process("kafka");
        List<String> doors =
                List.of(
                        mesh.url() + "/health/live",
                        mesh.url() + "/health",
                        mesh.url() + "/health/ready",
                        management(mesh, "ingestion") + "/actuator/health/liveness",
                        management(mesh, "ingestion") + "/actuator/health/readiness",
                        management(mesh, "gateway") + "/actuator/health/readiness");
        try (Field field = new Field(mesh, "still", mesh.url(), true)) {
            field.flows();
            var calm = new Pulse(doors);
            pause(3_000);
            calm.stop();
            Instant stopped = Instant.now();
            signal(kafka, "STOP");
            Instant back;
            var health = new Pulse(doors);
            try {
                pause(still.toMillis());
                try (MeshClient reader = mesh.client()) {
                    assertThat(
                                    reader.exchange(
                                                    "GET",
                                                    "/api/v1/analytics/overview",
                                                    null,
                                                    false)
                                            .status())
                            .as("reading goes on")
                            .isEqualTo(200);
                }
            } finally {
                health.stop();
                back = Instant.now();
                signal(kafka, "CONT");
            }
            field.steadyAfter(back, STEADY);
            var during = field.load.attempts(stopped.plusSeconds(2), back);
            health.took().forEach((door, took) -> print(door, took.stream()));
            assertThat(during).isNotEmpty().allMatch(a -> a.status() == 503 && a.clear());
            print("503 while the broker stands still", during.stream().map(a -> a.took()));
            assertThat(share(during.stream().map(LedgerLoad.Attempt::took), 0.95))
                    .isLessThan(Duration.ofSeconds(1));
            assertThat(during).allMatch(a -> a.took().compareTo(Duration.ofMillis(1_500)) < 0);
            // On a machine that is busy with other things, health is as slow as it was.
            health.took()
                    .forEach((door, took) ->
                            assertThat(share(took.stream(), 0.95))
                                    .as(door)
                                    .isLessThan(
                                            share(calm.took().get(door).stream(), 0.95)
                                                    .plusMillis(100)));
            field.judge();
        }
    }

    @Test
    @Order(4)
    void aBrokerThatIsKilledIsSaidSoAtOnceAndTakenUpAgain(MeshUnderTest mesh) {
        try (Field field = new Field(mesh, "broker", mesh.url(), true)) {
            for (int run = 0; run < Math.max(1, RUNS / 10); run++) {
                ProcessHandle kafka = mesh.process("kafka");
                field.flows();
                pause(random.nextInt(500));
                MeshUnderTest.kill(kafka);
                Instant gone = Instant.now();
                pause(4_000);
                var without = field.load.attempts(gone.plusSeconds(2), Instant.now());
                assertThat(without).isNotEmpty().allMatch(a -> a.status() == 503 && a.clear());
                assertThat(share(without.stream().map(LedgerLoad.Attempt::took), 0.95))
                        .isLessThan(Duration.ofSeconds(1));
                mesh.up();
                field.steadyAfter(Instant.now(), STEADY);
            }
            field.judge();
        }
    }

    // --- the network
    // ------------------------------------------------------------------------------------------------

    @Test
    @Order(5)
    void whateverTheNetworkLosesARetryGivesOneRow(MeshUnderTest mesh) {
        try (TcpProxy proxy = new TcpProxy(mesh.url().getPort());
                Field field =
                        new Field(
                                mesh,
                                "net",
                                URI.create("http://127.0.0.1:" + proxy.port()),
                                false)) {
            List<Fault> faults = new ArrayList<>();
            for (int run = 0; run < Math.max(1, RUNS / 10); run++) {
                for (Fault fault : Fault.values()) {
                    if (fault != Fault.NONE) {
                        faults.add(fault);
                    }
                }
            }
            Collections.shuffle(faults, random);
            for (Fault fault : faults) {
                field.flows();
                int struck = proxy.struck();
                proxy.fault(fault);
                pause(1_000 + random.nextInt(1_500));
                proxy.fault(Fault.NONE);
                assertThat(proxy.struck()).as("%s struck", fault).isGreaterThan(struck);
                field.steadyAfter(Instant.now(), STEADY);
            }
            field.judge();
            assertThat(field.oracle.repeats(field.prefix, "duplicate"))
                    .as("acknowledgements were lost, so that events came twice")
                    .isPositive();
        }
    }

    // --- odd events
    // -------------------------------------------------------------------------------------------------

    @Test
    @Order(6)
    void aThousandTimesTheSameIsOneRowAndAnotherUnderItsIdIsAConflict(MeshUnderTest mesh) {
        String id = "same-" + SEED;
        try (MeshClient client = mesh.client();
                MeshClient other = new MeshClient(mesh.url(), otherKey)) {
            String event = purchase(id, "one-of-many", "7.00", "");
            for (int i = 0; i < 10; i++) {
                batch(client, Collections.nCopies(99, event), 200);
                assertThat(post(client, "/api/v1/events", "{\"event\":" + event + "}").status())
                        .isEqualTo(202);
            }
            batch(client, List.of(purchase(id, "one-of-many", "8.00", "")), 200);
            // The same id with another tenant is another event.
            batch(other, List.of(purchase(id, "one-of-many", "9.00", "")), 200);
            Oracle oracle = new Oracle(mesh);
            oracle.awaitQuiet(client, other);
            assertThat(oracle.rows(id).values()).containsExactly(1L, 1L);
            assertThat(oracle.repeats(id, "duplicate")).isEqualTo(999);
            assertThat(oracle.repeats(id, "conflict")).isEqualTo(1);
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        assertThat(
                                        client
                                                .all("/api/v1/events/rejected?reason=id_conflict")
                                                .stream()
                                                .map(e -> e.path("event_id").asString("")))
                                .containsOnlyOnce(id);
                        assertThat(revenueOf(client, "one-of-many")).isEqualByComparingTo("7.00");
                        assertThat(revenueOf(other, "one-of-many")).isEqualByComparingTo("9.00");
                    });
            assertThat(Oracle.windowsThatDiffer(mesh)).isEmpty();
        }
    }

    @Test
    @Order(7)
    void lateAndShuffledEventsAndOddClocksAreCountedWhereTheyBelong(MeshUnderTest mesh) {
        String prefix = "late-" + SEED + "-";
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        try (MeshClient client = mesh.client();
                MeshClient other = new MeshClient(mesh.url(), otherKey)) {
            batch(other, List.of(purchase(prefix + "calm", "calm", "1.00", "")), 200);
            Oracle oracle = new Oracle(mesh);
            oracle.awaitQuiet(client, other);
            String before = windows(other, now);

            List<String> events = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                Instant at = now.minusSeconds(random.nextInt(7 * 86_400));
                events.add(purchase(prefix + i, "late-" + i % 9, "1.00", timestamp(at)));
            }
            events.add(
                    purchase(
                            prefix + "week",
                            "late-w",
                            "1.00",
                            timestamp(now.minus(7, ChronoUnit.DAYS))));
            events.add(
                    purchase(
                            prefix + "month",
                            "late-m",
                            "1.00",
                            timestamp(now.minus(30, ChronoUnit.DAYS))));
            // A clock two hours ahead says so by sent_at; ten years ahead it says nothing.
            events.add(
                    purchase(
                            prefix + "ahead",
                            "ahead",
                            "1.00",
                            timestamp(now.plus(2, ChronoUnit.HOURS))
                                    + ",\"sent_at\":\""
                                    + now.plus(2, ChronoUnit.HOURS)
                                    + "\""));
            events.add(
                    purchase(
                            prefix + "hours",
                            "ahead",
                            "1.00",
                            timestamp(now.plus(2, ChronoUnit.HOURS))));
            events.add(
                    purchase(
                            prefix + "years",
                            "ahead",
                            "1.00",
                            timestamp(now.plus(3_652, ChronoUnit.DAYS))));
            Collections.shuffle(events, random);
            for (int i = 0; i < events.size(); i += 50) {
                batch(client, events.subList(i, Math.min(events.size(), i + 50)), 200);
            }
            oracle.awaitQuiet(client, other);
            assertThat(oracle.rows(prefix)).hasSize(events.size() + 1);
            assertThat(Oracle.windowsThatDiffer(mesh)).isEmpty();
            assertThat(
                            oracle.number(
                                    "SELECT count(*) FROM etl.analytics_event WHERE id = '%sahead' AND occurred_at BETWEEN '%s' AND '%s'"
                                            .formatted(
                                                    prefix,
                                                    now.minusSeconds(60),
                                                    now.plusSeconds(60))))
                    .as("the clock that says it is ahead is corrected")
                    .isEqualTo(1);
            assertThat(windows(other, now)).as("the other tenant's windows").isEqualTo(before);
            // Time has not run away with the ten years: what comes now is counted now.
            batch(client, List.of(purchase(prefix + "after", "after", "1.00", "")), 200);
            oracle.awaitQuiet(client, other);
            assertThat(revenueOf(client, "after")).isEqualByComparingTo("1.00");
            assertThat(Oracle.windowsThatDiffer(mesh)).isEmpty();
        }
    }

    @Test
    @Order(8)
    void poisonOnTheRawTopicsIsDeadAndItsNeighboursAreStored(MeshUnderTest mesh) {
        String prefix = "poison-" + SEED + "-";
        try (MeshClient client = mesh.client();
                var producer =
                        new KafkaProducer<byte[], byte[]>(
                                Map.of("bootstrap.servers", mesh.kafka()),
                                new ByteArraySerializer(),
                                new ByteArraySerializer())) {
            batch(client, List.of(purchase(prefix + "model", "p", "1.25", "")), 200);
            Oracle oracle = new Oracle(mesh);
            var before = oracle.awaitQuiet(client);
            var model =
                    oracle.read(Topics.EVENTS_RAW.name()).stream()
                            .filter(r -> Oracle.header(r, CloudHeaders.ID).startsWith(prefix))
                            .findFirst()
                            .orElseThrow();
            String json = new String(model.value(), StandardCharsets.UTF_8);
            List<Function<String, byte @Nullable []>> poisons =
                    List.of(
                            text -> utf8(text.substring(0, text.length() / 2)),
                            text -> utf8("{\"a\":1}"),
                            text -> utf8("[]"),
                            text -> utf8(text.replace("1.25", "\\u0000")),
                            text -> utf8(text.replace("1.25", "\\ud800")),
                            text -> utf8(text.replace("\"1.25\"", "1e40000")),
                            text -> utf8("[".repeat(10_000)),
                            text -> new byte[] {(byte) 0xc3, 0x28, (byte) 0xff},
                            text -> new byte[0],
                            text -> null);
            int good = 0;
            for (String topic : List.of(Topics.EVENTS_RAW.name(), Topics.EVENTS_CRITICAL.name())) {
                for (int i = 0; i < poisons.size(); i++) {
                    String id = prefix + "bad-" + topic + i;
                    var record =
                            new ProducerRecord<byte[], byte[]>(
                                    topic,
                                    model.partition(),
                                    model.key(),
                                    poisons.get(i).apply(json.replace(prefix + "model", id)));
                    model.headers()
                            .forEach(h ->
                                    record.headers()
                                            .add(
                                                    h.key(),
                                                    h.key().equals(CloudHeaders.ID)
                                                            ? utf8(id)
                                                            : h.value()));
                    producer.send(record);
                    // The same user, so the same partition.
                    batch(
                            client,
                            List.of(
                                    purchase(
                                            prefix + "good-" + good++,
                                            "p",
                                            "1.25",
                                            i % 2 == 0 ? ",\"priority\":\"critical\"" : "")),
                            200);
                }
                // A number no float holds is a number all the same: stored or dead, never lost.
                var large =
                        new ProducerRecord<byte[], byte[]>(
                                topic,
                                model.partition(),
                                model.key(),
                                utf8(
                                        json.replace(prefix + "model", prefix + "1e400" + topic)
                                                .replace("\"1.25\"", "1e400")));
                model.headers().forEach(h -> large.headers().add(h));
                producer.send(large);
            }
            producer.flush();
            var after = oracle.awaitQuiet(client);
            System.out.println("poison: before " + before + ", after " + after);
            assertThat(oracle.rows(prefix + "good-")).hasSize(good);
            assertThat(oracle.rows(prefix + "bad-")).isEmpty();
            assertThat(after.dead() - before.dead())
                    .isBetween(2L * poisons.size(), 2L * poisons.size() + 2);
            assertThat(Oracle.windowsThatDiffer(mesh)).isEmpty();
        }
    }

    // --- odd requests
    // -----------------------------------------------------------------------------------------------

    @Test
    @Order(9)
    void whatIsTooLargeIsRefusedWithinASecondAndCostsNoMemory(MeshUnderTest mesh)
            throws IOException {
        byte[] largest =
                utf8(
                        IntStream.range(0, 4_900)
                                .mapToObj(i ->
                                        "{\"event_id\":\"large-%d-%d\",\"user_id\":\"u\",\"event_type\":\"made_up\",\"payload\":{\"t\":\"%s\"}}"
                                                .formatted(SEED, i, "x".repeat(1_500)))
                                .collect(Collectors.joining(",", "{\"events\":[", "]}")));
        List<ProcessHandle> watched = List.of(mesh.process("gateway"), mesh.process("ingestion"));
        try (MeshClient client = mesh.client()) {
            // Until the heaps have the size that the largest bodies need that are taken.
            long highest = 0;
            for (int sent = 0, steady = 0; sent < 20 && steady < 4; sent++) {
                assertThat(client.exchange("POST", "/api/v1/events/batch", largest, false).status())
                        .isEqualTo(200);
                long peak = peakMib(watched.get(0)) + peakMib(watched.get(1));
                steady = peak > highest ? 0 : steady + 1;
                highest = Math.max(highest, peak);
            }
            new Oracle(mesh).awaitQuiet(client);
        }
        List<Long> before = new ArrayList<>();
        for (ProcessHandle process : watched) {
            Files.writeString(Path.of("/proc/" + process.pid() + "/clear_refs"), "5");
            before.add(peakMib(process));
        }
        byte[] megabyte =
                utf8(
                        "{\"event\":{\"event_id\":\"large\",\"user_id\":\"u\",\"event_type\":\"x\",\"payload\":{\"t\":\"%s\"}}}"
                                .formatted("x".repeat(1 << 20)));
        byte[] deep = utf8("{\"event\":" + "[".repeat(10_000) + "]".repeat(10_000) + "}");
        byte[] open = utf8("{\"events\":[" + "{\"a\":".repeat(1_000_000));
        byte[] piece = utf8("x".repeat(1 << 20));
        byte[] bomb = gzip(300 << 20);
        String single = "/api/v1/events";
        String batch = "/api/v1/events/batch";
        String readings = "/api/v1/industry40/iot/ingest";
        for (int i = 0; i < Math.max(2, RUNS / 2); i++) {
            assertThat(Said.to(mesh, single, "", megabyte)).matches(said -> said.is(413));
            assertThat(Said.to(mesh, single, "", deep)).matches(said -> said.is(400));
            assertThat(Said.to(mesh, batch, "", open)).matches(said -> said.is(400));
            for (String path : List.of(single, batch, readings)) {
                assertThat(Said.to(mesh, path, 100, piece)).matches(said -> said.is(413));
                assertThat(Said.chunked(mesh, path, 100, piece)).matches(said -> said.is(413));
                assertThat(Said.to(mesh, path, "content-encoding: gzip\r\n", bomb))
                        .matches(said -> said.is(413));
            }
            // Segment's own answer to what is too large, or the gateway's.
            assertThat(Said.chunked(mesh, "/v1/batch", 100, piece))
                    .matches(said -> said.is(400) || said.is(413));
        }
        for (int i = 0; i < watched.size(); i++) {
            long rise = peakMib(watched.get(i)) - before.get(i);
            System.out.printf(
                    Locale.ROOT,
                    "oversize: memory of %s rose by %d MiB from %d%n",
                    watched.get(i).pid(),
                    rise,
                    before.get(i));
            assertThat(rise).as("MiB more").isLessThanOrEqualTo(64);
        }
    }

    /** What {@code pg_sleep} in {@link #HOSTILE} would take at least; slower for another reason is as wrong. */
    private static final Duration INJECTED_SLEEP = Duration.ofSeconds(9);

    /** SQL, JSON, templates, paths, control characters, half characters: percent-encoded, as a client would send them. */
    private static final List<String> HOSTILE =
            List.of(
                    "';%20DROP%20TABLE%20etl.analytics_event;%20--",
                    "'%20OR%20'1'='1",
                    "%5C';%20SELECT%20pg_sleep(10);%20--",
                    "1);%20SELECT%20pg_sleep(10);%20--",
                    "%241%20%242%20:name%20?",
                    "%22%7D%5D,%22tenant_id%22:%22other%22",
                    "%24%7Bjndi:ldap://localhost/x%7D",
                    "%23%7BT(Runtime).getRuntime()%7D",
                    "%7B%7B7*7%7D%7D%25s%25n",
                    "..%2F..%2Fetc%2Fpasswd",
                    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
                    "a%00b",
                    "%0D%0AX-Injected:%201",
                    "%ED%A0%80",
                    "%FF%FE",
                    "%E2%80%AEabc",
                    "-1",
                    "9999999999999999999999",
                    "1e400",
                    "NaN",
                    "%2B999999999-12-31T23:59:59Z",
                    "0000-01-01T00:00:00Z");

    @Test
    @Order(10)
    void hostileTextInEveryPathQueryAndHeaderIsAnsweredAndChangesNothing(MeshUnderTest mesh) {
        Oracle oracle = new Oracle(mesh);
        long events = oracle.number("SELECT count(*) FROM etl.analytics_event");
        List<String> wrong = Collections.synchronizedList(new ArrayList<>());
        int asked = 0;
        try (MeshClient client = mesh.client();
                var threads = Executors.newFixedThreadPool(4)) {
            List<String> paths = new ArrayList<>();
            for (String service :
                    List.of(
                            "ingestion",
                            "etl",
                            "segmentation",
                            "churn",
                            "industry40",
                            "snapshot",
                            "alert")) {
                JsonNode document =
                        client.get("/docs/openapi/" + service).required("OpenAPI").body();
                for (var path : document.path("paths").properties()) {
                    // A stream has no end.
                    if (path.getValue().has("get") && !path.getKey().contains("/live")) {
                        paths.addAll(hostile(path.getKey(), path.getValue().path("get")));
                    }
                }
            }
            assertThat(paths).hasSizeGreaterThan(500);
            for (String path : paths) {
                asked++;
                threads.execute(() -> ask(mesh, path, wrong));
            }
        }
        System.out.println("injection: " + asked + " requests");
        assertThat(wrong).isEmpty();
        assertThat(oracle.number("SELECT count(*) FROM etl.analytics_event")).isEqualTo(events);
    }

    private static void ask(MeshUnderTest mesh, String path, List<String> wrong) {
        try {
            Said said =
                    await().atMost(Duration.ofSeconds(10))
                            .pollDelay(Duration.ZERO)
                            .pollInterval(Duration.ofSeconds(1))
                            .until(() -> Said.get(mesh, path), answer -> !answer.isBusy());
            Duration took = said.took();
            if (said.status() >= 500
                    || said.status() == 0
                    || took.compareTo(INJECTED_SLEEP) > 0
                    || LEAKS.stream().anyMatch(said.text()::contains)) {
                wrong.add(said.status() + " in " + took + " to GET " + path + ": " + said.text());
            }
        } catch (RuntimeException e) {
            wrong.add(e + " to GET " + path);
        }
    }

    private static final List<String> LEAKS =
            List.of(
                    "Exception",
                    "SQLSTATE",
                    "syntax error",
                    "org.springframework",
                    "java.lang.",
                    "\tat ",
                    "X-Injected: 1\r\n");

    /** Each path variable and each query parameter once with each text, the others harmless. */
    private static List<String> hostile(String path, JsonNode operation) {
        List<String> variables = new ArrayList<>();
        List<String> queries = new ArrayList<>(List.of("limit", "cursor", "sort", "unknown"));
        List<String> required = new ArrayList<>();
        for (JsonNode parameter : operation.path("parameters")) {
            String name = parameter.path("name").asString("");
            switch (parameter.path("in").asString("")) {
                case "path" -> variables.add(name);
                case "query" -> {
                    if (!queries.contains(name)) {
                        queries.add(name);
                    }
                    if (parameter.path("required").asBoolean(false)) {
                        required.add(name);
                    }
                }
                default -> {}
            }
        }
        if (path.equals("/api/v1/snapshots")) {
            queries.add("dimension.channel");
        }
        String plain = path.replaceAll("\\{[^}]+}", "x");
        List<String> paths = new ArrayList<>();
        for (String text : HOSTILE) {
            for (String variable : variables) {
                paths.add(path.replace("{" + variable + "}", text).replaceAll("\\{[^}]+}", "x"));
            }
            for (String query : queries) {
                String others =
                        required.stream()
                                .filter(name -> !name.equals(query))
                                .map(name -> "&" + name + "=" + harmless(name))
                                .collect(Collectors.joining());
                paths.add(plain + "?" + query + "=" + text + others);
            }
            paths.add(plain + "?" + text + "=" + text);
        }
        return paths;
    }

    private static String harmless(String name) {
        return switch (name) {
            case "scope" -> "commerce";
            case "start_time", "end_time", "at", "as_of" -> "2026-11-20T10:00:00Z";
            default -> "1";
        };
    }

    @Test
    @Order(11)
    void hostileNamesAreStoredByteForByte(MeshUnderTest mesh) {
        List<String> corpus =
                List.of(
                        "'; DROP TABLE segmentation.profile; --",
                        "' OR '1'='1",
                        "$1 $2 :name ?",
                        "\"}],\"tenant_id\":\"other\",\"x\":[{\"",
                        "${jndi:ldap://localhost/x} #{7*7} {{7*7}}",
                        "../../etc/passwd",
                        "<script>alert(1)</script>",
                        "\u202eabc\u2066",
                        "\ud83d\ude00 \ufdfd e\u0301",
                        "=1+1");
        try (MeshClient client = mesh.client()) {
            for (String text : corpus) {
                Answer made =
                        client.post(
                                        "/api/v1/fans",
                                        Map.of(
                                                "name",
                                                text,
                                                "city",
                                                text,
                                                "traits",
                                                Map.of(text, text)))
                                .required("a fan called " + text);
                String id = made.body().path("id").asString("");
                JsonNode fan = client.get("/api/v1/fans/" + id).required("fan").body();
                assertThat(fan.path("name").asString("")).isEqualTo(text);
                assertThat(fan.path("city").asString("")).isEqualTo(text);
                assertThat(fan.path("traits").path(text).asString("")).isEqualTo(text);
            }
            Answer refused = client.post("/api/v1/fans", Map.of("name", "a\u0000b"));
            assertThat(refused.status()).as(refused.text()).isEqualTo(400);
        }
    }

    // --- too much
    // ---------------------------------------------------------------------------------------------------

    @Test
    @Order(12)
    void aStormOfRetriesLeavesMostOfTheLoadServedAndIsOverWhenItIsOver(MeshUnderTest mesh) {
        String prefix = "storm-" + SEED + "-";
        Duration time = Duration.ofSeconds(Math.clamp(RUNS * 2L, 10, 60));
        try (Ledger ledger = new Ledger(mesh.home().resolveSibling("ledger-storm.txt"));
                RetryStorm storm = new RetryStorm(mesh.url().getPort(), "demo", prefix);
                MeshClient client = mesh.client()) {
            storm.capacity(16, Duration.ofSeconds(2));
            Duration calm = storm.slowest(200);
            double capacity = storm.capacity(16, Duration.ofSeconds(3));
            double load = capacity / 2;
            RetryStorm.Seen seen = storm.run(5 * load, time);
            long over = System.nanoTime();
            System.out.printf(
                    Locale.ROOT,
                    "storm: capacity %.0f/s, load %.0f/s, offered %d in %s, goodput %.0f/s; %s%n",
                    capacity,
                    load,
                    seen.offered(),
                    time,
                    seen.goodput(),
                    seen.statuses());
            await().atMost(SOON)
                    .pollDelay(Duration.ZERO)
                    .until(() -> steady(storm, calm.multipliedBy(3)));
            Duration back = Duration.ofNanos(System.nanoTime() - over);
            System.out.println("storm: steady again after " + back);
            assertThat(seen.goodput()).as("goodput of %s/s", load).isGreaterThan(0.8 * load);
            assertThat(back).isLessThan(STEADY);
            storm.writeTo(ledger);
            Oracle oracle = new Oracle(mesh);
            oracle.awaitQuiet(client);
            oracle.check(ledger, prefix);
        }
    }

    private static boolean steady(RetryStorm storm, Duration limit) {
        for (int i = 0; i < 50; i++) {
            if (!storm.acknowledged(limit)) {
                return false;
            }
        }
        return true;
    }

    // --- inside
    // -----------------------------------------------------------------------------------------------------

    /** Two tenants under load, their ledger and its judge. */
    private final class Field implements AutoCloseable {
        private final String prefix;
        private final Ledger ledger;
        private final Oracle oracle;
        private final MeshClient one;
        private final MeshClient two;
        private final MeshClient readerOne;
        private final MeshClient readerTwo;
        private final LedgerLoad load;

        Field(MeshUnderTest mesh, String name, URI door, boolean repeating) {
            prefix = name + "-" + SEED + "-";
            ledger = new Ledger(mesh.home().resolveSibling("ledger-" + name + ".txt"));
            oracle = new Oracle(mesh);
            one = new MeshClient(door, "dev-key-123", Duration.ofSeconds(3));
            two = new MeshClient(door, otherKey, Duration.ofSeconds(3));
            readerOne = mesh.client();
            readerTwo = new MeshClient(mesh.url(), otherKey);
            load =
                    new LedgerLoad(
                            ledger,
                            List.of(
                                    new LedgerLoad.Sender("demo", one),
                                    new LedgerLoad.Sender("demo", one),
                                    new LedgerLoad.Sender("demo", one),
                                    new LedgerLoad.Sender(otherTenant, two)),
                            prefix,
                            random.nextLong(),
                            repeating,
                            Duration.ofMillis(20));
        }

        /** Returns once events are acknowledged. */
        void flows() {
            int before = ledger.countAcknowledged();
            await().atMost(SOON)
                    .until(() -> load.failed() || ledger.countAcknowledged() > before + 200);
        }

        /** I7. */
        void steadyAfter(Instant from, Duration limit) {
            await().atMost(limit.plus(SOON))
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> load.failed() || load.untilAcknowledged(from) != null);
            System.out.println(prefix + "acknowledged again after " + load.untilAcknowledged(from));
            assertThat(load.untilAcknowledged(from)).as("I7: steady again").isLessThan(limit);
        }

        /** Ends the load, and asks the oracle. */
        void judge() {
            load.stop();
            var accounts = oracle.awaitQuiet(readerOne, readerTwo);
            System.out.printf(
                    "%s%d acknowledged, %d refused, attempts by status %s; mesh: %s%n",
                    prefix,
                    ledger.countAcknowledged(),
                    ledger.refused().size(),
                    load.attempts().stream()
                            .collect(
                                    Collectors.groupingBy(
                                            a -> a.status() == 0 ? a.said() : a.status(),
                                            Collectors.counting())),
                    accounts);
            oracle.check(ledger, prefix);
            assertThat(ledger.refused()).as("what is wrong was sent too").isNotEmpty();
            assertThat(load.attempts())
                    .as("an answer settles the events or says when to come back")
                    .allMatch(a -> a.status() == 0 || a.clear());
        }

        @Override
        public void close() {
            load.close();
            for (MeshClient client : List.of(one, two, readerOne, readerTwo)) {
                client.close();
            }
            ledger.close();
        }
    }

    /** Asks for health all the time and notes how long each answer took. */
    private static final class Pulse {
        private final Map<String, Queue<Duration>> took;
        private final List<Thread> threads;
        private final AtomicBoolean going = new AtomicBoolean(true);

        Pulse(List<String> doors) {
            took =
                    doors.stream()
                            .collect(
                                    Collectors.toMap(
                                            door -> door, door -> new ConcurrentLinkedQueue<>()));
            threads =
                    doors.stream()
                            .map(door -> Thread.ofVirtual().start(() -> beat(URI.create(door))))
                            .toList();
        }

        private void beat(URI door) {
            try (MeshClient client =
                    new MeshClient(door.resolve("/"), "none", Duration.ofSeconds(5))) {
                while (going.get()) {
                    long begin = System.nanoTime();
                    try {
                        client.exchange("GET", door.getPath(), null, false);
                        took.get(door.toString()).add(Duration.ofNanos(System.nanoTime() - begin));
                    } catch (UncheckedIOException e) {
                        took.get(door.toString()).add(Duration.ofSeconds(5));
                    }
                    pause(100);
                }
            }
        }

        void stop() throws InterruptedException {
            going.set(false);
            for (Thread thread : threads) {
                thread.join();
            }
        }

        Map<String, Queue<Duration>> took() {
            return took;
        }
    }

    /** What a plain socket was told, and after how long: a client that sends too much must not miss the answer. */
    private record Said(int status, Duration took, String text) {

        boolean is(int expected) {
            return status == expected && took.compareTo(Duration.ofSeconds(1)) < 0;
        }

        /** A service says that it has too much to do, and when to ask again; four askers at once can bring it there. */
        boolean isBusy() {
            return status == 503 && text.contains("\r\nRetry-After: 1\r\n");
        }

        static Said to(MeshUnderTest mesh, String path, String header, byte[] body) {
            return send(mesh, path, header + "content-length: " + body.length, body, 1, false);
        }

        static Said to(MeshUnderTest mesh, String path, int times, byte[] piece) {
            return send(
                    mesh,
                    path,
                    "content-length: " + (long) times * piece.length,
                    piece,
                    times,
                    false);
        }

        static Said chunked(MeshUnderTest mesh, String path, int times, byte[] piece) {
            return send(mesh, path, "transfer-encoding: chunked", piece, times, true);
        }

        static Said get(MeshUnderTest mesh, String path) {
            return exchange(
                    mesh,
                    "GET " + path + " HTTP/1.1\r\nx-request-id: '; DROP TABLE x; --\r\n",
                    socket -> {});
        }

        private static Said send(
                MeshUnderTest mesh,
                String path,
                String header,
                byte[] piece,
                int times,
                boolean chunked) {
            return exchange(
                    mesh,
                    "POST "
                            + path
                            + " HTTP/1.1\r\ncontent-type: application/json\r\n"
                            + header
                            + "\r\n",
                    socket -> {
                        var out = socket.getOutputStream();
                        for (int i = 0; i < times; i++) {
                            if (chunked) {
                                out.write(utf8(Integer.toHexString(piece.length) + "\r\n"));
                            }
                            out.write(piece);
                            if (chunked) {
                                out.write(utf8("\r\n"));
                            }
                        }
                        if (chunked) {
                            out.write(utf8("0\r\n\r\n"));
                        }
                    });
        }

        private interface Body {
            void write(Socket socket) throws IOException;
        }

        private static Said exchange(MeshUnderTest mesh, String head, Body body) {
            try (var socket = new Socket("127.0.0.1", mesh.url().getPort())) {
                socket.setSoTimeout(30_000);
                long begin = System.nanoTime();
                socket.getOutputStream()
                        .write(
                                utf8(
                                        head
                                                + "host: x\r\nx-api-key: dev-key-123\r\nconnection: close\r\n\r\n"));
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                body.write(socket);
                            } catch (IOException e) {
                                // answered and closed before the end, as it should be
                            }
                        });
                var text = new ByteArrayOutputStream();
                try {
                    var buffer = new byte[8_192];
                    int count;
                    while ((count = socket.getInputStream().read(buffer)) >= 0) {
                        text.write(buffer, 0, count);
                        if (text.size() > 64 * 1024) {
                            break;
                        }
                    }
                } catch (IOException e) {
                    // reset after the answer, because of what was still on its way
                }
                var took = Duration.ofNanos(System.nanoTime() - begin);
                String said = text.toString(StandardCharsets.UTF_8);
                return new Said(
                        said.startsWith("HTTP/1.1 ") ? Integer.parseInt(said.substring(9, 12)) : 0,
                        took,
                        said);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public String toString() {
            return status + " after " + took + ": " + text.lines().skip(1).toList();
        }
    }

    private static void batch(MeshClient client, List<String> events, int status) {
        Answer answer =
                post(
                        client,
                        "/api/v1/events/batch",
                        "{\"events\":[" + String.join(",", events) + "]}");
        assertThat(answer.status()).as(answer.text()).isEqualTo(status);
    }

    private static Answer post(MeshClient client, String path, String body) {
        return client.exchange("POST", path, utf8(body), false);
    }

    private static String purchase(String id, String user, String amount, String more) {
        return "{\"event_id\":\"%s\",\"user_id\":\"%s\"%s,\"event_type\":{\"type\":\"purchase\",\"data\":{\"amount\":\"%s\",\"currency\":\"USD\"}}}"
                .formatted(id, user, more, amount);
    }

    private static String timestamp(Instant at) {
        return ",\"timestamp\":\"" + at + "\"";
    }

    private static BigDecimal revenueOf(MeshClient client, String user) {
        return MeshClient.decimal(
                client.get("/api/v1/users/" + user).body().path("revenue").path("total"));
    }

    /** A tenant's windows of the last 40 days, as the mesh shows them. */
    private static String windows(MeshClient client, Instant now) {
        return client
                .snapshots(
                        "commerce",
                        "hourly",
                        now.minus(40, ChronoUnit.DAYS),
                        now.plus(1, ChronoUnit.DAYS))
                .stream()
                .map(window -> window.path("start") + " " + window.path("metrics"))
                .sorted()
                .collect(Collectors.joining("\n"));
    }

    private static String management(MeshUnderTest mesh, String service) {
        return "http://127.0.0.1:" + mesh.part(service).path("management_port").asInt(0);
    }

    private static void signal(ProcessHandle process, String signal) {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process);
        for (ProcessHandle each : all) {
            try {
                int code =
                        new ProcessBuilder("kill", "-" + signal, Long.toString(each.pid()))
                                .start()
                                .waitFor();
                assertThat(code).isZero();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
    }

    /** Highest resident memory since it was asked to be noted anew. */
    private static long peakMib(ProcessHandle process) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024)
                .findFirst()
                .orElseThrow();
    }

    private static byte[] gzip(int zeros) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            var block = new byte[1 << 20];
            for (int i = 0; i < zeros / block.length; i++) {
                gzip.write(block);
            }
        }
        return out.toByteArray();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Duration share(Stream<Duration> all, double share) {
        List<Duration> sorted = all.sorted().toList();
        assertThat(sorted).isNotEmpty();
        return sorted.get((int) Math.ceil(share * sorted.size()) - 1);
    }

    private static void print(String what, Stream<Duration> all) {
        List<Duration> sorted = all.sorted().toList();
        System.out.printf(
                "%s: %d answers, median %s, p95 %s, most %s%n",
                what,
                sorted.size(),
                share(sorted.stream(), 0.5),
                share(sorted.stream(), 0.95),
                sorted.getLast());
    }

    /** A time of the test's own choosing, not a condition. */
    private static void pause(long millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        long left;
        while ((left = end - System.nanoTime()) > 0) {
            LockSupport.parkNanos(left);
        }
    }
}
