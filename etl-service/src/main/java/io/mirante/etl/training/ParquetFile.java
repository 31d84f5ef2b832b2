package io.mirante.etl.training;

import io.mirante.etl.features.Feature;
import io.mirante.etl.features.FeatureCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * Writes a training set with DuckDB: rows gather in a table on disk beside the file, with a bounded buffer, and become
 * Parquet (zstd) at the end. The file appears complete or not at all. Used by one thread.
 */
final class ParquetFile implements AutoCloseable {

    private static final String TABLE = "training";

    private final Path target;
    private final Path unfinished;
    private final Path scratch;
    private final DuckDBConnection connection;
    private final DuckDBAppender appender;
    private boolean appending = true;

    ParquetFile(Path target) throws IOException, SQLException {
        this.target = target;
        this.unfinished = target.resolveSibling(target.getFileName() + ".part");
        this.scratch = target.resolveSibling(target.getFileName() + ".duckdb");
        deleteScratch();
        this.connection =
                DriverManager.getConnection("jdbc:duckdb:" + scratch)
                        .unwrap(DuckDBConnection.class);
        try (var statement = connection.createStatement()) {
            statement.execute("SET memory_limit = '256MB'");
            statement.execute("SET threads = 1");
            statement.execute(
                    "CREATE TABLE %s (as_of TIMESTAMPTZ, user_id VARCHAR, %s, label TINYINT)"
                            .formatted(
                                    TABLE,
                                    FeatureCatalog.training().stream()
                                            .map(Feature::name)
                                            .map(name -> name + " DOUBLE")
                                            .collect(Collectors.joining(", "))));
        }
        this.appender = connection.createAppender(TABLE);
    }

    void append(Instant asOf, PastEvents.Row user) throws SQLException {
        appender.beginRow();
        appender.append(asOf.atOffset(ZoneOffset.UTC));
        appender.append(user.userId());
        for (var value : user.features()) {
            if (value == null) {
                appender.appendNull();
            } else {
                appender.append(value.doubleValue());
            }
        }
        appender.append((byte) user.label());
        appender.endRow();
    }

    /** Makes the file. */
    void finish() throws IOException, SQLException {
        appender.close();
        appending = false;
        try (var statement = connection.createStatement()) {
            statement.execute(
                    "COPY %s TO '%s' (FORMAT parquet, COMPRESSION zstd)"
                            .formatted(TABLE, unfinished.toString().replace("'", "''")));
        }
        Files.move(unfinished, target, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void close() throws IOException, SQLException {
        try (connection) {
            if (appending) {
                appender.close();
            }
        } finally {
            deleteScratch();
        }
    }

    private void deleteScratch() throws IOException {
        Files.deleteIfExists(unfinished);
        Files.deleteIfExists(scratch);
        Files.deleteIfExists(scratch.resolveSibling(scratch.getFileName() + ".wal"));
    }
}
