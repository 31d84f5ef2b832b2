package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.mirante.etl.quality.ColumnType;
import io.mirante.etl.quality.EventMapping;
import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.quality.TableCheck;
import io.mirante.etl.quality.TableShape;
import io.mirante.etl.quality.TableShape.Column;
import io.mirante.etl.quality.TableShape.Rule;
import io.mirante.etl.quality.Tables;
import io.mirante.etl.quality.Thresholds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Features of public tables beside what others have computed of them. */
@Tag("realdata")
class ReferenceFeaturesTest {

    @TempDir Path folder;

    @Test
    void onlineRetailGivesTheReferenceRfm() throws Exception {
        var moment = Instant.parse("2011-12-10T00:00:00Z");
        var order = order(data("online-retail/online_retail.csv.gz"), retail(), moment);
        try (var check = TableCheck.open(order, folder.resolve("run"), (what, done) -> {})) {
            var tables = check.tables();
            assertThat(tables.events(Objects.requireNonNull(check.shape().events()))).isZero();
            var population =
                    BatchFeatures.make(
                            tables.connection(), Tables.EVENTS, "user_id", moment, "GBP", null);
            assertThat(population.buyers()).isEqualTo(4_338);
            var found =
                    numbers(
                            tables,
                            """
                            SELECT sum(monetary), sum(orders),
                                avg(date_diff('day', TIMESTAMPTZ '2011-12-10' - to_seconds(recency_days * 86400), TIMESTAMPTZ '2011-12-10')),
                                median(date_diff('day', TIMESTAMPTZ '2011-12-10' - to_seconds(recency_days * 86400), TIMESTAMPTZ '2011-12-10')),
                                avg(orders), median(orders), max(orders), avg(monetary), median(monetary), max(monetary)
                            FROM features\
                            """);
            assertThat(found.get(0)).isCloseTo(8_911_407.904, within(0.001));
            assertThat(found.get(1)).isEqualTo(18_532);
            assertThat(found.get(2)).as("recency").isCloseTo(93.06, within(0.005));
            assertThat(found.get(3)).isEqualTo(51);
            assertThat(found.get(4)).as("frequency").isCloseTo(4.27, within(0.005));
            assertThat(found.get(5)).isEqualTo(2);
            assertThat(found.get(6)).isEqualTo(209);
            assertThat(found.get(7)).as("monetary").isCloseTo(2_054.27, within(0.005));
            assertThat(found.get(8)).isCloseTo(674.48, within(0.011));
            assertThat(found.get(9)).isCloseTo(280_206.02, within(0.005));
            var part = check.checked(BatchFeatures.TABLE, BatchFeatures.ofTable(), Map.of());
            assertThat(part.critical()).isEmpty();
            assertThat(part.rows()).isEqualTo(4_338);
        }
    }

    @Test
    void cdnowGivesThePublishedModelAndTheReferenceHistories() throws Exception {
        var lines = new ArrayList<String>(List.of("customer,day,discs,dollars"));
        for (var line : Files.readAllLines(data("cdnow/CDNOW_sample.txt"))) {
            var field = line.strip().split("\\s+");
            lines.add(String.join(",", field[1], field[2], field[3], field[4]));
        }
        var file = Files.write(folder.resolve("cdnow.csv"), lines);
        var moment = Instant.parse("1997-10-01T00:00:00Z");
        try (var check =
                TableCheck.open(
                        order(file, cdnow(), moment), folder.resolve("run"), (what, done) -> {})) {
            var tables = check.tables();
            assertThat(check.report().cleaning().kept()).isEqualTo(6_919);
            tables.events(Objects.requireNonNull(check.shape().events()));
            var population =
                    BatchFeatures.make(
                            tables.connection(), Tables.EVENTS, "user_id", moment, "USD", null);
            assertThat(population.buyers()).isEqualTo(2_357);
            var lifetime = Objects.requireNonNull(population.lifetime());
            assertThat(lifetime.purchases().r()).isCloseTo(0.243, withinPercentage(1));
            assertThat(lifetime.purchases().alpha()).isCloseTo(4.414, withinPercentage(1));
            assertThat(lifetime.purchases().a()).isCloseTo(0.793, withinPercentage(1));
            assertThat(lifetime.purchases().b()).isCloseTo(2.426, withinPercentage(1));
            assertThat(lifetime.values().p()).isCloseTo(6.25, withinPercentage(1));
            assertThat(lifetime.values().q()).isCloseTo(3.74, withinPercentage(1));
            assertThat(lifetime.values().v()).isCloseTo(15.44, withinPercentage(1));
            var summary = Files.readAllLines(data("cdnow/cdnow_customers_summary.csv"));
            assertThat(summary).hasSize(2_358);
            for (var line : summary.subList(1, summary.size())) {
                var field = line.split(",");
                var found =
                        numbers(
                                tables,
                                "SELECT repeat_purchases, age_at_last_purchase_weeks, customer_age_weeks FROM features WHERE user_id::int = "
                                        + field[0]);
                for (int i = 0; i < 3; i++) {
                    assertThat(found.get(i))
                            .as(line)
                            .isCloseTo(Double.parseDouble(field[i + 1]), within(0.006));
                }
            }
        }
    }

    private static TableShape retail() {
        return new TableShape(
                List.of(
                        Column.required("InvoiceNo", ColumnType.TEXT),
                        new Column(
                                "Quantity", ColumnType.INTEGER, true, 1.0, null, List.of(), null),
                        Column.required("InvoiceDate", ColumnType.TIMESTAMP),
                        new Column(
                                "UnitPrice",
                                ColumnType.NUMBER,
                                true,
                                Double.MIN_VALUE,
                                null,
                                List.of(),
                                null),
                        Column.required("CustomerID", ColumnType.INTEGER)),
                List.of(),
                "InvoiceDate",
                null,
                List.of(new Rule("not cancelled", "NOT starts_with(InvoiceNo, 'C')")),
                false,
                new EventMapping(
                        "CustomerID",
                        "InvoiceDate",
                        "=purchase",
                        "Quantity * UnitPrice",
                        null,
                        null,
                        null,
                        null,
                        null,
                        "InvoiceNo",
                        null));
    }

    private static TableShape cdnow() {
        return new TableShape(
                List.of(
                        Column.required("customer", ColumnType.TEXT),
                        Column.required("day", ColumnType.TIMESTAMP),
                        Column.required("dollars", ColumnType.NUMBER)),
                List.of(),
                "day",
                null,
                List.of(),
                false,
                new EventMapping(
                        "customer",
                        "day",
                        "=purchase",
                        "dollars",
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null));
    }

    private static TableCheck.Order order(Path file, TableShape shape, Instant moment) {
        return new TableCheck.Order(
                file, FileFormat.CSV, shape, Thresholds.DEFAULT, moment, Map.of());
    }

    private static Path data(String name) {
        return Path.of(Objects.requireNonNull(System.getenv("MIRANTE_DATA"))).resolve(name);
    }

    private static List<Double> numbers(Tables tables, String sql) throws SQLException {
        try (var statement = tables.connection().createStatement();
                var row = statement.executeQuery(sql)) {
            assertThat(row.next()).isTrue();
            var numbers = new ArrayList<Double>();
            for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                numbers.add(row.getDouble(i));
            }
            return numbers;
        }
    }
}
