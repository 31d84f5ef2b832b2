package io.mirante.etl.quality;

import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The eleven checks of one table. Used by one thread. */
final class Checks {
    private static final Logger LOG = LoggerFactory.getLogger(Checks.class);

    /** Rows at fault that a report quotes. */
    static final int SAMPLES = 5;

    /** Of tables with more, correlations are those of a sample of the rows. */
    private static final long PAIRS_OF_VALUES = 20_000_000;

    private static final int BINS = 10;
    private static final double LEAST_SHARE = 1e-4;
    private static final double MAX_VIF = 10;
    private static final double MAX_MISSING = 0.5;
    private static final double LEAST_CLASS = 0.01;
    private static final double LEAK = 0.98;
    private static final double MISSING_DIFFERENCE = 0.2;

    private final Tables tables;
    private final String table;
    private final TableShape shape;
    private final Thresholds thresholds;
    private final Instant reference;
    private final Map<String, ColumnProfile> baseline;
    private final int mostSamples;
    private final long rows;

    /** By column; empty before they are asked for. */
    private final Map<String, NumbersOf> numbers = new HashMap<>();

    /** Whether each row is known to have a key of its own. */
    private boolean allDiffer;

    /**
     * Checks of a table.
     *
     * @param reference moment that freshness counts from
     * @param baseline profile of the last good run of the same source; empty = there is none
     * @param mostSamples how many rows at fault each check quotes
     */
    Checks(
            Tables tables,
            String table,
            TableShape shape,
            Thresholds thresholds,
            Instant reference,
            Map<String, ColumnProfile> baseline,
            int mostSamples)
            throws SQLException {
        this.tables = tables;
        this.table = table;
        this.shape = shape;
        this.thresholds = thresholds;
        this.reference = reference;
        this.baseline = Map.copyOf(baseline);
        this.mostSamples = mostSamples;
        this.rows = tables.count("SELECT count(*) FROM " + table);
    }

    long rows() {
        return rows;
    }

    private interface Measure {
        void into(Finding finding) throws SQLException;
    }

    /** What a check has found so far. */
    private static final class Finding {
        private @Nullable Double value;
        private long failing;
        private final List<String> samples = new ArrayList<>();
        private final List<String> details = new ArrayList<>();

        void least(double measured) {
            value = value == null ? measured : Math.min(value, measured);
        }

        void most(double measured) {
            value = value == null ? measured : Math.max(value, measured);
        }
    }

    /** All of them, in the order of the contract. */
    List<Check> all() {
        return List.of(
                check(
                        "completeness",
                        Severity.CRITICAL,
                        true,
                        this::completeness,
                        "Fill the required columns named in details at the source, or describe them as not required."),
                check(
                        "primary_key_integrity",
                        Severity.CRITICAL,
                        true,
                        this::keys,
                        "Give each row a key of its own; drop or correct the sampled rows at the source."),
                check(
                        "freshness",
                        Severity.HIGH,
                        false,
                        this::freshness,
                        "Ask why the source is late, or give reference_time when the data is meant to be of the past."),
                check(
                        "duplicates",
                        Severity.HIGH,
                        false,
                        this::duplicates,
                        "Find out whether equal rows are the same thing told twice; drop_equal_rows leaves them out."),
                check(
                        "outliers",
                        Severity.MEDIUM,
                        false,
                        this::outliers,
                        "Look at the sampled values: errors want a range (min, max), real extremes a model that bears them."),
                check(
                        "data_types",
                        Severity.HIGH,
                        true,
                        this::types,
                        "Correct the sampled values at the source, or describe the column as text."),
                check(
                        "business_rules",
                        Severity.HIGH,
                        true,
                        this::rules,
                        "Correct the sampled rows at the source, or the rule."),
                check(
                        "value_ranges",
                        Severity.MEDIUM,
                        true,
                        this::ranges,
                        "Correct the sampled values at the source, or the column's min, max or values."),
                check(
                        "statistical_distribution",
                        Severity.LOW,
                        false,
                        this::distribution,
                        "Find out what changed since the last good run; a model trained before may have to be trained again."),
                check(
                        "feature_correlation",
                        Severity.MEDIUM,
                        false,
                        this::correlation,
                        "Leave one column of each named pair out of training."),
                check(
                        "ml_readiness",
                        Severity.HIGH,
                        true,
                        this::readiness,
                        "Leave the named columns out of training, or fill them."));
    }

