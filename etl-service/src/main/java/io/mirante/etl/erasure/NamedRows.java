package io.mirante.etl.erasure;

import io.mirante.contracts.Json;
import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.quality.Gzip;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;

/**
 * Takes the rows that name a person out of a file, one line in memory at a time. A row names them when
 * their id stands anywhere in it: a short id takes rows of others with it. A file that names nobody stays as it is, byte for byte; one
 * that cannot be read goes, since nobody can say whom it names.
 */
final class NamedRows {

    /** What became of a file. */
    enum Outcome {
        UNTOUCHED,
        REWRITTEN,
        DELETED
    }

    private static final String NAMES =
            "contains(to_json(t)::VARCHAR, (to_json(?::VARCHAR)::VARCHAR)[2:-2])";

    /** One row of an array: more follows. */
    private static final ObjectReader ROW =
            Json.mapper()
                    .readerFor(JsonNode.class)
                    .without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final String userId;

    /** The id as JSON text has it, without its quotes. */
    private final String escaped;

    /** The id as lines may have it, each byte as a character. */
    private final List<String> spellings;

    private NamedRows(String userId) {
        this.userId = userId;
        this.escaped = escaped(userId);
        this.spellings =
                List.of(userId, bytes(userId), bytes(escaped), bytes(userId.replace("\"", "\"\"")));
    }

    private static String escaped(String text) {
        var quoted = Json.mapper().writeValueAsString(text);
        return quoted.substring(1, quoted.length() - 1);
    }

    private static String bytes(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    /** Takes them out of a file of that format, plain or gzip. */
    static Outcome remove(Path file, FileFormat format, String userId) throws IOException {
        if (!Files.exists(file)) {
            return Outcome.UNTOUCHED;
        }
        var next = file.resolveSibling(file.getFileName() + ".erasing");
        try {
            if (!new NamedRows(userId).copyWithout(file, format, next)) {
                return Outcome.UNTOUCHED;
            }
            Files.move(
                    next,
                    file,
                    StandardCopyOption.REPLACE_EXISTING,
                    StandardCopyOption.ATOMIC_MOVE);
            return Outcome.REWRITTEN;
        } catch (ZipException | EOFException | JacksonException | SQLException unreadable) {
            Files.deleteIfExists(file);
            return Outcome.DELETED;
        } finally {
            Files.deleteIfExists(next);
        }
    }

    private boolean copyWithout(Path file, FileFormat format, Path next)
            throws IOException, SQLException {
        if (format == FileFormat.PARQUET) {
            return parquet(file, next);
        }
        boolean packed = Gzip.is(file);
        try (var in = in(file, packed);
                var out = out(next, packed)) {
            return format == FileFormat.JSON
                    ? array(in, out)
                    : lines(in, out, format != FileFormat.NDJSON);
        }
    }

    private static InputStream in(Path file, boolean packed) throws IOException {
        var in = Files.newInputStream(file);
        return packed ? new GZIPInputStream(in, 1 << 16) : in;
    }

    private static OutputStream out(Path file, boolean packed) throws IOException {
        var out = Files.newOutputStream(file);
        return packed ? new GZIPOutputStream(out, 1 << 16) : out;
    }

    /** Bytes are compared, so that a text in another encoding than UTF-8 is no obstacle. */
    private boolean lines(InputStream in, OutputStream out, boolean titled) throws IOException {
        boolean found = false;
        boolean title = titled;
        try (var reader =
                        new BufferedReader(new InputStreamReader(in, StandardCharsets.ISO_8859_1));
                var writer =
                        new BufferedWriter(
                                new OutputStreamWriter(out, StandardCharsets.ISO_8859_1))) {
            for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!title && names(line)) {
                    found = true;
                } else {
                    writer.write(line);
                    writer.write('\n');
                }
                title = false;
            }
        }
        return found;
    }

    private boolean names(String line) {
        return spellings.stream().anyMatch(line::contains)
                || (line.contains("\\u") && namesOnceDecoded(line));
    }

    /** JSON may spell any character by its number. */
    private boolean namesOnceDecoded(String line) {
        try {
            var text =
                    new String(line.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
            return Json.mapper().readTree(text).toString().contains(escaped);
        } catch (JacksonException noJson) {
            return false;
        }
    }

    private boolean array(InputStream in, OutputStream out) {
        boolean found = false;
        try (var parser = Json.mapper().createParser(in);
                var generator = Json.mapper().createGenerator(out)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw new StreamReadException(parser, "no array");
            }
            generator.writeStartArray();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                JsonNode row = ROW.readValue(parser);
                if (Json.mapper().writeValueAsString(row).contains(escaped)) {
                    found = true;
                } else {
                    generator.writeTree(row);
                }
            }
            generator.writeEndArray();
        }
        return found;
    }

    private boolean parquet(Path file, Path next) throws SQLException {
        try (var connection = DriverManager.getConnection("jdbc:duckdb:")) {
            try (var settings = connection.createStatement()) {
                settings.execute("SET memory_limit = '256MB'");
                settings.execute("SET threads = 1");
                settings.execute("SET preserve_insertion_order = true");
            }
            var rows = "FROM read_parquet(%s) t".formatted(quoted(file));
            if (!anyNamed(connection, rows)) {
                return false;
            }
            try (var copy =
                    connection.prepareStatement(
                            "COPY (SELECT * %s WHERE NOT coalesce(%s, false)) TO %s (FORMAT parquet, COMPRESSION zstd)"
                                    .formatted(rows, NAMES, quoted(next)))) {
                copy.setString(1, userId);
                copy.execute();
            }
            return true;
        }
    }

    private boolean anyNamed(Connection connection, String rows) throws SQLException {
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
