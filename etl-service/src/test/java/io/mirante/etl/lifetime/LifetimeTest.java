package io.mirante.etl.lifetime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.mirante.etl.lifetime.Fit.Fitted;
import io.mirante.etl.lifetime.Fit.Reason;
import io.mirante.etl.lifetime.Fit.Refused;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LifetimeTest {
    private static final long SEED = 20_260_101;

    /** The published parameters of CDNOW, in weeks. */
    private static final BgNbd CDNOW = new BgNbd(0.243, 4.414, 0.793, 2.426);

    private static final BgNbd LIVELY = new BgNbd(0.8, 12, 0.7, 2.5);
    private static final GammaGamma VALUES = new GammaGamma(6.25, 3.74, 15.44);

    @Test
    void knownParametersAreRecovered() {
        var fitted = fitted(BgNbd.fit(new Shop(SEED).histories(50_000, LIVELY, 78)));

        assertThat(fitted.model().r()).isCloseTo(0.8, withinPercentage(3));
        assertThat(fitted.model().alpha()).isCloseTo(12, withinPercentage(4));
        assertThat(fitted.model().a()).isCloseTo(0.7, withinPercentage(6));
        assertThat(fitted.model().b()).isCloseTo(2.5, withinPercentage(6));
        assertThat(fitted.customers()).isEqualTo(50_000);
        assertThat(fitted.atLimit()).isEmpty();
    }

    @Test
    void noNeighbourIsMoreLikelyThanTheFit() {
        var histories = new Shop(SEED).histories(2_000, LIVELY, 78);
        var fitted = fitted(BgNbd.fit(histories));
        var best = fitted.model();

        assertThat(best.logLikelihood(histories)).isEqualTo(fitted.logLikelihood());
        for (double factor : new double[] {0.99, 0.999, 1.001, 1.01}) {
            assertThat(
                            Stream.of(
                                            new BgNbd(
                                                    best.r() * factor,
                                                    best.alpha(),
                                                    best.a(),
                                                    best.b()),
                                            new BgNbd(
                                                    best.r(),
                                                    best.alpha() * factor,
                                                    best.a(),
                                                    best.b()),
                                            new BgNbd(
                                                    best.r(),
                                                    best.alpha(),
                                                    best.a() * factor,
                                                    best.b()),
                                            new BgNbd(
                                                    best.r(),
                                                    best.alpha(),
                                                    best.a(),
                                                    best.b() * factor))
                                    .map(near -> near.logLikelihood(histories)))
                    .allMatch(near -> near < fitted.logLikelihood());
        }
    }

    @Test
    void slopesAreThoseOfTheLikelihoodAndCurvaturesThoseOfTheSlopes() {
        var histories = new Shop(SEED).histories(500, LIVELY, 78);
        double[] at = {0.8, 12, 0.7, 2.5};
        var near = of(at).near(histories);
        for (int i = 0; i < at.length; i++) {
            double step = at[i] * 1e-5;
            var lower = at.clone();
            var upper = at.clone();
            lower[i] -= step;
            upper[i] += step;
            var below = of(lower).near(histories);
            var above = of(upper).near(histories);
            assertThat(near.gradient()[i])
                    .isCloseTo((above.value() - below.value()) / (2 * step), within(1e-7));
            for (int j = 0; j < at.length; j++) {
                assertThat(near.curvature()[i][j])
                        .as("by %d and %d", i, j)
                        .isCloseTo(
                                (above.gradient()[j] - below.gradient()[j]) / (2 * step),
                                within(1e-7));
            }
        }
    }

    private static BgNbd of(double[] parameters) {
        return new BgNbd(parameters[0], parameters[1], parameters[2], parameters[3]);
    }

    /** x and y grow together without an end, more and more slowly: as the likelihood of purchases at random does. */
    @Test
    void aLongRidgeIsWalkedInFewStepsAndToItsEnd() {
        var evaluations = new AtomicInteger();
        var maximum =
                MaximumLikelihood.findBySlope(
                                List.of("x", "y"),
                                new double[] {1, 1},
                                at -> {
                                    evaluations.incrementAndGet();
                                    double x = at[0];
                                    double apart = at[1] - 3 * x;
                                    double width = 1 / (x * x);
                                    return new MaximumLikelihood.Near(
                                            -1 / x - width * apart * apart,
                                            new double[] {
                                                width * (1 + 6 * apart + 2 * apart * apart / x),
                                                -2 * width * apart
                                            },
                                            new double[][] {
                                                {
                                                    -2 / (x * x * x)
                                                            - width
                                                                    * (18
                                                                            + 24 * apart / x
                                                                            + 6 * apart * apart
                                                                                    * width),
                                                    width * (6 + 4 * apart / x)
                                                },
                                                {width * (6 + 4 * apart / x), -2 * width}
                                            });
                                })
                        .orElseThrow();
        assertThat(maximum.atLimit()).containsExactly("y");
        assertThat(maximum.parameters().getFirst()).isCloseTo(1e4 / 3, withinPercentage(1));
        assertThat(evaluations.get()).isLessThan(60);
    }

    @Test
    void likelihoodIsThePublishedSumOfTwoWaysToFallSilent() {
        // x = 2, t_x = 10, T = 30, by hand from eq. 6: B(a, b + 2)/B(a, b) and Γ(r + 2)/Γ(r) are
        // rational in a, b and r.
        double r = 0.8;
        double alpha = 12;
        double a = 0.7;
        double b = 2.5;
        double rising = r * (r + 1) * Math.pow(alpha, r);
        double stays = b * (b + 1) / ((a + b) * (a + b + 1));
        double leaves = a * b / ((a + b) * (a + b + 1));
        double likelihood =
                rising
                        * (stays * Math.pow(alpha + 30, -r - 2)
                                + leaves * Math.pow(alpha + 10, -r - 2));

        assertThat(LIVELY.logLikelihood(List.of(new PurchaseHistory(2, 10, 30))))
                .isCloseTo(Math.log(likelihood), within(1e-12));
        assertThat(LIVELY.logLikelihood(List.of(new PurchaseHistory(0, 0, 30))))
                .isCloseTo(r * Math.log(alpha / (alpha + 30)), within(1e-12));
    }

    @Test
    void orderOfCustomersChangesNothing() {
        var histories = new ArrayList<>(new Shop(SEED).histories(3_000, LIVELY, 78));
        var spending = new ArrayList<>(spendings(3_000));
        var purchases = BgNbd.fit(histories);
        var values = GammaGamma.fit(spending);
        for (long seed = 1; seed <= 3; seed++) {
            Collections.shuffle(histories, new Random(seed));
            Collections.shuffle(spending, new Random(seed));
            assertThat(BgNbd.fit(histories)).isEqualTo(purchases);
            assertThat(GammaGamma.fit(spending)).isEqualTo(values);
        }
    }

    @Test
    void aCountIsAsGoodAsRepetition() {
        var histories =
                new Shop(SEED)
                        .histories(2_000, LIVELY, 78).stream()
                                .map(LifetimeTest::inWholeWeeks)
                                .toList();
        var counted = new HashMap<PurchaseHistory, Long>();
        histories.forEach(history -> counted.merge(history, 3L, Long::sum));
        var repeated = new ArrayList<PurchaseHistory>();
        for (int i = 0; i < 3; i++) {
            repeated.addAll(histories);
        }

        assertThat(counted).hasSizeLessThan(histories.size());
        assertThat(BgNbd.fit(counted)).isEqualTo(BgNbd.fit(repeated));
        assertThat(LIVELY.logLikelihood(counted)).isEqualTo(LIVELY.logLikelihood(repeated));
    }

    @ParameterizedTest
    @ValueSource(doubles = {7, 1 / 52.0, 604_800})
    void unitOfTimeOnlyScalesAlpha(double factor) {
        var histories = new Shop(SEED).histories(3_000, LIVELY, 78);
        var weeks = fitted(BgNbd.fit(histories)).model();
        var other =
                fitted(
                                BgNbd.fit(
                                        histories.stream()
                                                .map(h ->
                                                        new PurchaseHistory(
                                                                h.frequency(),
                                                                h.recency() * factor,
                                                                h.age() * factor))
                                                .toList()))
                        .model();

        assertThat(other.r()).isCloseTo(weeks.r(), withinPercentage(1e-3));
        assertThat(other.alpha()).isCloseTo(weeks.alpha() * factor, withinPercentage(1e-3));
        assertThat(other.a()).isCloseTo(weeks.a(), withinPercentage(1e-3));
        assertThat(other.b()).isCloseTo(weeks.b(), withinPercentage(1e-3));
        assertThat(
                        other.expectedPurchases(
                                10 * factor, new PurchaseHistory(2, 3 * factor, 9 * factor)))
                .isCloseTo(
                        weeks.expectedPurchases(10, new PurchaseHistory(2, 3, 9)),
                        withinPercentage(1e-3));
    }

    @Test
    void expectationsAddUpToWhatIsBoughtLater() {
        var lives = new Shop(SEED).lives(50_000, LIVELY, 78, 52);
        double expected =
                lives.stream()
                        .mapToDouble(life -> LIVELY.expectedPurchases(52, life.history()))
                        .sum();

        assertThat(expected)
                .isCloseTo(lives.stream().mapToDouble(Shop.Life::later).sum(), withinPercentage(2));
    }

    /** Values of the published form with ₂F₁ at 40 digits; b = 0.2 has a negative third argument, a = 1 a pole. */
    @ParameterizedTest
    @CsvSource({
        "39, 0.243, 4.414, 0.793, 2.426, 2, 30.43, 38.86, 1.2260281747671444",
        "39, 0.243, 4.414, 0.793, 2.426, 0, 0, 38.86, 0.19509805201126264",
        "39, 0.243, 4.414, 0.793, 2.426, 0, 0, 0, 1.1967231933208168",
        "365, 0.243, 4.414, 0.793, 2.426, 500, 3600, 3650, 18.818169421632724",
        "3650, 0.243, 4.414, 0.793, 2.426, 5000, 3649, 3650, 3721.4087012298631",
        "1000, 0.243, 4.414, 0.793, 2.426, 1, 0.5, 1, 15.089269908144931",
        "1e-6, 0.243, 4.414, 0.793, 2.426, 3, 10, 20, 6.6765741923942641e-8",
        "52, 0.5, 10, 1, 2, 4, 30, 40, 2.2190403372701723",
        "52, 2, 10, 0.3, 0.2, 0, 0, 30, 1.378928620483296",
        "52, 0.7, 6, 4000, 9000, 3, 20, 40, 0.46549446113754414"
    })
    void expectationsAreThoseOfThePublishedForm(
            double horizon,
            double r,
            double alpha,
            double a,
            double b,
            int frequency,
            double recency,
            double age,
            double expected) {
        assertThat(
                        new BgNbd(r, alpha, a, b)
                                .expectedPurchases(
                                        horizon, new PurchaseHistory(frequency, recency, age)))
                .isCloseTo(expected, withinPercentage(1e-9));
    }

    @Test
    void expectationsEqualTheFormWithGausssSeriesWhereThatHasItsDigits() {
        assertThat(gauss(1, 1, 2, 0.5)).isCloseTo(2 * Math.log(2), within(1e-13));
        assertThat(gauss(0.5, 0.5, 1.5, 0.25)).isCloseTo(Math.PI / 3, within(1e-13));
        assertThat(gauss(2.5, 0.7, 0.7, 0.3)).isCloseTo(Math.pow(0.7, -2.5), within(1e-13));

        for (int x : new int[] {1, 2, 7, 30}) {
            for (double horizon : new double[] {1, 13, 52, 400}) {
                var history = new PurchaseHistory(x, 25, 39);
                double r = CDNOW.r() + x;
                double age = CDNOW.alpha() + 39;
                double third = CDNOW.a() + CDNOW.b() + x - 1;
                double published =
                        third
                                / (CDNOW.a() - 1)
                                * (1
                                        - Math.pow(age / (age + horizon), r)
                                                * gauss(
                                                        r,
                                                        CDNOW.b() + x,
                                                        third,
                                                        horizon / (age + horizon)))
                                * CDNOW.probabilityAlive(history);
                assertThat(CDNOW.expectedPurchases(horizon, history))
                        .isCloseTo(published, withinPercentage(1e-8));
            }
        }
    }

    @Test
    void expectationsStayFiniteForBusyAndForOldCustomers() {
        var busy = new PurchaseHistory(100_000, 36_000, 36_500);
        assertThat(CDNOW.expectedPurchases(3_650, busy)).isBetween(0.0, 10_000.0);
        var lasting = new PurchaseHistory(100_000, 36_500, 36_500);
        assertThat(new BgNbd(1, 1, 1e-4, 1e4).expectedPurchases(3_650, lasting))
                .isCloseTo(10_000, withinPercentage(0.1));
        assertThat(CDNOW.expectedPurchases(100_000, PurchaseHistory.fresh()))
                .isFinite()
                .isPositive();
    }

    @Test
    void whoNeverCameBackHasHadNoChanceToLeave() {
        assertThat(CDNOW.probabilityAlive(PurchaseHistory.fresh())).isEqualTo(1);
        assertThat(CDNOW.probabilityAlive(new PurchaseHistory(0, 0, 1e6))).isEqualTo(1);
    }

    @Test
    void rightAfterAPurchaseOnlyThatPurchaseMayHaveBeenTheLast() {
        for (int x : new int[] {1, 5, 1_000}) {
            assertThat(CDNOW.probabilityAlive(new PurchaseHistory(x, 20, 20)))
                    .isCloseTo(
                            (CDNOW.b() + x - 1) / (CDNOW.a() + CDNOW.b() + x - 1), within(1e-14));
        }
    }

    @Test
    void silenceLowersTheChanceToBeAliveTheMoreTheBusierOneWas() {
        assertThat(
                        DoubleStream.of(20, 21, 25, 40, 100, 1e6)
                                .map(age ->
                                        -CDNOW.probabilityAlive(new PurchaseHistory(5, 20, age)))
                                .boxed())
                .isSorted();
        assertThat(CDNOW.probabilityAlive(new PurchaseHistory(20, 20, 40)))
                .isLessThan(CDNOW.probabilityAlive(new PurchaseHistory(2, 20, 40)));
        assertThat(CDNOW.probabilityAlive(new PurchaseHistory(10_000, 20, 40)))
                .isBetween(0.0, 1e-300);
    }

    @Test
    void expectationsBeginAtZeroGrowWithTheHorizonAndAtTheRateOfThoseAlive() {
        var history = new PurchaseHistory(3, 30, 39);
        assertThat(CDNOW.expectedPurchases(0, history)).isZero();
        assertThat(
                        DoubleStream.of(0, 1e-9, 1, 13, 52, 520)
                                .map(horizon -> CDNOW.expectedPurchases(horizon, history))
                                .boxed())
                .isSorted();
        assertThat(CDNOW.expectedPurchases(1e-9, history) / 1e-9)
                .isCloseTo(
                        CDNOW.probabilityAlive(history) * (CDNOW.r() + 3) / (CDNOW.alpha() + 39),
                        withinPercentage(1e-6));
    }

    @Test
    void knownValueParametersAreRecovered() {
        var fitted = fitted(GammaGamma.fit(spendings(50_000)));

        assertThat(fitted.model().p()).isCloseTo(6.25, withinPercentage(4));
        assertThat(fitted.model().q()).isCloseTo(3.74, withinPercentage(4));
        assertThat(fitted.model().v()).isCloseTo(15.44, withinPercentage(6));
        assertThat(fitted.model().expectedMeanValue(Spending.none()))
                .isCloseTo(6.25 * 15.44 / 2.74, withinPercentage(2));
    }

    @Test
    void noNeighbourOfTheValueParametersIsMoreLikely() {
        var spendings = spendings(2_000);
        var fitted = fitted(GammaGamma.fit(spendings));
        var best = fitted.model();
        for (double factor : new double[] {0.99, 0.999, 1.001, 1.01}) {
            assertThat(
                            Stream.of(
                                            new GammaGamma(best.p() * factor, best.q(), best.v()),
                                            new GammaGamma(best.p(), best.q() * factor, best.v()),
                                            new GammaGamma(best.p(), best.q(), best.v() * factor))
                                    .map(near -> near.logLikelihood(spendings)))
                    .allMatch(near -> near < fitted.logLikelihood());
        }
    }

    @Test
    void currencyOnlyScalesV() {
        var spendings = spendings(2_000);
        var dear =
                spendings.stream()
                        .map(spending -> new Spending(spending.purchases(), spending.mean() * 1e5))
                        .toList();
        var one = fitted(GammaGamma.fit(spendings)).model();
        var other = fitted(GammaGamma.fit(dear)).model();

        assertThat(other.p()).isCloseTo(one.p(), withinPercentage(1e-3));
        assertThat(other.q()).isCloseTo(one.q(), withinPercentage(1e-3));
        assertThat(other.v()).isCloseTo(one.v() * 1e5, withinPercentage(1e-3));
    }

    @Test
    void customersWithoutAValueAreLeftOut() {
        var spendings = new ArrayList<>(spendings(500));
        var without = GammaGamma.fit(spendings);
        for (int i = 0; i < 100; i++) {
            spendings.add(new Spending(i + 1, 0));
            spendings.add(Spending.none());
        }

        assertThat(GammaGamma.fit(spendings)).isEqualTo(without);
        assertThat(fitted(without).customers())
                .isEqualTo(spendings.stream().filter(spending -> spending.mean() > 0).count());
    }

    @Test
    void expectedValueMovesFromTheMeanOfAllToOnesOwn() {
        double all = VALUES.expectedMeanValue(Spending.none());
        assertThat(all).isCloseTo(6.25 * 15.44 / 2.74, within(1e-12));
        assertThat(
                        IntStream.of(1, 2, 10, 100, 100_000)
                                .mapToDouble(x -> VALUES.expectedMeanValue(new Spending(x, 80)))
                                .boxed())
                .isSorted()
                .allMatch(value -> value > all && value < 80);
        assertThat(VALUES.expectedMeanValue(new Spending(100_000, 80))).isCloseTo(80, within(0.01));
    }

    @Test
    void lifetimeValueIsPurchasesTimesValue() {
        var model = new LifetimeModel(CDNOW, VALUES);
        var customer = new Customer(new PurchaseHistory(4, 100, 200), new Spending(4, 60));

        assertThat(model.customerLifetimeValue(365, customer))
                .isEqualTo(
                        CDNOW.expectedPurchases(365, customer.history())
                                * VALUES.expectedMeanValue(customer.spending()));
        assertThat(model.customerLifetimeValue(0, customer)).isZero();
    }

    @Test
    void discountTakesThePeriodsRateOffEachPeriodsEnd() {
        var model = new LifetimeModel(CDNOW, VALUES);
        var customer = new Customer(new PurchaseHistory(4, 100, 200), new Spending(4, 60));
        double year = model.customerLifetimeValue(365, customer);
        double half = model.customerLifetimeValue(182.5, customer);

        assertThat(model.customerLifetimeValue(365, customer, 0, 30)).isEqualTo(year);
        assertThat(model.customerLifetimeValue(365, customer, 0.1, 365))
                .isCloseTo(year / 1.1, withinPercentage(1e-9));
        assertThat(model.customerLifetimeValue(365, customer, 0.1, 182.5))
                .isCloseTo(half / 1.1 + (year - half) / 1.21, withinPercentage(1e-9));
        assertThat(model.customerLifetimeValue(182.5, customer, 0.1, 365))
                .isCloseTo(half / Math.sqrt(1.1), withinPercentage(1e-9));
        assertThat(model.customerLifetimeValue(0, customer, 0.1, 30)).isZero();
    }

    @Test
    void bothPartsAreFittedToTheSameCustomers() {
        var shop = new Shop(SEED);
        var customers =
                shop.histories(1_000, LIVELY, 365).stream()
                        .map(h -> new Customer(h, shop.spending(h.frequency(), VALUES)))
                        .toList();
        var both = fitted(LifetimeModel.fit(customers));
        var purchases = fitted(BgNbd.fit(customers.stream().map(Customer::history).toList()));
        var values = fitted(GammaGamma.fit(customers.stream().map(Customer::spending).toList()));

        assertThat(both.model()).isEqualTo(new LifetimeModel(purchases.model(), values.model()));
        assertThat(both.customers()).isEqualTo(1_000);
        assertThat(both.logLikelihood())
                .isEqualTo(purchases.logLikelihood() + values.logLikelihood());
    }

    @Test
    void tooFewCustomersAreRefused() {
        var histories = new Shop(SEED).histories(50, LIVELY, 78);
        assertThat(reason(BgNbd.fit(List.of()))).isEqualTo(Reason.TOO_FEW_CUSTOMERS);
        assertThat(BgNbd.fit(histories.subList(0, 49)))
                .isEqualTo(
                        new Refused<>(
                                Reason.TOO_FEW_CUSTOMERS, "customers must be 50 or more, not 49"));
        assertThat(BgNbd.fit(histories)).isInstanceOf(Fitted.class);

        var spendings = spendings(1_000).stream().filter(s -> s.mean() > 0).limit(50).toList();
        assertThat(reason(GammaGamma.fit(spendings.subList(0, 49))))
                .isEqualTo(Reason.TOO_FEW_CUSTOMERS);
        assertThat(reason(GammaGamma.fit(spendings))).isNotEqualTo(Reason.TOO_FEW_CUSTOMERS);
    }

    @Test
    void customersWithoutRepeatsAreRefused() {
        var once = Collections.nCopies(100, new PurchaseHistory(0, 0, 30));
        assertThat(reason(BgNbd.fit(once))).isEqualTo(Reason.NO_REPEATS);
        assertThat(BgNbd.fit(once).toOptional()).isEmpty();
        assertThat(reason(BgNbd.fit(Collections.nCopies(100, PurchaseHistory.fresh()))))
                .isEqualTo(Reason.NO_REPEATS);
        assertThat(
                        reason(
                                LifetimeModel.fit(
                                        once.stream()
                                                .map(h -> new Customer(h, Spending.none()))
                                                .toList())))
                .isEqualTo(Reason.NO_REPEATS);
    }

    @Test
    void repeatsWithoutValuesRefuseTheWhole() {
        var customers =
                new Shop(SEED)
                        .histories(500, LIVELY, 365).stream()
                                .map(h -> new Customer(h, new Spending(h.frequency(), 0)))
                                .toList();
        assertThat(reason(LifetimeModel.fit(customers))).isEqualTo(Reason.TOO_FEW_CUSTOMERS);
    }

    @Test
    void customersWhoAreAllAlikeDriveParametersToTheirLimitWhichIsSaid() {
        var alike = fitted(BgNbd.fit(Map.of(new PurchaseHistory(5, 100, 110), 500L)));
        assertThat(alike.atLimit()).isNotEmpty();
        assertThat(alike.model().expectedPurchases(110, new PurchaseHistory(5, 100, 110)))
                .isBetween(4.0, 6.0);

        var values = fitted(GammaGamma.fit(Collections.nCopies(500, new Spending(5, 20))));
        assertThat(values.atLimit()).isNotEmpty();
        assertThat(values.model().expectedMeanValue(Spending.none()))
                .isCloseTo(20, withinPercentage(1));
    }

    @Test
    void valuesWithAnInfiniteMeanAreRefused() {
        var random = new Random(SEED);
        // Pareto with exponent 0.6.
        var wide =
                IntStream.range(0, 2_000)
                        .mapToObj(i -> new Spending(1, Math.pow(1 - random.nextDouble(), -1 / 0.6)))
                        .toList();
        assertThat(reason(GammaGamma.fit(wide))).isEqualTo(Reason.NO_FINITE_MEAN);
    }

    @Test
    void aLikelihoodThatNeverSettlesGivesNoMaximum() {
        var names = List.of("one", "other");
        var start = new double[] {1, 1};
        assertThat(MaximumLikelihood.find(names, start, _ -> Double.NaN)).isEmpty();
        var calls = new double[1];
        assertThat(MaximumLikelihood.find(names, start, _ -> calls[0]++)).isEmpty();
    }

    @Test
    void daysOfOnePurchaseCountOnce() {
        var first = LocalDate.of(1997, 1, 1);
        var days =
                List.of(first.plusDays(30), first, first.plusDays(30), first.plusDays(10), first);
        assertThat(PurchaseHistory.ofDays(days, first.plusDays(100)))
                .isEqualTo(new PurchaseHistory(2, 30, 100));
        assertThat(PurchaseHistory.ofDays(List.of(first), first))
                .isEqualTo(PurchaseHistory.fresh());
        assertThat(
                        Customer.ofDays(
                                Map.of(
                                        first,
                                        99.0,
                                        first.plusDays(10),
                                        20.0,
                                        first.plusDays(30),
                                        40.0),
                                first.plusDays(100)))
                .isEqualTo(new Customer(new PurchaseHistory(2, 30, 100), new Spending(2, 30)));
        assertThat(Customer.ofDays(Map.of(first, 99.0), first).spending())
                .isEqualTo(Spending.none());
    }

    @Test
    void impossibleInputIsRefusedByName() {
        refused("frequency", () -> new PurchaseHistory(-1, 0, 1));
        refused("age", () -> new PurchaseHistory(0, 0, -1));
        refused("age", () -> new PurchaseHistory(0, 0, Double.NaN));
        refused("age", () -> new PurchaseHistory(0, 0, Double.POSITIVE_INFINITY));
        refused("recency", () -> new PurchaseHistory(1, 2, 1));
        refused("recency", () -> new PurchaseHistory(1, Double.NaN, 1));
        refused("recency", () -> new PurchaseHistory(1, 0, 1));
        refused("recency", () -> new PurchaseHistory(0, 1, 1));
        refused("purchases", () -> new Spending(-1, 0));
        refused("mean", () -> new Spending(1, -1));
        refused("mean", () -> new Spending(1, Double.NaN));
        refused("mean", () -> new Spending(0, 1));
        refused("spending", () -> new Customer(PurchaseHistory.fresh(), new Spending(1, 1)));
        refused("r ", () -> new BgNbd(0, 1, 1, 1));
        refused("alpha", () -> new BgNbd(1, Double.NaN, 1, 1));
        refused("a ", () -> new BgNbd(1, 1, Double.POSITIVE_INFINITY, 1));
        refused("b ", () -> new BgNbd(1, 1, 1, -1));
        refused("p ", () -> new GammaGamma(0, 2, 1));
        refused("q ", () -> new GammaGamma(1, 1, 1));
        refused("v ", () -> new GammaGamma(1, 2, 0));
        refused("horizon", () -> CDNOW.expectedPurchases(-1, PurchaseHistory.fresh()));
        refused("horizon", () -> CDNOW.expectedPurchases(Double.NaN, PurchaseHistory.fresh()));
        refused("horizon", () -> CDNOW.expectedPurchases(1e7, PurchaseHistory.fresh()));
        refused("customers of", () -> BgNbd.fit(Map.of(PurchaseHistory.fresh(), 0L)));
        var day = LocalDate.of(2026, 1, 2);
        refused("purchases", () -> PurchaseHistory.ofDays(List.of(), day));
        refused("purchases", () -> PurchaseHistory.ofDays(List.of(day), day.minusDays(1)));
        var model = new LifetimeModel(CDNOW, VALUES);
        var customer = new Customer(PurchaseHistory.fresh(), Spending.none());
        refused("discountRate", () -> model.customerLifetimeValue(365, customer, -0.1, 30));
        refused("periodDays", () -> model.customerLifetimeValue(365, customer, 0.1, 0.9));
        refused("horizon", () -> model.customerLifetimeValue(-365, customer, 0.1, 30));
        refused(
                "horizon",
                () -> model.customerLifetimeValue(Double.POSITIVE_INFINITY, customer, 0.1, 30));
    }

    private static void refused(String name, Runnable act) {
        assertThatIllegalArgumentException().isThrownBy(act::run).withMessageStartingWith(name);
    }

    private static Collection<Spending> spendings(int count) {
        var shop = new Shop(SEED);
        return shop.histories(count, LIVELY, 78).stream()
                .map(history -> shop.spending(history.frequency(), VALUES))
                .toList();
    }

    private static PurchaseHistory inWholeWeeks(PurchaseHistory history) {
        return new PurchaseHistory(
                history.frequency(), Math.ceil(history.recency()), Math.ceil(history.age()));
    }

    /** ₂F₁ by its own series. */
    private static double gauss(double a, double b, double c, double z) {
        double term = 1;
        double sum = 1;
        for (int n = 0; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
            term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z;
            sum += term;
        }
        return sum;
    }

    private static <M> Fitted<M> fitted(Fit<M> fit) {
        return switch (fit) {
            case Fitted<M> fitted -> fitted;
            case Refused<M> refused -> throw new AssertionError(refused);
        };
    }

    /** Null where there is a model. */
    private static <M> Reason reason(Fit<M> fit) {
        return switch (fit) {
            case Fitted<M> _ -> null;
            case Refused<M> refused -> refused.reason();
        };
    }
}
