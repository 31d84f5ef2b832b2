package io.mirante.snapshot.lake;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import org.springframework.util.FileSystemUtils;

/**
 * Makes files of the lake with DuckDB: Parquet, zstd, sorted by person and time. Rows gather in memory, what is more than 256 MiB of them
 * on disk. For one piece of work and one thread at a time; blocks.
 */
final class LakeWriter implements AutoCloseable {

    private static final String COLUMNS =
            "person_no, occurred_at, event_id, event_type, main_property, session_id, user_id, anonymous_id, country, device, data, received_at";

    private final LakeFolder folder;
    private final String tenant;
    private final Path scratch;
    private final DuckDBConnection duckdb;
    private final List<String> written = new ArrayList<>();
    private final TreeSet<LocalDate> days = new TreeSet<>();
    private final DuckDBAppender appender;
    private long rows;

    LakeWriter(LakeFolder folder, String tenant) {
        this.folder = folder;
        this.tenant = tenant;
        try {
            this.scratch = Files.createTempDirectory("mirante-lake-");
            this.duckdb =
                    DriverManager.getConnection("jdbc:duckdb:").unwrap(DuckDBConnection.class);
            execute("SET memory_limit = '256MB'");
            execute("SET threads = 1");
            execute("SET TimeZone = 'UTC'");
            execute("SET temp_directory = " + LakeFolder.text(scratch.toString()));
            execute(
                    """
                    CREATE TABLE added (day DATE, person_no BIGINT, occurred_at TIMESTAMPTZ, event_id VARCHAR,
                        event_type VARCHAR, main_property VARCHAR, session_id VARCHAR, user_id VARCHAR,
                        anonymous_id VARCHAR, country VARCHAR, device VARCHAR, data JSON, received_at TIMESTAMPTZ)\
                    """);
            this.appender = duckdb.createAppender("added");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Takes a row in, for {@link #flush}. */
    void add(LakeRow row) {
        try {
            var day = LocalDate.ofInstant(row.occurredAt(), ZoneOffset.UTC);
            days.add(day);
            appender.beginRow();
            appender.append(day);
            appender.append(row.personNo());
            appender.append(row.occurredAt().atOffset(ZoneOffset.UTC));
            for (var text :
                    new @Nullable String[] {
                        row.eventId(),
                        row.eventType(),
                        row.mainProperty(),
                        row.sessionId(),
                        row.userId(),
                        row.anonymousId(),
                        row.country(),
                        row.device(),
                        row.data()
                    }) {
                append(text);
            }
            appender.append(row.receivedAt().atOffset(ZoneOffset.UTC));
            appender.endRow();
            rows++;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** How many rows were added. */
    long rows() {
        return rows;
    }

    /** Writes what was added, a file per day. */
    List<LakeFile> flush() {
        flushAppender();
        var files = new ArrayList<LakeFile>();
        for (var day : days) {
            files.add(write(day, "SELECT %s FROM added WHERE day = '%s'".formatted(COLUMNS, day)));
        }
        return files;
    }

    /** Writes files of a day as one. */
    LakeFile merge(LocalDate day, Collection<LakeFile> files) {
        var merged = write(day, "SELECT %s FROM %s".formatted(COLUMNS, folder.parquet(files)));
        long rows = files.stream().mapToLong(LakeFile::rows).sum();
        if (merged.rows() != rows) {
            throw new IllegalStateException(
                    "the manifest has %d rows of %s in %d files, they hold %d"
                            .formatted(rows, day, files.size(), merged.rows()));
        }
        return merged;
    }

    /** Those of the files that still identify one of the persons. */
    List<LakeFile> identifying(Collection<Long> persons, List<LakeFile> files) {
        try (var statement = duckdb.createStatement();
                var rows =
                        statement.executeQuery(
                                """
                                SELECT DISTINCT filename FROM %s WHERE person_no IN (%s)
                                    AND (user_id IS NOT NULL OR anonymous_id IS NOT NULL)\
                                """
                                        .formatted(folder.parquet(files), numbers(persons)))) {
            var names = new TreeSet<String>();
            while (rows.next()) {
                names.add(rows.getString(1));
            }
            return files.stream()
                    .filter(file -> names.contains(folder.path(file.file()).toString()))
                    .toList();
        } catch (SQLException e) {
            throw new IllegalStateException("a file of the lake cannot be read", e);
        }
    }

    /**
     * Writes a file again with the persons' rows blanked: what was added says what is left of them, of others nothing is.
     */
    LakeFile blank(LakeFile file, Collection<Long> persons) {
        flushAppender();
        return write(
                file.day(),
                """
                SELECT f.person_no, f.occurred_at, f.event_id, f.event_type,
                    CASE WHEN erased THEN b.main_property ELSE f.main_property END AS main_property,
                    CASE WHEN erased THEN b.session_id ELSE f.session_id END AS session_id,
                    CASE WHEN NOT erased THEN f.user_id END AS user_id,
                    CASE WHEN NOT erased THEN f.anonymous_id END AS anonymous_id, f.country, f.device,
                    CASE WHEN erased THEN coalesce(b.data, '{}'::JSON) ELSE f.data END AS data, f.received_at
                FROM (SELECT *, person_no IN (%s) AS erased FROM %s) f
                LEFT JOIN added b ON f.erased AND b.person_no = f.person_no AND b.occurred_at = f.occurred_at
                    AND b.event_id = f.event_id\
                """
                        .formatted(numbers(persons), folder.parquet(List.of(file))));
    }

    /** Rows of files, by person and time. */
    List<LakeRow> read(List<LakeFile> files) {
        var rows = new ArrayList<LakeRow>();
        if (files.isEmpty()) {
            return rows;
        }
        try (var statement = duckdb.createStatement();
                var found =
                        statement.executeQuery(
                                """
                                SELECT * REPLACE (epoch_us(occurred_at) AS occurred_at, epoch_us(received_at) AS received_at,
                                    data::VARCHAR AS data)
                                FROM %s ORDER BY person_no, occurred_at, event_id\
                                """
                                        .formatted(folder.parquet(files)))) {
            while (found.next()) {
                rows.add(
                        new LakeRow(
                                found.getLong("person_no"),
                                instant(found, "occurred_at"),
                                found.getString("event_id"),
                                found.getString("event_type"),
                                found.getString("main_property"),
                                found.getString("session_id"),
                                found.getString("user_id"),
                                found.getString("anonymous_id"),
                                found.getString("country"),
                                found.getString("device"),
                                found.getString("data"),
                                instant(found, "received_at")));
            }
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException("a file of the lake cannot be read", e);
        }
    }

    /** Deletes the files it made. */
    void takeBack() {
        written.forEach(folder::delete);
    }

    private void flushAppender() {
        try {
            appender.flush();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private LakeFile write(LocalDate day, String select) {
        var file = folder.newFile(tenant, day);
        try {
            var path = folder.begin(file);
            execute(
                    """
                    COPY (SELECT * FROM (%s) ORDER BY person_no, occurred_at, event_id) TO %s
                        (FORMAT parquet, COMPRESSION zstd, KV_METADATA {mirante_format: '%d'})\
                    """
                            .formatted(select, LakeFolder.text(path.toString()), LakeFile.FORMAT));
            var made = describe(file, day, path);
            folder.finish(file);
            written.add(file);
            return made;
        } catch (SQLException | IOException e) {
            var failure = folder.unwritable(e);
            try {
                // Else a full disk would be filled further with each try.
                takeBack();
                folder.discard(file);
            } catch (RuntimeException left) {
                failure.addSuppressed(left);
            }
            throw failure;
        }
    }

    /** As it is on disk. */
    private LakeFile describe(String file, LocalDate day, Path path)
            throws SQLException, IOException {
        try (var statement = duckdb.createStatement();
                var row =
                        statement.executeQuery(
                                """
                                SELECT count(*) AS rows, epoch_us(min(occurred_at)) AS first, epoch_us(max(occurred_at)) AS last,
                                    epoch_us(min(received_at)) AS oldest, epoch_us(max(received_at)) AS newest
                                FROM read_parquet(%s, hive_partitioning = false)\
                                """
                                        .formatted(LakeFolder.text(path.toString())))) {
            row.next();
            return new LakeFile(
                    file,
                    day,
                    row.getLong("rows"),
                    instant(row, "first"),
                    instant(row, "last"),
                    instant(row, "oldest"),
                    instant(row, "newest"),
                    Files.size(path),
                    LakeFolder.sha256(path));
        }
    }

    private void append(@Nullable String text) throws SQLException {
        if (text == null) {
            appender.appendNull();
        } else {
            appender.append(text);
        }
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return Instant.EPOCH.plus(row.getLong(column), ChronoUnit.MICROS);
    }

    private static String numbers(Collection<Long> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private void execute(String sql) throws SQLException {
        try (var statement = duckdb.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public void close() {
        try {
            appender.close();
            duckdb.close();
            FileSystemUtils.deleteRecursively(scratch);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
