package io.mirante.snapshot.behaviour;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Finds a person's path through a funnel by trying every one. */
final class FunnelOracle {

    private final int steps;
    private final long window;
    private final boolean anyOrder;
    private final List<Event> events;
    private final List<Long> path = new ArrayList<>();
    private final boolean[] used;
    private List<Long> best = List.of();

    /**
     * An event.
     *
     * @param steps bit i = it can be step i + 1
     * @param gaps bit i = it must not lie between step i + 1 and the next; in any order, not 0 = it is excluded
     */
    record Event(long at, int steps, int gaps) {}

    private FunnelOracle(int steps, long window, boolean anyOrder, List<Event> events) {
        this.steps = steps;
        this.window = window;
        this.anyOrder = anyOrder;
        this.events = events.stream().sorted(Comparator.comparingLong(Event::at)).toList();
        this.used = new boolean[events.size()];
    }

    /** Times of the path that gets furthest, then starts earliest, then has each step earliest. */
    static List<Long> path(int steps, long window, boolean anyOrder, List<Event> events) {
        var oracle = new FunnelOracle(steps, window, anyOrder, events);
        if (anyOrder) {
            oracle.anyOrder(0, 0);
        } else {
            oracle.inOrder();
        }
        return oracle.best;
    }

    private void inOrder() {
        keepIfBetter();
        if (path.size() == steps) {
            return;
        }
        for (int i = 0; i < used.length; i++) {
            var event = events.get(i);
            if (!used[i] && (event.steps() >> path.size() & 1) == 1 && follows(event.at())) {
                used[i] = true;
                path.add(event.at());
                inOrder();
                path.removeLast();
                used[i] = false;
            }
        }
    }

    private boolean follows(long at) {
        if (path.isEmpty()) {
            return true;
        }
        long last = path.getLast();
        int gap = path.size() - 1;
        return at >= last
                && at - path.getFirst() <= window
                && events.stream()
                        .noneMatch(e -> e.at() > last && e.at() < at && (e.gaps() >> gap & 1) == 1);
    }

    /** Of events from an index on, in the order of their times, with other steps than those done. */
    private void anyOrder(int from, int done) {
        keepIfBetter();
        for (int i = from; i < events.size(); i++) {
            var event = events.get(i);
            if (!path.isEmpty()
                    && (event.at() - path.getFirst() > window
                            || events.stream()
                                    .anyMatch(e ->
                                            e.gaps() != 0
                                                    && e.at() > path.getFirst()
                                                    && e.at() < event.at()))) {
                return;
            }
            for (int step = 0; step < steps; step++) {
                if (((event.steps() & ~done) >> step & 1) == 1) {
                    path.add(event.at());
                    anyOrder(i + 1, done | 1 << step);
                    path.removeLast();
                }
            }
        }
    }

    private void keepIfBetter() {
        if (path.size() != best.size()) {
            best = path.size() > best.size() ? List.copyOf(path) : best;
            return;
        }
        for (int i = 0; i < path.size(); i++) {
            int order = path.get(i).compareTo(best.get(i));
            if (order != 0) {
                best = order < 0 ? List.copyOf(path) : best;
                return;
            }
        }
    }
}
