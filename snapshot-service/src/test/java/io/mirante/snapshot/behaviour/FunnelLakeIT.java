package io.mirante.snapshot.behaviour;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.get;
import static io.mirante.snapshot.Asking.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.CleanLog;
import io.mirante.snapshot.lake.LakeProbe;
import io.mirante.snapshot.lake.LakeReader;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

/** A funnel is the same wherever its events lie: in files, in none yet, or some here and some there. */
@MeshTest
class FunnelLakeIT {

    private static final String PATH = "/api/v1/analytics/funnel";
    private static final Instant FIRST = Instant.parse("2026-11-01T22:00:00Z");
    private static final int PERSONS = 40;

    private static final List<String> FUNNELS =
            List.of(
                    """
                    {"window": "PT3H", "steps": [
                        {"condition_type": "page_view", "condition_value": "/a*"},
                        {"condition_type": "search"},
                        {"condition_type": "page_view", "condition_value": "/b"},
                        {"condition_type": "purchase", "filters": [
                            {"property": "data.amount", "operator": "gte", "value": "50"}]}]}\
                    """,
                    """
                    {"window": "P30D", "start_time": "2026-11-02T03:00:00Z", "end_time": "2026-11-03T12:30:00Z", "steps": [
                        {"condition_type": "page_view"}, {"condition_type": "page_view"},
                        {"condition_type": "page_view", "filters": [
                            {"property": "data.tags", "operator": "contains", "value": "vip"},
                            {"property": "data.nested.deep", "operator": "exists", "value": false}]}]}\
                    """);

    @Autowired private Mesh mesh;
    @Autowired private ApplicationContext context;
    @Autowired private LakeReader lake;
    private CleanLog log;
    private String tenant;
    private WebTestClient client;
    private LakeProbe probe;

