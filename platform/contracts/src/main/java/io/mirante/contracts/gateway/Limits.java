package io.mirante.contracts.gateway;

import org.jspecify.annotations.Nullable;

/**
 * A tenant's limits. Null is the installation's default, 0 is no limit.
 *
 * @param requestsPerMinute of each key that has no limit of its own
 * @param eventsPerSecond events accepted from all ways in together
 * @param eventsBurst events accepted at once after a pause, at least one second's
 */
public record Limits(
        @Nullable Integer requestsPerMinute,
        @Nullable Integer eventsPerSecond,
        @Nullable Integer eventsBurst) {

    /** Largest limit: a billion. */
    public static final int MAX = 1_000_000_000;

    /** The installation's. */
    public static final Limits DEFAULT = new Limits(null, null, null);

    public Limits {
        check("requests_per_minute", requestsPerMinute);
        check("events_per_second", eventsPerSecond);
        check("events_burst", eventsBurst);
        if (eventsBurst != null
                && eventsBurst > 0
                && eventsPerSecond != null
                && eventsBurst < eventsPerSecond) {
            throw new InvalidSettingException(
                    "/events_burst",
                    "out_of_range",
                    "events_burst must be at least events_per_second (%d), was %d"
                            .formatted(eventsPerSecond, eventsBurst));
        }
    }

    private static void check(String field, @Nullable Integer value) {
        if (value != null && !(value >= 0 && value <= MAX)) {
            throw new InvalidSettingException(
                    "/" + field,
                    "out_of_range",
                    "%s must be from 0 (no limit) to %d, was %d".formatted(field, MAX, value));
        }
    }
}
