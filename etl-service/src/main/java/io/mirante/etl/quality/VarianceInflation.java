package io.mirante.etl.quality;

import java.util.Arrays;

/** Variance inflation factors: the diagonal of the inverse of the correlation matrix (Belsley, Kuh and Welsch 1980). */
final class VarianceInflation {
    private static final double SINGULAR = 1e-12;

    private VarianceInflation() {}

    /**
     * One factor a column, 1 or more; infinite for all when some column is a sum of others.
     *
     * @param correlations symmetric, 1 on the diagonal; stays as it is
     */
    static double[] of(double[][] correlations) {
        int size = correlations.length;
        var left = new double[size][];
        var right = new double[size][size];
        for (int i = 0; i < size; i++) {
            left[i] = correlations[i].clone();
            right[i][i] = 1;
        }
        for (int i = 0; i < size; i++) {
            int pivot = i;
            for (int row = i + 1; row < size; row++) {
                if (Math.abs(left[row][i]) > Math.abs(left[pivot][i])) {
                    pivot = row;
                }
            }
            swap(left, i, pivot);
            swap(right, i, pivot);
            double divisor = left[i][i];
            if (Math.abs(divisor) < SINGULAR) {
                var infinite = new double[size];
                Arrays.fill(infinite, Double.POSITIVE_INFINITY);
                return infinite;
            }
            for (int column = 0; column < size; column++) {
                left[i][column] /= divisor;
                right[i][column] /= divisor;
            }
            for (int row = 0; row < size; row++) {
                double factor = left[row][i];
                if (row != i && factor != 0) {
                    for (int column = 0; column < size; column++) {
                        left[row][column] -= factor * left[i][column];
                        right[row][column] -= factor * right[i][column];
                    }
                }
            }
        }
        var factors = new double[size];
        for (int i = 0; i < size; i++) {
            factors[i] = right[i][i];
        }
        return factors;
    }

    private static void swap(double[][] rows, int a, int b) {
        var row = rows[a];
        rows[a] = rows[b];
        rows[b] = row;
    }
}
