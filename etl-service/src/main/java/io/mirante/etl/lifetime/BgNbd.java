package io.mirante.etl.lifetime;

import io.mirante.etl.lifetime.Fit.Fitted;
import io.mirante.etl.lifetime.Fit.Reason;
import io.mirante.etl.lifetime.Fit.Refused;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.hipparchus.special.Gamma;

/**
 * BG/NBD: how often customers come back, and whether they still do (Fader, Hardie and Lee 2005, "Counting your customers"
 * the easy way, Marketing Science 24(2)). While alive a customer buys at a rate λ, gamma-distributed over customers; after
 * each purchase one leaves with a chance p, beta-distributed. A customer without a repeat has had no chance to leave, so
 * is alive.
 *
 * <p>Expectations hold where buying habits go on as they were; a mean over customers is better than any one of them.
 *
 * @param r shape of λ, above 0
 * @param alpha rate of λ in the unit of time of the histories, above 0: r/alpha purchases per unit on average
 * @param a first shape of p, above 0: a/(a + b) on average
 * @param b second shape of p, above 0
 */
public record BgNbd(double r, double alpha, double a, double b) {
    /** Four parameters of fewer customers are noise. */
    public static final int MINIMUM_CUSTOMERS = 50;

    private static final List<String> NAMES = List.of("r", "alpha", "a", "b");
    private static final double LARGE = 1e200;
    private static final double PRECISION = 1e-15;

    /** Farther ahead, in units of α + T, the series has tens of millions of terms, and nobody knows anything. */
    private static final double FARTHEST = 1e6;

    public BgNbd {
        requirePositive("r", r);
        requirePositive("alpha", alpha);
        requirePositive("a", a);
        requirePositive("b", b);
    }

    /** As {@link #fit(Map)}, each customer by oneself. */
    public static Fit<BgNbd> fit(Collection<PurchaseHistory> customers) {
        return fit(counted(customers));
    }

    /**
     * Fits by maximum likelihood. Neither the order of customers nor the unit of time matters: alpha comes in that unit.
     *
     * @param customers how many customers have each history, 1 or more
     */
    public static Fit<BgNbd> fit(Map<PurchaseHistory, Long> customers) {
        var sample = new Sample(customers);
        if (sample.customers < MINIMUM_CUSTOMERS) {
            return new Refused<>(
                    Reason.TOO_FEW_CUSTOMERS,
                    "customers must be %d or more, not %d"
                            .formatted(MINIMUM_CUSTOMERS, sample.customers));
        }
        if (sample.repeats == 0) {
            return new Refused<>(
                    Reason.NO_REPEATS,
                    "none of %d customers bought a second time".formatted(sample.customers));
        }
        double unit = sample.meanAge;
        var inMeanAges = sample.dividedBy(unit);
        return MaximumLikelihood.find(
                        NAMES,
                        new double[] {1, 1, 1, 1},
                        at ->
                                inMeanAges.logLikelihood(at[0], at[1], at[2], at[3])
                                        / sample.customers)
                .<Fit<BgNbd>>map(maximum -> {
                    var at = maximum.parameters();
                    var model = new BgNbd(at.get(0), at.get(1) * unit, at.get(2), at.get(3));
                    return new Fitted<>(
                            model,
                            sample.customers,
                            sample.logLikelihood(model.r, model.alpha, model.a, model.b),
                            maximum.atLimit());
                })
                .orElseGet(() ->
                        new Refused<>(
                                Reason.NOT_CONVERGED,
                                "the likelihood of %d customers has no maximum that the search settles on"
                                        .formatted(sample.customers)));
    }

    /** Of all customers; a density in time, so only comparable within one unit (eq. 6 there, summed). */
    public double logLikelihood(Collection<PurchaseHistory> customers) {
        return logLikelihood(counted(customers));
    }

    /**
     * As {@link #logLikelihood(Collection)}.
     *
     * @param customers how many customers have each history, 1 or more
     */
    public double logLikelihood(Map<PurchaseHistory, Long> customers) {
        return new Sample(customers).logLikelihood(r, alpha, a, b);
    }

    /**
     * The chance, within [0, 1], that a customer has not left by the end of the history (Fader, Hardie and Lee 2008,
     * "Computing P(alive) using the BG/NBD model"); 1 without a repeat.
     */
    public double probabilityAlive(PurchaseHistory history) {
        int x = history.frequency();
        if (x == 0) {
            return 1;
        }
        double silence =
                (r + x)
                        * Math.log1p(
                                (history.age() - history.recency()) / (alpha + history.recency()));
        return 1 / (1 + a / (b + x - 1) * Math.exp(silence));
    }

    /**
     * Purchases to expect within the horizon after the end of the history (eq. 10 there). For {@link
     * PurchaseHistory#fresh} those of a new customer (eq. 9).
     *
     * <p>The published form is a difference of two terms with Gauss's ₂F₁(r + x, b + x; a + b + x − 1; z), z = t/(α + T + t),
     * over a − 1: it has no value at a = 1 and loses its digits nearby, for short horizons and for many purchases. Applying
     * Euler's integral to ₂F₁ and summing by purchases gives the same as a series without any subtraction,
     *
     * <pre>Σ_{k ≥ 1} NB(k; r + x, z) · Σ_{n &lt; k} (b + x)_n / (a + b + x)_n,</pre>
     *
     * times the chance to be alive: k purchases would be made by one who never leaves, and n are survived. It takes some
     * 40 + 40 · t/(α + T) terms and as many as purchases are expected.
     *
     * @param horizon in the unit of the history, within [0, 10⁶ · (α + T)]
     */
    public double expectedPurchases(double horizon, PurchaseHistory history) {
        double observed = alpha + history.age();
        if (!(horizon >= 0 && horizon <= FARTHEST * observed)) {
            throw new IllegalArgumentException(
                    "horizon must be within [0, " + FARTHEST * observed + "], not " + horizon);
        }
        return probabilityAlive(history) * expectedWhileAlive(horizon / observed, history);
    }

