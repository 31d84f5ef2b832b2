package io.mirante.churn.model;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Comparator;
import java.util.List;

/**
 * One feature's share in a prediction.
 *
 * @param value NaN = missing
 * @param contribution SHAP value in log-odds; positive raises the risk
 */
public record Contribution(String feature, double value, double contribution) {

    /** The largest by absolute size, at most {@code limit}. */
    public static List<Contribution> largest(List<Contribution> all, int limit) {
        return all.stream()
                .sorted(
                        Comparator.comparingDouble((Contribution c) -> -Math.abs(c.contribution()))
                                .thenComparing(Contribution::feature))
                .limit(limit)
                .toList();
    }

    /** The reason in words, such as "recency days is 45: raises the risk". */
    public String text() {
        var name = feature.replace('_', ' ').replace('.', ' ');
        var is = Double.isNaN(value) ? "not known" : plain(value);
        return name
                + " is "
                + is
                + (contribution > 0
                        ? ": raises the risk"
                        : contribution < 0 ? ": lowers the risk" : ": makes no difference");
    }

    private static String plain(double value) {
        return new BigDecimal(value).round(new MathContext(4)).stripTrailingZeros().toPlainString();
    }
}