    private Check check(
            String name, Severity severity, boolean atLeast, Measure measure, String advice) {
        double threshold = thresholds.of(name);
        var finding = new Finding();
        Check.Status status;
        try {
            measure.into(finding);
            Double value = finding.value;
            boolean passes = value == null || (atLeast ? value >= threshold : value <= threshold);
            status =
                    passes
                            ? Check.Status.PASS
                            : severity.weight() >= Severity.HIGH.weight()
                                    ? Check.Status.FAIL
                                    : Check.Status.WARN;
        } catch (SQLException e) {
            LOG.warn("check {} could not be made: {}", name, e.getMessage());
            finding.details.add("could not be made: " + e.getMessage());
            status = Check.Status.ERROR;
        }
        return new Check(
                name,
                severity,
                status,
                threshold,
                atLeast,
                finding.value,
                finding.failing,
                finding.samples,
                finding.details,
                status == Check.Status.PASS ? "" : advice);
    }

    private void completeness(Finding found) throws SQLException {
        var required = shape.columns().stream().filter(TableShape.Column::required).toList();
        var missing = required.stream().map(c -> tables.given(table, c) + " IS NULL").toList();
        var counts = counts(missing);
        for (int i = 0; i < counts.length; i++) {
            var name = required.get(i).name();
            found.least(shareOfRest(counts[i]));
            if (counts[i] > 0) {
                found.details.add(line(name, shareOfRest(counts[i])));
                sample(found, missing.get(i), "'no %s'".formatted(name.replace("'", "''")));
            }
        }
        found.failing = LongStream.of(counts).sum() == 0 ? 0 : where(String.join(" OR ", missing));
        if (found.value == null) {
            found.details.add("no column is required");
        }
    }

    private void keys(Finding found) throws SQLException {
        if (shape.key().isEmpty()) {
            found.details.add("the table has no key");
        } else {
            var key = Tables.names(shape.key());
            var given = Tables.allGiven(shape.key());
            var repeated = Tables.repeats(table, key, given);
            long without = where("NOT " + given);
            long again = tables.count("SELECT count(*) FROM (%s)".formatted(repeated));
            found.failing = without + again;
            found.least(shareOfRest(found.failing));
            allDiffer = found.failing == 0;
            if (found.failing > 0) {
                found.details.add(
                        "%d without a key, %d with one given before".formatted(without, again));
                sample(
                        found,
                        "NOT %s OR %s IN (%s)".formatted(given, Tables.ROW, repeated),
                        "'key ' || concat_ws(', ', %s)".formatted(key));
            }
        }
        for (var column : shape.columns()) {
            var other = column.references();
            if (other != null) {
                var lost =
                        "%1$s IS NOT NULL AND %1$s NOT IN (SELECT %2$s FROM %3$s WHERE %2$s IS NOT NULL)"
                                .formatted(Sql.name(column.name()), Sql.name(other), table);
                long count = where(lost);
                found.failing += count;
                found.least(shareOfRest(count));
                if (count > 0) {
                    found.details.add(
                            "%d values of %s are not among %s"
                                    .formatted(count, column.name(), other));
                    sample(found, lost, value(column.name()));
                }
            }
        }
    }

    private void freshness(Finding found) throws SQLException {
        var time = shape.time();
        if (time == null || rows == 0) {
            found.details.add(time == null ? "no column says when a row came to be" : "no rows");
            return;
        }
        var moment = "TIMESTAMPTZ " + Sql.text(reference.toString());
        double hours =
                tables.number(
                        "SELECT coalesce(date_diff('second', max(%1$s), %2$s) / 3600.0, 1e9) FROM %3$s WHERE %1$s <= %2$s"
                                .formatted(Sql.name(time), moment, table));
        found.most(hours);
        var later = Sql.name(time) + " > " + moment;
        found.failing = where(later);
        found.details.add(
                "newest row %s before %s"
                        .formatted(
                                hours < 1e9 ? "%.1f hours".formatted(hours) : "is not", reference));
        if (found.failing > 0) {
            found.details.add("%d rows are of a later time".formatted(found.failing));
            sample(found, later, value(time));
        }
    }

