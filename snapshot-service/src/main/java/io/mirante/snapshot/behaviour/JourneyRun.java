package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.ProblemException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Gathers what persons do next, and makes a graph of it. Not thread-safe.
 *
 * <p>A person counts once, from the first event that can be the start; of several at one instant it is the first in the order
 * of keys. What follows is all other events from that instant on, in the order of their times, at one instant in that of their keys.
 *
 * <p>Memory: 10 bytes for each event followed, 40 MB at most.
 */
final class JourneyRun implements PersonTimelines.Visitor {

    static final String OTHER = "$other";
    static final String END = "$end";

    private static final int MAX_FOLLOWED = 4_000_000;
    private static final int CHUNK = 1 << 16;

    /** Stands for the end where a key would. */
    private static final int ENDS = 0;

    private final Journey journey;
    private final JourneyEvents events;

    /** Of one person after another: keys up to the depth, or up to an end and with it. */
    private final List<short[]> keys = new ArrayList<>();

    /** Beside each key, µs since the event before. */
    private final List<long[]> waits = new ArrayList<>();

    private int followed;
    private long users;

    /** What may come next of one person, from the start on. */
    private int[] order = new int[64];

    /**
     * What persons do at one depth.
     *
     * @param depth 0 = the start
     * @param key the type, of a page view with the page; {@link #OTHER}, {@link #END}
     */
    record Node(String id, int depth, String key, long users) {}

    /**
     * What persons do after what.
     *
     * @param source id of a node
     * @param target id of a node of the next depth
     * @param medianSeconds null where the target is the end
     */
    record Edge(
            String source,
            String target,
            long users,
            @Nullable Double medianSeconds,
            @Nullable Double averageSeconds) {}

    /** Nodes by depth, those with most persons first; edges in the order of their nodes. */
    record Graph(long users, List<Node> nodes, List<Edge> edges) {}

    JourneyRun(Journey journey, JourneyEvents events) {
        this.journey = journey;
        this.events = events;
    }

    @Override
    public boolean see(long person, long[] micros, int[] what, int count) {
        int start = start(micros, what, count);
        if (start < 0) {
            return true;
        }
        users++;
        long at = micros[start];
        Long window = journey.windowMicros();
        long deadline = window == null ? Long.MAX_VALUE : at + window;
        int left = journey.depth();
        int from = start;
        while (from > 0 && micros[from - 1] == at) {
            from--;
        }
        while (from < count && left > 0 && micros[from] <= deadline) {
            int to = from;
            int found = 0;
            for (; to < count && micros[to] == micros[from]; to++) {
                if (to != start && JourneyEvents.follows(what[to])) {
                    found = put(JourneyEvents.key(what[to]), found);
                }
            }
            if (found > 1) {
                sort(found);
            }
            for (int i = 0; i < found && left > 0; i++, left--) {
                follow(order[i], micros[from] - at);
                at = micros[from];
            }
            from = to;
        }
        if (left > 0) {
            follow(ENDS, 0);
        }
        return true;
    }

    private int put(int key, int found) {
        if (found == order.length) {
            order = Arrays.copyOf(order, found * 2);
        }
        order[found] = key;
        return found + 1;
    }

    private void sort(int found) {
        var sorted =
                IntStream.of(order)
                        .limit(found)
                        .boxed()
                        .sorted(Comparator.comparing(events::text))
                        .mapToInt(Integer::intValue)
                        .toArray();
        System.arraycopy(sorted, 0, order, 0, found);
    }

    /** Index of the start; −1 when there is none. */
    private int start(long[] micros, int[] what, int count) {
        int start = -1;
        for (int i = 0; i < count && (start < 0 || micros[i] == micros[start]); i++) {
            if (JourneyEvents.starts(what[i])
                    && (start < 0 || text(what[i]).compareTo(text(what[start])) < 0)) {
                start = i;
            }
        }
        return start;
    }

    private String text(int what) {
        return events.text(JourneyEvents.key(what));
    }

