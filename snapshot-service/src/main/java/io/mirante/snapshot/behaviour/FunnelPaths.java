package io.mirante.snapshot.behaviour;

import java.util.Arrays;

/**
 * Finds a person's way through a sequential funnel: which steps were reached, and when.
 *
 * <p>A path gives step 1, 2, … k each an event of its own, at times that never go back, all within the window that begins
 * with step 1 and includes its end. Events of one instant have no order among themselves, so at one instant several steps
 * may be taken in any order of its events. Of all paths the one that gets furthest counts; among those the one that starts
 * earliest, and after its start each step as early as possible.
 *
 * <p>Linear in the number of events. Events of one instant form a group. Within a group, from any step reached, taking as
 * many steps as its events allow is never worse than taking fewer. First pass, forward: for each number of steps keep the
 * latest start that has reached it, which gives k. Second pass, backward: the earliest time at which the rest of k steps
 * can be complete, which tells for each possible start whether k steps fit its window. Third: follow the earliest such
 * start.
 *
 * <p>Keeps scratch memory between calls: not thread-safe, one per question.
 */
final class FunnelPaths {

    /** Most steps of a funnel. */
    static final int MAX_STEPS = 20;

    private static final long NONE = Long.MIN_VALUE;
    private static final long NEVER = Long.MAX_VALUE;
    private static final long[] NO_PATH = {};

    private final int steps;
    private final long windowMicros;

    /** First event of each group, and behind the last group the number of events. */
    private int[] groups = new int[16];

    /** Per group: which events stand for which step while steps are matched with events. */
    private final int[] eventOfStep;

    private boolean[] taken = new boolean[16];

    /**
     * A finder.
     *
     * @param steps 1 to {@link #MAX_STEPS}
     * @param windowMicros µs from the first step in which the last must lie, end included; 0 or more
     */
    FunnelPaths(int steps, long windowMicros) {
        if (!(steps >= 1 && steps <= MAX_STEPS)) {
            throw new IllegalArgumentException(
                    "steps must be from 1 to " + MAX_STEPS + ", was " + steps);
        }
        if (!(windowMicros >= 0)) {
            throw new IllegalArgumentException(
                    "windowMicros must be 0 or more, was " + windowMicros);
        }
        this.steps = steps;
        this.windowMicros = windowMicros;
        this.eventOfStep = new int[steps];
    }

    /**
     * The person's path.
     *
     * @param micros times of the events in µs, never decreasing
     * @param masks bit {@code i} = the event can be step {@code i + 1}
     * @param events how many of the two arrays are filled
     * @return the time of each step reached, in µs; empty when not even the first was
     */
    long[] find(long[] micros, int[] masks, int events) {
        int groupCount = group(micros, events);
        int furthest = furthest(micros, masks, groupCount);
        if (furthest == 0) {
            return NO_PATH;
        }
        int start = earliestStart(micros, masks, groupCount, furthest);
        return follow(micros, masks, groupCount, start, furthest);
    }

    private int group(long[] micros, int events) {
        if (groups.length < events + 1) {
            groups = new int[Math.max(events + 1, groups.length * 2)];
            taken = new boolean[groups.length];
        }
        int count = 0;
        for (int i = 0; i < events; i++) {
            if (i == 0 || micros[i] != micros[i - 1]) {
                groups[count++] = i;
            }
        }
        groups[count] = events;
        return count;
    }

    private int furthest(long[] micros, int[] masks, int groupCount) {
        long[] latestStart = new long[steps + 1];
        long[] next = new long[steps + 1];
        Arrays.fill(latestStart, NONE);
        int furthest = 0;
        for (int g = 0; g < groupCount && furthest < steps; g++) {
            long at = micros[groups[g]];
            System.arraycopy(latestStart, 0, next, 0, steps + 1);
            for (int done = 0; done < steps; done++) {
                long start = done == 0 ? at : latestStart[done];
                if (start == NONE || at - start > windowMicros) {
                    continue;
                }
                int reached = reach(masks, g, done, steps);
                for (int j = done + 1; j <= reached; j++) {
                    next[j] = Math.max(next[j], start);
                }
                furthest = Math.max(furthest, reached > done ? reached : 0);
            }
            var swap = latestStart;
            latestStart = next;
            next = swap;
        }
        return furthest;
    }

    private int earliestStart(long[] micros, int[] masks, int groupCount, int furthest) {
        // complete[j]: earliest time at which steps j+1 … furthest can be done with groups behind
        // this one.
        long[] complete = new long[furthest + 1];
        Arrays.fill(complete, NEVER);
        int earliest = groupCount - 1;
        for (int g = groupCount - 1; g >= 0; g--) {
            long at = micros[groups[g]];
            int first = reach(masks, g, 0, furthest);
            if (first > 0) {
                long end = first == furthest ? at : complete[first];
                if (end != NEVER && end - at <= windowMicros) {
                    earliest = g;
                }
            }
            for (int done = 1; done < furthest; done++) {
                int reached = reach(masks, g, done, furthest);
                if (reached > done) {
                    complete[done] = reached == furthest ? at : complete[reached];
                }
            }
        }
        return earliest;
    }

    private long[] follow(long[] micros, int[] masks, int groupCount, int start, int furthest) {
        long[] times = new long[furthest];
        int done = 0;
        for (int g = start; g < groupCount && done < furthest; g++) {
            int reached = reach(masks, g, done, furthest);
            Arrays.fill(times, done, reached, micros[groups[g]]);
            done = reached;
        }
        return times;
    }

    /** How many steps are done after a group when {@code done} were before it, up to {@code limit}. */
    private int reach(int[] masks, int g, int done, int limit) {
        int from = groups[g];
        int to = groups[g + 1];
        if (to - from == 1) {
            return done < limit && (masks[from] >> done & 1) != 0 ? done + 1 : done;
        }
        int reached = done;
        Arrays.fill(eventOfStep, -1);
        while (reached < limit) {
            Arrays.fill(taken, 0, to - from, false);
            if (!match(masks, from, to, reached, done, reached)) {
                break;
            }
            reached++;
        }
        return reached;
    }

    /** Finds an event for a step, moving earlier steps of the group to other events where needed. */
    private boolean match(int[] masks, int from, int to, int step, int first, int last) {
        for (int i = from; i < to; i++) {
            if ((masks[i] >> step & 1) == 0 || taken[i - from]) {
                continue;
            }
            taken[i - from] = true;
            int holder = -1;
            for (int other = first; other < last; other++) {
                if (eventOfStep[other] == i) {
                    holder = other;
                    break;
                }
            }
            if (holder < 0 || match(masks, from, to, holder, first, last)) {
                eventOfStep[step] = i;
                return true;
            }
        }
        return false;
    }
}
