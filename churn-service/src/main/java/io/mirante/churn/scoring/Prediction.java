package io.mirante.churn.scoring;

import io.mirante.churn.model.Contribution;
import io.mirante.churn.model.Explanation;
import io.mirante.churn.model.Score;
import io.mirante.churn.registry.ModelEntry;
import io.mirante.platform.jobs.TimeOrderedIds;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One prediction, as the API shows it and the history keeps it.
 *
 * @param label {@code churn} when the probability reaches the threshold, else {@code stay}
 * @param probability calibrated, [0, 1]
 * @param margin log-odds before calibration; {@code baseValue} and all contributions add up to it
 * @param asOf up to when the features it rests on were complete; null for features the caller gave
 */
record Prediction(
        String predictionId,
        @Nullable String customerId,
        String model,
        String modelId,
        int modelVersion,
        String label,
        double probability,
        double margin,
        double baseValue,
        double threshold,
        String risk,
        List<Reason> reasons,
        @Nullable Instant asOf,
        Instant createdAt) {

    /** Reasons kept and shown unless all are asked for. */
    static final int REASONS = 5;

    Prediction {
        reasons = List.copyOf(reasons);
    }

    /** One feature's share; {@code value} is null when the feature is missing. */
    record Reason(String feature, @Nullable Double value, double contribution, String text) {
        static Reason of(Contribution c) {
            return new Reason(
                    c.feature(),
                    Double.isNaN(c.value()) ? null : c.value(),
                    c.contribution(),
                    c.text());
        }
    }

    static Prediction of(
            ModelEntry entry,
            @Nullable String customerId,
            Score score,
            Explanation explanation,
            @Nullable Instant asOf,
            Instant now) {
        return new Prediction(
                TimeOrderedIds.next().toString(),
                customerId,
                entry.kind(),
                entry.id(),
                entry.version(),
                score.probability() >= entry.model().threshold() ? "churn" : "stay",
                score.probability(),
                score.margin(),
                explanation.baseValue(),
                entry.model().threshold(),
                score.risk().wireName(),
                Contribution.largest(explanation.contributions(), Integer.MAX_VALUE).stream()
                        .map(Reason::of)
                        .toList(),
                asOf,
                now);
    }

    /** The same with the largest reasons only. */
    Prediction brief() {
        return new Prediction(
                predictionId,
                customerId,
                model,
                modelId,
                modelVersion,
                label,
                probability,
                margin,
                baseValue,
                threshold,
                risk,
                reasons.subList(0, Math.min(REASONS, reasons.size())),
                asOf,
                createdAt);
    }
}
