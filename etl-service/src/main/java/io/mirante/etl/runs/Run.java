package io.mirante.etl.runs;

import io.mirante.contracts.etl.RunEnded.Anomaly;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A run as callers see it. Figures are null until they are known.
 *
 * @param status {@code pending}, {@code running}, {@code completed}, {@code failed} or {@code cancelled}
 * @param referenceTime null = when the run began
 * @param recordsExtracted rows that the source gave, those that are no rows too
 * @param recordsCleaned rows that cleaning left
 * @param dataQualityScore of what cleaning left, [0, 1]
 * @param grade A, B, C, D or F
 * @param load how the run loads; null = it does not
 * @param recordsTransformed users of the feature set
 * @param recordsLoaded users that were loaded
 * @param recordsRefused users that an append refused, since they were known; {@code refused.csv} of the job lists them
 * @param population version of what live users are compared with since this run; null = it set none
 * @param rolledBackAt null = the load stands
 * @param intervalSeconds how often a streaming run looks; null = it is none
 * @param microBatches of a streaming run, so far; its figures are theirs together, score, grade, gate and report the last one's
 * @param partOf execution_id of the streaming run whose micro-batch it is; null = of none
 * @param successRate cleaned ÷ extracted
 * @param gate {@code pass}, or {@code fail} when a critical check did
 * @param stoppedBy the checks that did, {@code raw.completeness}
 * @param error why a run failed, or its quality could not be judged
 * @param anomalies figures that lie far from those of the source's past runs
 */
record Run(
        String executionId,
        @Nullable String jobId,
        String mode,
        String source,
        @Nullable Load load,
        boolean strict,
        @Nullable Instant referenceTime,
        String status,
        Instant requestedAt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        @Nullable Long recordsExtracted,
        @Nullable Long recordsCleaned,
        @Nullable Long recordsTransformed,
        @Nullable Long recordsLoaded,
        @Nullable Long recordsRefused,
        @Nullable Long population,
        @Nullable Integer intervalSeconds,
        @Nullable Long microBatches,
        @Nullable String partOf,
        @Nullable Instant loadedAt,
        @Nullable Instant rolledBackAt,
        @Nullable Double dataQualityScore,
        @Nullable String grade,
        @Nullable Double successRate,
        @Nullable Double durationSeconds,
        @Nullable String gate,
        List<String> stoppedBy,
        @Nullable String error,
        List<Anomaly> anomalies) {

    /** How a run loads. */
    record Load(LoadStrategy strategy) {}

    Run {
        stoppedBy = List.copyOf(stoppedBy);
        anomalies = List.copyOf(anomalies);
    }
}