    private void duplicates(Finding found) throws SQLException {
        if (rows == 0 || shape.columns().isEmpty()) {
            return;
        }
        var again = Tables.repeats(table, Tables.texts(shape), "true");
        // Rows with keys of their own are not equal.
        found.failing = allDiffer ? 0 : tables.count("SELECT count(*) FROM (%s)".formatted(again));
        found.most((double) found.failing / rows);
        if (found.failing > 0) {
            sample(found, "%s IN (%s)".formatted(Tables.ROW, again), "'equal to an earlier row'");
        }
    }

    private void outliers(Finding found) throws SQLException {
        for (var column : shape.numeric()) {
            var numbers = numbers(column);
            var outliers = numbers.outliers();
            if (outliers == null) {
                continue;
            }
            double share = (double) outliers.both() / numbers.given();
            found.most(share);
            found.failing += outliers.both();
            if (outliers.both() > 0) {
                found.details.add(
                        "%s: %s by both, %d beyond the quartiles' fences, %d by the median"
                                .formatted(
                                        column.name(),
                                        percent(share),
                                        outliers.fence(),
                                        outliers.median()));
                sample(found, isOutlier(column, numbers), value(column.name()));
            }
        }
    }

    private static String isOutlier(TableShape.Column column, NumbersOf numbers) {
        return "(%1$s < %2$s OR %1$s > %3$s) AND (%4$s = 0 OR %5$s / %4$s * abs(%1$s - %6$s) > %7$s)"
                .formatted(
                        Sql.name(column.name()),
                        numbers.low(),
                        numbers.high(),
                        numbers.deviation(),
                        NumbersOf.MAD_SCALE,
                        numbers.median(),
                        NumbersOf.ROBUST_Z);
    }

    /** What a column of numbers says; all of them are read at once. */
    private NumbersOf numbers(TableShape.Column column) throws SQLException {
        if (numbers.isEmpty()) {
            var columns = shape.columns().stream().filter(c -> c.type().isNumeric()).toList();
            numbers.putAll(tables.numbersOf(table, rows, columns, baseline, SortedNumbers.HELD));
        }
        return Objects.requireNonNull(numbers.get(column.name()));
    }

    private void types(Finding found) throws SQLException {
        var parts = new ArrayList<String>();
        var looked =
                shape.columns().stream()
                        .filter(c -> !c.type().isNumeric() || tables.mayBeOther(table, c))
                        .toList();
        for (var column : looked) {
            parts.add(tables.given(table, column) + " IS NOT NULL");
            parts.add(tables.mayBeOther(table, column) ? Tables.isOtherType(column) : "false");
        }
        var counts = counts(parts);
        for (var column : shape.columns()) {
            int i = looked.indexOf(column);
            long given = i < 0 ? numbers(column).given() : counts[2 * i];
            long other = i < 0 ? 0 : counts[2 * i + 1];
            if (given > 0) {
                found.least(1 - (double) other / given);
            }
            found.failing += other;
            if (other > 0) {
                found.details.add(
                        "%s: %d of %d values are not of type %s"
                                .formatted(column.name(), other, given, column.type().label()));
                sample(
                        found,
                        Tables.isOtherType(column),
                        "%s || ' = ' || left(%s, 80)"
                                .formatted(Sql.text(column.name()), Tables.textOf(column.name())));
            }
        }
    }

    private void rules(Finding found) throws SQLException {
        for (var rule : shape.rules()) {
            var broken = "NOT coalesce((%s), true)".formatted(rule.expression());
            long count = where(broken);
            found.least(shareOfRest(count));
            found.failing += count;
            if (count > 0) {
                found.details.add(line(rule.name(), shareOfRest(count)));
                sample(found, broken, Sql.text("breaks " + rule.name()));
            }
        }
        if (shape.rules().isEmpty()) {
            found.details.add("the table has no rules");
        }
    }

