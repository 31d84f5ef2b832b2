package io.mirante.etl.quality;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the checks and the profile say of a column of numbers.
 *
 * @param given rows with a value
 * @param quantiles at 0, 1, … 100 %: the least value that so many are at most
 * @param low first quartile less one and a half times the distance of the quartiles
 * @param high third quartile and as much
 * @param median of the values
 * @param deviation median of the distances from the median
 * @param outliers beyond the fences, far from the median, and both; null where the quartiles are the same
 * @param outside values out of the column's range
 * @param below share of the values that are at most each quantile of the last good run; empty without one
 * @param different different values, and the most frequent
 */
record NumbersOf(
        long given,
        double mean,
        double std,
        List<Double> quantiles,
        double low,
        double high,
        double median,
        double deviation,
        SortedNumbers.@Nullable Beyond outliers,
        long outside,
        double[] below,
        SortedNumbers.Different different) {

    /** Makes the median absolute deviation comparable with a standard deviation (Iglewicz and Hoaglin). */
    static final double MAD_SCALE = 0.6745;

    static final double ROBUST_Z = 3.5;
    static final int MOST_OFTEN = 10;
    private static final double FENCE = 1.5;
    private static final int PERCENT = 100;

    /** Takes a column's values. */
    static NumbersOf of(
            SortedNumbers values, TableShape.Column column, @Nullable ColumnProfile before)
            throws SQLException {
        long given = values.size();
        if (given == 0) {
            double none = Double.NaN;
            return new NumbersOf(
                    0,
                    none,
                    none,
                    List.of(),
                    none,
                    none,
                    none,
                    none,
                    null,
                    0,
                    new double[0],
                    new SortedNumbers.Different(0, List.of()));
        }
        double mean = values.mean();
        double median = values.quantile(0.5);
        double first = values.quantile(0.25);
        double third = values.quantile(0.75);
        double low = first - FENCE * (third - first);
        double high = third + FENCE * (third - first);
        double deviation = values.medianDistance(median);
        return new NumbersOf(
                given,
                mean,
                values.deviation(mean),
                quantiles(values),
                low,
                high,
                median,
                deviation,
                third > first
                        ? values.beyond(
                                low,
                                high,
                                median,
                                deviation > 0 ? MAD_SCALE / deviation : 0,
                                ROBUST_Z)
                        : null,
                (column.min() == null ? 0 : values.below(column.min()))
                        + (column.max() == null ? 0 : given - values.atMost(column.max())),
                before == null ? new double[0] : below(values, before.quantiles()),
                values.different(MOST_OFTEN));
    }

    private static List<Double> quantiles(SortedNumbers values) throws SQLException {
        var quantiles = new ArrayList<Double>();
        for (int percent = 0; percent <= PERCENT; percent++) {
            quantiles.add(values.reached(percent));
        }
        return quantiles;
    }

    private static double[] below(SortedNumbers values, List<Double> bounds) throws SQLException {
        var below = new double[bounds.size()];
        for (int i = 0; i < below.length; i++) {
            below[i] = (double) values.atMost(bounds.get(i)) / values.size();
        }
        return below;
    }
}
