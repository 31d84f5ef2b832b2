package io.mirante.etl.lifetime;

import java.util.Comparator;

/**
 * What one customer spent, as far as Gamma-Gamma needs it.
 *
 * @param purchases how many repeat purchases the mean is over, 0 or more; those of one day are one
 * @param mean mean value of a repeat purchase in the shop's currency, 0 or more, finite; 0 when there are none
 */
public record Spending(int purchases, double mean) implements Comparable<Spending> {
    private static final Comparator<Spending> ORDER =
            Comparator.comparingInt(Spending::purchases).thenComparingDouble(Spending::mean);

    public Spending {
        if (!(purchases >= 0)) {
            throw new IllegalArgumentException("purchases must be 0 or more, not " + purchases);
        }
        if (!(mean >= 0 && Double.isFinite(mean))) {
            throw new IllegalArgumentException("mean must be 0 or more and finite, not " + mean);
        }
        if (!(purchases > 0 || mean == 0)) {
            throw new IllegalArgumentException(
                    "mean must be 0 where there are no purchases, not " + mean);
        }
        mean += 0.0;
    }

    /** Of a customer without repeat purchases. */
    public static Spending none() {
        return new Spending(0, 0);
    }

    /** By purchases and mean: sums over customers in this order do not depend on the order they came in. */
    @Override
    public int compareTo(Spending other) {
        return ORDER.compare(this, other);
    }
}
