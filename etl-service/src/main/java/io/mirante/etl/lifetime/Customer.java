package io.mirante.etl.lifetime;

import java.time.LocalDate;
import java.util.Map;
import java.util.TreeMap;

/**
 * One customer as {@link LifetimeModel} sees one.
 *
 * @param history in days
 * @param spending over the repeat purchases of the history, so as many of them
 */
public record Customer(PurchaseHistory history, Spending spending) {
    public Customer {
        if (!(spending.purchases() == history.frequency())) {
            throw new IllegalArgumentException(
                    "spending must be over the history's "
                            + history.frequency()
                            + " repeat purchases, not "
                            + spending.purchases());
        }
    }

    /**
     * From what was bought each day.
     *
     * @param valueByDay the day's sum in the shop's currency, 0 or more, for each day with a purchase; one or more days
     * @param end the last day that was observed, not before any purchase
     */
    public static Customer ofDays(Map<LocalDate, Double> valueByDay, LocalDate end) {
        var history = PurchaseHistory.ofDays(valueByDay.keySet(), end);
        double mean =
                new TreeMap<>(valueByDay)
                        .values().stream()
                                .skip(1)
                                .mapToDouble(Double::doubleValue)
                                .average()
                                .orElse(0);
        return new Customer(history, new Spending(history.frequency(), mean));
    }
}
