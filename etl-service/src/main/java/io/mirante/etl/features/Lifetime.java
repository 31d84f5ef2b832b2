package io.mirante.etl.features;

/**
 * Parameters of the model of repeated purchases: BG/NBD with time in weeks, and Gamma-Gamma in the tenant's currency.
 *
 * @param r shape of the rates of purchase
 * @param alpha scale of the rates, weeks
 * @param a of the probabilities to stop
 * @param b of the probabilities to stop
 * @param p shape of the values of one customer's purchases
 * @param q shape of their scales
 * @param v scale of their scales
 */
public record Lifetime(double r, double alpha, double a, double b, double p, double q, double v) {

    /**
     * A buyer.
     *
     * @param repeats days with a purchase after the first such day
     * @param lastPurchase weeks from the first purchase to the last
     * @param age weeks since the first purchase
     * @param meanValue of the repeated purchases; 0 without one
     */
    record Customer(double repeats, double lastPurchase, double age, double meanValue) {}

    double expectedPurchases(double weeks, Customer customer) {
        throw new UnsupportedOperationException("TODO");
    }

    double probabilityAlive(Customer customer) {
        throw new UnsupportedOperationException("TODO");
    }

    double expectedValue(Customer customer) {
        throw new UnsupportedOperationException("TODO");
    }
}
