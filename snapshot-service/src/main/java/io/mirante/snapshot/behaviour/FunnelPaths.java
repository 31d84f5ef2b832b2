package io.mirante.snapshot.behaviour;

import java.util.Arrays;

/**
 * Finds paths through a sequential or strict funnel.
 *
 * <p>A path gives step 1, 2, … k each an event of its own, at times that never go back, all within the window that begins
 * with step 1 and includes its end. Events of one instant have no order among themselves, so at one instant several steps
 * may be taken in any order of its events. No excluded event may lie between two steps: later than the one and earlier
 * than the other.
 *
 * <p>Linear in the number of events. Events of one instant form a group. First pass, forward: for each number of steps keep the
 * latest start that has reached it and may go on, which gives k. Second pass, backward: the earliest time at which the rest of k
 * steps can be complete, which tells for each possible start whether k steps fit its window. Third: follow the earliest such
 * start, at each group with as many steps as leave a way to k. Where nothing is excluded, as many as the group allows always
 * do; else it is looked up, going backward once more.
 */
final class FunnelPaths implements PathFinder {

    private static final long NONE = Long.MIN_VALUE;
    private static final long NEVER = Long.MAX_VALUE;
    private static final long[] NO_PATH = {};

    private final int steps;
    private final long windowMicros;
    private final int[] exclusionGaps;

    /** First event of each group, and behind the last group the number of events. */
    private int[] groups = new int[16];

    /** Per group: which events stand for which step while steps are matched with events. */
    private final int[] eventOfStep;

    private boolean[] taken = new boolean[16];

    /** Whether any event of the person is excluded. */
    private boolean excluding;

    /** Per group, only when events are excluded: bit j = with j steps done before it, all can be done in time. */
    private int[] possible = new int[0];

    /** A finder for a funnel without exclusions. */
    FunnelPaths(int steps, long windowMicros) {
        this(steps, windowMicros, new int[Funnel.MAX_EXCLUSIONS + 1]);
    }

    /**
     * A finder.
     *
     * @param steps 1 to {@link Funnel#MAX_STEPS}
     * @param windowMicros µs from the first step in which the last must lie, end included; 0 or more
     * @param exclusionGaps of events with bit {@link Funnel#FIRST_EXCLUSION} + i: bit g = they must not lie between step g + 1
     *     and the next
     */
    FunnelPaths(int steps, long windowMicros, int[] exclusionGaps) {
        if (!(steps >= 1 && steps <= Funnel.MAX_STEPS)) {
            throw new IllegalArgumentException(
                    "steps must be from 1 to " + Funnel.MAX_STEPS + ", was " + steps);
        }
        if (!(windowMicros >= 0)) {
            throw new IllegalArgumentException(
                    "windowMicros must be 0 or more, was " + windowMicros);
        }
        this.steps = steps;
        this.windowMicros = windowMicros;
        this.exclusionGaps = exclusionGaps.clone();
        this.eventOfStep = new int[steps];
    }

    @Override
    public long[] find(long[] micros, int[] masks, int events) {
        int groupCount = group(micros, masks, events);
        int furthest = furthest(micros, masks, groupCount);
        if (furthest == 0) {
            return NO_PATH;
        }
        int start = earliestStart(micros, masks, groupCount, furthest);
        if (excluding) {
            lookAhead(micros, masks, groupCount, start, furthest);
        }
        return follow(micros, masks, groupCount, start, furthest);
    }

    private int group(long[] micros, int[] masks, int events) {
        if (groups.length < events + 1) {
            groups = new int[Math.max(events + 1, groups.length * 2)];
            taken = new boolean[groups.length];
        }
        excluding = false;
        int count = 0;
        for (int i = 0; i < events; i++) {
            excluding |= masks[i] >>> Funnel.FIRST_EXCLUSION != 0;
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
            for (int gaps = excluded(masks, g); gaps != 0; gaps &= gaps - 1) {
                // Who stands in this gap goes no further, unless with an event of this group.
                next[Integer.numberOfTrailingZeros(gaps) + 1] = NONE;
            }
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
            for (int done = 1; done <= first; done++) {
                long end = done == furthest ? at : complete[done];
                if (end != NEVER && end - at <= windowMicros) {
                    earliest = g;
                }
            }
            int gaps = excluded(masks, g);
            for (int done = 1; done < furthest; done++) {
                long end = (gaps >> done - 1 & 1) != 0 ? NEVER : complete[done];
                int reached = reach(masks, g, done, furthest);
                for (int j = done + 1; j <= reached; j++) {
                    end = Math.min(end, j == furthest ? at : complete[j]);
                }
                complete[done] = end;
            }
        }
        return earliest;
    }

    private void lookAhead(long[] micros, int[] masks, int groupCount, int start, int furthest) {
        if (possible.length < groupCount + 1) {
            possible = new int[groups.length];
        }
        long deadline = micros[groups[start]] + windowMicros;
        possible[groupCount] = 1 << furthest;
        for (int g = groupCount - 1; g > start; g--) {
            int behind = possible[g + 1];
            int stays = behind & ~(excluded(masks, g) << 1);
            int can = 1 << furthest;
            for (int done = 1; done < furthest; done++) {
                int reached =
                        micros[groups[g]] <= deadline ? reach(masks, g, done, furthest) : done;
                // Bits done + 1 … reached.
                int further = (1 << reached + 1) - (1 << done + 1);
                if ((stays >> done & 1) != 0 || (behind & further) != 0) {
                    can |= 1 << done;
                }
            }
            possible[g] = can;
        }
    }

    private long[] follow(long[] micros, int[] masks, int groupCount, int start, int furthest) {
        long[] times = new long[furthest];
        int done = 0;
        for (int g = start; g < groupCount && done < furthest; g++) {
            int reached = reach(masks, g, done, furthest);
            while (excluding && reached > done && (possible[g + 1] >> reached & 1) == 0) {
                reached--;
            }
            Arrays.fill(times, done, reached, micros[groups[g]]);
            done = reached;
        }
        return times;
    }

    /** Bit i = an event of the group must not lie between step i + 1 and the next. */
    private int excluded(int[] masks, int g) {
        if (!excluding) {
            return 0;
        }
        int gaps = 0;
        for (int i = groups[g]; i < groups[g + 1]; i++) {
            for (int bits = masks[i] >>> Funnel.FIRST_EXCLUSION; bits != 0; bits &= bits - 1) {
                gaps |= exclusionGaps[Integer.numberOfTrailingZeros(bits)];
            }
        }
        return gaps;
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
