package io.mirante.churn.model;

/**
 * A prediction without its reasons.
 *
 * @param margin the booster's sum, in log-odds before calibration
 * @param probability calibrated, [0, 1]
 */
public record Score(double margin, double probability) {

    public Risk risk() {
        return Risk.of(probability);
    }
}
