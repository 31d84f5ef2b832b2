package io.mirante.etl.lifetime;

import io.mirante.etl.lifetime.Fit.Fitted;
import io.mirante.etl.lifetime.Fit.Refused;
import java.util.Collection;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Customer lifetime value: how often one will buy (BG/NBD) times what one spends (Gamma-Gamma), as Fader, Hardie and Lee
 * 2005, "RFM and CLV: using iso-value curves for customer base analysis", Journal of Marketing Research 42(4). Value is
 * turnover, not margin: multiply by one. All histories are in days.
 */
public record LifetimeModel(BgNbd purchases, GammaGamma values) {

    /** Fits both parts; refused for the reason of the first part that is. Counts the customers of BG/NBD. */
    public static Fit<LifetimeModel> fit(Collection<Customer> customers) {
        return switch (BgNbd.fit(
                customers.stream()
                        .collect(
                                Collectors.groupingBy(Customer::history, Collectors.counting())))) {
            case Refused<BgNbd>(var reason, var detail) -> new Refused<>(reason, detail);
            case Fitted<BgNbd> purchases ->
                    switch (GammaGamma.fit(customers.stream().map(Customer::spending).toList())) {
                        case Refused<GammaGamma>(var reason, var detail) ->
                                new Refused<>(reason, detail);
                        case Fitted<GammaGamma> values -> both(purchases, values);
                    };
        };
    }

    /** The parts are independent, so their likelihoods multiply. */
    private static Fit<LifetimeModel> both(Fitted<BgNbd> purchases, Fitted<GammaGamma> values) {
        var atLimit = new TreeSet<>(purchases.atLimit());
        atLimit.addAll(values.atLimit());
        return new Fitted<>(
                new LifetimeModel(purchases.model(), values.model()),
                purchases.customers(),
                purchases.logLikelihood() + values.logLikelihood(),
                atLimit);
    }

    /**
     * What a customer will spend within the horizon, in the currency of the values.
     *
     * @param horizonDays 0 or more, as far as {@link BgNbd#expectedPurchases} looks
     */
    public double customerLifetimeValue(double horizonDays, Customer customer) {
        return purchases.expectedPurchases(horizonDays, customer.history())
                * values.expectedMeanValue(customer.spending());
    }

    /**
     * What a customer's spending within the horizon is worth today: what is bought within a period counts as paid at the
     * period's end, the last one maybe shorter.
     *
     * @param horizonDays 0 or more, as far as {@link BgNbd#expectedPurchases} looks
     * @param discountRate per period, 0 or more, finite: 0.01 is one percent
     * @param periodDays 1 or more; each period takes one more expectation
     */
    public double customerLifetimeValue(
            double horizonDays, Customer customer, double discountRate, double periodDays) {
        if (!(discountRate >= 0 && Double.isFinite(discountRate))) {
            throw new IllegalArgumentException(
                    "discountRate must be 0 or more and finite, not " + discountRate);
        }
        if (!(periodDays >= 1)) {
            throw new IllegalArgumentException("periodDays must be 1 or more, not " + periodDays);
        }
        double undiscounted = customerLifetimeValue(horizonDays, customer);
        if (discountRate == 0) {
            return undiscounted;
        }
        double discounted = 0;
        double before = 0;
        for (int period = 1; (period - 1) * periodDays < horizonDays; period++) {
            double end = Math.min(period * periodDays, horizonDays);
            double until = purchases.expectedPurchases(end, customer.history());
            discounted += (until - before) * Math.pow(1 + discountRate, -end / periodDays);
            before = until;
        }
        return discounted * values.expectedMeanValue(customer.spending());
    }
}
