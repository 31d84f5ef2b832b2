package io.mirante.etl.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SortedNumbersTest {

    @TempDir Path folder;

    @Test
    void ranksAndDistancesAreThoseOfACount() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            var values = new double[1 + random.nextInt(40)];
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextInt(2 + round % 30) - 5;
            }
            Arrays.sort(values);
            var sorted = SortedNumbers.of(values);
            double median = sorted.quantile(0.5);
            var what = "seed %d: %s".formatted(seed, Arrays.toString(values));
            var distances = Arrays.stream(values).map(v -> Math.abs(v - median)).sorted().toArray();
            int half = values.length / 2;
            assertThat(sorted.medianDistance(median))
                    .as(what)
                    .isEqualTo(
                            values.length % 2 == 1
                                    ? distances[half]
                                    : (distances[half - 1] + distances[half]) / 2);
            double low = median - random.nextInt(6);
            double high = median + random.nextInt(6);
            double scale = random.nextInt(3);
            assertThat(sorted.beyond(low, high, median, scale, 3.5))
                    .as(what)
                    .isEqualTo(
                            new SortedNumbers.Beyond(
                                    count(
                                            values,
                                            v -> (v < low || v > high) && isFar(v, median, scale)),
                                    count(values, v -> v < low || v > high),
                                    count(values, v -> isFar(v, median, scale))));
        }
    }

    private static boolean isFar(double value, double median, double scale) {
        return scale == 0 || scale * Math.abs(value - median) > 3.5;
    }

    private static long count(double[] values, java.util.function.DoublePredicate condition) {
        return Arrays.stream(values).filter(condition).count();
    }

    @Test
    void aColumnThatIsNotHeldSaysTheSameAsDuckDbAndAsOneThatIs() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var lines = new ArrayList<>(List.of("id,few,many"));
        for (int i = 0; i < 1_000; i++) {
            lines.add(
                    "%d,%s,%s"
                            .formatted(
                                    i,
                                    random.nextInt(5) == 0 ? "" : random.nextInt(7),
                                    random.nextGaussian() * (random.nextInt(50) == 0 ? 30 : 1)));
        }
        var file = Files.write(folder.resolve("rows.csv"), lines);
        var columns =
                List.of(
                        new TableShape.Column(
                                "few", ColumnType.INTEGER, false, 1.0, 5.0, List.of(), null),
                        TableShape.Column.of("many", ColumnType.NUMBER));
        try (var tables = new Tables(folder.resolve("run.duckdb"))) {
            tables.read(file, FileFormat.CSV);
            tables.clean(new TableShape(columns, List.of(), null, null, List.of(), false));
            var baseline =
                    Map.of(
                            "many",
                            new ColumnProfile(
                                    "number",
                                    0,
                                    3,
                                    null,
                                    null,
                                    List.of(-1.0, 0.0, 0.0, 2.0),
                                    List.of()));
            var held = tables.numbersOf(Tables.TYPED, 1_000, columns, baseline, 5_000);
            for (int at : new int[] {1, 7, 800}) {
                assertThat(tables.numbersOf(Tables.TYPED, 1_000, columns, baseline, at))
                        .as("seed %d, %d held", seed, at)
                        .usingRecursiveComparison()
                        .isEqualTo(held);
            }
            for (var column : columns) {
                var of = held.get(column.name());
                var measured =
                        tables.numbers(
                                """
                                SELECT count(%1$s), avg(%1$s), stddev_samp(%1$s), median(%1$s), mad(%1$s::double),
                                    quantile_cont(%1$s, 0.25), quantile_cont(%1$s, 0.75), count(DISTINCT %1$s),
                                    quantile_disc(%1$s, 0.37), count(*) FILTER (WHERE %1$s NOT BETWEEN 1 AND 5) FROM typed\
                                """
                                        .formatted(column.name()));
                assertThat((double) of.given()).isEqualTo(measured[0]);
                assertThat(of.mean()).isCloseTo(measured[1], within(1e-9));
                assertThat(of.std()).isCloseTo(measured[2], within(1e-9));
                assertThat(of.median()).isEqualTo(measured[3]);
                assertThat(of.deviation()).isCloseTo(measured[4], within(1e-12));
                double spread = measured[6] - measured[5];
                assertThat(of.low()).isCloseTo(measured[5] - 1.5 * spread, within(1e-9));
                assertThat(of.high()).isCloseTo(measured[6] + 1.5 * spread, within(1e-9));
                assertThat((double) of.different().count()).isEqualTo(measured[7]);
                assertThat(of.quantiles().get(37)).isEqualTo(measured[8]);
                assertThat((double) of.outside())
                        .isEqualTo(column.name().equals("few") ? measured[9] : 0);
            }
            assertThat(
                            held.get("few").different().most().stream()
                                    .map(SortedNumbers.Counted::value))
                    .as("seed %d", seed)
                    .containsExactlyElementsOf(
                            tables
                                    .texts(
                                            "SELECT few FROM typed WHERE few IS NOT NULL GROUP BY few ORDER BY count(*) DESC, few LIMIT 10")
                                    .stream()
                                    .map(Double::valueOf)
                                    .toList());
        }
    }

    @Test
    void correlationInPartsIsThatOfDuckDb() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var lines = new ArrayList<>(List.of("a,b,c"));
        for (int i = 0; i < 500; i++) {
            double a = 1e6 + random.nextGaussian();
            lines.add(
                    "%s,%s,%s"
                            .formatted(
                                    random.nextInt(4) == 0 ? "" : a,
                                    random.nextInt(4) == 0 ? "" : a + random.nextGaussian(),
                                    7));
        }
        var file = Files.write(folder.resolve("rows.csv"), lines);
        try (var tables = new Tables(folder.resolve("run.duckdb"))) {
            tables.read(file, FileFormat.CSV);
            tables.clean(tables.guess());
            var correlation = new Correlation(3);
            for (int from = 0; from < 500; from += 70) {
                correlation.add(
                        tables.columns(
                                "SELECT a, b, c::double FROM typed WHERE _row > %d AND _row <= %d"
                                        .formatted(from, from + 70),
                                1));
            }
            assertThat(correlation.of(0, 1))
                    .as("seed %d", seed)
                    .isEqualTo(correlation.of(1, 0))
                    .isCloseTo(tables.number("SELECT corr(a, b) FROM typed"), within(1e-9));
            assertThat(correlation.of(0, 2)).isZero();
        }
    }
}
