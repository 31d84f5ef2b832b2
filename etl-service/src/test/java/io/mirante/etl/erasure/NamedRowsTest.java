package io.mirante.etl.erasure;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.etl.erasure.NamedRows.Outcome;
import io.mirante.etl.quality.FileFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamedRowsTest {

    private static final String NDJSON = "{\"u\":\"ana\"}\n{\"u\":\"bob\"}\n";

    @TempDir Path folder;

    @Test
    void linesGoAndTheTitleStays() throws Exception {
        var file = file("u,n\nana,1\r\nbob,2\nu,3\n".getBytes(StandardCharsets.UTF_8));
        assertThat(NamedRows.remove(file, FileFormat.CSV, "ana")).isEqualTo(Outcome.REWRITTEN);
        assertThat(file).hasContent("u,n\nbob,2\nu,3\n");
        assertThat(NamedRows.remove(file, FileFormat.CSV, "u")).isEqualTo(Outcome.REWRITTEN);
        assertThat(file).hasContent("u,n\nbob,2\n");
        assertThat(NamedRows.remove(file, FileFormat.CSV, "carl")).isEqualTo(Outcome.UNTOUCHED);
    }

    @Test
    void aPackedFileIsReadAndPackedAgain() throws Exception {
        var file = file(packed(NDJSON));
        assertThat(NamedRows.remove(file, FileFormat.NDJSON, "ana")).isEqualTo(Outcome.REWRITTEN);
        try (var in = new GZIPInputStream(Files.newInputStream(file))) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("{\"u\":\"bob\"}\n");
        }
    }

    @ParameterizedTest
    @EnumSource(value = FileFormat.class, names = "PARQUET", mode = EnumSource.Mode.EXCLUDE)
    void aFileThatNamesNobodyKeepsItsBytes(FileFormat format) throws Exception {
        for (var text : List.of("[{\"u\": \"ana\"}]", "\r\n[]\r\n")) {
            for (var bytes : List.of(text.getBytes(StandardCharsets.UTF_8), packed(text))) {
                var file = file(bytes);
                assertThat(NamedRows.remove(file, format, "bob")).isEqualTo(Outcome.UNTOUCHED);
                assertThat(file).hasBinaryContent(bytes);
            }
        }
        try (var left = Files.list(folder)) {
            assertThat(left).noneMatch(path -> path.toString().endsWith(".erasing"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"u\": \"a\\\"b\\\\c\"}",
                "{\"u\": \"\\u0061\\\"b\\\\c\"}",
                "{\"u\": {\"v\": [\"a\\u0022b\\\\c\"]}}"
            })
    void jsonMaySpellAnIdInManyWays(String row) throws Exception {
        var id = "a\"b\\c";
        var lines = file((row + "\n{\"u\": \"z\"}\n").getBytes(StandardCharsets.UTF_8));
        assertThat(NamedRows.remove(lines, FileFormat.NDJSON, id)).isEqualTo(Outcome.REWRITTEN);
        assertThat(lines).hasContent("{\"u\": \"z\"}\n");
        var array = file(packed("[" + row + ", {\"u\": \"z\"}]"));
        assertThat(NamedRows.remove(array, FileFormat.JSON, id)).isEqualTo(Outcome.REWRITTEN);
        try (var in = new GZIPInputStream(Files.newInputStream(array))) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("[{\"u\":\"z\"}]");
        }
    }

    @Test
    void csvDoublesQuotesAndMayBeInAnotherEncoding() throws Exception {
        var file = file("u\n\"a\"\"b\"\nJosé\nx\n".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(NamedRows.remove(file, FileFormat.CSV, "a\"b")).isEqualTo(Outcome.REWRITTEN);
        assertThat(NamedRows.remove(file, FileFormat.CSV, "José")).isEqualTo(Outcome.REWRITTEN);
        assertThat(file).hasContent("u\nx\n");
        var utf = file("u\nJosé\nx\n".getBytes(StandardCharsets.UTF_8));
        assertThat(NamedRows.remove(utf, FileFormat.CSV, "José")).isEqualTo(Outcome.REWRITTEN);
        assertThat(utf).hasContent("u\nx\n");
    }

    @Test
    void parquetLosesTheRowAndKeepsItsTypes() throws Exception {
        var file = folder.resolve("it's.parquet");
        sql(
                "COPY (SELECT * FROM (VALUES ('a\"b', 1::BIGINT, DATE '2026-01-02'), ('bob', 2, NULL), (NULL, 3, NULL))"
                        + " t(u, n, d)) TO '"
                        + file.toString().replace("'", "''")
                        + "' (FORMAT parquet)");
        var before = Files.readAllBytes(file);
        assertThat(NamedRows.remove(file, FileFormat.PARQUET, "carl")).isEqualTo(Outcome.UNTOUCHED);
        assertThat(file).hasBinaryContent(before);
        assertThat(NamedRows.remove(file, FileFormat.PARQUET, "a\"b")).isEqualTo(Outcome.REWRITTEN);
        assertThat(
                        sql(
                                "SELECT n || ' ' || typeof(n) || ' ' || typeof(d) FROM read_parquet('"
                                        + file.toString().replace("'", "''")
                                        + "')"))
                .containsExactly("2 BIGINT DATE", "3 BIGINT DATE");
    }

    @ParameterizedTest
    @EnumSource(
            value = FileFormat.class,
            names = {"JSON", "PARQUET"})
    void whatCannotBeReadGoes(FileFormat format) throws Exception {
        var file = file("{broken".getBytes(StandardCharsets.UTF_8));
        assertThat(NamedRows.remove(file, format, "ana")).isEqualTo(Outcome.DELETED);
        assertThat(file).doesNotExist();
        var cut = packed(NDJSON.repeat(50));
        var gzip = file(Arrays.copyOf(cut, cut.length / 2));
        assertThat(NamedRows.remove(gzip, FileFormat.NDJSON, "carl")).isEqualTo(Outcome.DELETED);
    }

    private Path file(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(folder, "upload", ""), bytes);
    }

    private static byte[] packed(String text) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private static List<String> sql(String sql) throws SQLException {
        var answers = new ArrayList<String>();
        try (var connection = DriverManager.getConnection("jdbc:duckdb:");
                var statement = connection.createStatement()) {
            if (statement.execute(sql)) {
                var rows = statement.getResultSet();
                while (rows.next()) {
                    answers.add(rows.getString(1));
                }
            }
        }
        return answers;
    }
}