    /** Over a horizon in units of α + T. */
    private double expectedWhileAlive(double ratio, PurchaseHistory history) {
        double shape = r + history.frequency();
        double stay = b + history.frequency();
        double z = ratio / (1 + ratio);
        if (z == 0) {
            return 0;
        }
        // NB(0) is as small as e^-10000 for busy customers: it stays outside as a logarithm.
        double scale = -shape * Math.log1p(ratio);
        double probability = 1;
        double survival = 1;
        double survived = 0;
        double sum = 0;
        for (long k = 1; ; k++) {
            probability *= z * (shape + k - 1) / k;
            survived += survival;
            survival *= (stay + k - 1) / (a + stay + k - 1);
            double term = probability * survived;
            sum += term;
            double fall = Math.max(z, z * (shape + k) / (k + 1)) * (survived + survival) / survived;
            if (fall < 1 && term * fall <= PRECISION * sum * (1 - fall)) {
                return sum * Math.exp(scale);
            }
            if (sum > LARGE) {
                sum /= LARGE;
                probability /= LARGE;
                scale += Math.log(LARGE);
            }
        }
    }

    private static Map<PurchaseHistory, Long> counted(Collection<PurchaseHistory> customers) {
        return customers.stream()
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    }

    private static void requirePositive(String name, double value) {
        if (!(value > 0 && Double.isFinite(value))) {
            throw new IllegalArgumentException(name + " must be above 0 and finite, not " + value);
        }
    }

    /**
     * Histories in their own order as columns, for many passes. Times of purchases are days, so there are few of them: a pass
     * takes the logarithm of each one once.
     */
    private static final class Sample {

        /** Histories that are summed by themselves, so that a sum does not hang on the number of processors. */
        private static final int BLOCK = 2_048;

        private final int[] frequency;
        private final int[] recency;
        private final int[] age;
        private final long[] count;

        /** What {@link #recency} and {@link #age} point to, each value once. */
        private final double[] times;

        final long customers;
        final long repeats;
        final double meanAge;

        Sample(Map<PurchaseHistory, Long> groups) {
            var histories = groups.keySet().stream().sorted().toArray(PurchaseHistory[]::new);
            int size = histories.length;
            frequency = new int[size];
            recency = new int[size];
            age = new int[size];
            count = new long[size];
            times =
                    Arrays.stream(histories)
                            .flatMapToDouble(h -> DoubleStream.of(h.recency(), h.age()))
                            .sorted()
                            .distinct()
                            .toArray();
            long allCustomers = 0;
            long allRepeats = 0;
            double allAge = 0;
            for (int i = 0; i < size; i++) {
                var history = histories[i];
                long number = groups.getOrDefault(history, 0L);
                if (!(number >= 1)) {
                    throw new IllegalArgumentException(
                            "customers of a history must be 1 or more, not " + number);
                }
                frequency[i] = history.frequency();
                recency[i] = Arrays.binarySearch(times, history.recency());
                age[i] = Arrays.binarySearch(times, history.age());
                count[i] = number;
                allCustomers += number;
                allRepeats += number * history.frequency();
                allAge += number * history.age();
            }
            customers = allCustomers;
            repeats = allRepeats;
            meanAge = allCustomers == 0 ? 0 : allAge / allCustomers;
        }

        private Sample(Sample other, double unit) {
            frequency = other.frequency;
            recency = other.recency;
            age = other.age;
            count = other.count;
            times = Arrays.stream(other.times).map(time -> time / unit).toArray();
            customers = other.customers;
            repeats = other.repeats;
            meanAge = other.meanAge / unit;
        }

        Sample dividedBy(double unit) {
            return new Sample(this, unit);
        }

        /**
         * Eq. 6, with B(a, b + x) and (α + t_x)^-(r + x) taken out of the sum of its two terms, so that nothing overflows.
         * Gamma functions hang on the frequency alone and are taken once for each.
         */
        double logLikelihood(double r, double alpha, double a, double b) {
            double[] logs = Arrays.stream(times).map(time -> Math.log(alpha + time)).toArray();
            var sums = new double[(frequency.length + BLOCK - 1) / BLOCK];
            IntStream.range(0, sums.length)
                    .parallel()
                    .forEach(block -> sums[block] = ofBlock(block, logs, r, a, b));
            double sum = customers * r * Math.log(alpha);
            for (double ofBlock : sums) {
                sum += ofBlock;
            }
            return sum;
        }

        private double ofBlock(int block, double[] logs, double r, double a, double b) {
            double sum = 0;
            double ofFrequency = 0;
            int current = 0;
            int end = Math.min(frequency.length, (block + 1) * BLOCK);
            for (int i = block * BLOCK; i < end; i++) {
                int x = frequency[i];
                double term;
                if (x == 0) {
                    term = -r * logs[age[i]];
                } else {
                    if (x != current) {
                        current = x;
                        ofFrequency = logRising(r, x) + logRising(b, x) - logRising(a + b, x);
                    }
                    double last = logs[recency[i]];
                    double alive = Math.exp((r + x) * (last - logs[age[i]]));
                    term = ofFrequency - (r + x) * last + Math.log(alive + a / (b + x - 1));
                }
                sum += count[i] * term;
            }
            return sum;
        }

        /** Logarithm of Γ(s + n)/Γ(s); B(a, b + x)/B(a, b) is two of them. */
        private static double logRising(double s, int n) {
            return Gamma.logGamma(s + n) - Gamma.logGamma(s);
        }
    }
}
