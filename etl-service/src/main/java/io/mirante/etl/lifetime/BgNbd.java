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
        return MaximumLikelihood.findBySlope(
                        NAMES,
                        new double[] {1, 1, 1, 1},
                        at -> inMeanAges.near(at[0], at[1], at[2], at[3]))
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

    /** The mean log-likelihood of customers, and its derivatives by r, alpha, a and b. */
    MaximumLikelihood.Near near(Collection<PurchaseHistory> customers) {
        return new Sample(counted(customers)).near(r, alpha, a, b);
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

        double logLikelihood(double r, double alpha, double a, double b) {
            return sums(r, alpha, a, b).value;
        }

        /** Of a customer, on average. */
        MaximumLikelihood.Near near(double r, double alpha, double a, double b) {
            return sums(r, alpha, a, b).near(customers);
        }

        /**
         * Eq. 6, with B(a, b + x) and (α + t_x)^-(r + x) taken out of the sum of its two terms, so that nothing overflows. Gamma
         * functions hang on the frequency alone and are taken once for each.
         */
        private Sums sums(double r, double alpha, double a, double b) {
            double[] logs = Arrays.stream(times).map(time -> Math.log(alpha + time)).toArray();
            double[] inverses = Arrays.stream(times).map(time -> 1 / (alpha + time)).toArray();
            var blocks = new Sums[(frequency.length + BLOCK - 1) / BLOCK];
            IntStream.range(0, blocks.length)
                    .parallel()
                    .forEach(block -> blocks[block] = ofBlock(block, logs, inverses, r, a, b));
            var all = new Sums();
            all.value = customers * r * Math.log(alpha);
            all.slope[0] = customers * Math.log(alpha);
            all.slope[1] = customers * r / alpha;
            all.bend[0][1] = customers / alpha;
            all.bend[1][1] = -customers * r / (alpha * alpha);
            for (var block : blocks) {
                all.add(block);
            }
            return all;
        }

        private Sums ofBlock(
                int block, double[] logs, double[] inverses, double r, double a, double b) {
            var sums = new Sums();
            var ofR = new Rising(r);
            var ofB = new Rising(b);
            var ofBoth = new Rising(a + b);
            int end = Math.min(frequency.length, (block + 1) * BLOCK);
            for (int i = block * BLOCK; i < end; i++) {
                int x = frequency[i];
                double n = count[i];
                double logEnd = logs[age[i]];
                double inverseEnd = inverses[age[i]];
                if (x == 0) {
                    sums.value -= n * r * logEnd;
                    sums.slope[0] -= n * logEnd;
                    sums.slope[1] -= n * r * inverseEnd;
                    sums.bend[0][1] -= n * inverseEnd;
                    sums.bend[1][1] += n * r * inverseEnd * inverseEnd;
                    continue;
                }
                if (x != ofR.times) {
                    ofR.to(x);
                    ofB.to(x);
                    ofBoth.to(x);
                }
                double power = r + x;
                double last = logs[recency[i]];
                double inverse = inverses[recency[i]];
                // What is left of ln(alive + gone): alive hangs on r and alpha, gone on a and b.
                double alive = Math.exp(power * (last - logEnd));
                double stay = 1 / (b + x - 1);
                double either = alive + a * stay;
                double lives = alive / either;
                double left = 1 - lives;
                double both = lives * left;
                double byR = last - logEnd;
                double byAlpha = power * (inverse - inverseEnd);
                double byA = 1 / a;
                sums.value +=
                        n * (ofR.log + ofB.log - ofBoth.log - power * last + Math.log(either));
                sums.slope[0] += n * (ofR.first - last + lives * byR);
                sums.slope[1] += n * (lives * byAlpha - power * inverse);
                sums.slope[2] += n * (left * byA - ofBoth.first);
                sums.slope[3] += n * (ofB.first - ofBoth.first - left * stay);
                sums.bend[0][0] += n * (ofR.second + both * byR * byR);
                sums.bend[0][1] +=
                        n * (both * byR * byAlpha + lives * (inverse - inverseEnd) - inverse);
                sums.bend[0][2] -= n * both * byR * byA;
                sums.bend[0][3] += n * both * byR * stay;
                sums.bend[1][1] +=
                        n
                                * (both * byAlpha * byAlpha
                                        + power * inverse * inverse
                                        - lives
                                                * power
                                                * (inverse * inverse - inverseEnd * inverseEnd));
                sums.bend[1][2] -= n * both * byAlpha * byA;
                sums.bend[1][3] += n * both * byAlpha * stay;
                sums.bend[2][2] += n * ((both - left) * byA * byA - ofBoth.second);
                sums.bend[2][3] -= n * (both * byA * stay + ofBoth.second);
                sums.bend[3][3] += n * (ofB.second - ofBoth.second + (both + left) * stay * stay);
            }
            return sums;
        }
    }

    /** Logarithm of Γ(s + n)/Γ(s) for more and more n, and its derivatives by s; B(a, b + x)/B(a, b) is two of them. */
    private static final class Rising {

        private final double s;
        private int times;
        private double log;
        private double first;
        private double second;

        Rising(double s) {
            this.s = s;
        }

        void to(int n) {
            for (; times < n; times++) {
                double inverse = 1 / (s + times);
                first += inverse;
                second -= inverse * inverse;
            }
            log = Gamma.logGamma(s + n) - Gamma.logGamma(s);
        }
    }

    /** A log-likelihood and its derivatives by r, alpha, a and b, the upper half of the second ones. */
    private static final class Sums {

        private double value;
        private final double[] slope = new double[4];
        private final double[][] bend = new double[4][4];

        void add(Sums other) {
            value += other.value;
            for (int i = 0; i < slope.length; i++) {
                slope[i] += other.slope[i];
                for (int j = i; j < slope.length; j++) {
                    bend[i][j] += other.bend[i][j];
                }
            }
        }

        MaximumLikelihood.Near near(double customers) {
            var gradient = new double[slope.length];
            var curvature = new double[slope.length][slope.length];
            for (int i = 0; i < slope.length; i++) {
                gradient[i] = slope[i] / customers;
                for (int j = i; j < slope.length; j++) {
                    curvature[i][j] = bend[i][j] / customers;
                    curvature[j][i] = curvature[i][j];
                }
            }
            return new MaximumLikelihood.Near(value / customers, gradient, curvature);
        }
    }
}
