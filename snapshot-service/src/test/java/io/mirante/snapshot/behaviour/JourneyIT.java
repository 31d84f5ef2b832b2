package io.mirante.snapshot.behaviour;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.events.EventTypes;
import io.mirante.snapshot.CleanLog;
import io.mirante.snapshot.lake.LakeProbe;
import io.mirante.snapshot.lake.LakeReader;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

@MeshTest
class JourneyIT {

    private static final String PATH = "/api/v1/analytics/paths";
    private static final Instant SINCE = Instant.parse("2026-11-02T03:00:00Z");
    private static final int ASKED = 30;

    @Autowired private Mesh mesh;
    @Autowired private ApplicationContext context;
    @Autowired private LakeReader lake;
    private CleanLog log;
    private String tenant;
    private WebTestClient client;

    private record Node(String id, long depth, String key, long users) {}

    /** The seconds to the microsecond. */
    private record Edge(
            String source, String target, long users, Long medianMicros, Long averageMicros) {}

    private record Graph(long users, List<Node> nodes, Set<Edge> edges) {}

    /** A question as a client asks it, with what it says. */
    private record Asked(
            String json,
            BehaviourHistory.Condition start,
            String startKey,
            int depth,
            int maxNodes,
            Duration window,
            List<String> types) {}

    /** What a person does at a depth, and how long after the event before; null = nothing more. */
    private record Step(String key, Long since) {}

    @BeforeEach
    void open() {
        log = new CleanLog(mesh);
        tenant = mesh.newTenant();
        client = mesh.client(tenant);
    }

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void followsEachPersonFromTheirFirstStart() {
        log.send(
                page("a0", 1, "2026-11-01T09:00:00Z", "/before"),
                event("a1", "sign_up", 1, "2026-11-01T10:00:00Z", "{}"),
                page("a2", 1, "2026-11-01T10:00:10Z", "https://shop.example/cart?x=1"),
                event("a3", "purchase", 1, "2026-11-01T10:01:00Z", "{\"amount\":\"5.00\"}"),
                event("a4", "sign_up", 1, "2026-11-01T10:02:00Z", "{}"),
                event("b1", "sign_up", 2, "2026-11-01T10:00:00Z", "{}"),
                // of one instant, in the order of their keys
                event("b2", "search", 2, "2026-11-01T10:00:30Z", "{\"query\":\"x\"}"),
                page("b3", 2, "2026-11-01T10:00:30Z", "/cart"),
                event("c1", "sign_up", 3, "2026-11-01T10:00:00Z", "{}"),
                event("d1", "search", 4, "2026-11-01T10:00:00Z", "{\"query\":\"x\"}"),
                event("n1", "sign_up", 0, "2026-11-01T10:00:00Z", "{}"));
        counted(log, client);
        var answer = post(client, 200, PATH, "{\"start\": {\"type\": \"SignUp\"}, \"depth\": 2}");
        assertThat(answer.path("start").path("type").stringValue()).isEqualTo("sign_up");
        assertThat(graph(answer))
                .isEqualTo(
                        new Graph(
                                3,
                                List.of(
                                        new Node("0:sign_up", 0, "sign_up", 3),
                                        new Node("1:page_view /cart", 1, "page_view /cart", 2),
                                        new Node("1:$end", 1, "$end", 1),
                                        new Node("2:purchase", 2, "purchase", 1),
                                        new Node("2:search", 2, "search", 1)),
                                Set.of(
                                        new Edge(
                                                "0:sign_up",
                                                "1:page_view /cart",
                                                2,
                                                20_000_000L,
                                                20_000_000L),
                                        new Edge("0:sign_up", "1:$end", 1, null, null),
                                        new Edge(
                                                "1:page_view /cart",
                                                "2:purchase",
                                                1,
                                                50_000_000L,
                                                50_000_000L),
                                        new Edge("1:page_view /cart", "2:search", 1, 0L, 0L))));
        var none = post(client, 200, PATH, "{\"start\": {\"type\": \"login\"}}");
        assertThat(graph(none))
                .isEqualTo(new Graph(0, List.of(new Node("0:login", 0, "login", 0)), Set.of()));
    }

