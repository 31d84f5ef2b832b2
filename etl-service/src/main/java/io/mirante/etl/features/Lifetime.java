package io.mirante.etl.features;

import io.mirante.etl.lifetime.BgNbd;
import io.mirante.etl.lifetime.GammaGamma;
import io.mirante.etl.lifetime.PurchaseHistory;
import io.mirante.etl.lifetime.Spending;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How buyers of a tenant come back and what they spend then.
 *
 * @param purchases BG/NBD, time in weeks
 * @param values Gamma-Gamma of the days with a purchase after the first, in the tenant's currency
 */
public record Lifetime(BgNbd purchases, GammaGamma values) {

    /**
     * A buyer.
     *
     * @param repeats days with a purchase after the first such day
     * @param lastPurchase weeks from the first purchase to the last
     * @param age weeks since the first purchase
     * @param meanValue of the repeated purchases; 0 without one
     */
    record Customer(double repeats, double lastPurchase, double age, double meanValue) {

        PurchaseHistory history() {
            return new PurchaseHistory((int) repeats, lastPurchase, age);
        }

        Spending spending() {
            return repeats > 0 && meanValue > 0
                    ? new Spending((int) repeats, meanValue)
                    : Spending.none();
        }
    }

    /**
     * Learns it.
     *
     * @param histories how many buyers have each
     * @param spending of buyers who came back
     * @return empty when there are too few buyers or nobody came back
     */
    static Optional<Lifetime> fit(Map<PurchaseHistory, Long> histories, List<Spending> spending) {
        var purchases = BgNbd.fit(histories).toOptional();
        var values = GammaGamma.fit(spending).toOptional();
        return purchases.flatMap(bought -> values.map(spent -> new Lifetime(bought, spent)));
    }

    double expectedPurchases(double weeks, Customer customer) {
        return purchases.expectedPurchases(weeks, customer.history());
    }

    double probabilityAlive(Customer customer) {
        return purchases.probabilityAlive(customer.history());
    }

    double expectedValue(Customer customer) {
        return values.expectedMeanValue(customer.spending());
    }
}
