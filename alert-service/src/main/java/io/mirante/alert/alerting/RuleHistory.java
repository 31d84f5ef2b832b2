package io.mirante.alert.alerting;

import io.mirante.alert.metrics.MinuteSums;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** What a rule would have done on what is known: a look at the end of each minute. Pure. */
final class RuleHistory {

    private RuleHistory() {}

    /**
     * A time it would have fired.
     *
     * @param resolvedAt null = it would still be firing
     * @param value the sum when it fired
     */
    record Firing(
            Instant startedAt, Instant firedAt, @Nullable Instant resolvedAt, BigDecimal value) {}

    /**
     * Plays the minutes through the states an alert goes through.
     *
     * @param minutes sums by minute; absent = 0
     * @param from first look; before it nothing is known
     * @param to last look
     */
    static List<Firing> play(
            Threshold threshold, SortedMap<Instant, BigDecimal> minutes, Instant from, Instant to) {
        var fired = new ArrayList<Firing>();
        AlertState.@Nullable Open open = null;
        var value = BigDecimal.ZERO;
        var step = Duration.ofMinutes(1);
        var first = from.truncatedTo(ChronoUnit.MINUTES).plus(step);
        for (var minute = first; !minute.isAfter(to); minute = minute.plus(step)) {
            // The last instant of the minute before: the minute that begins now is still empty.
            var look = minute.minusMillis(1);
            var sum = sum(minutes, MinuteSums.firstMinute(look, threshold.window()), look);
            boolean holds = threshold.holds(sum);
            AlertState next =
                    open == null
                            ? holds ? AlertState.begin(look, threshold.hold()) : null
                            : open.observe(holds, look, threshold.hold());
            if (next instanceof AlertState.Firing firing && !next.equals(open)) {
                value = sum;
                fired.add(new Firing(firing.startedAt(), firing.firedAt(), null, value));
            } else if (next instanceof AlertState.Resolved resolved && resolved.firedAt() != null) {
                fired.set(
                        fired.size() - 1,
                        new Firing(
                                resolved.startedAt(),
                                resolved.firedAt(),
                                resolved.resolvedAt(),
                                value));
            }
            open = next instanceof AlertState.Open still ? still : null;
        }
        return fired;
    }

    /** The sum from a minute up to an instant, both included. */
    static BigDecimal sum(SortedMap<Instant, BigDecimal> minutes, Instant first, Instant last) {
        return minutes.subMap(first, last.plusMillis(1)).values().stream()
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }
}
