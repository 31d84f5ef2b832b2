package io.mirante.snapshot.behaviour;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Tallies how far persons got. Not thread-safe.
 *
 * <p>Persons who reached a step = those whose path has at least so many steps.
 */
final class FunnelRun implements PersonTimelines.Visitor {

    private final int steps;
    private final FunnelPaths paths;
    private final @Nullable Listing listing;
    private final long[] users;
    private final Longs[] waits;

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

    FunnelRun(Funnel funnel, @Nullable Listing listing) {
        this.steps = funnel.steps().size();
        this.paths = new FunnelPaths(steps, micros(funnel.window()));
        this.listing = listing;
        this.users = new long[steps];
        this.waits = new Longs[steps];
        Arrays.setAll(waits, i -> new Longs());
    }

    /** The next person, with all events; false when the listing is full. */
    @Override
    public boolean see(long person, long[] micros, int[] masks, int events) {
        var path = paths.find(micros, masks, events);
        for (int i = 0; i < path.length; i++) {
            users[i]++;
            if (i > 0) {
                waits[i].add(path[i] - path[i - 1]);
            }
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

    /** After the last person. */
    List<Step> finish() {
        var result = new ArrayList<Step>();
        for (int i = 0; i < steps; i++) {
            result.add(new Step(users[i], waits[i].medianSeconds(), waits[i].averageSeconds()));
        }
        return result;
    }

    private static long micros(Duration duration) {
        return TimeUnit.SECONDS.toMicros(duration.getSeconds()) + duration.getNano() / 1_000;
    }

    /** Growing list of times in µs. */
    private static final class Longs {
        private long[] values = new long[16];
        private int size;

        void add(long value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, size * 2);
            }
            values[size++] = value;
        }

        @Nullable Double medianSeconds() {
            if (size == 0) {
                return null;
            }
            Arrays.sort(values, 0, size);
            int middle = size / 2;
            double median =
                    size % 2 == 1
                            ? values[middle]
                            : values[middle - 1] + (values[middle] - values[middle - 1]) / 2.0;
            return median / 1e6;
        }

        @Nullable Double averageSeconds() {
            if (size == 0) {
                return null;
            }
            double sum = 0;
            for (int i = 0; i < size; i++) {
                sum += values[i];
            }
            return sum / size / 1e6;
        }
    }
}