    private void ranges(Finding found) throws SQLException {
        var columns = shape.columns().stream().filter(TableShape.Column::hasRange).toList();
        var outside =
                columns.stream()
                        .map(c -> "NOT coalesce(%s, true)".formatted(Tables.inRange(c)))
                        .toList();
        var texts = columns.stream().filter(c -> !isOfNumbers(c)).toList();
        var ofTexts = counts(texts.stream().map(c -> outside.get(columns.indexOf(c))).toList());
        var counts = new long[columns.size()];
        for (int i = 0; i < counts.length; i++) {
            var column = columns.get(i);
            counts[i] =
                    isOfNumbers(column)
                            ? numbers(column).outside()
                            : ofTexts[texts.indexOf(column)];
            found.least(shareOfRest(counts[i]));
            found.failing += counts[i];
            if (counts[i] > 0) {
                found.details.add(line(columns.get(i).name(), shareOfRest(counts[i])));
                sample(found, outside.get(i), value(columns.get(i).name()));
            }
        }
        if (found.value == null) {
            found.details.add("no column has a range");
        }
    }

    private static boolean isOfNumbers(TableShape.Column column) {
        return column.type().isNumeric() && column.values().isEmpty();
    }

    /**
     * Population stability index over tenths of the last good run, and the largest distance of the two distribution functions
     * (Kolmogorov and Smirnov) at its hundredths.
     */
    private void distribution(Finding found) throws SQLException {
        for (var column : shape.numeric()) {
            var before = baseline.get(column.name());
            if (before == null || before.quantiles().size() != 101 || rows == 0) {
                continue;
            }
            var below = numbers(column).below();
            if (below.length == 0) {
                continue;
            }
            double psi = psi(before.quantiles(), below);
            found.most(psi);
            found.details.add(
                    "%s: stability index %.3f, Kolmogorov-Smirnov %.3f"
                            .formatted(column.name(), psi, distance(before.quantiles(), below)));
        }
        if (found.value == null) {
            found.details.add("there is no earlier good run to compare with");
        }
    }

    /** Expected share of a value among the quantiles of before; several quantiles may be the same value. */
    private static double expected(List<Double> quantiles, int at) {
        int last = at;
        while (last < 100 && quantiles.get(last + 1).equals(quantiles.get(at))) {
            last++;
        }
        return last / 100.0;
    }

    private static double psi(List<Double> quantiles, double[] below) {
        double sum = 0;
        double expectedBefore = 0;
        double actualBefore = 0;
        for (int bin = 1; bin <= BINS; bin++) {
            int at = bin * 100 / BINS;
            double expectedUntil = bin == BINS ? 1 : expected(quantiles, at);
            double actualUntil = bin == BINS ? 1 : below[at];
            if (expectedUntil <= expectedBefore) {
                continue;
            }
            double expectedShare = Math.max(LEAST_SHARE, expectedUntil - expectedBefore);
            double actualShare = Math.max(LEAST_SHARE, actualUntil - actualBefore);
            sum += (actualShare - expectedShare) * Math.log(actualShare / expectedShare);
            expectedBefore = expectedUntil;
            actualBefore = actualUntil;
        }
        return sum;
    }

    private static double distance(List<Double> quantiles, double[] below) {
        double largest = 0;
        for (int at = 0; at <= 100; at++) {
            largest = Math.max(largest, Math.abs(below[at] - expected(quantiles, at)));
        }
        return largest;
    }

