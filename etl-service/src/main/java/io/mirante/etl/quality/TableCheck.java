package io.mirante.etl.quality;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ObjDoubleConsumer;
import org.jspecify.annotations.Nullable;

/** A table that was read, cleaned and checked, until it is closed. Memory does not grow with it. Used by one thread. */
public final class TableCheck implements AutoCloseable {

    private final Tables tables;
    private final TableShape shape;
    private final QualityReport report;
    private final Order order;

    private TableCheck(Tables tables, TableShape shape, QualityReport report, Order order) {
        this.tables = tables;
        this.shape = shape;
        this.report = report;
        this.order = order;
    }

    /** Where the rows come from. */
    public interface Input {
        /** Fills the empty tables with what is given. */
        void into(Tables tables) throws IOException, SQLException, UnreadableTableException;
    }

    /**
     * What to check.
     *
     * @param shape what the table is to look like; null = what it seems to be
     * @param reference moment that freshness counts from
     * @param baseline profile of what was left in the last good run of the same source; empty = there is none
     */
    public record Order(
            Input input,
            @Nullable TableShape shape,
            Thresholds thresholds,
            Instant reference,
            Map<String, ColumnProfile> baseline) {

        /** Of files, each plain or gzip. */
        public Order(
                List<Path> files,
                FileFormat format,
                @Nullable TableShape shape,
                Thresholds thresholds,
                Instant reference,
                Map<String, ColumnProfile> baseline) {
            this(tables -> tables.read(files, format), shape, thresholds, reference, baseline);
        }

        /** Of one file. */
        public Order(
                Path file,
                FileFormat format,
                @Nullable TableShape shape,
                Thresholds thresholds,
                Instant reference,
                Map<String, ColumnProfile> baseline) {
            this(List.of(file), format, shape, thresholds, reference, baseline);
        }
    }

    /** Checks, and keeps nothing but the report; see {@link #open}. */
    public static QualityReport run(Order order, Path scratch, ObjDoubleConsumer<String> progress)
            throws IOException, SQLException, UnreadableTableException {
        try (var check = open(order, scratch, progress)) {
            return check.report();
        }
    }

    /** Reads, cleans and checks. */
    public static TableCheck open(Order order, Path scratch, ObjDoubleConsumer<String> progress)
            throws IOException, SQLException, UnreadableTableException {
        return open(order, scratch, tables -> {}, progress);
    }

    /**
     * Reads, cleans and checks.
     *
     * @param scratch file for the run's tables, gone afterwards
     * @param opened is told the tables before anything is done with them
     * @param progress is told what begins and how much is done, [0, 1]; may throw to end it
     * @throws UnreadableTableException when the input is no table of that shape
     */
    public static TableCheck open(
            Order order, Path scratch, Consumer<Tables> opened, ObjDoubleConsumer<String> progress)
            throws IOException, SQLException, UnreadableTableException {
        var tables = new Tables(scratch);
        opened.accept(tables);
        try {
            progress.accept("reading", 0);
            order.input().into(tables);
            var given = order.shape();
            var shape = given == null ? tables.guess() : given;
            progress.accept("cleaning", 0.3);
            var cleaning = tables.clean(shape);
            progress.accept("checking what was given", 0.5);
            var raw = part(tables, Tables.TYPED, shape, order, order.baseline());
            progress.accept("checking what is left", 0.75);
            // Of a table without a rejected row there is nothing else to find.
            var clean =
                    cleaning.kept() == raw.rows()
                            ? raw
                            : part(tables, Tables.CLEAN, shape, order, order.baseline());
            return new TableCheck(
                    tables, shape, new QualityReport(raw, clean, cleaning, null, null), order);
        } catch (IOException | SQLException | UnreadableTableException | RuntimeException e) {
            try {
                tables.close();
            } catch (IOException | SQLException f) {
                e.addSuppressed(f);
            }
            throw e;
        }
    }

    /** What was found. */
    public QualityReport report() {
        return report;
    }

    /** What the table looks like. */
    public TableShape shape() {
        return shape;
    }

    /** The rows. */
    public Tables tables() {
        return tables;
    }

    /**
     * Checks a table that was made of the rows.
     *
     * @param table whose columns are those of the shape
     * @param baseline profile of it in the last good run; empty = there is none
     */
    public QualityReport.Part checked(
            String table, TableShape of, Map<String, ColumnProfile> baseline) throws SQLException {
        return part(tables, tables.checkable(table, of), of, order, baseline);
    }

    private static QualityReport.Part part(
            Tables tables,
            String table,
            TableShape shape,
            Order order,
            Map<String, ColumnProfile> baseline)
            throws SQLException {
        var checks =
                new Checks(
                        tables,
                        table,
                        shape,
                        order.thresholds(),
                        order.reference(),
                        baseline,
                        Checks.SAMPLES);
        var all = checks.all();
        double score = Score.of(all);
        return new QualityReport.Part(
                checks.rows(), score, Score.grade(score), all, checks.profile());
    }

    @Override
    public void close() throws IOException, SQLException {
        tables.close();
    }
}
