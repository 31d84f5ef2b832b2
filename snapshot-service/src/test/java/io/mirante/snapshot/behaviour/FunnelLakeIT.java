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
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
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
    private static final Instant SINCE = Instant.parse("2026-11-02T03:00:00Z");
    private static final int ASKED = 30;
    private static final int LISTED = 10;

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

    /** What random funnels are broken down by, each with how an event's value is found. */
    private static final Map<String, Function<CleanEvent, JsonNode>> PROPERTIES =
            Map.of(
                    "country", e -> e.context().path("location").path("country"),
                    "device", e -> e.context().path("device").path("device_type"),
                    "data.amount", e -> e.data().path("amount"),
                    "data.url", e -> e.data().path("url"),
                    "data.tags.0", e -> e.data().path("tags").path(0),
                    "data.nested", e -> e.data().path("nested"));

    /** Steps not between which a condition must hold; from 1. */
    private record Exclusion(BehaviourHistory.Condition condition, int from, int to) {}

    /** A funnel as a client asks it, with what it says. */
    private record Asked(
            String json,
            List<BehaviourHistory.Condition> steps,
            Duration window,
            Funnel.Order order,
            List<Exclusion> exclusions,
            String breakdown) {}

    /** A step of an answer; the seconds to the microsecond. */
    private record Step(long users, Long medianMicros, Long averageMicros) {}

    private record Group(String value, List<Step> steps) {}

    /** By person, times of the path, and the value it belongs to where there is one. */
    private record Recount(Map<Long, List<Long>> paths, Map<Long, String> values) {}

    @Autowired private Mesh mesh;
    @Autowired private ApplicationContext context;
    @Autowired private LakeReader lake;
    private CleanLog log;
    private String tenant;
    private WebTestClient client;
    private LakeProbe probe;
    private final Set<Funnel.Order> seen = EnumSet.noneOf(Funnel.Order.class);

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
            var events = BehaviourHistory.events(tenant, random, part);
            log.send(events);
            all.addAll(events);
            counted(log, client);
            assertRecounted(all, random, "seed " + seed + ", " + part + " parts in files");
            probe.keep(tenant);
            assertThat(probe.waiting(tenant)).isZero();
            assertRecounted(
                    all, random, "seed " + seed + ", " + (part + 1) + " parts in files, all");
        }
        assertThat(seen).as("seed %d", seed).hasSize(Funnel.Order.values().length);
        var whole = funnels();
        // In several passes over the persons, none of whom has more events than fit.
        for (int i = 0; i < 20; i++) {
            var asked = funnel(random);
            var funnel = Json.mapper().readValue(asked.json(), FunnelRequest.class).toFunnel();
            for (boolean merged : new boolean[] {false, true}) {
                var recount = recount(asked, merged ? BehaviourHistory.merged(all) : all);
                for (int maxEvents : new int[] {150, 250, 400, 1_000_000}) {
                    var result =
                            steps(
                                    funnel,
                                    merged
                                            ? BehaviourHistory.MERGED
                                            : new MergedPersons.Merged(new long[0], new long[0]),
                                    maxEvents);
                    assertThat(result.steps().stream().map(FunnelLakeIT::step).toList())
                            .as("seed %d: %s", seed, asked.json())
                            .isEqualTo(recounted(asked, recount.paths().values()));
                    assertThat(
                                    result.groups().stream()
                                            .map(g ->
                                                    new Group(
                                                            g.value(),
                                                            g.steps().stream()
                                                                    .map(FunnelLakeIT::step)
                                                                    .toList()))
                                            .toList())
                            .as("seed %d: %s", seed, asked.json())
                            .isEqualTo(broken(asked, recount));
                }
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
        log.send(BehaviourHistory.events(tenant, new Random(1), 0));
        counted(log, client);
        probe.keep(tenant);
        var scan =
                new LakeReader.Scan(
                        TimeRange.ofBody(null, null), List.of("page_view"), "1", List.of(), null);
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
        log.send(BehaviourHistory.events(tenant, new Random(2), 0));
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

    private FunnelRun.Result steps(Funnel funnel, MergedPersons.Merged merged, int maxEvents) {
        var events = new FunnelEvents(funnel);
        return new PersonWalks(lake, maxEvents)
                .walk(
                        tenant,
                        funnel.scan(),
                        merged,
                        0,
                        events,
                        () -> new FunnelRun(funnel, events, null))
                .finish();
    }

    private List<JsonNode> funnels() {
        return FUNNELS.stream().map(f -> post(client, 200, PATH, f).path("steps")).toList();
    }

    private static Recount recount(Asked funnel, List<CleanEvent> events) {
        var recount = new Recount(new TreeMap<>(), new TreeMap<>());
        for (long person = 1; person < BehaviourHistory.PERSONS; person++) {
            long number = person;
            find(
                    funnel,
                    events.stream()
                            .filter(e -> e.personNo() == number && !e.occurredAt().isBefore(SINCE))
                            .toList(),
                    number,
                    recount.paths(),
                    recount.values());
        }
        return recount;
    }

    private static Step step(FunnelRun.Step step) {
        return new Step(step.users(), micros(step.medianSeconds()), micros(step.averageSeconds()));
    }

    private static Long micros(Double seconds) {
        return seconds == null ? null : Math.round(seconds * 1e6);
    }

    /** As trying every path of every person finds. */
    private void assertRecounted(List<CleanEvent> events, Random random, String when) {
        for (int i = 0; i < ASKED; i++) {
            var funnel = funnel(random);
            var what = when + ": " + funnel.json();
            var recount = recount(funnel, events);
            var persons = recount.paths();
            var answer = post(client, 200, PATH, funnel.json());
            assertThat(answered(answer.path("steps")))
                    .as(what)
                    .isEqualTo(recounted(funnel, persons.values()));
            assertThat(
                            answer.path("breakdown")
                                    .valueStream()
                                    .map(g ->
                                            new Group(
                                                    g.path("value").isNull()
                                                            ? null
                                                            : g.path("value").stringValue(),
                                                    answered(g.path("steps")))))
                    .as(what)
                    .isEqualTo(broken(funnel, recount));
            for (var group : answer.path("breakdown")) {
                assertThat(group.path("total_users").asLong())
                        .isEqualTo(group.path("steps").path(0).path("users").asLong());
            }
            if (persons.values().stream().anyMatch(path -> path.size() > 1)) {
                seen.add(funnel.order());
            }
            if (i < LISTED && funnel.steps().size() > 1) {
                assertThat(listed(answer.path("funnel_id").stringValue()))
                        .as(what)
                        .isEqualTo(
                                persons.entrySet().stream()
                                        .filter(p -> p.getValue().size() >= 2)
                                        .map(p -> "user-" + p.getKey())
                                        .toList());
            }
        }
    }

    private static void find(
            Asked funnel,
            List<CleanEvent> events,
            long person,
            Map<Long, List<Long>> paths,
            Map<Long, String> values) {
        var history =
                events.stream()
                        .map(e ->
                                new FunnelOracle.Event(
                                        BehaviourHistory.micros(e),
                                        steps(funnel, e),
                                        gaps(funnel, e)))
                        .toList();
        boolean any = funnel.order() == Funnel.Order.ANY;
        var path =
                FunnelOracle.path(
                        funnel.steps().size(), funnel.window().toNanos() / 1_000, any, history);
        if (path.isEmpty()) {
            return;
        }
        paths.put(person, path);
        if (funnel.breakdown() != null) {
            events.stream()
                    .filter(e -> BehaviourHistory.micros(e) == path.getFirst())
                    .filter(e -> (steps(funnel, e) & (any ? -1 : 1)) != 0)
                    .map(PROPERTIES.get(funnel.breakdown()))
                    .filter(value -> !value.isMissingNode())
                    .map(value -> value.isString() ? value.stringValue() : value.toString())
                    .min(Comparator.naturalOrder())
                    .ifPresent(value -> values.put(person, value));
        }
    }

    private static int steps(Asked funnel, CleanEvent event) {
        int mask = 0;
        for (int i = 0; i < funnel.steps().size(); i++) {
            mask |= funnel.steps().get(i).holds().test(event) ? 1 << i : 0;
        }
        return mask;
    }

    private static int gaps(Asked funnel, CleanEvent event) {
        int gaps = funnel.order() == Funnel.Order.STRICT ? -1 : 0;
        for (var exclusion : funnel.exclusions()) {
            for (int gap = exclusion.from(); gap < exclusion.to(); gap++) {
                gaps |= exclusion.condition().holds().test(event) ? 1 << gap - 1 : 0;
            }
        }
        return gaps;
    }

    private static List<Group> broken(Asked funnel, Recount recount) {
        if (funnel.breakdown() == null) {
            return List.of();
        }
        var byValue = new HashMap<String, List<List<Long>>>();
        recount.paths()
                .forEach((person, path) ->
                        byValue.computeIfAbsent(
                                        recount.values().get(person), value -> new ArrayList<>())
                                .add(path));
        var none = byValue.remove(null);
        var sorted = new ArrayList<>(byValue.entrySet());
        sorted.sort((a, b) -> {
            int order = Integer.compare(b.getValue().size(), a.getValue().size());
            return order != 0 ? order : a.getKey().compareTo(b.getKey());
        });
        var groups = new ArrayList<Group>();
        var rest = new ArrayList<List<Long>>();
        for (var group : sorted) {
            if (groups.size() < 25) {
                groups.add(new Group(group.getKey(), recounted(funnel, group.getValue())));
            } else {
                rest.addAll(group.getValue());
            }
        }
        if (none != null) {
            groups.add(new Group(null, recounted(funnel, none)));
        }
        if (!rest.isEmpty()) {
            groups.add(new Group("$other", recounted(funnel, rest)));
        }
        return groups;
    }

    private static List<Step> recounted(Asked funnel, Collection<List<Long>> paths) {
        var steps = new ArrayList<Step>();
        for (int i = 0; i < funnel.steps().size(); i++) {
            int at = i;
            var waits =
                    paths.stream()
                            .filter(path -> path.size() > at && at > 0)
                            .map(path -> path.get(at) - path.get(at - 1))
                            .sorted()
                            .toList();
            int n = waits.size();
            steps.add(
                    new Step(
                            paths.stream().filter(path -> path.size() > at).count(),
                            n == 0
                                    ? null
                                    : Math.round((waits.get((n - 1) / 2) + waits.get(n / 2)) / 2.0),
                            n == 0
                                    ? null
                                    : Math.round(
                                            waits.stream().mapToLong(w -> w).sum() / (double) n)));
        }
        return steps;
    }

    private static List<Step> answered(JsonNode steps) {
        return steps.valueStream()
                .map(s ->
                        new Step(
                                s.path("users").asLong(),
                                wait(s.path("median_seconds_from_previous")),
                                wait(s.path("average_seconds_from_previous"))))
                .toList();
    }

    private static Long wait(JsonNode seconds) {
        return seconds.isNull() ? null : Math.round(seconds.asDouble() * 1e6);
    }

    private List<String> listed(String id) {
        var listed = new ArrayList<String>();
        var path = PATH + "/" + id + "/users?step=2&limit=7";
        var page = get(client, path);
        while (true) {
            page.path("items")
                    .valueStream()
                    .forEach(p -> listed.add(p.path("user_id").stringValue()));
            if (page.path("next_cursor").isNull()) {
                return listed;
            }
            page = get(client, path + "&cursor={c}", page.path("next_cursor").stringValue());
        }
    }

    private static Asked funnel(Random random) {
        int steps = 1 + random.nextInt(4);
        var order = Funnel.Order.values()[random.nextInt(3)];
        var conditions =
                random.ints(steps, 0, BehaviourHistory.CONDITIONS.size())
                        .mapToObj(BehaviourHistory.CONDITIONS::get)
                        .toList();
        var window = Duration.ofHours(steps < 4 && random.nextBoolean() ? 700 : random.nextInt(20));
        var exclusions = new ArrayList<Exclusion>();
        var excluded = new ArrayList<String>();
        for (int i = random.nextInt(6) - 3; i > 0; i--) {
            var condition =
                    BehaviourHistory.CONDITIONS.get(
                            random.nextInt(BehaviourHistory.CONDITIONS.size()));
            int from = 1;
            int to = steps;
            var range = "";
            if (order != Funnel.Order.ANY && steps > 1 && random.nextBoolean()) {
                from = 1 + random.nextInt(steps - 1);
                to = from + 1 + random.nextInt(steps - from);
                range = ", \"from_step\": %d, \"to_step\": %d".formatted(from, to);
            }
            exclusions.add(new Exclusion(condition, from, to));
            excluded.add("{" + condition.json() + range + "}");
        }
        var breakdown =
                random.nextBoolean()
                        ? null
                        : PROPERTIES.keySet().stream()
                                .sorted()
                                .toList()
                                .get(random.nextInt(PROPERTIES.size()));
        var json =
                """
                {"window": "%s", "start_time": "%s", "order": "%s", "breakdown": %s, "exclusions": [%s], "steps": [%s]}\
                """
                        .formatted(
                                window,
                                SINCE,
                                order.name().toLowerCase(Locale.ROOT),
                                breakdown == null ? null : "{\"property\": \"" + breakdown + "\"}",
                                String.join(", ", excluded),
                                conditions.stream()
                                        .map(c -> "{" + c.json() + "}")
                                        .collect(Collectors.joining(", ")));
        return new Asked(json, conditions, window, order, exclusions, breakdown);
    }
}
