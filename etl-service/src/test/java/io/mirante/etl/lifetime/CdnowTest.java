package io.mirante.etl.lifetime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The purchases both models were published with: 2,357 customers of CDNOW who began in the first quarter of 1997. Models see
 * 39 weeks and say what comes in the 39 after; the published figures are of Fader, Hardie and Lee 2005 and Fader and Hardie
 * 2013.
 */
@Tag("realdata")
class CdnowTest {
    private static final LocalDate END = LocalDate.of(1997, 9, 30);
    private static final double HOLDOUT_DAYS = 39 * 7;

    /** Value of each day with purchases, of each customer by number in the sample. */
    private final Map<Integer, SortedMap<LocalDate, Double>> purchases = new TreeMap<>();

    @BeforeEach
    void read() throws IOException {
        for (var line : Files.readAllLines(cdnow("CDNOW_sample.txt"))) {
            var field = line.strip().split("\\s+");
            purchases
                    .computeIfAbsent(Integer.valueOf(field[1]), _ -> new TreeMap<>())
                    .merge(
                            LocalDate.parse(field[2], DateTimeFormatter.BASIC_ISO_DATE),
                            Double.valueOf(field[4]),
                            Double::sum);
        }
    }

    @Test
    void historiesFromPurchasesAreThoseOfTheReference() throws IOException {
        var customers = observed();
        var summary = reference("cdnow_customers_summary.csv");
        assertThat(summary).hasSameSizeAs(customers.keySet()).hasSize(2_357);
        for (var row : summary) {
            var history = inWeeks(of(customers, row).history());
            assertThat(history.frequency()).as("customer %s", row[0]).isEqualTo((int) row[1]);
            assertThat(history.recency())
                    .as("customer %s", row[0])
                    .isCloseTo(row[2], within(0.006));
            assertThat(history.age()).as("customer %s", row[0]).isCloseTo(row[3], within(0.006));
        }
        for (var row : reference("cdnow_customers_summary_with_transactions.csv")) {
            assertThat(of(customers, row).spending().mean())
                    .as("customer %s", row[0])
                    .isCloseTo(row[4], within(0.006));
        }
    }

    @Test
    void parametersAreThePublishedOnes() {
        var customers = observed().values();
        var fit = BgNbd.fit(customers.stream().map(c -> inWeeks(c.history())).toList());
        var model = fit.toOptional().orElseThrow();
        assertThat(model.r()).isCloseTo(0.243, withinPercentage(1));
        assertThat(model.alpha()).isCloseTo(4.414, withinPercentage(1));
        assertThat(model.a()).isCloseTo(0.793, withinPercentage(1));
        assertThat(model.b()).isCloseTo(2.426, withinPercentage(1));
        assertThat(((Fit.Fitted<BgNbd>) fit).logLikelihood()).isCloseTo(-9_582.4, within(0.1));

        var both = LifetimeModel.fit(customers).toOptional().orElseThrow();
        assertThat(both.purchases().alpha()).isCloseTo(7 * model.alpha(), withinPercentage(1e-3));
        assertThat(both.values().p()).isCloseTo(6.25, withinPercentage(1));
        assertThat(both.values().q()).isCloseTo(3.74, withinPercentage(1));
        assertThat(both.values().v()).isCloseTo(15.44, withinPercentage(1));
    }

    @Test
    void theNext39WeeksAreForeseenBetterThanByEachOnesOwnRate() {
        var customers = observed();
        var model = LifetimeModel.fit(customers.values()).toOptional().orElseThrow().purchases();
        var foreseen = new Errors(customers, h -> model.expectedPurchases(HOLDOUT_DAYS, h));
        var naive = new Errors(customers, h -> HOLDOUT_DAYS * h.frequency() / h.age());

        assertThat(foreseen.actual).isEqualTo(1_882);
        assertThat(foreseen.expected).isCloseTo(1_653, within(10.0));
        assertThat(foreseen.absolute).isCloseTo(0.786, within(0.005));
        assertThat(foreseen.rootSquared).isCloseTo(1.608, within(0.005));
        assertThat(naive.expected).isCloseTo(2_930, within(10.0));
        assertThat(naive.absolute).isCloseTo(1.024, within(0.005));
        assertThat(foreseen.absolute).isLessThan(naive.absolute);
        assertThat(foreseen.rootSquared).isLessThan(naive.rootSquared);
    }

    /** Values follow from too few purchases, as published; a tenth picked at random would spend a tenth. */
    @Test
    void spendingOfTheNext39WeeksIsForeseenInSumAndInOrder() {
        var customers = observed();
        var model = LifetimeModel.fit(customers.values()).toOptional().orElseThrow();
        double expected = 0;
        double actual = 0;
        double actualOfBest = 0;
        var byValue =
                customers.entrySet().stream()
                        .sorted(
                                Comparator.comparingDouble(entry ->
                                        -model.customerLifetimeValue(
                                                HOLDOUT_DAYS, entry.getValue())))
                        .toList();
        for (int i = 0; i < byValue.size(); i++) {
            expected += model.customerLifetimeValue(HOLDOUT_DAYS, byValue.get(i).getValue());
            double spent =
                    held(byValue.get(i).getKey()).values().stream()
                            .mapToDouble(Double::doubleValue)
                            .sum();
            actual += spent;
            if (i < byValue.size() / 10) {
                actualOfBest += spent;
            }
        }
        assertThat(expected).isCloseTo(actual, withinPercentage(20));
        assertThat(actualOfBest / actual).isGreaterThan(0.4);
    }

    private Map<Integer, Customer> observed() {
        var customers = new TreeMap<Integer, Customer>();
        purchases.forEach((id, days) ->
                customers.put(id, Customer.ofDays(days.headMap(END.plusDays(1)), END)));
        return customers;
    }

    private SortedMap<LocalDate, Double> held(int customer) {
        return Objects.requireNonNull(purchases.get(customer)).tailMap(END.plusDays(1));
    }

    /** How far expectations are from the held-out purchases of each customer. */
    private final class Errors {
        final double expected;
        final int actual;
        final double absolute;
        final double rootSquared;

        Errors(Map<Integer, Customer> customers, ToDoubleFunction<PurchaseHistory> expectation) {
            double sum = 0;
            int bought = 0;
            double distance = 0;
            double squared = 0;
            for (var entry : customers.entrySet()) {
                double one = expectation.applyAsDouble(entry.getValue().history());
                int later = held(entry.getKey()).size();
                sum += one;
                bought += later;
                distance += Math.abs(one - later);
                squared += (one - later) * (one - later);
            }
            expected = sum;
            actual = bought;
            absolute = distance / customers.size();
            rootSquared = Math.sqrt(squared / customers.size());
        }
    }

    private static Customer of(Map<Integer, Customer> customers, double[] row) {
        return Objects.requireNonNull(customers.get((int) row[0]));
    }

    private static PurchaseHistory inWeeks(PurchaseHistory history) {
        return new PurchaseHistory(history.frequency(), history.recency() / 7, history.age() / 7);
    }

    private static List<double[]> reference(String file) throws IOException {
        return Files.readAllLines(cdnow(file)).stream()
                .skip(1)
                .map(line ->
                        List.of(line.strip().split(",")).stream()
                                .mapToDouble(Double::parseDouble)
                                .toArray())
                .toList();
    }

    private static Path cdnow(String file) {
        return Path.of(Objects.requireNonNull(System.getenv("MIRANTE_DATA")))
                .resolve("cdnow")
                .resolve(file);
    }
}
