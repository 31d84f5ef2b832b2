package io.mirante.etl.lifetime;

import io.mirante.etl.lifetime.Fit.Fitted;
import io.mirante.etl.lifetime.Fit.Reason;
import io.mirante.etl.lifetime.Fit.Refused;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.hipparchus.special.Gamma;

/**
 * Gamma-Gamma: the mean value of a customer's purchases, from the few that were seen (Fader and Hardie 2013, "The
 * Gamma-Gamma model of monetary value"). A purchase's value is gamma-distributed with shape p and a rate of the
 * customer's own, which is gamma-distributed over customers with shape q and rate v. It takes value and frequency to be
 * independent.
 *
 * @param p above 0
 * @param q above 1, since else the mean over customers is infinite
 * @param v in the currency of the values, above 0
 */
public record GammaGamma(double p, double q, double v) {
    /** Three parameters of fewer customers are noise. */
    public static final int MINIMUM_CUSTOMERS = 50;

    private static final List<String> NAMES = List.of("p", "q", "v");

    public GammaGamma {
        if (!(p > 0 && Double.isFinite(p))) {
            throw new IllegalArgumentException("p must be above 0 and finite, not " + p);
        }
        if (!(q > 1 && Double.isFinite(q))) {
            throw new IllegalArgumentException("q must be above 1 and finite, not " + q);
        }
        if (!(v > 0 && Double.isFinite(v))) {
            throw new IllegalArgumentException("v must be above 0 and finite, not " + v);
        }
    }

    /**
     * Fits by maximum likelihood to customers with repeats and a mean above 0; others are left out and not counted. Neither
     * the order of customers nor the currency matters: v comes in that currency.
     */
    public static Fit<GammaGamma> fit(Collection<Spending> customers) {
        var sample = new Sample(customers, 1);
        int size = sample.mean.length;
        if (size < MINIMUM_CUSTOMERS) {
            return new Refused<>(
                    Reason.TOO_FEW_CUSTOMERS,
                    "customers with repeat purchases of a value must be %d or more, not %d"
                            .formatted(MINIMUM_CUSTOMERS, size));
        }
        double unit = Arrays.stream(sample.mean).sum() / size;
        var inMeans = new Sample(customers, unit);
        var maximum =
                MaximumLikelihood.find(
                        NAMES,
                        new double[] {1, 2, 1},
                        at -> inMeans.logLikelihood(at[0], at[1], at[2]) / size);
        if (maximum.isEmpty()) {
            return new Refused<>(
                    Reason.NOT_CONVERGED,
                    "the likelihood of %d customers has no maximum that the search settles on"
                            .formatted(size));
        }
        var at = maximum.get().parameters();
        if (!(at.get(1) > 1)) {
            return new Refused<>(
                    Reason.NO_FINITE_MEAN,
                    "q must be above 1 for a mean over customers, and is %s".formatted(at.get(1)));
        }
        var model = new GammaGamma(at.get(0), at.get(1), at.get(2) * unit);
        return new Fitted<>(
                model,
                size,
                sample.logLikelihood(model.p, model.q, model.v),
                maximum.get().atLimit());
    }

    /** Of the customers with repeats and a mean above 0 (eq. 1a there, summed); comparable within one currency. */
    public double logLikelihood(Collection<Spending> customers) {
        return new Sample(customers, 1).logLikelihood(p, q, v);
    }

    /**
     * The mean value to expect of a customer's future purchases, in the currency of the values (eq. 5 there): between the
     * customer's own mean and that of all, nearer to one's own the more one has bought. That of all without purchases.
     */
    public double expectedMeanValue(Spending spending) {
        int x = spending.purchases();
        return p * (v + x * spending.mean()) / (p * x + q - 1);
    }

    /** Columns for many passes. */
    private static final class Sample {
        final double[] mean;
        private final int[] purchases;

        /** Σ ln mean over the customers of one number of purchases, which stand together, at the first of them. */
        private final double[] logMeans;

        /** How many customers, likewise. */
        private final int[] count;

        Sample(Collection<Spending> customers, double unit) {
            var kept =
                    customers.stream()
                            .filter(customer -> customer.mean() > 0)
                            .sorted()
                            .toArray(Spending[]::new);
            mean = new double[kept.length];
            purchases = new int[kept.length];
            logMeans = new double[kept.length];
            count = new int[kept.length];
            int first = 0;
            for (int i = 0; i < kept.length; i++) {
                purchases[i] = kept[i].purchases();
                mean[i] = kept[i].mean() / unit;
                if (purchases[i] != purchases[first]) {
                    first = i;
                }
                logMeans[first] += Math.log(mean[i]);
                count[first]++;
            }
        }

        double logLikelihood(double p, double q, double v) {
            double sum = mean.length * (q * Math.log(v) - Gamma.logGamma(q));
            for (int first = 0; first < mean.length; first += count[first]) {
                int x = purchases[first];
                double px = p * x;
                sum +=
                        count[first]
                                        * (Gamma.logGamma(px + q)
                                                - Gamma.logGamma(px)
                                                + px * Math.log(x))
                                + (px - 1) * logMeans[first];
                double logs = 0;
                for (int i = first; i < first + count[first]; i++) {
                    logs += Math.log(x * mean[i] + v);
                }
                sum -= (px + q) * logs;
            }
            return sum;
        }
    }
}
