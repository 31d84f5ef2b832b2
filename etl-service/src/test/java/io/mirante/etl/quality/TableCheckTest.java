package io.mirante.etl.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableCheckTest {
    private static final int ROWS = 10_000;
    private static final Instant REFERENCE = Transactions.NEWEST.plus(Duration.ofHours(2));

    /** Transactions with everything that the checks look at. */
    private static final TableShape STRICT =
            new TableShape(
                    List.of(
                            TableShape.Column.required("transaction_id", ColumnType.TEXT),
                            TableShape.Column.required("user_id", ColumnType.TEXT),
                            new TableShape.Column(
                                    "amount", ColumnType.NUMBER, true, 0.0, null, List.of(), null),
                            new TableShape.Column(
                                    "transaction_type",
                                    ColumnType.TEXT,
                                    false,
                                    null,
                                    null,
                                    List.of("deposit", "bet"),
                                    null),
                            TableShape.Column.of("status", ColumnType.TEXT),
                            TableShape.Column.required("created_at", ColumnType.TIMESTAMP)),
                    List.of("transaction_id"),
                    "created_at",
                    null,
                    List.of(
                            new TableShape.Rule(
                                    "bets are settled or pending",
                                    "transaction_type <> 'bet' OR status IN ('completed', 'pending')")),
                    false);

    @TempDir Path folder;

    @Test
    void cleanTransactionsNeedNoDescriptionAndPassEverything() throws Exception {
        var report = check(Transactions.of(ROWS, 1), null, Map.of());

        assertThat(report.cleaning().rows()).isEqualTo(ROWS);
        assertThat(report.cleaning().kept()).isEqualTo(ROWS);
        assertThat(report.cleaning().rejected()).isEmpty();
        assertThat(report.cleaning().changes()).isEmpty();
        assertThat(report.raw().checks())
                .extracting(Check::name)
                .containsExactly(
                        "completeness",
                        "primary_key_integrity",
                        "freshness",
                        "duplicates",
                        "outliers",
                        "data_types",
                        "business_rules",
                        "value_ranges",
                        "statistical_distribution",
                        "feature_correlation",
                        "ml_readiness");
        for (var part : List.of(report.raw(), report.transformed())) {
            assertThat(part.checks())
                    .allSatisfy(check -> assertThat(check.status()).isEqualTo(Check.Status.PASS));
            assertThat(part.score()).isEqualTo(1);
            assertThat(part.grade()).isEqualTo("A");
        }
        var amount = Objects.requireNonNull(report.raw().profile().get("amount"));
        assertThat(amount.mean()).isCloseTo(100, within(1.0));
        assertThat(amount.std()).isCloseTo(15, within(0.5));
        assertThat(amount.quantiles()).hasSize(101);
        assertThat(amount.quantiles().get(50)).isCloseTo(100, within(1.0));
    }

    /** What is planted, and which check has to find it with exactly these rows. */
    static Stream<Arguments> corruptions() {
        return Stream.of(
                Arguments.of("completeness", spoil(row -> row[1] = "")),
                Arguments.of("completeness", spoil(row -> row[1] = " NULL ")),
                Arguments.of("data_types", spoil(row -> row[2] = "many")),
                Arguments.of("data_types", spoil(row -> row[5] = "yesterday")),
                Arguments.of(
                        "business_rules",
                        spoil(row -> {
                            row[3] = "bet";
                            row[4] = "lost";
                        })),
                Arguments.of("value_ranges", spoil(row -> row[2] = "-5.00")),
                Arguments.of("value_ranges", spoil(row -> row[3] = "gift")),
                Arguments.of("freshness", spoil(row -> row[5] = "2027-01-01T00:00:00Z")));
    }

    private static Consumer<String[]> spoil(Consumer<String[]> change) {
        return change;
    }

    @ParameterizedTest
    @MethodSource("corruptions")
    void whatIsSpoiledIsFoundRowByRowAndNothingOfItIsLeft(String name, Consumer<String[]> change)
            throws Exception {
        for (int every : List.of(1_000, 100, 20)) {
            var rows = Transactions.of(ROWS, 2);
            for (int i = 0; i < ROWS; i += every) {
                change.accept(rows.rows.get(i));
            }
            var report = check(rows, STRICT, Map.of());
            int planted = ROWS / every;

            assertThat(named(report.raw(), name).failingRows())
                    .as("%s of %d", name, planted)
                    .isEqualTo(planted);
            assertThat(named(report.raw(), name).samples()).isNotEmpty();
            if (!name.equals("freshness")) {
                assertThat(report.cleaning().kept()).isEqualTo(ROWS - planted);
                assertThat(report.cleaning().rejected().values())
                        .anySatisfy(counted -> assertThat(counted.count()).isEqualTo(planted));
                assertThat(named(report.transformed(), name).failingRows()).isZero();
            }
            if (every == 20 && !List.of("freshness", "completeness").contains(name)) {
                assertThat(named(report.raw(), name).status()).isNotEqualTo(Check.Status.PASS);
                assertThat(named(report.raw(), name).advice()).isNotEmpty();
            }
        }
    }

    @Test
    void aKeyGivenTwiceFailsTheRawTableAndKeepsItsFirstRow() throws Exception {
        var rows = Transactions.of(ROWS, 3);
        for (int i = 1; i < ROWS; i += 100) {
            Objects.requireNonNull(rows.rows.get(i))[0] = rows.rows.get(i - 1)[0];
        }
        var report = check(rows, STRICT, Map.of());

        var raw = named(report.raw(), "primary_key_integrity");
        assertThat(raw.failingRows()).isEqualTo(100);
        assertThat(raw.value()).isEqualTo(0.99);
        assertThat(raw.status()).isEqualTo(Check.Status.FAIL);
        assertThat(report.raw().critical()).containsExactly("primary_key_integrity");
        assertThat(report.transformed().critical()).isEmpty();
        assertThat(report.cleaning().rejected().get("duplicate key").count()).isEqualTo(100);
        assertThat(report.cleaning().rejected().get("duplicate key").samples())
                .first()
                .isEqualTo("row 2");
    }

    @Test
    void equalRowsWithoutAKeyAreReportedAndDroppedOnRequestAlone() throws Exception {
        var rows = Transactions.of(1_000, 4);
        rows.rows.addAll(rows.rows.subList(0, 50).stream().map(String[]::clone).toList());
        var kept = check(rows, without(STRICT, false), Map.of());
        assertThat(named(kept.raw(), "duplicates").failingRows()).isEqualTo(50);
        assertThat(named(kept.raw(), "duplicates").status()).isEqualTo(Check.Status.FAIL);
        assertThat(kept.cleaning().kept()).isEqualTo(1_050);

        var dropped = check(rows, without(STRICT, true), Map.of());
        assertThat(dropped.cleaning().kept()).isEqualTo(1_000);
        assertThat(dropped.cleaning().rejected().get("equal row").count()).isEqualTo(50);
        assertThat(named(dropped.transformed(), "duplicates").failingRows()).isZero();
    }

    @Test
    void amountsFarFromTheOthersAreOutliers() throws Exception {
        var rows = Transactions.of(ROWS, 5);
        for (int i = 0; i < ROWS; i += 10) {
            Objects.requireNonNull(rows.rows.get(i))[2] = "9000.00";
        }
        var outliers = named(check(rows, STRICT, Map.of()).raw(), "outliers");
        assertThat(outliers.status()).isEqualTo(Check.Status.WARN);
        assertThat(outliers.value()).isCloseTo(0.1, within(0.01));
        assertThat(outliers.samples().getFirst()).isEqualTo("row 1: amount = 9000.0");
    }

    @Test
    void datesFromLongAgoAreNotFresh() throws Exception {
        var rows = Transactions.of(100, 6);
        var report =
                TableCheck.run(
                        order(
                                rows.write(folder.resolve("old.csv")),
                                null,
                                Transactions.NEWEST.plus(Duration.ofHours(30)),
                                Map.of()),
                        folder.resolve("old.duckdb"),
                        (what, done) -> {});
        var freshness = named(report.raw(), "freshness");
        assertThat(freshness.value()).isCloseTo(30, within(0.01));
        assertThat(freshness.status()).isEqualTo(Check.Status.FAIL);
    }

    @Test
    void anotherDistributionThanInTheLastGoodRunIsFound() throws Exception {
        var baseline = check(Transactions.of(ROWS, 7), STRICT, Map.of()).transformed().profile();
        var same =
                named(
                        check(Transactions.of(ROWS, 8), STRICT, baseline).raw(),
                        "statistical_distribution");
        assertThat(same.value()).isLessThan(0.05);
        assertThat(same.status()).isEqualTo(Check.Status.PASS);

        var shifted = Transactions.of(ROWS, 8);
        shifted.rows.forEach(row -> row[2] = "%.2f".formatted(Double.parseDouble(row[2]) + 20));
        var other = named(check(shifted, STRICT, baseline).raw(), "statistical_distribution");
        // N(100, 15) against N(120, 15): the index is (20/15)² = 1.78 without bins.
        assertThat(other.value()).isBetween(1.2, 2.2);
        assertThat(other.status()).isEqualTo(Check.Status.WARN);
        assertThat(other.details().getFirst()).contains("Kolmogorov-Smirnov 0.4");
    }

    @Test
    void columnsThatSayTheSameAndColumnsThatKnowTheLabelAreNamed() throws Exception {
        var lines = new ArrayList<String>(List.of("a,b,c,constant,leak,churned"));
        var random = new java.util.Random(9);
        for (int i = 0; i < 2_000; i++) {
            double a = random.nextGaussian();
            double c = random.nextGaussian();
            int churned = random.nextInt(4) == 0 ? 1 : 0;
            lines.add(
                    "%s,%s,%s,1,%s,%d"
                            .formatted(
                                    a,
                                    2 * a + 0.01 * random.nextGaussian(),
                                    c,
                                    churned * 3,
                                    churned));
        }
        var file = Files.write(folder.resolve("model.csv"), lines);
        var columns =
                Stream.of("a", "b", "c", "constant", "leak", "churned")
                        .map(name -> TableShape.Column.of(name, ColumnType.NUMBER))
                        .toList();
        var report =
                TableCheck.run(
                        order(
                                file,
                                new TableShape(
                                        columns, List.of(), null, "churned", List.of(), false),
                                REFERENCE,
                                Map.of()),
                        folder.resolve("model.duckdb"),
                        (what, done) -> {});
        var correlation = named(report.raw(), "feature_correlation");
        assertThat(correlation.status()).isEqualTo(Check.Status.WARN);
        assertThat(correlation.details()).anyMatch(d -> d.startsWith("a and b: 1.000"));
        assertThat(correlation.details()).anyMatch(d -> d.contains("variance inflation factor"));
        var readiness = named(report.raw(), "ml_readiness");
        assertThat(readiness.status()).isEqualTo(Check.Status.FAIL);
        assertThat(readiness.value()).isEqualTo(0.6);
        assertThat(readiness.details())
                .anyMatch(d -> d.startsWith("constant: has one value"))
                .anyMatch(d -> d.startsWith("leak: knows the label"));
    }

    @Test
    void valuesAreReadAsPeopleWriteThemAndEachChangeIsCounted() throws Exception {
        var file =
                Files.writeString(
                        folder.resolve("written.csv"),
                        """
                        transaction_id,user_id,amount,transaction_type,status,created_at
                        t1, ana ,"1.234,50",bet,completed,20/11/2026 10:00
                        t2,bob,"7,5",N/A,completed,2026-11-20T10:00:00-03:00
                        """);
        var cleaning = check(file, null).cleaning();
        assertThat(cleaning.kept()).isEqualTo(2);
        assertThat(cleaning.rejected()).isEmpty();
        assertThat(cleaning.changes().keySet())
                .containsExactlyInAnyOrder(
                        "space around values removed: user_id",
                        "decimal commas read: amount",
                        "empty values and words for nothing made missing: transaction_type",
                        "times of another form read: created_at");
        assertThat(cleaning.changes().get("decimal commas read: amount"))
                .isEqualTo(new QualityReport.Counted(2, List.of("row 1: 1.234,50", "row 2: 7,5")));
    }

    @Test
    void severalFilesAreOneTableAndLinesOfOneNumberAreNotTheSame() throws Exception {
        var first = Files.writeString(folder.resolve("1.csv"), "a,b\n1,x\nbroken\n2,y\n");
        var second = Files.writeString(folder.resolve("2.csv"), "B,c\nz,3\nbroken\n");
        var report =
                TableCheck.run(
                        new TableCheck.Order(
                                List.of(first, second),
                                FileFormat.CSV,
                                null,
                                Thresholds.DEFAULT,
                                REFERENCE,
                                Map.of()),
                        folder.resolve("several.duckdb"),
                        (what, done) -> {});
        assertThat(report.cleaning().rows()).isEqualTo(5);
        assertThat(report.cleaning().kept()).isEqualTo(3);
        assertThat(report.cleaning().rejected().get("unreadable line").count()).isEqualTo(2);
        assertThat(report.raw().profile().keySet()).containsExactly("a", "b", "c");
        assertThat(report.raw().profile().get("b").distinct()).isEqualTo(3);
        assertThat(report.raw().profile().get("c").missing()).isEqualTo(2);
    }

    @Test
    void linesThatAreNoRowsAreCountedAndNamed() throws Exception {
        var file =
                Files.writeString(
                        folder.resolve("broken.csv"),
                        """
                        transaction_id,user_id,amount,transaction_type,status,created_at
                        t1,ana,1,bet,completed,2026-11-20T10:00:00Z
                        t2,too,few
                        t3,bob,1,bet,completed,2026-11-20T10:00:00Z
                        """);
        var cleaning = check(file, null).cleaning();
        assertThat(cleaning.rows()).isEqualTo(3);
        assertThat(cleaning.kept()).isEqualTo(2);
        assertThat(cleaning.rejected().get("unreadable line").count()).isEqualTo(1);
        assertThat(cleaning.rejected().get("unreadable line").samples().getFirst())
                .startsWith("line 3: ");
    }

    @Test
    void otherFormatsAreReadAsWell() throws Exception {
        var ndjson =
                Files.writeString(
                        folder.resolve("a.ndjson"),
                        """
                        {"x": 1.5, "y": "a"}
                        {"x": 2, "y": null}
                        """);
        assertThat(check(ndjson, FileFormat.NDJSON, null).cleaning().kept()).isEqualTo(2);
        var json =
                Files.writeString(folder.resolve("a.json"), "[{\"x\": 1}, {\"x\": 2}, {\"x\": 3}]");
        assertThat(check(json, FileFormat.JSON, null).cleaning().kept()).isEqualTo(3);
        var packed = folder.resolve("a.csv.gz");
        try (var out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write("x,y\n1,2\n3,4\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        assertThat(check(packed, null).cleaning().kept()).isEqualTo(2);
    }

    @Test
    void parquetWithTypesOfItsOwnSaysTheSameAsTheTextsItCouldBe() throws Exception {
        var rows =
                """
                SELECT CASE WHEN i = 7 THEN 't6' ELSE 't' || i END AS transaction_id,
                    CASE WHEN i = 8 THEN ' ana ' WHEN i = 9 THEN 'n/a' ELSE 'u' || i %% 50 END AS user_id,
                    %s AS amount, 'deposit' AS transaction_type, 'completed' AS status,
                    CASE WHEN i = 12 THEN NULL ELSE TIMESTAMP '2026-11-20 10:00:00' + to_seconds(i) END AS created_at
                FROM range(1000) t(i)\
                """;
        var amount = "CASE WHEN i = 10 THEN -1.5 WHEN i = 11 THEN NULL ELSE i / 8 END::double";
        var infinite = "CASE WHEN i = 13 THEN 'infinity'::double ELSE %s END".formatted(amount);
        var decimal = "CAST(%s AS DECIMAL(9, 3))".formatted(amount);
        for (var of : List.of(amount, infinite, decimal)) {
            var parquet = written(rows.formatted(of), "typed.parquet", "parquet");
            var csv = written(rows.formatted(of), "typed.csv", "csv");
            var typed = check(parquet, FileFormat.PARQUET, STRICT);
            var text = check(csv, FileFormat.CSV, STRICT);
            assertThat(typed.cleaning()).isEqualTo(text.cleaning());
            assertThat(typed.cleaning().kept()).isEqualTo(of.equals(infinite) ? 994 : 995);
            assertThat(typed.raw()).isEqualTo(text.raw());
            assertThat(typed.transformed()).isEqualTo(text.transformed());
        }
    }

    @Test
    void parquetFilesThatDisagreeOnATypeAreOneTable() throws Exception {
        var first = written("SELECT 1 AS a, 2.5::double AS b", "1.parquet", "parquet");
        var second =
                written("SELECT 'x' AS a, 3.5::double AS b, true AS c", "2.parquet", "parquet");
        var report =
                TableCheck.run(
                        new TableCheck.Order(
                                List.of(first, second),
                                FileFormat.PARQUET,
                                null,
                                Thresholds.DEFAULT,
                                REFERENCE,
                                Map.of()),
                        folder.resolve("several.duckdb"),
                        (what, done) -> {});
        assertThat(report.cleaning().kept()).isEqualTo(2);
        assertThat(report.raw().profile().get("a").distinct()).isEqualTo(2);
        assertThat(report.raw().profile().get("b").mean()).isEqualTo(3);
        assertThat(report.raw().profile().get("c").missing()).isEqualTo(1);
    }

    @Test
    void aColumnCalledAsDuckDbCallsRowsIsAColumnLikeOthers() throws Exception {
        var file = Files.writeString(folder.resolve("x.csv"), "rowid,y\n7,2\n5, 3\n5,many\n");
        var columns =
                List.of(
                        TableShape.Column.of("rowid", ColumnType.INTEGER),
                        TableShape.Column.required("y", ColumnType.NUMBER));
        var report =
                check(
                        file,
                        FileFormat.CSV,
                        new TableShape(columns, List.of("rowid"), null, null, List.of(), false));
        assertThat(report.cleaning().kept()).isEqualTo(2);
        assertThat(report.cleaning().changes())
                .containsEntry(
                        "space around values removed: y",
                        new QualityReport.Counted(1, List.of("row 2:  3")));
        assertThat(report.cleaning().rejected())
                .containsEntry("type of y", new QualityReport.Counted(1, List.of("row 3")))
                .containsEntry("duplicate key", new QualityReport.Counted(1, List.of("row 3")));
    }

    @Test
    void correlationsOfManyValuesAreThoseOfARowInSeveralAndTheReportSaysSo() throws Exception {
        var columns = new StringBuilder("SELECT random() AS c0");
        for (int i = 1; i < 60; i++) {
            columns.append(", random() AS c").append(i);
        }
        var file =
                written(
                        "SELECT *, c0 + c1 / 100 AS again FROM (%s FROM range(40000))"
                                .formatted(columns),
                        "wide.parquet",
                        "parquet");
        var names = IntStream.range(0, 60).mapToObj(i -> "c" + i);
        var shape =
                new TableShape(
                        Stream.concat(names, Stream.of("again"))
                                .map(name -> TableShape.Column.of(name, ColumnType.NUMBER))
                                .toList(),
                        List.of(),
                        null,
                        null,
                        List.of(),
                        false);
        var correlation =
                named(check(file, FileFormat.PARQUET, shape).raw(), "feature_correlation");
        assertThat(correlation.details())
                .contains("of one row in 3, drawn by its number")
                .anyMatch(detail -> detail.startsWith("c0 and again: 1.000"));
        assertThat(correlation.value()).isGreaterThan(0.99);
    }

    private Path written(String query, String name, String format) throws SQLException {
        var file = folder.resolve(name);
        try (var duckdb = java.sql.DriverManager.getConnection("jdbc:duckdb:");
                var statement = duckdb.createStatement()) {
            statement.execute("COPY (%s) TO '%s' (FORMAT %s)".formatted(query, file, format));
        }
        return file;
    }

    @Test
    void aFileOfAnotherFormatOrShapeIsRefusedWithWhatToDo() throws Exception {
        var file = Files.writeString(folder.resolve("x.csv"), "x,y\n1,2\n");
        assertThatThrownBy(() -> check(file, FileFormat.PARQUET, null))
                .isInstanceOf(UnreadableTableException.class)
                .hasMessageContaining("not readable as parquet")
                .hasMessageContaining("write it anew as Parquet")
                .hasMessageNotContaining(folder.toString());
        var returns =
                Files.writeString(folder.resolve("cr.csv"), "x,y\r\n1,\"2\r3\"\r\n4,5\r6,7\n");
        assertThatThrownBy(() -> check(returns, FileFormat.CSV, null))
                .isInstanceOf(UnreadableTableException.class)
                .hasMessageContaining("not readable as csv")
                .hasMessageContaining("end in LF or CR LF");
        assertThatThrownBy(() -> check(file, FileFormat.CSV, STRICT))
                .isInstanceOf(UnreadableTableException.class)
                .hasMessage("the file has no column transaction_id; it has x, y");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x > (SELECT 1)",
                "x > 0) FROM read_csv('/etc/passwd') WHERE (true",
                "1); DROP TABLE raw; SELECT (1",
                "getenv('HOME') = ''",
                "read_text('/etc/passwd') = ''",
                "current_setting('home_directory') = ''",
                "z > 0",
                "x >",
                "count(*) > 1"
            })
    void aRuleIsAnExpressionOfTheRowAndNothingElse(String expression) throws Exception {
        var file = Files.writeString(folder.resolve("x.csv"), "x,y\n1,2\n");
        assertThatThrownBy(() -> check(file, FileFormat.CSV, shape(expression)))
                .isInstanceOf(UnreadableTableException.class)
                .hasMessageStartingWith("the rule r ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x > 0",
                "x BETWEEN 0 AND 2 AND y IS NOT NULL",
                "CASE WHEN x > 5 THEN y > 1 ELSE true END",
                "lower(y::varchar) LIKE '%2%' OR NOT (x IN (1, 2))",
                "abs(x - y) <= 1.5"
            })
    void aRuleMaySayWhatPeopleNeed(String expression) throws Exception {
        var file = Files.writeString(folder.resolve("x.csv"), "x,y\n1,2\n");
        assertThat(check(file, FileFormat.CSV, shape(expression)).cleaning().kept()).isEqualTo(1);
    }

    @Test
    void whatItLeftBehindIsGoneAlsoWhenItIsCutShort() throws Exception {
        var file = Transactions.of(100, 10).write(folder.resolve("cut.csv"));
        assertThatThrownBy(() ->
                        TableCheck.run(
                                order(file, null, REFERENCE, Map.of()),
                                folder.resolve("cut.duckdb"),
                                (what, done) -> {
                                    if (done > 0.4) {
                                        throw new java.util.concurrent.CancellationException();
                                    }
                                }))
                .isInstanceOf(java.util.concurrent.CancellationException.class);
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    @Tag("realdata")
    void onlineRetailGivesTheReferenceCounts() throws Exception {
        var file =
                Path.of(Objects.requireNonNull(System.getenv("MIRANTE_DATA")))
                        .resolve("online-retail/online_retail.csv.gz");
        var kept = check(file, FileFormat.CSV, retail(false));
        assertThat(kept.cleaning().rows()).isEqualTo(541_909);
        assertThat(kept.cleaning().kept()).isEqualTo(397_884);
        assertThat(kept.cleaning().rejected().get("missing CustomerID").count()).isEqualTo(135_080);
        assertThat(kept.cleaning().rejected().get("rule not cancelled").count()).isEqualTo(9_288);
        assertThat(kept.cleaning().rejected().get("range of Quantity").count()).isEqualTo(10_624);
        assertThat(kept.cleaning().rejected().get("range of UnitPrice").count()).isEqualTo(2_517);
        assertThat(named(kept.raw(), "duplicates").failingRows()).isEqualTo(5_268);
        assertThat(kept.raw().critical()).containsExactly("completeness");
        assertThat(kept.transformed().critical()).isEmpty();
        assertThat(
                        Objects.requireNonNull(kept.transformed().profile().get("CustomerID"))
                                .distinct())
                .isEqualTo(4_338);

        var dropped = check(file, FileFormat.CSV, retail(true));
        assertThat(dropped.cleaning().kept()).isEqualTo(392_692);
        assertThat(dropped.cleaning().rejected().get("equal row").count()).isEqualTo(5_268);
    }

    private static TableShape retail(boolean dropEqualRows) {
        return new TableShape(
                List.of(
                        TableShape.Column.required("InvoiceNo", ColumnType.TEXT),
                        TableShape.Column.required("StockCode", ColumnType.TEXT),
                        TableShape.Column.of("Description", ColumnType.TEXT),
                        new TableShape.Column(
                                "Quantity", ColumnType.INTEGER, true, 1.0, null, List.of(), null),
                        TableShape.Column.required("InvoiceDate", ColumnType.TIMESTAMP),
                        new TableShape.Column(
                                "UnitPrice",
                                ColumnType.NUMBER,
                                true,
                                Double.MIN_VALUE,
                                null,
                                List.of(),
                                null),
                        TableShape.Column.required("CustomerID", ColumnType.INTEGER),
                        TableShape.Column.of("Country", ColumnType.TEXT)),
                List.of(),
                "InvoiceDate",
                null,
                List.of(new TableShape.Rule("not cancelled", "NOT starts_with(InvoiceNo, 'C')")),
                dropEqualRows);
    }

    private static TableShape shape(String expression) {
        return new TableShape(
                List.of(
                        TableShape.Column.of("x", ColumnType.NUMBER),
                        TableShape.Column.of("y", ColumnType.NUMBER)),
                List.of(),
                null,
                null,
                List.of(new TableShape.Rule("r", expression)),
                false);
    }

    private static TableShape without(TableShape shape, boolean dropEqualRows) {
        return new TableShape(
                shape.columns(), List.of(), shape.time(), null, shape.rules(), dropEqualRows);
    }

    private static Check named(QualityReport.Part part, String name) {
        return part.checks().stream()
                .filter(check -> check.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private QualityReport check(
            Transactions rows, @Nullable TableShape shape, Map<String, ColumnProfile> baseline)
            throws IOException, SQLException, UnreadableTableException {
        return TableCheck.run(
                order(rows.write(folder.resolve("rows.csv")), shape, REFERENCE, baseline),
                folder.resolve("rows.duckdb"),
                (what, done) -> {});
    }

    private QualityReport check(Path file, @Nullable TableShape shape)
            throws IOException, SQLException, UnreadableTableException {
        return check(file, FileFormat.CSV, shape);
    }

    private QualityReport check(Path file, FileFormat format, @Nullable TableShape shape)
            throws IOException, SQLException, UnreadableTableException {
        return TableCheck.run(
                new TableCheck.Order(file, format, shape, Thresholds.DEFAULT, REFERENCE, Map.of()),
                folder.resolve("run.duckdb"),
                (what, done) -> {});
    }

    private static TableCheck.Order order(
            Path file,
            @Nullable TableShape shape,
            Instant reference,
            Map<String, ColumnProfile> baseline) {
        return new TableCheck.Order(
                file, FileFormat.CSV, shape, Thresholds.DEFAULT, reference, baseline);
    }
}
