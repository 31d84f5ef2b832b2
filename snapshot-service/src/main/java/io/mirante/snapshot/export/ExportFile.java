package io.mirante.snapshot.export;

import io.mirante.contracts.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import org.springframework.util.FileSystemUtils;

/**
 * A file that is being made, with a DuckDB of its own: rows are gathered, more than 256 MiB of them on disk, and written at the end. Used by
 * one thread; blocks.
 */
final class ExportFile implements AutoCloseable {

    private static final String GATHERED = "gathered";

    private final Path target;
    private final ExportFormat format;
    private final Path scratch;
    private final DuckDBConnection duckdb;
    private List<ExportColumn> columns = List.of();
    private @Nullable DuckDBAppender appender;
    private long rows;

    ExportFile(Path target, ExportFormat format) throws IOException, SQLException {
        this.target = target;
        this.format = format;
        this.scratch = Files.createTempDirectory("mirante-export-");
        this.duckdb = DriverManager.getConnection("jdbc:duckdb:").unwrap(DuckDBConnection.class);
        execute("SET memory_limit = '256MB'");
        execute("SET threads = 1");
        execute("SET TimeZone = 'UTC'");
        execute("SET autoinstall_known_extensions = false");
        execute("SET temp_directory = " + text(scratch.toString()));
    }

    /** Begins with no row; again when those gathered do not count. */
    void begin(List<ExportColumn> columns) throws SQLException {
        closeAppender();
        this.columns = List.copyOf(columns);
        execute(
                "CREATE OR REPLACE TABLE %s (%s)"
                        .formatted(
                                GATHERED,
                                columns.stream()
                                        .map(c ->
                                                ExportColumn.quoted(c.source())
                                                        + " "
                                                        + c.type().stored())
                                        .collect(Collectors.joining(", "))));
        appender = duckdb.createAppender(GATHERED);
    }

    /**
     * Takes a row.
     *
     * @param values in the order of the columns: text, {@link Instant}, Long, Double; of amounts and JSON their text
     */
    void add(List<@Nullable Object> values) {
        var rows = appender;
        if (rows == null) {
            throw new IllegalStateException("not begun");
        }
        try {
            rows.beginRow();
            for (var value : values) {
                switch (value) {
                    case null -> rows.appendNull();
                    case String text -> rows.append(text);
                    case Instant time -> rows.append(time.atOffset(ZoneOffset.UTC));
                    case Long number -> rows.append(number.longValue());
                    case Double number -> rows.append(number.doubleValue());
                    default ->
                            throw new IllegalArgumentException("cannot store " + value.getClass());
                }
            }
            rows.endRow();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Writes the file.
     *
     * @param others query for further rows, with the columns' sources; null = there are none
     */
    void finish(@Nullable String others) throws SQLException {
        closeAppender();
        var sources =
                columns.stream()
                        .map(c -> ExportColumn.quoted(c.source()))
                        .collect(Collectors.joining(", "));
        var all =
                "SELECT %s FROM %s".formatted(sources, GATHERED)
                        + (others == null
                                ? ""
                                : " UNION ALL SELECT %s FROM (%s)".formatted(sources, others));
        var written = format == ExportFormat.JSON ? scratch.resolve("lines") : target;
        try (var statement = duckdb.createStatement()) {
            rows =
                    statement.executeLargeUpdate(
                            "COPY (SELECT %s FROM (%s)) TO %s (%s)"
                                    .formatted(
                                            format.isJson() ? object() : cells(),
                                            all,
                                            text(written.toString()),
                                            format.options()));
        }
        if (format == ExportFormat.JSON) {
            array(written);
        }
    }

    private String cells() {
        return columns.stream()
                .map(c -> c.value(format) + " AS " + ExportColumn.quoted(c.name()))
                .collect(Collectors.joining(", "));
    }

    private String object() {
        return columns.stream()
                .map(c ->
                        text(Json.mapper().writeValueAsString(c.name()) + ":")
                                + ", "
                                + c.value(format))
                .collect(Collectors.joining(", ',', ", "concat('{', ", ", '}')"));
    }

    /** Makes one array of lines. */
    private void array(Path lines) throws SQLException {
        try (var in = Files.newBufferedReader(lines);
                var out = Files.newBufferedWriter(target)) {
            out.write('[');
            var separator = "";
            for (var line = in.readLine(); line != null; line = in.readLine()) {
                out.write(separator);
                out.write(line);
                separator = ",\n";
            }
            out.write("]\n");
        } catch (IOException e) {
            throw new SQLException("cannot write the array", e);
        }
    }

    /** How many rows the file has. */
    long rows() {
        return rows;
    }

    private void closeAppender() throws SQLException {
        if (appender != null) {
            appender.close();
            appender = null;
        }
    }

    private void execute(String sql) throws SQLException {
        try (var statement = duckdb.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String text(String value) {
        return "'" + value.replace("'", "''") + "'";
    }

    @Override
    public void close() throws SQLException, IOException {
        try {
            closeAppender();
        } finally {
            duckdb.close();
            FileSystemUtils.deleteRecursively(scratch);
        }
    }
}
