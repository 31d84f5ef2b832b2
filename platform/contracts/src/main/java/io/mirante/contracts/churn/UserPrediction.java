package io.mirante.contracts.churn;

import io.mirante.contracts.OfPerson;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model's newest score of a user. On {@code mirante.predictions}.
 *
 * @param model {@code churn}
 * @param probability calibrated, [0, 1]
 * @param risk {@code low}, {@code medium} or {@code high}
 * @param reasons the largest contributions, in log-odds
 */
public record UserPrediction(
        String tenantId,
        String userId,
        String predictionId,
        String model,
        String modelId,
        int modelVersion,
        double probability,
        String risk,
        List<Reason> reasons,
        Instant asOf,
        long revision)
        implements OfPerson<UserPrediction> {

    public UserPrediction {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException("probability must be in [0, 1], was " + probability);
        }
        reasons = List.copyOf(reasons);
    }

    @Override
    public Instant knownAt() {
        return asOf;
    }

    @Override
    public @Nullable UserPrediction withoutPerson() {
        return null;
    }

    /**
     * One feature's share in a prediction.
     *
     * @param contribution SHAP value in log-odds; positive raises the risk
     * @param text the reason in words
     */
    public record Reason(String feature, double value, double contribution, String text) {}
}
