package io.mirante.gateway.guard;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A limit of calls in flight that follows how long they take: additive increase while they are quick, multiplicative decrease
 * once they are slow. When more is asked for than can be answered in time, the excess is so refused at once; without that,
 * every call waits until its client has given up, and nothing is answered in time at all. Thread-safe.
 *
 * <p>It begins at its maximum, so that a burst after silence is taken. A window is decided once it has lasted 100 ms and seen 10
 * calls; the limit then falls to 0.7 of what was in flight if the mean was above the target. Every quick call that found at
 * least half of the limit in flight raises it by one.
 */
final class AdaptiveLimit {

    static final int MIN = 8;

    private static final long WINDOW_NANOS = Duration.ofMillis(100).toNanos();
    private static final int WINDOW_CALLS = 10;
    private static final double DECREASE = 0.7;

    private final int max;
    private final long target;
    private final AtomicInteger inFlight = new AtomicInteger();
    private volatile int limit;

    private long begun;
    private long sum;
    private int count;
    private int peak;

    /**
     * A limit between {@value MIN} and {@code max}.
     *
     * @param max 1 or more; below {@value MIN} the limit is fixed
     * @param target how long a call may take on average; more than zero
     */
    AdaptiveLimit(int max, Duration target) {
        this.max = max;
        this.target = target.toNanos();
        this.limit = max;
    }

    /** Takes a place, to be given back with {@link #leave}; 0 if there is none, else how many calls are in flight. */
    int enter() {
        while (true) {
            int before = inFlight.get();
            if (before >= limit) {
                return 0;
            }
            if (inFlight.compareAndSet(before, before + 1)) {
                return before + 1;
            }
        }
    }

    /**
     * Gives a place back.
     *
     * @param place what {@link #enter} said
     * @param now {@link System#nanoTime}
     * @param nanos how long the call took, whatever its end: one that its client gave up tells as much
     */
    void leave(int place, long now, long nanos) {
        inFlight.decrementAndGet();
        synchronized (this) {
            if (count == 0) {
                begun = now;
                sum = 0;
                peak = 0;
            }
            count++;
            sum += nanos;
            peak = Math.max(peak, place);
            if (nanos <= target && place * 2 >= limit) {
                limit = Math.min(max, limit + 1);
            }
            if (count >= WINDOW_CALLS && now - begun >= WINDOW_NANOS) {
                if (sum / count > target) {
                    limit = Math.max(Math.min(MIN, max), (int) (Math.min(limit, peak) * DECREASE));
                }
                count = 0;
            }
        }
    }

    /** Calls that may be in flight now. */
    int limit() {
        return limit;
    }
}
