package io.mirante.industry40.oee;

import io.mirante.industry40.telemetry.Readings.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A machine's time by what it did, from samples of the metric {@code running} (1 or 0). A sample holds until the next,
 * two minutes at most: after that the state is unknown. A stop under five minutes is a minor stop, a longer one a
 * breakdown.
 *
 * @param runningMinutes 0 or more
 * @param minorStopMinutes 0 or more
 * @param breakdownMinutes 0 or more
 * @param unknownMinutes without a reading; neither planned nor lost
 */
record RunTime(
        double runningMinutes,
        double minorStopMinutes,
        double breakdownMinutes,
        double unknownMinutes) {

    /** How long a sample is believed. */
    static final Duration HOLDS = Duration.ofMinutes(2);

    /** A stop of this length or more is a breakdown. */
    static final Duration BREAKDOWN = Duration.ofMinutes(5);

    /**
     * Adds up the samples of a period.
     *
     * @param samples oldest first, within the period
     */
    static RunTime of(List<Sample> samples, Instant start, Instant end) {
        double running = 0;
        double minor = 0;
        double broken = 0;
        double stop = 0;
        double known = 0;
        for (int i = 0; i < samples.size(); i++) {
            var sample = samples.get(i);
            var next = i + 1 < samples.size() ? samples.get(i + 1).at() : end;
            var until = min(next, sample.at().plus(HOLDS));
            double minutes = minutes(sample.at(), until);
            known += minutes;
            boolean gap = until.isBefore(next);
            if (sample.value() > 0) {
                running += minutes;
            } else {
                stop += minutes;
            }
            boolean stopEnds = sample.value() > 0 || gap || i + 1 == samples.size();
            if (stopEnds && stop > 0) {
                if (stop < minutes(Instant.EPOCH, Instant.EPOCH.plus(BREAKDOWN))) {
                    minor += stop;
                } else {
                    broken += stop;
                }
                stop = 0;
            }
        }
        return new RunTime(running, minor, broken, Math.max(0, minutes(start, end) - known));
    }

    double knownMinutes() {
        return runningMinutes + minorStopMinutes + breakdownMinutes;
    }

    private static double minutes(Instant from, Instant to) {
        return Duration.between(from, to).toMillis() / 60_000.0;
    }

    private static Instant min(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }
}