    private void follow(int key, long wait) {
        if (followed == MAX_FOLLOWED) {
            throw ProblemException.impossible(
                    "too-many-events",
                    "more than %,d events follow the start; ask with less depth or for a shorter range"
                            .formatted(MAX_FOLLOWED));
        }
        int at = followed % CHUNK;
        if (at == 0) {
            keys.add(new short[CHUNK]);
            waits.add(new long[CHUNK]);
        }
        keys.getLast()[at] = (short) key;
        waits.getLast()[at] = wait;
        followed++;
    }

    private int key(int i) {
        return keys.get(i / CHUNK)[i % CHUNK];
    }

    private long waited(int i) {
        return waits.get(i / CHUNK)[i % CHUNK];
    }

    /** After the last person. */
    Graph finish() {
        var nodes = new ArrayList<Node>();
        var edges = new ArrayList<Edge>();
        var start = new Node("0:" + journey.startKey(), 0, journey.startKey(), users);
        nodes.add(start);
        // By key the place of its node among those of the depth before, and of this one.
        var before = List.of(start);
        int[] placesBefore = new int[events.size() + 1];
        for (int depth = 1; depth <= journey.depth() && users > 0; depth++) {
            int[] places = new int[events.size() + 1];
            var here = nodes(depth, places);
            edges.addAll(edges(depth, before, placesBefore, here, places));
            nodes.addAll(here);
            before = here;
            placesBefore = places;
        }
        return new Graph(users, nodes, edges);
    }

    /** Takes a step of a person. */
    @FunctionalInterface
    private interface Step {
        /**
         * A step.
         *
         * @param before key of the step before; {@link #ENDS} at the first
         * @param i which of all it is
         */
        void take(int before, int i);
    }

    /** All steps at a depth, person by person. */
    private void each(int depth, Step step) {
        int at = 0;
        int before = ENDS;
        for (int i = 0; i < followed; i++) {
            at++;
            if (at == depth) {
                step.take(before, i);
            }
            before = key(i);
            if (before == ENDS || at == journey.depth()) {
                at = 0;
                before = ENDS;
            }
        }
    }

    private List<Node> nodes(int depth, int[] places) {
        long[] counts = new long[events.size() + 1];
        each(depth, (before, i) -> counts[key(i)]++);
        var sorted =
                IntStream.rangeClosed(1, events.size())
                        .filter(key -> counts[key] > 0)
                        .boxed()
                        .sorted(
                                Comparator.<Integer>comparingLong(key -> -counts[key])
                                        .thenComparing(events::text))
                        .toList();
        var nodes = new ArrayList<Node>();
        long others = 0;
        for (int key : sorted) {
            places[key] = Math.min(nodes.size(), journey.maxNodes());
            if (nodes.size() < journey.maxNodes()) {
                nodes.add(node(depth, events.text(key), counts[key]));
            } else {
                others += counts[key];
            }
        }
        if (others > 0) {
            nodes.add(node(depth, OTHER, others));
        }
        places[ENDS] = nodes.size();
        if (counts[ENDS] > 0) {
            nodes.add(node(depth, END, counts[ENDS]));
        }
        return nodes;
    }

    private static Node node(int depth, String key, long users) {
        return new Node(depth + ":" + key, depth, key, users);
    }

    private List<Edge> edges(
            int depth, List<Node> sources, int[] sourceOf, List<Node> targets, int[] targetOf) {
        Map<Integer, Durations> found = new HashMap<>();
        each(
                depth,
                (before, i) ->
                        found.computeIfAbsent(
                                        (depth == 1 ? 0 : sourceOf[before]) * targets.size()
                                                + targetOf[key(i)],
                                        edge -> new Durations())
                                .add(waited(i)));
        return found.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(edge -> {
                    var source = sources.get(edge.getKey() / targets.size());
                    var target = targets.get(edge.getKey() % targets.size());
                    var durations = edge.getValue();
                    boolean ends = target.key().equals(END);
                    return new Edge(
                            source.id(),
                            target.id(),
                            durations.size(),
                            ends ? null : durations.medianSeconds(),
                            ends ? null : durations.averageSeconds());
                })
                .toList();
    }
}
