package io.mirante.churn.model;

import java.util.List;

/**
 * Why a prediction is what it is: {@code baseValue} and all contributions add up to the margin (within 1e-4).
 *
 * @param baseValue log-odds of the model without any feature
 */
public record Explanation(double baseValue, List<Contribution> contributions) {

    public Explanation {
        contributions = List.copyOf(contributions);
    }
}
