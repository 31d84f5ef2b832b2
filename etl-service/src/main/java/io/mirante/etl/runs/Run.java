package io.mirante.etl.runs;

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
 * @param successRate cleaned ÷ extracted
 * @param gate {@code pass}, or {@code fail} when a critical check did
 * @param stoppedBy the checks that did, {@code raw.completeness}
 * @param error why a run failed, or its quality could not be judged
 */
record Run(
        String executionId,
        @Nullable String jobId,
        String mode,
        String source,
        boolean strict,
        @Nullable Instant referenceTime,
        String status,
        Instant requestedAt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        @Nullable Long recordsExtracted,
        @Nullable Long recordsCleaned,
        @Nullable Double dataQualityScore,
        @Nullable String grade,
        @Nullable Double successRate,
        @Nullable Double durationSeconds,
        @Nullable String gate,
        List<String> stoppedBy,
        @Nullable String error) {

    Run {
        stoppedBy = List.copyOf(stoppedBy);
    }
}
