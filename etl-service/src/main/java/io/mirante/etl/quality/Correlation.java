package io.mirante.etl.quality;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Pearson's correlation of each two columns, over the rows that have both. Rows are added in parts, so that they need not be held.
 * Used by one thread; adds on all processors.
 */
final class Correlation {

    private final int size;

    /** A pair's rows, sums, sums of squares, and sum of products. */
    private final double[][] sums;

    /** Of each column's first value, so that large values cost no digits. */
    private final double[] origin;

    /**
     * Without a row.
     *
     * @param size columns
     */
    Correlation(int size) {
        this.size = size;
        this.sums = new double[size * size][];
        this.origin = new double[size];
        Arrays.fill(origin, Double.NaN);
    }

    /**
     * Adds rows.
     *
     * @param columns by column and row; NaN = no value
     */
    void add(double[][] columns) {
        for (int i = 0; i < size; i++) {
            for (int row = 0; Double.isNaN(origin[i]) && row < columns[i].length; row++) {
                origin[i] = columns[i][row];
            }
        }
        IntStream.range(0, size)
                .parallel()
                .forEach(i -> {
                    for (int j = 0; j < i; j++) {
                        add(i, j, columns[i], columns[j]);
                    }
                });
    }

    private void add(int i, int j, double[] x, double[] y) {
        double n = 0;
        double sumX = 0;
        double sumY = 0;
        double squaresX = 0;
        double squaresY = 0;
        double products = 0;
        for (int row = 0; row < x.length; row++) {
            double ofX = x[row] - origin[i];
            double ofY = y[row] - origin[j];
            if (Double.isNaN(ofX + ofY)) {
                continue;
            }
            n++;
            sumX += ofX;
            sumY += ofY;
            squaresX += ofX * ofX;
            squaresY += ofY * ofY;
            products += ofX * ofY;
        }
        double[] added = {n, sumX, sumY, squaresX, squaresY, products};
        var sum = sums[i * size + j];
        if (sum == null) {
            sums[i * size + j] = added;
        } else {
            for (int k = 0; k < added.length; k++) {
                sum[k] += added[k];
            }
        }
    }

    /** Of two columns; 0 where one of them does not vary among the rows that have both. */
    double of(int i, int j) {
        var sum = sums[Math.max(i, j) * size + Math.min(i, j)];
        if (sum == null) {
            return 0;
        }
        double n = sum[0];
        double varianceX = n * sum[3] - sum[1] * sum[1];
        double varianceY = n * sum[4] - sum[2] * sum[2];
        double r = (n * sum[5] - sum[1] * sum[2]) / Math.sqrt(varianceX * varianceY);
        return varianceX > 0 && varianceY > 0 && Double.isFinite(r) ? Math.clamp(r, -1, 1) : 0;
    }
}
