package io.mirante.churn.model;

import java.util.Locale;

/**
 * Band of a calibrated probability: low below 0.3, medium from 0.3, high from 0.7. The bands are fixed rather than
 * relative, so that the same band means the same chance for every model and tenant.
 */
public enum Risk {
    LOW,
    MEDIUM,
    HIGH;

    /** Smallest probability that is medium. */
    public static final double MEDIUM_FROM = 0.3;

    /** Smallest probability that is high. */
    public static final double HIGH_FROM = 0.7;

    /**
     * The band of a probability.
     *
     * @param probability [0, 1]
     */
    public static Risk of(double probability) {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException("probability must be in [0, 1], was " + probability);
        }
        return probability >= HIGH_FROM ? HIGH : probability >= MEDIUM_FROM ? MEDIUM : LOW;
    }

    /** As it is written in answers and messages. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
