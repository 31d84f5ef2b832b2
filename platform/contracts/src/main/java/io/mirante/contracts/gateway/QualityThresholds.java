package io.mirante.contracts.gateway;

import org.jspecify.annotations.Nullable;

/**
 * From when data quality is too poor. Null is the installation's default.
 *
 * @param completeness least share of filled fields, [0, 1]
 * @param outliers largest share of outliers, [0, 1]
 * @param duplicates largest share of duplicates, [0, 1]
 * @param freshnessHours oldest that still counts as fresh, 1 or more
 */
public record QualityThresholds(
        @Nullable Double completeness,
        @Nullable Double outliers,
        @Nullable Double duplicates,
        @Nullable Integer freshnessHours) {

    /** The installation's. */
    public static final QualityThresholds DEFAULT = new QualityThresholds(null, null, null, null);

    public QualityThresholds {
        share("completeness", completeness);
        share("outliers", outliers);
        share("duplicates", duplicates);
        if (freshnessHours != null && !(freshnessHours >= 1 && freshnessHours <= 87_600)) {
            throw new InvalidSettingException(
                    "/freshness_hours",
                    "out_of_range",
                    "freshness_hours must be from 1 to 87600, was " + freshnessHours);
        }
    }

    private static void share(String field, @Nullable Double value) {
        if (value != null && !(value >= 0 && value <= 1)) {
            throw new InvalidSettingException(
                    "/" + field,
                    "out_of_range",
                    "%s must be from 0 to 1, was %s".formatted(field, value));
        }
    }
}
