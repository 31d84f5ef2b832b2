package io.mirante.etl.lifetime;

import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.TreeSet;

/**
 * When one customer bought, as far as BG/NBD needs it. Recency and age share one unit, the same for all customers of a
 * model: days from {@link #ofDays}, though weeks do as well.
 *
 * @param frequency repeat purchases, 0 or more: the first one does not count, and those of one day count once
 * @param recency from the first purchase to the last, within [0, age]; above 0 exactly when there are repeats
 * @param age from the first purchase to the end of what was observed, 0 or more, finite
 */
public record PurchaseHistory(int frequency, double recency, double age)
        implements Comparable<PurchaseHistory> {
    private static final Comparator<PurchaseHistory> ORDER =
            Comparator.comparingInt(PurchaseHistory::frequency)
                    .thenComparingDouble(PurchaseHistory::recency)
                    .thenComparingDouble(PurchaseHistory::age);

    public PurchaseHistory {
        if (!(frequency >= 0)) {
            throw new IllegalArgumentException("frequency must be 0 or more, not " + frequency);
        }
        if (!(age >= 0 && Double.isFinite(age))) {
            throw new IllegalArgumentException("age must be 0 or more and finite, not " + age);
        }
        if (!(recency >= 0 && recency <= age)) {
            throw new IllegalArgumentException(
                    "recency must be within [0, age = " + age + "], not " + recency);
        }
        if (!(recency > 0 == frequency > 0)) {
            throw new IllegalArgumentException(
                    "recency must be above 0 exactly when there are repeats, not "
                            + recency
                            + " with frequency "
                            + frequency);
        }
        // Zero without its sign, so that equal histories are one group.
        recency += 0.0;
        age += 0.0;
    }

    /** A customer who has just made the first purchase. */
    public static PurchaseHistory fresh() {
        return new PurchaseHistory(0, 0, 0);
    }

    /**
     * A history in days.
     *
     * @param purchases one or more, in any order; several on one day count as one
     * @param end the last day that was observed, not before any purchase
     */
    public static PurchaseHistory ofDays(Collection<LocalDate> purchases, LocalDate end) {
        if (purchases.isEmpty()) {
            throw new IllegalArgumentException("purchases must not be empty");
        }
        var first = Collections.min(purchases);
        var last = Collections.max(purchases);
        if (last.isAfter(end)) {
            throw new IllegalArgumentException(
                    "purchases must not be after " + end + ", as is " + last);
        }
        return new PurchaseHistory(
                new TreeSet<>(purchases).size() - 1,
                ChronoUnit.DAYS.between(first, last),
                ChronoUnit.DAYS.between(first, end));
    }

    /** By frequency, recency and age: sums over customers in this order do not depend on the order they came in. */
    @Override
    public int compareTo(PurchaseHistory other) {
        return ORDER.compare(this, other);
    }
}
