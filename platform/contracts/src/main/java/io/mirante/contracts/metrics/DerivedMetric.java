package io.mirante.contracts.metrics;

import java.math.BigDecimal;
import java.math.MathContext;
import org.jspecify.annotations.Nullable;

/**
 * A ratio of two additive metrics of one scope, computed when asked and never stored.
 *
 * @param unit {@code ratio}, {@code seconds}, {@code currency} or {@code points}
 */
public record DerivedMetric(
        String scope,
        String name,
        String meaning,
        String unit,
        String numerator,
        String denominator) {

    /** Numerator by denominator, to 16 digits; null when the denominator is 0, since then there is no ratio. */
    public @Nullable BigDecimal compute(BigDecimal numeratorSum, BigDecimal denominatorSum) {
        return denominatorSum.signum() == 0
                ? null
                : numeratorSum.divide(denominatorSum, MathContext.DECIMAL64);
    }
}
