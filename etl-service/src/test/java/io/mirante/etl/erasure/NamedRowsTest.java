package io.mirante.etl.erasure;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.quality.Tables;
import io.mirante.platform.erasure.PersonFiles;
import io.mirante.platform.erasure.PersonFiles.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamedRowsTest {

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(strings = {",", ";", "\t", "|"})
    void csvIsReadAsRunsReadIt(String delimiter) throws Exception {
        var text = "u,n,note\n7,17,x\n17,7a,\"1\n2\"\nbob,2,\"7\n\"\n";
        var file = file(packed(text.replace(",", delimiter)));
        assertThat(remove(file, FileFormat.CSV, "7")).isEqualTo(Outcome.REWRITTEN);
        try (var in = new GZIPInputStream(Files.newInputStream(file))) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("u,n,note\n17,7a,\"1\n2\"\n".replace(",", delimiter));
        }
        assertThat(remove(file, FileFormat.CSV, "carl")).isEqualTo(Outcome.UNTOUCHED);
    }

    @Test
    void backslashesBeforeQuotesAreSeen() throws Exception {
        var file =
                file(
                        "u,n\nbob,\"say \\\"hi\\\"\nana\"\nana,\"a \\\"b\\\"\nc\"\n"
                                .getBytes(StandardCharsets.UTF_8));
        assertThat(remove(file, FileFormat.CSV, "ana")).isEqualTo(Outcome.REWRITTEN);
        assertThat(file).hasContent("u,n\n");
    }

    @Test
    void csvThatNoRunCouldReadIsReadInEveryUsualWay() throws Exception {
        var others = "u;n\n" + "x".repeat(3 << 20) + "\n";
        var file = file((others + "1;ana\nbob|ana\n").getBytes(StandardCharsets.UTF_8));
        assertThat(Tables.sniff(file)).isEmpty();
        assertThat(remove(file, FileFormat.CSV, "ana")).isEqualTo(Outcome.REWRITTEN);
        assertThat(Files.readString(file)).isEqualTo(others);
        assertThat(remove(file, FileFormat.CSV, "ana")).isEqualTo(Outcome.UNTOUCHED);
    }

    @Test
    void parquetLosesTheRowAndKeepsItsTypes() throws Exception {
        var file = folder.resolve("it's.parquet");
        var name = file.toString().replace("'", "''");
        sql(
                """
                COPY (SELECT * FROM (VALUES ('a"b', 1::BIGINT, DATE '2026-01-02', ['x']), ('bob', 2, NULL, NULL), (NULL, 3, NULL, []),
                    ('12', 12, NULL, ['a', 'b 2']), ('carl', 21, NULL, ['y', ' 2 ']))
                    t(u, n, d, l)) TO '%s' (FORMAT parquet)\
                """
                        .formatted(name));
        var before = Files.readAllBytes(file);
        assertThat(remove(file, FileFormat.PARQUET, "a")).isEqualTo(Outcome.REWRITTEN);
        Files.write(file, before);
        assertThat(remove(file, FileFormat.PARQUET, "ob")).isEqualTo(Outcome.UNTOUCHED);
        assertThat(file).hasBinaryContent(before);
        assertThat(remove(file, FileFormat.PARQUET, "a\"b")).isEqualTo(Outcome.REWRITTEN);
        assertThat(remove(file, FileFormat.PARQUET, "2")).isEqualTo(Outcome.REWRITTEN);
        assertThat(
                        sql(
                                "SELECT n || ' ' || typeof(n) || ' ' || typeof(d) FROM read_parquet('%s')"
                                        .formatted(name)))
                .containsExactly("3 BIGINT DATE", "12 BIGINT DATE");
    }

    @ParameterizedTest
    @EnumSource(
            value = FileFormat.class,
            names = {"JSON", "PARQUET"})
    void whatCannotBeReadGoes(FileFormat format) throws Exception {
        var file = file("{broken".getBytes(StandardCharsets.UTF_8));
        assertThat(remove(file, format, "ana")).isEqualTo(Outcome.DELETED);
        assertThat(file).doesNotExist();
    }

    private static Outcome remove(Path file, FileFormat format, String id) throws IOException {
        return NamedRows.remove(file, format, id, new PersonFiles(id, () -> {}));
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
        try (var connection = DriverManager.getConnection("jdbc:duckdb:");
                var statement = connection.createStatement()) {
            var found = new ArrayList<String>();
            if (statement.execute(sql)) {
                try (var rows = statement.getResultSet()) {
                    while (rows.next()) {
                        found.add(rows.getString(1));
                    }
                }
            }
            return found;
        }
    }
}
