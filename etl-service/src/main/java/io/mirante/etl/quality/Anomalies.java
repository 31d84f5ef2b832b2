package io.mirante.etl.quality;

import io.mirante.contracts.etl.RunEnded.Anomaly;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Figures of a run that lie far from those of the source's past runs, by robust z-score: (value − median) ÷ scale, where scale is
 * 1.4826 × the median absolute deviation, which is the standard deviation of values that are normally distributed, and at least a
 * floor, so that runs that are all alike do not make every difference an anomaly. Pure.
 */
public final class Anomalies {

    /** Fewer past runs say nothing of what is usual. */
    public static final int AT_LEAST = 8;

    /** Older ones are not looked at. */
    public static final int AT_MOST = 30;

    private static final double TO_DEVIATION = 1.4826;

    private static final List<Metric> METRICS =
            List.of(
                    new Metric("rows", Figures::rows, 0.05, 1),
                    new Metric("rejected_share", Figures::rejectedShare, 0, 0.01),
                    new Metric("changed_share", Figures::changedShare, 0, 0.01),
                    new Metric("score", Figures::score, 0, 0.01),
                    new Metric("duration_seconds", Figures::durationSeconds, 0.2, 1));

    private Anomalies() {}

    /** The least scale is the larger of a share of the median and an absolute one. */
    private record Metric(
            String name, ToDoubleFunction<Figures> of, double floorShare, double floor) {}

    /**
     * What is compared of a run.
     *
     * @param rows given
     * @param rejectedShare rows left out ÷ rows given
     * @param changedShare values that cleaning changed ÷ rows given; may be above 1
     * @param score of what was left, [0, 1]
     */
    public record Figures(
            double rows,
            double rejectedShare,
            double changedShare,
            double score,
            double durationSeconds) {

        /** Of counts. */
        public static Figures of(
                long rows, long kept, double changed, double score, double durationSeconds) {
            return new Figures(
                    rows,
                    rows == 0 ? 0 : (double) (rows - kept) / rows,
                    rows == 0 ? 0 : changed / rows,
                    score,
                    durationSeconds);
        }
    }

    /** Those whose |z| is above the threshold; none when there are fewer than {@link #AT_LEAST} past runs. */
    public static List<Anomaly> of(Figures run, List<Figures> past, double threshold) {
        var anomalies = new ArrayList<Anomaly>();
        if (past.size() < AT_LEAST) {
            return anomalies;
        }
        for (var metric : METRICS) {
            var values = past.stream().mapToDouble(metric.of()).toArray();
            double value = metric.of().applyAsDouble(run);
            double median = median(values);
            double deviation =
                    median(Arrays.stream(values).map(v -> Math.abs(v - median)).toArray());
            double floor = Math.max(metric.floorShare() * Math.abs(median), metric.floor());
            double z = (value - median) / Math.max(TO_DEVIATION * deviation, floor);
            if (Math.abs(z) > threshold) {
                anomalies.add(
                        new Anomaly(
                                metric.name(),
                                rounded(value),
                                rounded(median),
                                rounded(z),
                                past.size()));
            }
        }
        return anomalies;
    }

    private static double median(double[] values) {
        var sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static double rounded(double value) {
        return Math.round(value * 1e4) / 1e4;
    }
}