    private void correlation(Finding found) throws SQLException {
        var columns = shape.numeric();
        int size = columns.size();
        if (size < 2 || rows < 3) {
            found.details.add("fewer than two columns of numbers");
            return;
        }
        long oneIn = Math.max(1, rows * size * (size - 1) / 2 / PAIRS_OF_VALUES);
        if (oneIn > 1) {
            found.details.add("of one row in %d, drawn by its number".formatted(oneIn));
        }
        var correlation = new Correlation(size);
        long together = SortedNumbers.HELD / size * oneIn;
        for (long from = 0; from < lastRow(); from += together) {
            correlation.add(
                    tables.columns(
                            "SELECT %1$s FROM %2$s WHERE hash(%3$s) %% %4$d = 0 AND %3$s > %5$d AND %3$s <= %6$d"
                                    .formatted(
                                            Tables.numbers(columns),
                                            table,
                                            Tables.ROW,
                                            oneIn,
                                            from,
                                            from + together),
                            (int) (Math.min(rows, together) / oneIn)));
        }
        var matrix = new double[size][size];
        for (int i = 0; i < size; i++) {
            matrix[i][i] = 1;
            for (int j = i + 1; j < size; j++) {
                double r = correlation.of(i, j);
                matrix[i][j] = r;
                matrix[j][i] = r;
                found.most(Math.abs(r));
                if (Math.abs(r) > thresholds.of("feature_correlation")) {
                    found.details.add(
                            "%s and %s: %.3f"
                                    .formatted(columns.get(i).name(), columns.get(j).name(), r));
                }
            }
        }
        var inflation = VarianceInflation.of(matrix);
        for (int i = 0; i < size; i++) {
            if (inflation[i] > MAX_VIF) {
                found.details.add(
                        "%s: variance inflation factor %.1f, more than %.0f"
                                .formatted(columns.get(i).name(), inflation[i], MAX_VIF));
            }
        }
    }

    private long lastRow() throws SQLException {
        return tables.count("SELECT coalesce(max(%s), 0) FROM %s".formatted(Tables.ROW, table));
    }

    private void readiness(Finding found) throws SQLException {
        var columns =
                shape.columns().stream()
                        .filter(column ->
                                !shape.key().contains(column.name())
                                        && !column.name().equals(shape.label()))
                        .toList();
        if (columns.isEmpty() || rows == 0) {
            return;
        }
        var others = columns.stream().filter(c -> !c.type().isNumeric()).toList();
        var measured =
                others.isEmpty()
                        ? new double[0]
                        : tables.numbers(
                                "SELECT %s FROM %s"
                                        .formatted(
                                                others.stream()
                                                        .map(column -> Sql.name(column.name()))
                                                        .map(
                                                                "(min(%1$s) = max(%1$s))::int, 1 - count(%1$s) / count(*)"
                                                                        ::formatted)
                                                        .collect(Collectors.joining(", ")),
                                                table));
        int usable = 0;
        for (int i = 0; i < columns.size(); i++) {
            int other = others.indexOf(columns.get(i));
            var problem =
                    other >= 0
                            ? problem(columns.get(i), measured[2 * other], measured[2 * other + 1])
                            : problemOfNumbers(columns.get(i));
            if (problem == null) {
                usable++;
            } else {
                found.details.add(columns.get(i).name() + ": " + problem);
            }
        }
        found.least((double) usable / columns.size());
        var label = shape.label();
        if (label != null) {
            double rarest =
                    tables.number(
                            "SELECT coalesce(min(n) / sum(n), 0) FROM (SELECT count(*) AS n FROM %s WHERE %s IS NOT NULL GROUP BY %s)"
                                    .formatted(table, Sql.name(label), Sql.name(label)));
            found.details.add(label + ": the rarest class has " + percent(rarest) + " of the rows");
            if (rarest < LEAST_CLASS || rarest == 1) {
                found.least(0);
            }
        }
    }

    private @Nullable String problemOfNumbers(TableShape.Column column) throws SQLException {
        var numbers = numbers(column);
        return problem(
                column,
                numbers.given() == 0 ? Double.NaN : numbers.different().count() == 1 ? 1 : 0,
                1 - (double) numbers.given() / rows);
    }

    /**
     * Why a model can not learn from a column.
     *
     * @param same 1 when all values are the same, NaN without any
     * @param missing share of rows without a value
     */
    private @Nullable String problem(TableShape.Column column, double same, double missing)
            throws SQLException {
        var name = Sql.name(column.name());
        if (!(same == 0)) {
            return "has one value at most";
        }
        if (missing > MAX_MISSING) {
            return percent(missing) + " of the rows have no value";
        }
        var label = shape.label();
        if (label == null) {
            return null;
        }
        var answer = shape.column(label).orElseThrow();
        if (column.type().isNumeric()
                && (answer.type().isNumeric() || answer.type() == ColumnType.BOOLEAN)) {
            double r =
                    tables.number(
                            "SELECT abs(corr(%s::double, %s::int::double)) FROM %s"
                                    .formatted(name, Sql.name(label), table));
            if (r > LEAK) {
                return "knows the label (correlation %.3f)".formatted(r);
            }
        }
        double difference =
                tables.number(
                        "SELECT coalesce(max(missing) - min(missing), 0) FROM (SELECT 1 - count(%s) / count(*) AS missing FROM %s WHERE %s IS NOT NULL GROUP BY %s)"
                                .formatted(name, table, Sql.name(label), Sql.name(label)));
        return difference > MISSING_DIFFERENCE
                ? "is missing more often in one class than in another (by %s)"
                        .formatted(percent(difference))
                : null;
    }

