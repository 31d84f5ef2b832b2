package io.mirante.etl.quality;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.etl.quality.QualityReport.Counted;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnitsTest {

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "kg | 12.5 | 12.5",
                "kg | 12,5 kg | 12.5",
                "kg | 0,125 kg | 0.125",
                "kg | -3kg | -3",
                "kg | 1 200 g | 1.2",
                "kg | 1 200,5 g | 1.2005",
                "kg | 1.200,5 g | 1.2005",
                "kg | 3 t | 3000",
                "kg | 10 lb | 4.5359237",
                "kg | 250 mg | 0.00025",
                "g | 0.3 kg | 300",
                "km | 1 500 m | 1.5",
                "m | 3 km | 3000",
                "cm | 2 in | 5.08",
                "h | 90 min | 1.5",
                "min | 2 h | 120",
                "l | 750 ml | 0.75",
                "l | 2 m3 | 2000",
                "°C | 98.6 °F | 37",
                "°C | 20 C | 20",
                "K | -273.15 °C | 0",
                "°F | 100 °C | 212",
                "% | 12,5 % | 12.5",
                "% | 5‰ | 0.5",
                "EUR | € 12.50 | 12.5",
                "EUR | -€12,50 | -12.5",
                "EUR | 12,50 € | 12.5",
                "EUR | 1 200 EUR | 1200",
                "USD | US$ 3 | 3",
                "BRL | R$ 1.234,50 | 1234.5",
                "kg | 1 200 | 1200",
            })
    void aValueBecomesANumberOfTheColumnsUnit(String unit, String text, double number)
            throws Exception {
        assertThat(values(unit, text))
                .singleElement(InstanceOfAssertFactories.DOUBLE)
                .isCloseTo(number, Offset.offset(1e-12 * Math.max(1, Math.abs(number))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "kg | 3 km",
                "kg | 3 stone",
                "kg | 3 Mg",
                "kg | 3 kg 2",
                "kg | kg",
                "kg | 1 20 g",
                "kg | 1.2.3 g",
                "kg | 12,500 g",
                "USD | $1,234",
                "kg | € 3",
                "m | 3 M",
                "EUR | $ 3",
                "EUR | 3 kg",
                "EUR | € 3 €",
                "EUR | 3 USD",
                "BRL | $ 3",
                "% | 3 kg",
            })
    void whatIsNotUnmistakableIsNoNumberAndReported(String unit, String text) throws Exception {
        assertThat(values(unit, text)).containsOnlyNulls();
        var report = report(unit, List.of("1", text));
        var types =
                report.raw().checks().stream()
                        .filter(check -> check.name().equals("data_types"))
                        .findFirst()
                        .orElseThrow();
        assertThat(types.status()).isEqualTo(Check.Status.FAIL);
        assertThat(types.failingRows()).isOne();
        assertThat(types.samples()).singleElement().asString().contains(text);
    }

    @Test
    void eachChangeIsCountedWithSamples() throws Exception {
        var changes =
                report("kg", List.of("1", "2 kg", "3 Kg", "1 200 g", "4 lb", "1 200", "5 km"))
                        .cleaning()
                        .changes();
        assertThat(changes)
                .containsEntry(
                        "unit kg taken from values: v",
                        new Counted(2, List.of("row 2: 2 kg", "row 3: 3 Kg")))
                .containsEntry(
                        "values of another unit made kg: v",
                        new Counted(2, List.of("row 4: 1 200 g", "row 5: 4 lb")))
                .containsEntry(
                        "spaces within numbers removed: v", new Counted(1, List.of("row 6: 1 200")))
                .containsEntry(
                        "values of another type made missing: v",
                        new Counted(1, List.of("row 7: 5 km")))
                .hasSize(4);
        assertThat(report("EUR", List.of("1", "€ 2", "$ 3")).cleaning().changes())
                .containsEntry(
                        "unit EUR taken from values: v", new Counted(1, List.of("row 2: € 2")));
    }

    @Test
    void aWholeNumberThatIsNoneInTheColumnsUnitIsReported() throws Exception {
        assertThat(values(ColumnType.INTEGER, "kg", "2000 g")).containsExactly(2.0);
        assertThat(values(ColumnType.INTEGER, "kg", "2500 g")).containsOnlyNulls();
    }

    @Test
    void aColumnWithoutAUnitTakesNone() throws Exception {
        assertThat(values(ColumnType.NUMBER, null, "3 kg")).containsOnlyNulls();
        assertThat(values(ColumnType.NUMBER, null, "1 200")).containsOnlyNulls();
    }

    @Test
    void onlyKnownUnitsAndCurrenciesCanBeKept() {
        for (var unit : List.of("kg", "°C", "%", "EUR", "BRL")) {
            assertThat(Units.refusal(unit)).isNull();
        }
        for (var unit : List.of("stone", "KG", "eur", "XYZ", "")) {
            assertThat(Units.refusal(unit)).contains("kg, t");
        }
    }

    private QualityReport report(String unit, List<String> texts) throws Exception {
        return TableCheck.run(
                new TableCheck.Order(
                        file(texts),
                        FileFormat.CSV,
                        shape(ColumnType.NUMBER, unit),
                        Thresholds.DEFAULT,
                        Instant.parse("2026-11-20T12:00:00Z"),
                        Map.of()),
                folder.resolve("report.duckdb"),
                (what, done) -> {});
    }

    private List<@Nullable Double> values(String unit, String text) throws Exception {
        return values(ColumnType.NUMBER, unit, text);
    }

    private List<@Nullable Double> values(ColumnType type, @Nullable String unit, String text)
            throws Exception {
        try (var tables = new Tables(folder.resolve("values.duckdb"))) {
            tables.read(file(List.of(text)), FileFormat.CSV);
            tables.clean(shape(type, unit));
            return numbers(tables);
        }
    }

    private static List<@Nullable Double> numbers(Tables tables) throws SQLException {
        var numbers = new ArrayList<@Nullable Double>();
        for (double number : tables.numbers("SELECT v FROM typed")) {
            numbers.add(Double.isNaN(number) ? null : number);
        }
        return numbers;
    }

    private Path file(List<String> texts) throws Exception {
        var csv = new StringBuilder("id,v\n");
        for (int i = 0; i < texts.size(); i++) {
            csv.append(i).append(",\"").append(texts.get(i)).append("\"\n");
        }
        return Files.writeString(folder.resolve("units.csv"), csv.toString());
    }

    private static TableShape shape(ColumnType type, @Nullable String unit) {
        return new TableShape(
                List.of(
                        TableShape.Column.of("id", ColumnType.INTEGER),
                        new TableShape.Column("v", type, false, null, null, List.of(), null, unit)),
                List.of(),
                null,
                null,
                List.of(),
                false);
    }
}
