package io.mirante.snapshot.behaviour;

import java.util.Arrays;

/**
 * Finds paths through a funnel whose steps may come in any order.
 *
 * <p>A path gives as many different steps as it can each an event of its own, all within the window that begins with the first of
 * them and includes its end. Events of one instant have no order among themselves. An excluded event ends the path: nothing counts
 * that lies later than it when it lies later than the path's first event.
 *
 * <p>Backward through the events, of each kind those are kept that come next, as many as the steps it can be, since no path uses
 * more. From each instant as start, they are matched with steps in the order of their times: an event that can be added to those
 * before, which may change their steps, is. That gives the most steps, and each as early as possible (sets of events that can be
 * different steps are a matroid).
 */
final class UnorderedPaths implements PathFinder {

    private static final long NEVER = Long.MAX_VALUE;
    private static final long[] NO_PATH = {};

    private final int stepMask;
    private final long windowMicros;

    /** Kinds of events met of this person: which steps they can be. */
    private int[] kinds = new int[8];

    private int kindCount;

    /** By kind: times of the next events, the next one last, in a ring. */
    private long[][] next = new long[8][];

    private int[] newest = new int[8];
    private int[] kept = new int[8];

    /** Events that a path may use, in the order of their times. */
    private Candidate[] candidates = new Candidate[0];

    private int candidateCount;

    /** By step: which candidate stands for it; −1 = none. */
    private final int[] candidateOfStep;

    /** Bits of the steps that were looked at for the candidate at hand. */
    private int tried;

    private static final class Candidate implements Comparable<Candidate> {
        private long at;
        private int mask;

        @Override
        public int compareTo(Candidate other) {
            return Long.compare(at, other.at);
        }
    }

    /**
     * A finder.
     *
     * @param steps 1 to {@link Funnel#MAX_STEPS}
     * @param windowMicros µs from the first step in which the last must lie, end included; 0 or more
     */
    UnorderedPaths(int steps, long windowMicros) {
        if (!(steps >= 1 && steps <= Funnel.MAX_STEPS)) {
            throw new IllegalArgumentException(
                    "steps must be from 1 to " + Funnel.MAX_STEPS + ", was " + steps);
        }
        if (!(windowMicros >= 0)) {
            throw new IllegalArgumentException(
                    "windowMicros must be 0 or more, was " + windowMicros);
        }
        this.stepMask = (1 << steps) - 1;
        this.windowMicros = windowMicros;
        this.candidateOfStep = new int[steps];
    }

    @Override
    public long[] find(long[] micros, int[] masks, int events) {
        kindCount = 0;
        long[] best = NO_PATH;
        long excludedAt = NEVER;
        for (int to = events; to > 0; ) {
            long at = micros[to - 1];
            boolean starts = false;
            boolean excludes = false;
            int from = to;
            for (; from > 0 && micros[from - 1] == at; from--) {
                int mask = masks[from - 1];
                excludes |= mask >>> Funnel.FIRST_EXCLUSION != 0;
                if ((mask & stepMask) != 0) {
                    starts = true;
                    keep(mask & stepMask, at);
                }
            }
            if (starts) {
                long deadline = Math.min(at + windowMicros, excludedAt);
                gather(deadline, best.length);
                if (candidateCount >= Math.max(1, best.length)) {
                    long[] path = match();
                    if (path.length >= best.length) {
                        best = path;
                    }
                }
            }
            if (excludes) {
                excludedAt = at;
            }
            to = from;
        }
        return best;
    }

    /** The event is the next of its kind now. */
    private void keep(int mask, long at) {
        int kind = 0;
        while (kind < kindCount && kinds[kind] != mask) {
            kind++;
        }
        if (kind == kindCount) {
            begin(mask);
        }
        long[] ring = next[kind];
        newest[kind] = (newest[kind] + 1) % ring.length;
        ring[newest[kind]] = at;
        kept[kind] = Math.min(kept[kind] + 1, ring.length);
    }

    private void begin(int mask) {
        if (kindCount == kinds.length) {
            kinds = Arrays.copyOf(kinds, kindCount * 2);
            next = Arrays.copyOf(next, kindCount * 2);
            newest = Arrays.copyOf(newest, kindCount * 2);
            kept = Arrays.copyOf(kept, kindCount * 2);
        }
        int size = Integer.bitCount(mask);
        kinds[kindCount] = mask;
        if (next[kindCount] == null || next[kindCount].length != size) {
            next[kindCount] = new long[size];
        }
        newest[kindCount] = 0;
        kept[kindCount] = 0;
        kindCount++;
    }

    /** The next events up to a deadline; none when they cannot be so many steps. */
    private void gather(long deadline, int wanted) {
        candidateCount = 0;
        int union = 0;
        for (int kind = 0; kind < kindCount; kind++) {
            long[] ring = next[kind];
            for (int i = 0; i < kept[kind]; i++) {
                long at = ring[(newest[kind] - i + ring.length) % ring.length];
                if (at > deadline) {
                    break;
                }
                add(at, kinds[kind]);
                union |= kinds[kind];
            }
        }
        if (Integer.bitCount(union) < wanted) {
            candidateCount = 0;
        }
    }

    private void add(long at, int mask) {
        if (candidateCount == candidates.length) {
            int before = candidates.length;
            candidates = Arrays.copyOf(candidates, Math.max(16, before * 2));
            for (int i = before; i < candidates.length; i++) {
                candidates[i] = new Candidate();
            }
        }
        candidates[candidateCount].at = at;
        candidates[candidateCount].mask = mask;
        candidateCount++;
    }

    /** Times of the candidates that become steps. */
    private long[] match() {
        Arrays.sort(candidates, 0, candidateCount);
        Arrays.fill(candidateOfStep, -1);
        long[] times = new long[candidateOfStep.length];
        int done = 0;
        for (int i = 0; i < candidateCount && done < times.length; i++) {
            tried = 0;
            if (place(i)) {
                times[done++] = candidates[i].at;
            }
        }
        return Arrays.copyOf(times, done);
    }

    /** Gives a candidate a step, moving others to other steps where needed. */
    private boolean place(int candidate) {
        for (int bits = candidates[candidate].mask & ~tried;
                bits != 0;
                bits = candidates[candidate].mask & ~tried) {
            int step = Integer.numberOfTrailingZeros(bits);
            tried |= 1 << step;
            if (candidateOfStep[step] < 0 || place(candidateOfStep[step])) {
                candidateOfStep[step] = candidate;
                return true;
            }
        }
        return false;
    }
}
