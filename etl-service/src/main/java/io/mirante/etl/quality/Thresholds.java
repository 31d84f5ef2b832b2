package io.mirante.etl.quality;

import io.mirante.contracts.gateway.QualityThresholds;

/**
 * From when a check passes. Shares are in [0, 1].
 *
 * @param completeness least share of rows with a value, of each required column
 * @param keys least share of rows with a key of their own
 * @param freshnessHours oldest that the newest row may be
 * @param duplicates largest share of rows that are equal to an earlier one
 * @param outliers largest share of outliers, of each column
 * @param types least share of values that are of their column's type
 * @param rules least share of rows that keep a rule
 * @param ranges least share of values that are possible
 * @param drift largest population stability index against the last good run; 0.25 is commonly called a major shift
 * @param correlation largest correlation (Pearson, absolute) of two columns
 * @param usable least share of columns that a model can learn from
 */
public record Thresholds(
        double completeness,
        double keys,
        double freshnessHours,
        double duplicates,
        double outliers,
        double types,
        double rules,
        double ranges,
        double drift,
        double correlation,
        double usable) {

    /** The product's own. */
    public static final Thresholds DEFAULT =
            new Thresholds(0.95, 1, 24, 0.01, 0.05, 0.99, 0.99, 0.99, 0.25, 0.95, 0.9);

    /** With what a tenant has set. */
    public Thresholds with(QualityThresholds tenant) {
        return new Thresholds(
                or(tenant.completeness(), completeness),
                keys,
                tenant.freshnessHours() == null ? freshnessHours : tenant.freshnessHours(),
                or(tenant.duplicates(), duplicates),
                or(tenant.outliers(), outliers),
                types,
                rules,
                ranges,
                drift,
                correlation,
                usable);
    }

    private static double or(@org.jspecify.annotations.Nullable Double given, double usual) {
        return given == null ? usual : given;
    }
}
