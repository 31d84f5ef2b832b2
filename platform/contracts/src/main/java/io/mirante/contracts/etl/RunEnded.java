package io.mirante.contracts.etl;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A run of etl is over. On {@code mirante.quality}, key tenant: one per end, so a run that failed and was resumed has
 * several, of rising revisions. Holds figures only, nothing that was read.
 *
 * @param mode {@code validate_only} or {@code batch}
 * @param status {@code completed} or {@code failed}
 * @param gate {@code pass} or {@code fail}; null when the run ended before its quality was judged, as all that is null below
 * @param recordsExtracted rows that the source gave
 * @param recordsCleaned rows that cleaning left
 * @param recordsTransformed users of the feature set; null when none was made
 * @param recordsLoaded users that were loaded; null when nothing was
 * @param raw what was given
 * @param transformed what cleaning left
 * @param features the feature set
 * @param failedChecks those that did not pass
 * @param error why it failed, without quoted values
 * @param durationSeconds 0 or more
 * @param anomalies figures that lie far from those of the source's past runs
 * @param revision 1 or more; of a run's records the highest counts
 */
public record RunEnded(
        String tenantId,
        String executionId,
        String mode,
        String source,
        String status,
        @Nullable String gate,
        @Nullable Long recordsExtracted,
        @Nullable Long recordsCleaned,
        @Nullable Long recordsTransformed,
        @Nullable Long recordsLoaded,
        @Nullable Quality raw,
        @Nullable Quality transformed,
        @Nullable Quality features,
        List<FailedCheck> failedChecks,
        @Nullable String error,
        @Nullable Double durationSeconds,
        List<Anomaly> anomalies,
        Instant endedAt,
        long revision) {

    /** Value of the header {@code ce_type}. */
    public static final String TYPE = "run_ended";

    public static final String COMPLETED = "completed";
    public static final String FAILED = "failed";

    @SuppressWarnings("ConstantConditions") // Jackson leaves null where a field is missing
    public RunEnded {
        failedChecks = failedChecks == null ? List.of() : List.copyOf(failedChecks);
        anomalies = anomalies == null ? List.of() : List.copyOf(anomalies);
        if (!(revision >= 1)) {
            throw new IllegalArgumentException("revision must be 1 or more, was " + revision);
        }
    }

    /**
     * How good a table is.
     *
     * @param score [0, 1]
     * @param grade A, B, C, D or F
     */
    public record Quality(double score, String grade) {}

    /**
     * A check that did not pass.
     *
     * @param part {@code raw}, {@code transformed} or {@code features}
     * @param severity {@code critical}, {@code high}, {@code medium} or {@code low}
     * @param status {@code warn}, {@code fail} or {@code error}
     * @param value what was measured, in the unit of the threshold; null when it could not be
     */
    public record FailedCheck(
            String part,
            String name,
            String severity,
            String status,
            double threshold,
            @Nullable Double value,
            long failingRows) {}

    /**
     * A figure of a run that lies far from those of the source's past runs.
     *
     * @param metric {@code rows}, {@code rejected_share}, {@code changed_share}, {@code score} or {@code duration_seconds}
     * @param median of the past runs
     * @param z robust z-score: distance from the median in the past runs' scaled median absolute deviations, signed
     * @param runs how many past runs it was compared with
     */
    public record Anomaly(String metric, double value, double median, double z, int runs) {}
}
