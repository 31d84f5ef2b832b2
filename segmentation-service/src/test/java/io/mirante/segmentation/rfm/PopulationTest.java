package io.mirante.segmentation.rfm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.etl.RfmSegment;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PopulationTest {

    private static final LocalDate AT = LocalDate.parse("2026-11-20");

    @Test
    void tenDifferentBuyersFallIntoFiveEqualParts() {
        var buyers =
                IntStream.rangeClosed(1, 10)
                        .mapToObj(i ->
                                new Purchases("u" + i, AT.minusDays(i), i, BigDecimal.valueOf(i)))
                        .toList();

        var population = Population.of(AT, buyers);

        assertThat(population.of("u1")).extracting(Rfm::r, Rfm::f, Rfm::m).containsExactly(5, 1, 1);
        assertThat(population.of("u2")).extracting(Rfm::r, Rfm::f, Rfm::m).containsExactly(5, 1, 1);
        assertThat(population.of("u3")).extracting(Rfm::r, Rfm::f, Rfm::m).containsExactly(4, 2, 2);
        assertThat(population.of("u10"))
                .extracting(Rfm::r, Rfm::f, Rfm::m)
                .containsExactly(1, 5, 5);
        assertThat(population.of("stranger")).isNull();
    }

    @Test
    void scoresAreOnePlusTheBoundariesAValueIsAboveAsCountedByHand() {
        var random = new SplittableRandom(8);
        var buyers = new ArrayList<Purchases>();
        for (int i = 0; i < 337; i++) {
            buyers.add(
                    new Purchases(
                            "u" + i,
                            AT.minusDays(random.nextInt(200)),
                            1 + random.nextInt(6),
                            BigDecimal.valueOf(random.nextInt(20_000), 2)));
        }

        var population = Population.of(AT, buyers);

        for (var buyer : buyers) {
            var rfm = population.of(buyer.userId());
            long days = buyer.lastDay().until(AT, java.time.temporal.ChronoUnit.DAYS);
            assertThat(rfm.recencyDays()).isEqualTo(days);
            assertThat(rfm.f())
                    .isEqualTo(
                            byHand(
                                    buyer.days(),
                                    buyers.stream().map(b -> (double) b.days()).toList()));
            assertThat(rfm.m())
                    .isEqualTo(
                            byHand(
                                    buyer.amount().doubleValue(),
                                    buyers.stream().map(b -> b.amount().doubleValue()).toList()));
            assertThat(rfm.r())
                    .isEqualTo(
                            6
                                    - byHand(
                                            days,
                                            buyers.stream()
                                                    .map(b ->
                                                            (double)
                                                                    b.lastDay()
                                                                            .until(
                                                                                    AT,
                                                                                    java.time
                                                                                            .temporal
                                                                                            .ChronoUnit
                                                                                            .DAYS))
                                                    .toList()));
        }
        assertThat(population.sizes().values().stream().mapToInt(i -> i).sum()).isEqualTo(337);
    }

    /** The smallest k such that at least k fifths of all values are as large: written differently on purpose. */
    private static int byHand(double value, List<Double> all) {
        var sorted = all.stream().sorted().toList();
        int score = 1;
        for (int fifth = 1; fifth <= 4; fifth++) {
            double boundary = sorted.get((int) Math.ceil(fifth * sorted.size() / 5.0) - 1);
            if (value > boundary) {
                score = fifth + 1;
            }
        }
        return score;
    }

    @Test
    void aSingleBuyerAndEqualBuyersShareTheirScores() {
        var one = Population.of(AT, List.of(new Purchases("u", AT, 1, BigDecimal.ZERO)));
        assertThat(one.of("u")).extracting(Rfm::r, Rfm::f, Rfm::m).containsExactly(5, 1, 1);

        var many =
                Population.of(
                        AT,
                        IntStream.range(0, 50)
                                .mapToObj(i -> new Purchases("u" + i, AT, 2, BigDecimal.TEN))
                                .toList());
        assertThat(many.users(RfmSegment.NEW, null, 100)).hasSize(50);
        assertThat(Population.of(AT, List.of()).size()).isZero();
    }

    @Test
    void everyPairOfScoresHasASegmentAndAllTenOccur() {
        var seen = new HashSet<RfmSegment>();
        for (int r = 1; r <= 5; r++) {
            for (int f = 1; f <= 5; f++) {
                seen.add(RfmSegment.of(r, f));
            }
        }
        assertThat(seen).hasSize(10);
        assertThat(RfmSegment.of(5, 5)).isEqualTo(RfmSegment.CHAMPIONS);
        assertThat(RfmSegment.of(1, 5)).isEqualTo(RfmSegment.CANNOT_LOSE);
        assertThat(RfmSegment.of(2, 1)).isEqualTo(RfmSegment.HIBERNATING);
        assertThatThrownBy(() -> RfmSegment.of(0, 3)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> RfmSegment.of(3, 6)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void listsASegmentsUsersPageByPage() {
        var population =
                Population.of(
                        AT,
                        List.of(
                                new Purchases("a", AT, 1, BigDecimal.ONE),
                                new Purchases("b", AT, 1, BigDecimal.ONE),
                                new Purchases("c", AT, 1, BigDecimal.ONE)));

        assertThat(population.users(RfmSegment.NEW, null, 2)).containsExactly("a", "b");
        assertThat(population.users(RfmSegment.NEW, "b", 2)).containsExactly("c");
        assertThat(population.users(RfmSegment.LOYAL, null, 2)).isEmpty();
    }
}
