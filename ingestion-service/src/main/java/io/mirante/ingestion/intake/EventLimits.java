package io.mirante.ingestion.intake;

import io.mirante.contracts.gateway.Limits;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Events per second of each tenant, over all ways in of this replica: a token bucket that holds {@code events_burst}
 * (one second's by default) and fills by {@code events_per_second}. A change of the limits is in force with the next
 * request. Thread-safe, never waits.
 */
public final class EventLimits {

    private static final int MAX_BUCKETS = 100_000;
    private static final double NANOS = Duration.ofSeconds(1).toNanos();

    private final Function<String, Limits> limits;
    private final int defaultPerSecond;
    private final LongSupplier nanos;
    private final Map<String, Bucket> buckets = new ConcurrentHashMap<>();

    /**
     * @param limits of a tenant, as they are at the moment
     * @param defaultPerSecond of a tenant without a limit of its own; 0 is no limit
     * @param nanos a clock such as {@link System#nanoTime}
     */
    public EventLimits(Function<String, Limits> limits, int defaultPerSecond, LongSupplier nanos) {
        this.limits = limits;
        this.defaultPerSecond = defaultPerSecond;
        this.nanos = nanos;
    }

    /** How many of {@code wanted} events may come now; they count as come. */
    public int take(String tenant, int wanted) {
        return take(tenant, wanted, false);
    }

    /**
     * Whether {@code wanted} events may come now, all or none of them. More than the bucket ever holds may come when it is
     * full; the next wait the longer.
     */
    public boolean takeAll(String tenant, int wanted) {
        return take(tenant, wanted, true) == wanted;
    }

    private int take(String tenant, int wanted, boolean whole) {
        var limit = limits.apply(tenant);
        var own = limit.eventsPerSecond();
        int perSecond = own == null ? defaultPerSecond : own;
        if (perSecond == 0) {
            return wanted;
        }
        var burst = limit.eventsBurst();
        int size = burst == null || burst == 0 ? perSecond : Math.max(burst, perSecond);
        if (buckets.size() > MAX_BUCKETS) {
            buckets.clear();
        }
        return buckets.computeIfAbsent(tenant, t -> new Bucket(size, nanos.getAsLong()))
                .take(wanted, whole, perSecond, size, nanos.getAsLong());
    }

    /** Tokens at a moment; fewer than none after a request larger than the bucket. */
    private static final class Bucket {
        private double tokens;
        private long at;

        Bucket(double tokens, long at) {
            this.tokens = tokens;
            this.at = at;
        }

        synchronized int take(int wanted, boolean whole, int perSecond, int size, long now) {
            tokens = Math.min(size, tokens + Math.max(0, now - at) / NANOS * perSecond);
            at = now;
            int taken =
                    whole
                            ? tokens >= Math.min(wanted, size) ? wanted : 0
                            : (int) Math.clamp(tokens, 0, wanted);
            tokens -= taken;
            return taken;
        }
    }
}
