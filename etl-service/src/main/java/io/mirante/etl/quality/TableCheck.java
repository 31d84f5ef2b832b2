package io.mirante.etl.quality;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.ObjDoubleConsumer;
import org.jspecify.annotations.Nullable;

/** Reads, cleans and checks a file. Memory does not grow with it. */
public final class TableCheck {

    private TableCheck() {}

    /**
     * What to check.
     *
     * @param files each plain or gzip
     * @param shape what the table is to look like; null = what it seems to be
     * @param reference moment that freshness counts from
     * @param baseline profile of what was left in the last good run of the same source; empty = there is none
     */
    public record Order(
            List<Path> files,
            FileFormat format,
            @Nullable TableShape shape,
            Thresholds thresholds,
            Instant reference,
            Map<String, ColumnProfile> baseline) {

        public Order {
            files = List.copyOf(files);
        }

        /** What to check of one file. */
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

    /**
     * Does it.
     *
     * @param scratch file for the run's tables, gone afterwards
     * @param progress is told what begins and how much is done, [0, 1]; may throw to end it
     * @throws UnreadableTableException when the file is no table of that format and shape
     */
    public static QualityReport run(Order order, Path scratch, ObjDoubleConsumer<String> progress)
            throws IOException, SQLException, UnreadableTableException {
        try (var tables = new Tables(scratch)) {
            progress.accept("reading", 0);
            tables.read(order.files(), order.format());
            var given = order.shape();
            var shape = given == null ? tables.guess() : given;
            progress.accept("cleaning", 0.3);
            var cleaning = tables.clean(shape);
            progress.accept("checking what was given", 0.5);
            var raw = part(tables, Tables.TYPED, shape, order);
            progress.accept("checking what is left", 0.75);
            return new QualityReport(raw, part(tables, Tables.CLEAN, shape, order), cleaning);
        }
    }

    private static QualityReport.Part part(
            Tables tables, String table, TableShape shape, Order order) throws SQLException {
        var checks =
                new Checks(
                        tables,
                        table,
                        shape,
                        order.thresholds(),
                        order.reference(),
                        order.baseline(),
                        Checks.SAMPLES);
        var all = checks.all();
        double score = Score.of(all);
        return new QualityReport.Part(
                checks.rows(), score, Score.grade(score), all, tables.profile(table, shape));
    }
}