    @Test
    void isTheSameFromFilesFromRowsAndFromBoth() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var probe = new LakeProbe(mesh, context);
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
        for (int i = 0; i < 20; i++) {
            var asked = question(random);
            var journey = Json.mapper().readValue(asked.json(), JourneyRequest.class).toJourney();
            var once = graph(journey, 1_000_000);
            assertThat(graph(Json.mapper().valueToTree(once)))
                    .as("seed %d: %s", seed, asked.json())
                    .isEqualTo(recounted(asked, BehaviourHistory.merged(all)));
            for (int maxEvents : new int[] {100, 250, 700}) {
                assertThat(graph(journey, maxEvents))
                        .as("seed %d: %s", seed, asked.json())
                        .isEqualTo(once);
            }
        }
    }

    @Test
    void wrongQuestionsNameTheField() {
        assertThat(pointers("{}")).containsExactly("/start/type");
        assertThat(
                        pointers(
                                "{\"start\":{\"type\":\"login\"},\"depth\":11,\"max_nodes\":0,\"window\":\"soon\",\"event_types\":[]}"))
                .containsExactly("/depth", "/max_nodes", "/window", "/event_types");
        assertThat(pointers("{\"start\":{\"type\":\"login\"},\"event_types\":[\"search\",\"\"]}"))
                .containsExactly("/event_types/1");
        assertThat(
                        pointers(
                                "{\"start\":{\"type\":\"login\",\"filters\":[{\"property\":\"x\",\"operator\":\"eq\",\"value\":1}]}}"))
                .containsExactly("/start/filters/0/property");
        assertThat(
                        pointers(
                                "{\"start\":{\"type\":\"login\"},\"start_time\":\"2026-11-02T00:00:00Z\",\"end_time\":\"2026-11-01T00:00:00Z\"}"))
                .containsExactly("/end_time");
        assertThat(pointers("{\"begin\":{\"type\":\"login\"}}")).containsExactly("/begin");
    }

    private List<String> pointers(String body) {
        return post(client, 400, PATH, body)
                .path("errors")
                .valueStream()
                .map(e -> e.path("pointer").stringValue())
                .toList();
    }

    private JourneyRun.Graph graph(Journey journey, int maxEvents) {
        var events = new JourneyEvents(journey);
        return new PersonWalks(lake, maxEvents)
                .walk(
                        tenant,
                        journey.scan(),
                        BehaviourHistory.MERGED,
                        0,
                        events,
                        () -> new JourneyRun(journey, events))
                .finish();
    }

    private void assertRecounted(List<CleanEvent> events, Random random, String when) {
        for (int i = 0; i < ASKED; i++) {
            var asked = question(random);
            assertThat(graph(post(client, 200, PATH, asked.json())))
                    .as(when + ": " + asked.json())
                    .isEqualTo(recounted(asked, events));
        }
    }

    private static Graph recounted(Asked asked, List<CleanEvent> events) {
        var paths = new ArrayList<List<Step>>();
        for (long person = 1; person < BehaviourHistory.PERSONS; person++) {
            long number = person;
            var sorted =
                    events.stream()
                            .filter(e -> e.personNo() == number && !e.occurredAt().isBefore(SINCE))
                            .sorted(
                                    Comparator.comparing(CleanEvent::occurredAt)
                                            .thenComparing(JourneyIT::key))
                            .toList();
            sorted.stream()
                    .filter(asked.start().holds())
                    .findFirst()
                    .ifPresent(start -> paths.add(path(asked, start, sorted)));
        }
        var nodes = new ArrayList<Node>();
        nodes.add(new Node("0:" + asked.startKey(), 0, asked.startKey(), paths.size()));
        var waits = new HashMap<List<String>, List<Long>>();
        var ids = new ArrayList<Map<Integer, String>>();
        for (int depth = 1; depth <= asked.depth(); depth++) {
            int at = depth - 1;
            var counts = new TreeMap<String, Integer>();
            paths.stream()
                    .filter(path -> path.size() > at && path.get(at).since() != null)
                    .forEach(path -> counts.merge(path.get(at).key(), 1, Integer::sum));
            var top =
                    counts.entrySet().stream()
                            .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
                            .limit(asked.maxNodes())
                            .map(Map.Entry::getKey)
                            .toList();
            var users = new TreeMap<String, Long>();
            var here = new HashMap<Integer, String>();
            for (int p = 0; p < paths.size(); p++) {
                var path = paths.get(p);
                if (path.size() <= at) {
                    continue;
                }
                var step = path.get(at);
                var key = step.since() == null || top.contains(step.key()) ? step.key() : "$other";
                var id = depth + ":" + key;
                users.merge(key, 1L, Long::sum);
                here.put(p, id);
                var source = at == 0 ? "0:" + asked.startKey() : ids.getLast().get(p);
                var list = waits.computeIfAbsent(List.of(source, id), e -> new ArrayList<>());
                list.add(step.since());
            }
            ids.add(here);
            for (var key : top) {
                nodes.add(new Node(depth + ":" + key, depth, key, users.get(key)));
            }
            for (var key : List.of("$other", "$end")) {
                if (users.containsKey(key)) {
                    nodes.add(new Node(depth + ":" + key, depth, key, users.get(key)));
                }
            }
        }
        var edges = new HashSet<Edge>();
        waits.forEach((edge, list) -> edges.add(edge(edge, list)));
        return new Graph(paths.size(), nodes, edges);
    }

    private static Edge edge(List<String> edge, List<Long> waits) {
        int n = waits.size();
        if (waits.contains(null)) {
            return new Edge(edge.get(0), edge.get(1), n, null, null);
        }
        var sorted = waits.stream().sorted().toList();
        return new Edge(
                edge.get(0),
                edge.get(1),
                n,
                Math.round((sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2.0),
                Math.round(sorted.stream().mapToLong(w -> w).sum() / (double) n));
    }

    private static List<Step> path(Asked asked, CleanEvent start, List<CleanEvent> sorted) {
        var path = new ArrayList<Step>();
        long last = BehaviourHistory.micros(start);
        for (var event : sorted) {
            long at = BehaviourHistory.micros(event);
            boolean follows =
                    event != start
                            && !event.occurredAt().isBefore(start.occurredAt())
                            && (asked.window() == null
                                    || !event.occurredAt()
                                            .isAfter(start.occurredAt().plus(asked.window())))
                            && (asked.types().isEmpty()
                                    || asked.types().contains(event.eventType()));
            if (follows && path.size() < asked.depth()) {
                path.add(new Step(key(event), at - last));
                last = at;
            }
        }
        if (path.size() < asked.depth()) {
            path.add(new Step("$end", null));
        }
        return path;
    }

    private static String key(CleanEvent event) {
        return event.eventType().equals("page_view")
                ? "page_view " + BehaviourHistory.url(event)
                : event.eventType();
    }

    private static Asked question(Random random) {
        var start =
                BehaviourHistory.CONDITIONS.get(random.nextInt(BehaviourHistory.CONDITIONS.size()));
        var fields = start.json().replace("condition_", "");
        var parsed = Json.mapper().readTree("{" + fields + "}");
        var value = parsed.path("value").asString("");
        var type = EventTypes.canonicalName(parsed.path("type").stringValue());
        int depth = 1 + random.nextInt(5);
        int maxNodes = 1 + random.nextInt(6);
        var window = random.nextBoolean() ? null : Duration.ofHours(random.nextInt(20));
        var types =
                random.nextBoolean()
                        ? List.<String>of()
                        : random.nextBoolean()
                                ? List.of("search", "purchase")
                                : List.of("page_view");
        var json =
                """
                {"start": {%s}, "depth": %d, "max_nodes": %d, "window": %s, "event_types": %s, "start_time": "%s"}\
                """
                        .formatted(
                                fields,
                                depth,
                                maxNodes,
                                window == null ? null : "\"" + window + "\"",
                                types.isEmpty()
                                        ? null
                                        : types.stream()
                                                .collect(
                                                        Collectors.joining("\", \"", "[\"", "\"]")),
                                SINCE);
        return new Asked(
                json,
                start,
                value.isEmpty() ? type : type + " " + value,
                depth,
                maxNodes,
                window,
                types);
    }

    private static Graph graph(JsonNode answer) {
        var edges = new HashSet<Edge>();
        answer.path("edges")
                .valueStream()
                .forEach(e ->
                        assertThat(
                                        edges.add(
                                                new Edge(
                                                        e.path("source").stringValue(),
                                                        e.path("target").stringValue(),
                                                        e.path("users").asLong(),
                                                        micros(e.path("median_seconds")),
                                                        micros(e.path("average_seconds")))))
                                .isTrue());
        return new Graph(
                answer.path("users").asLong(),
                answer.path("nodes")
                        .valueStream()
                        .map(n ->
                                new Node(
                                        n.path("id").stringValue(),
                                        n.path("depth").asLong(),
                                        n.path("key").stringValue(),
                                        n.path("users").asLong()))
                        .toList(),
                edges);
    }

    private static Long micros(JsonNode seconds) {
        return seconds.isNull() ? null : Math.round(seconds.asDouble() * 1e6);
    }

    private CleanEvent page(String id, long person, String at, String url) {
        return event(id, "page_view", person, at, "{\"url\":\"%s\"}".formatted(url));
    }

    private CleanEvent event(String id, String type, long person, String at, String data) {
        return CleanLog.event(tenant, id, type, person, at, data);
    }
}
