package io.mirante.snapshot.behaviour;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tallies how far persons got. Not thread-safe.
 *
 * <p>Persons who reached a step = those whose path has at least so many steps.
 */
final class FunnelRun implements PersonTimelines.Visitor {

    /** How many values of a breakdown stand for themselves. */
    static final int MAX_GROUPS = 25;

    /** Stands for all other values. */
    static final String OTHER = "$other";

    private final int steps;
    private final FunnelEvents events;
    private final PathFinder paths;
    private final boolean brokenDown;
    private final @Nullable Listing listing;
    private final Tally all;
    private final Map<@Nullable String, Tally> groups = new HashMap<>();
    private int[] masks = new int[64];

    /**
     * Which persons to keep by number.
     *
     * @param step 1 or more
     * @param dropped those who reached the step before and not this one, instead of those who reached it
     * @param limit most persons to keep
     */
    record Listing(int step, boolean dropped, int limit, List<Long> persons) {

        Listing(int step, boolean dropped, int limit) {
            this(step, dropped, limit, new ArrayList<>());
        }

        boolean isFull() {
            return persons.size() >= limit;
        }

        private void see(long person, int reached) {
            boolean wanted = dropped ? reached == step - 1 && reached > 0 : reached >= step;
            if (wanted && !isFull()) {
                persons.add(person);
            }
        }
    }

    /** What one step came to; the seconds are null when nobody reached it, and for the first. */
    record Step(long users, @Nullable Double medianSeconds, @Nullable Double averageSeconds) {}

    /**
     * Persons with one value of the breakdown.
     *
     * @param value null = without any; {@link #OTHER} = all values that do not stand for themselves
     */
    record Group(@Nullable String value, List<Step> steps) {}

    /** What came of all, and of those with each value. */
    record Result(List<Step> steps, List<Group> groups) {}

    FunnelRun(Funnel funnel, FunnelEvents events, @Nullable Listing listing) {
        this.steps = funnel.steps().size();
        this.events = events;
        this.paths = funnel.paths();
        this.brokenDown = funnel.breakdown() != null;
        this.listing = listing;
        this.all = new Tally(steps);
    }

    /** The next person, with all events; false when the listing is full. */
    @Override
    public boolean see(long person, long[] micros, int[] what, int count) {
        if (masks.length < count) {
            masks = new int[what.length];
        }
        events.masks(what, masks, count);
        var path = paths.find(micros, masks, count);
        all.add(path);
        if (brokenDown && path.length > 0) {
            groups.computeIfAbsent(
                            events.value(micros, what, count, path[0]), value -> new Tally(steps))
                    .add(path);
        }
        if (listing == null) {
            return true;
        }
        listing.see(person, path.length);
        return !listing.isFull();
    }

    /** Persons that were to be listed, by number. */
    List<Long> listed() {
        return listing == null ? List.of() : listing.persons();
    }

    /** After the last person: values with most persons first, then what has none, then all others. */
    Result finish() {
        var none = groups.remove(null);
        var rest = groups.remove(OTHER);
        var sorted = new ArrayList<>(groups.entrySet());
        sorted.sort(
                Comparator.<Map.Entry<@Nullable String, Tally>>comparingLong(
                                group -> -group.getValue().users[0])
                        .thenComparing(group -> String.valueOf(group.getKey())));
        var result = new ArrayList<Group>();
        for (var group : sorted) {
            if (result.size() < MAX_GROUPS) {
                result.add(new Group(group.getKey(), group.getValue().finish()));
            } else {
                rest = rest == null ? new Tally(steps) : rest;
                rest.add(group.getValue());
            }
        }
        if (none != null) {
            result.add(new Group(null, none.finish()));
        }
        if (rest != null) {
            result.add(new Group(OTHER, rest.finish()));
        }
        return new Result(all.finish(), result);
    }

    /** How far some persons got, and how long they took. */
    private static final class Tally {
        private final long[] users;
        private final Durations[] waits;

        Tally(int steps) {
            this.users = new long[steps];
            this.waits = new Durations[steps];
            Arrays.setAll(waits, i -> new Durations());
        }

        void add(long[] path) {
            for (int i = 0; i < path.length; i++) {
                users[i]++;
                if (i > 0) {
                    waits[i].add(path[i] - path[i - 1]);
                }
            }
        }

        void add(Tally other) {
            for (int i = 0; i < users.length; i++) {
                users[i] += other.users[i];
                waits[i].addAll(other.waits[i]);
            }
        }

        List<Step> finish() {
            var result = new ArrayList<Step>();
            for (int i = 0; i < users.length; i++) {
                result.add(new Step(users[i], waits[i].medianSeconds(), waits[i].averageSeconds()));
            }
            return result;
        }
    }
}
