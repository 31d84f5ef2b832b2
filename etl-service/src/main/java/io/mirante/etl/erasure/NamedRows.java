package io.mirante.etl.erasure;

import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.quality.Gzip;
import io.mirante.etl.quality.Tables;
import io.mirante.platform.erasure.PersonFiles;
import io.mirante.platform.erasure.PersonFiles.Csv;
import io.mirante.platform.erasure.PersonFiles.Outcome;
import io.mirante.platform.erasure.PersonFiles.UnreadableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;

/** Takes the rows that name a person out of an upload, as {@link PersonFiles} does; of Parquet those with a value at any depth that is the id. */
final class NamedRows {

    private static final String NAMES =
            "list_contains(list_transform(json_extract_string(to_json(t), '$..*'), v -> trim(v)), ?)";

    private NamedRows() {}

    /** Takes them out of a file of that format, plain or gzip. */
    static Outcome remove(Path file, FileFormat format, String userId, PersonFiles person)
            throws IOException {
        if (!Files.exists(file)) {
            return Outcome.UNTOUCHED;
        }
        boolean packed = Gzip.is(file);
        return switch (format) {
            case PARQUET -> person.replace(file, next -> parquet(file, next, userId.strip()));
            case NDJSON -> person.ndjson(file, packed);
            case JSON -> person.json(file, packed);
            case CSV, COPIED -> csv(file, packed, person);
        };
    }

    /** As runs read it; when nobody can say how it is written, in each of the usual ways. */
    private static Outcome csv(Path file, boolean packed, PersonFiles person) throws IOException {
        var written = Tables.sniff(file);
        var ways =
                written.isPresent()
                        ? List.of(written.get())
                        : List.of(
                                Csv.COMMAS,
                                new Csv(";", '"', false),
                                new Csv("\t", '"', false),
                                new Csv("|", '"', false));
        var outcome = Outcome.UNTOUCHED;
        for (var way : ways) {
            var found = person.csv(file, packed, way);
            outcome = found == Outcome.UNTOUCHED ? outcome : found;
        }
        return outcome;
    }

    private static boolean parquet(Path file, Path next, String userId) throws IOException {
        try (var connection = DriverManager.getConnection("jdbc:duckdb:")) {
            try (var settings = connection.createStatement()) {
                settings.execute("SET memory_limit = '256MB'");
                settings.execute("SET threads = 1");
                settings.execute("SET preserve_insertion_order = true");
            }
            var rows = "FROM read_parquet(%s) t".formatted(quoted(file));
            if (!anyNamed(connection, rows, userId)) {
                return false;
            }
            copy(connection, rows, userId, next);
            return true;
        } catch (SQLException e) {
            // The disk is full, say, or there is no memory: no fault of the file.
            if (String.valueOf(e.getMessage()).matches("(?s)(IO Error|Out of Memory).*")) {
                throw new IOException(e);
            }
            throw new UnreadableException(e);
        }
    }

    private static void copy(Connection connection, String rows, String userId, Path next)
            throws SQLException {
        try (var copy =
                connection.prepareStatement(
                        "COPY (SELECT * %s WHERE NOT coalesce(%s, false)) TO %s (FORMAT parquet, COMPRESSION zstd)"
                                .formatted(rows, NAMES, quoted(next)))) {
            copy.setString(1, userId);
            copy.execute();
        }
    }

    private static boolean anyNamed(Connection connection, String rows, String userId)
            throws SQLException {
        try (var query =
                connection.prepareStatement(
                        "SELECT EXISTS (SELECT 1 %s WHERE %s)".formatted(rows, NAMES))) {
            query.setString(1, userId);
            try (var answer = query.executeQuery()) {
                answer.next();
                return answer.getBoolean(1);
            }
        }
    }

    private static String quoted(Path file) {
        return "'" + file.toString().replace("'", "''") + "'";
    }
}
