package io.mirante.industry40.oee;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Overall equipment effectiveness of one machine over one period.
 *
 * <p>ISO 22400-2:2014: availability = actual production time ÷ planned busy time; effectiveness (here {@code
 * performance}) = planned run time per item × produced quantity ÷ actual production time; quality ratio = good ÷
 * produced; OEE index = their product; NEE index = (actual production time + setup time) ÷ planned busy time ×
 * effectiveness × quality ratio. Planned busy time is the planned operation time less planned downtime; actual
 * production time is what remains after setup, breakdowns and delays (minor stops).
 *
 * <p>Nakajima (Introduction to TPM, 1988) counts minor stops as a loss of performance instead, so availability is
 * higher and performance lower; OEE is the same. TEEP = OEE × planned busy time ÷ calendar time.
 *
 * @param availability [0, 1]
 * @param performance 0 or more; above 1 the ideal cycle is longer than what the machine does
 * @param quality [0, 1]
 * @param oee 0 or more
 * @param nee 0 or more
 * @param teep 0 or more; null without calendar time
 * @param asOf every reading accepted before is counted; null when the figures were given
 * @param losses in minutes; with the fully productive time they add up to the planned operation time
 */
record Oee(
        double availability,
        double performance,
        double quality,
        double oee,
        double nee,
        @Nullable Double teep,
        List<Loss> losses,
        List<String> warnings,
        @Nullable Instant asOf) {

    /** One category of lost time, in minutes. */
    record Loss(String category, double minutes) {}

    /** Which losses count against availability. */
    enum Convention {
        ISO22400,
        NAKAJIMA
    }

    /**
     * What was planned and what happened; times in minutes, 0 or more.
     *
     * @param calendarMinutes length of the period; null when unknown
     * @param idealCycleSeconds planned run time per item, above 0
     * @param produced items, good ones included
     */
    record Figures(
            @Nullable Double calendarMinutes,
            double plannedOperationMinutes,
            double plannedDowntimeMinutes,
            double setupMinutes,
            double breakdownMinutes,
            double minorStopMinutes,
            double idealCycleSeconds,
            double produced,
            double good) {

        double plannedBusyMinutes() {
            return plannedOperationMinutes - plannedDowntimeMinutes;
        }

        double stoppedMinutes() {
            return setupMinutes + breakdownMinutes + minorStopMinutes;
        }
    }

    Oee {
        losses = List.copyOf(losses);
        warnings = List.copyOf(warnings);
    }

    /**
     * Computes the figures.
     *
     * @throws IllegalArgumentException when they are impossible together; the message names the field
     */
    static Oee of(Figures figures, Convention convention) {
        check(figures);
        double busy = figures.plannedBusyMinutes();
        double running = busy - figures.stoppedMinutes();
        double counted =
                convention == Convention.ISO22400 ? running : running + figures.minorStopMinutes();
        double ideal = figures.produced() * figures.idealCycleSeconds() / 60;
        double availability = counted / busy;
        double performance = counted == 0 ? 0 : ideal / counted;
        double quality = figures.produced() == 0 ? 0 : figures.good() / figures.produced();
        double oee = availability * performance * quality;
        double nee = (counted + figures.setupMinutes()) / busy * performance * quality;
        Double calendar = figures.calendarMinutes();
        return new Oee(
                availability,
                performance,
                quality,
                oee,
                nee,
                calendar == null ? null : oee * busy / calendar,
                losses(figures, running, ideal),
                warnings(figures, performance),
                null);
    }

    private static void check(Figures f) {
        require(f.plannedOperationMinutes() > 0, "planned_operation_minutes must be above 0");
        require(
                f.plannedDowntimeMinutes() >= 0
                        && f.plannedDowntimeMinutes() < f.plannedOperationMinutes(),
                "planned_downtime_minutes must be from 0 to below planned_operation_minutes");
        require(f.setupMinutes() >= 0, "setup_minutes must be 0 or more");
        require(f.breakdownMinutes() >= 0, "breakdown_minutes must be 0 or more");
        require(f.minorStopMinutes() >= 0, "minor_stop_minutes must be 0 or more");
        require(
                f.stoppedMinutes() <= f.plannedBusyMinutes() + 1e-9,
                "setup_minutes, breakdown_minutes and minor_stop_minutes together must not exceed the planned busy time of "
                        + f.plannedBusyMinutes()
                        + " minutes");
        require(f.idealCycleSeconds() > 0, "ideal_cycle_seconds must be above 0");
        require(f.produced() >= 0, "produced must be 0 or more");
        require(f.good() >= 0 && f.good() <= f.produced(), "good must be from 0 to produced");
        Double calendar = f.calendarMinutes();
        require(
                calendar == null || calendar >= f.plannedOperationMinutes() - 1e-9,
                "planned_operation_minutes must not exceed the time from start_time to end_time");
    }

    private static void require(boolean valid, String otherwise) {
        if (!valid) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private static List<Loss> losses(Figures f, double running, double ideal) {
        return List.of(
                new Loss("planned_downtime", f.plannedDowntimeMinutes()),
                new Loss("setup", f.setupMinutes()),
                new Loss("breakdown", f.breakdownMinutes()),
                new Loss("minor_stops", f.minorStopMinutes()),
                new Loss("reduced_speed", running - ideal),
                new Loss("rejects", (f.produced() - f.good()) * f.idealCycleSeconds() / 60));
    }

    private static List<String> warnings(Figures f, double performance) {
        var warnings = new ArrayList<String>();
        if (performance > 1) {
            warnings.add(
                    "performance is above 1: ideal_cycle_seconds is longer than the machine's real cycle, and the loss"
                            + " reduced_speed is negative");
        }
        if (f.produced() == 0) {
            warnings.add("nothing was produced: quality is given as 0");
        }
        if (f.calendarMinutes() == null) {
            warnings.add("teep needs start_time and end_time");
        }
        return warnings;
    }

    /** The same, from telemetry. */
    Oee measured(List<String> more, Instant completeTo) {
        var all = new ArrayList<>(more);
        all.addAll(warnings);
        return new Oee(availability, performance, quality, oee, nee, teep, losses, all, completeTo);
    }
}
