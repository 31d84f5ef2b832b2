package io.mirante.churn.training;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * Past dates to learn from: the last is one horizon before the newest event, so that its label is known; the others lie a
 * week (or a horizon, if that is shorter) apart before it, at most twelve, each with some history behind it. Midnight
 * UTC when the horizon is a day or more.
 */
final class AsOfDates {

    private static final int MOST = 12;
    private static final Duration WEEK = Duration.ofDays(7);

    private AsOfDates() {}

    /** Ascending; empty when the history is shorter than the horizon and what must lie before it. */
    static List<Instant> between(Instant firstEvent, Instant lastEvent, Duration horizon) {
        var step = horizon.compareTo(WEEK) < 0 ? horizon : WEEK;
        var unit = horizon.toDays() >= 1 ? ChronoUnit.DAYS : ChronoUnit.MINUTES;
        var dates = new ArrayList<Instant>();
        var date = lastEvent.minus(horizon).truncatedTo(unit);
        var earliest = firstEvent.plus(step);
        while (dates.size() < MOST && !date.isBefore(earliest)) {
            dates.addFirst(date);
            date = date.minus(step);
        }
        return dates;
    }
}