    /** What each column holds. */
    Map<String, ColumnProfile> profile() throws SQLException {
        var profile = new LinkedHashMap<String, ColumnProfile>();
        var others = shape.columns().stream().filter(c -> !c.type().isNumeric()).toList();
        var given = counts(others.stream().map(c -> Sql.name(c.name()) + " IS NOT NULL").toList());
        var tops = new ArrayList<Double>();
        for (var column : shape.columns()) {
            if (column.type().isNumeric()) {
                numbers(column).different().most().forEach(top -> tops.add(top.value()));
            }
        }
        var texts = tables.written(tops);
        for (var column : shape.columns()) {
            var name = column.name();
            if (column.type().isNumeric()) {
                var of = numbers(column);
                profile.put(
                        name,
                        new ColumnProfile(
                                column.type().label(),
                                rows - of.given(),
                                of.different().count(),
                                finite(of.mean()),
                                finite(of.std()),
                                of.quantiles(),
                                top(column, of.different().most(), texts)));
            } else {
                long missing = rows - given[others.indexOf(column)];
                var values =
                        allDiffer && shape.key().equals(List.of(name))
                                ? tables.unique(table, Sql.name(name), rows)
                                : tables.values(table, Sql.name(name));
                profile.put(
                        name,
                        new ColumnProfile(
                                column.type().label(),
                                missing,
                                values.distinct(),
                                null,
                                null,
                                List.of(),
                                values.top()));
            }
        }
        return profile;
    }

    private static List<ColumnProfile.TopValue> top(
            TableShape.Column column, List<SortedNumbers.Counted> most, Map<Double, String> texts) {
        return most.stream()
                .map(top ->
                        new ColumnProfile.TopValue(
                                column.type() == ColumnType.INTEGER
                                        ? String.valueOf((long) top.value())
                                        : String.valueOf(texts.get(top.value())),
                                top.count()))
                .toList();
    }

    private static @Nullable Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    // ---

    private long where(String condition) throws SQLException {
        return tables.count("SELECT count(*) FROM %s WHERE %s".formatted(table, condition));
    }

    /** How many rows each of some conditions holds for, in one pass. */
    private long[] counts(List<String> conditions) throws SQLException {
        return conditions.isEmpty()
                ? new long[0]
                : DoubleStream.of(
                                tables.numbers(
                                        "SELECT %s FROM %s"
                                                .formatted(
                                                        conditions.stream()
                                                                .map(
                                                                        "count(*) FILTER (WHERE %s)"
                                                                                ::formatted)
                                                                .collect(Collectors.joining(", ")),
                                                        table)))
                        .mapToLong(count -> (long) count)
                        .toArray();
    }

    private double shareOfRest(long failing) {
        return rows == 0 ? 1 : 1 - (double) failing / rows;
    }

    private void sample(Finding found, String condition, String what) throws SQLException {
        int rest = mostSamples - found.samples.size();
        if (rest > 0) {
            found.samples.addAll(
                    tables.texts(
                            "SELECT 'row ' || %1$s || ': ' || %2$s FROM %3$s WHERE %4$s ORDER BY %1$s LIMIT %5$d"
                                    .formatted(Tables.ROW, what, table, condition, rest)));
        }
    }

    private static String value(String column) {
        return "%s || ' = ' || left(%s::varchar, 80)".formatted(Sql.text(column), Sql.name(column));
    }

    private static String line(String name, double share) {
        return name + ": " + percent(share);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", share * 100);
    }
}