    @BeforeEach
    void open() {
        log = new CleanLog(mesh);
        tenant = mesh.newTenant();
        client = mesh.client(tenant);
        probe = new LakeProbe(mesh, context);
    }

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void isTheSameFromFilesFromRowsAndFromBoth() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var all = new ArrayList<CleanEvent>();
        for (int part = 0; part < 3; part++) {
            var events = events(random, part);
            log.send(events);
            all.addAll(events);
            counted(log, client);
            assertRecounted(all, "seed " + seed + ", " + part + " parts in files");
            probe.keep(tenant);
            assertThat(probe.waiting(tenant)).isZero();
            assertRecounted(all, "seed " + seed + ", " + (part + 1) + " parts in files, all");
        }
        var whole = funnels();
        // In several passes over the persons, none of whom has more events than fit.
        for (var request : FUNNELS) {
            var funnel = Json.mapper().readValue(request, FunnelRequest.class).toFunnel();
            for (var merged :
                    List.of(
                            new MergedPersons.Merged(new long[0], new long[0]),
                            new MergedPersons.Merged(
                                    new long[] {2, 9, 31, 38}, new long[] {35, 3, 5, 39}))) {
                var once = steps(funnel, merged, 1_000_000);
                for (int maxEvents : new int[] {60, 250, 400}) {
                    assertThat(steps(funnel, merged, maxEvents))
                            .as("seed %d", seed)
                            .isEqualTo(once);
                }
                assertThat(once.getFirst().users()).isPositive();
            }
        }
        // What cannot be read in files is read in PostgreSQL.
        for (var file : probe.paths(tenant)) {
            Files.delete(file);
        }
        assertThat(funnels()).isEqualTo(whole);
        probe.keep(tenant);
        probe.keep(tenant);
        probe.assertEachRowOnce(tenant);
        assertThat(funnels()).isEqualTo(whole);
    }

    @Test
    void readsAgainWhatChangedMeanwhile() throws Exception {
        log.send(events(new Random(1), 0));
        counted(log, client);
        probe.keep(tenant);
        var scan =
                new LakeReader.Scan(
                        TimeRange.ofBody(null, null), List.of("page_view"), "1", List.of(), false);
        int before = lake.read(tenant, scan, () -> new Tally(() -> {})).rows;
        assertThat(before).isPositive();
        var tries = new AtomicInteger();
        var tally =
                lake.read(
                        tenant,
                        scan,
                        () -> {
                            boolean first = tries.incrementAndGet() == 1;
                            return new Tally(first ? () -> probe.sendBack(tenant) : () -> {});
                        });
        assertThat(tally.rows).isEqualTo(before);
        assertThat(tries).hasValue(2);
    }

    /** More than threads that could wait for each other. */
    @Test
    void manyAtOnceAreAllAnswered() throws Exception {
        log.send(events(new Random(2), 0));
        counted(log, client);
        var alone = post(client, 200, PATH, FUNNELS.getFirst()).path("steps");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers =
                    IntStream.range(0, 40)
                            .mapToObj(i ->
                                    threads.submit(() ->
                                            post(client, 200, PATH, FUNNELS.getFirst())
                                                    .path("steps")))
                            .toList();
            for (var answer : answers) {
                assertThat(answer.get()).isEqualTo(alone);
            }
        }
    }

    /** Counts rows; does something at the first. */
    private static final class Tally implements LakeReader.Sink {
        private final Runnable atFirst;
        private int rows;

        Tally(Runnable atFirst) {
            this.atFirst = atFirst;
        }

        @Override
        public void add(long person, long micros, int mask, String data) {
            if (rows++ == 0) {
                atFirst.run();
            }
        }
    }

    private List<FunnelRun.Step> steps(Funnel funnel, MergedPersons.Merged merged, int maxEvents) {
        return new PersonWalks(lake, maxEvents)
                .walk(
                        tenant,
                        funnel.scan(),
                        merged,
                        0,
                        funnel::matching,
                        () -> new FunnelRun(funnel, null))
                .finish();
    }

    private List<JsonNode> funnels() {
        return FUNNELS.stream().map(f -> post(client, 200, PATH, f).path("steps")).toList();
    }

    /** As a loop over the events in memory finds. */
    private void assertRecounted(List<CleanEvent> events, String when) {
        for (var request : FUNNELS) {
            var funnel = Json.mapper().readValue(request, FunnelRequest.class).toFunnel();
            var users = new long[funnel.steps().size()];
            var reached = new ArrayList<String>();
            var byPerson = new TreeMap<Long, List<CleanEvent>>();
            events.stream()
                    .filter(e -> e.personNo() > 0)
                    .filter(e ->
                            !e.occurredAt().isBefore(funnel.range().start())
                                    && e.occurredAt().isBefore(funnel.range().end()))
                    .forEach(e ->
                            byPerson.computeIfAbsent(e.personNo(), p -> new ArrayList<>()).add(e));
            for (var person : byPerson.entrySet()) {
                var sorted = new ArrayList<>(person.getValue());
                sorted.sort((a, b) -> a.occurredAt().compareTo(b.occurredAt()));
                var masks = sorted.stream().mapToInt(e -> mask(funnel, e)).toArray();
                var micros =
                        sorted.stream()
                                .mapToLong(e ->
                                        ChronoUnit.MICROS.between(Instant.EPOCH, e.occurredAt()))
                                .toArray();
                var path =
                        new FunnelPaths(users.length, funnel.window().toNanos() / 1_000)
                                .find(micros, masks, masks.length);
                for (int i = 0; i < path.length; i++) {
                    users[i]++;
                }
                if (path.length >= 2) {
                    reached.add("user-" + person.getKey());
                }
            }
            var answer = post(client, 200, PATH, request);
            assertThat(answer.path("steps").valueStream().map(s -> s.path("users").asLong()))
                    .as(when)
                    .containsExactlyElementsOf(Arrays.stream(users).boxed().toList());
            var id = answer.path("funnel_id").stringValue();
            var listed = new ArrayList<String>();
            var path = PATH + "/" + id + "/users?step=2&limit=7";
            var page = get(client, path);
            while (true) {
                page.path("items")
                        .valueStream()
                        .forEach(p -> listed.add(p.path("user_id").stringValue()));
                if (page.path("next_cursor").isNull()) {
                    break;
                }
                page = get(client, path + "&cursor={c}", page.path("next_cursor").stringValue());
            }
            assertThat(listed).as(when).isEqualTo(reached);
        }
    }

    private static int mask(Funnel funnel, CleanEvent event) {
        int mask = 0;
        for (int i = 0; i < funnel.steps().size(); i++) {
            var step = funnel.steps().get(i);
            var url = event.data().path("url").asString("");
            boolean is =
                    event.eventType().equals(step.type())
                            && (step.value().isEmpty()
                                    || (step.value().endsWith("*")
                                            ? url.startsWith(
                                                    step.value()
                                                            .substring(
                                                                    0, step.value().length() - 1))
                                            : url.equals(step.value())));
            for (var filter : step.filters()) {
                is &=
                        switch (filter.path().getFirst()) {
                            case "amount" ->
                                    new BigDecimal(event.data().path("amount").asString("0"))
                                                    .compareTo(BigDecimal.valueOf(50))
                                            >= 0;
                            case "tags" -> event.data().path("tags").toString().contains("vip");
                            default -> event.data().path("nested").path("deep").isMissingNode();
                        };
            }
            mask |= is ? 1 << i : 0;
        }
        return mask;
    }

    private List<CleanEvent> events(Random random, int part) {
        var events = new ArrayList<CleanEvent>();
        for (int i = 0; i < 400; i++) {
            // Minutes, so that many are alike.
            var at = FIRST.plus(Duration.ofMinutes(random.nextInt(3 * 24 * 60)));
            long person = random.nextInt(PERSONS);
            var id = "e" + part + "-" + i;
            events.add(
                    switch (random.nextInt(4)) {
                        case 0 ->
                                event(
                                        id,
                                        "purchase",
                                        person,
                                        at,
                                        "{\"amount\":\"%d.50\"}".formatted(random.nextInt(100)));
                        case 1 -> event(id, "search", person, at, "{\"query\":\"x\"}");
                        default ->
                                event(
                                        id,
                                        "page_view",
                                        person,
                                        at,
                                        "{\"url\":\"%s\",\"tags\":[\"%s\"],\"nested\":{%s}}"
                                                .formatted(
                                                        List.of("/a", "/a/1", "/b", "/c")
                                                                .get(random.nextInt(4)),
                                                        random.nextBoolean() ? "vip" : "new",
                                                        random.nextBoolean() ? "\"deep\":1" : ""));
                    });
        }
        return events;
    }

    private CleanEvent event(String id, String type, long person, Instant at, String data) {
        return CleanLog.event(tenant, id, type, person, at, null, data);
    }
}
