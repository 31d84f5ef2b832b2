package io.mirante.platform.erasure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.platform.erasure.PersonFiles.Csv;
import io.mirante.platform.erasure.PersonFiles.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PersonFilesTest {

    private static final Csv SEMICOLONS = new Csv(";", '\'', false);

    @TempDir Path folder;

    @Test
    void aShortIdTakesNobodyElseWithIt() throws Exception {
        assertThat(csv("u,n\n7,17\n17,1\n\"7\",2\na7,7.0\nx, 7 \n70,mail7@x\n", "7"))
                .isEqualTo("u,n\n17,1\na7,7.0\n70,mail7@x\n");
        assertThat(ndjson("{\"u\":7}\n{\"u\":17}\n{\"u\":{\"v\":[\"7\"]}}\n{\"7\":70}\n", "7"))
                .isEqualTo("{\"u\":17}\n{\"7\":70}\n");
        assertThat(json("[{\"u\":7.0},\n {\"u\":\"a7\"},\n {\"u\":[\" 7\"]}]\n", "7"))
                .isEqualTo("[{\"u\":\"a7\"}]\n");
    }

    @Test
    void anIdThatAnExportMadeHarmlessIsStillThePersons() throws Exception {
        assertThat(csv("u,n\n'=ana,1\n=ana,2\n'ana,3\n", "=ana")).isEqualTo("u,n\n'ana,3\n");
    }

    @Test
    void theTitlesStay() throws Exception {
        assertThat(csv("u,n\nana,1\r\nbob,2\nu,3\n", "u")).isEqualTo("u,n\nana,1\r\nbob,2\n");
    }

    @Test
    void aRecordOfManyLinesGoesWhole() throws Exception {
        assertThat(
                        csv(
                                "u,note,n\nana,\"one\ntwo\r\nthree\",1\r\nbob,\"a\nb\",2\r\n\nx,\"c\n\",ana",
                                "ana"))
                .isEqualTo("u,note,n\nbob,\"a\nb\",2\r\n\n");
    }

    @Test
    void quotesThatDoNotPairHideNobody() throws Exception {
        assertThat(csv("u,n\nbob,\"oops\nana,1\nx,\"fine\"\ncarl,2\n", "ana"))
                .doesNotContain("ana")
                .startsWith("u,n\n");
        var long0 = "u,n\nbob,\"oops\n" + "someone,1\n".repeat(2_000_000);
        assertThat(csv(long0 + "ana,1\nlast,2\n", "ana")).isEqualTo(long0 + "last,2\n");
    }

    @Test
    void otherWaysOfWritingCsv() throws Exception {
        assertThat(csv("u;n\n'a''b';1\n'a;b';'x\ny'\nz,2\n", "a'b", SEMICOLONS))
                .isEqualTo("u;n\n'a;b';'x\ny'\nz,2\n");
        assertThat(csv("u;n\n'a;b';'x\ny'\nz;2\n", "a;b", SEMICOLONS)).isEqualTo("u;n\nz;2\n");
        var backslash = new Csv(",", '"', true);
        assertThat(csv("u,n\nana,\"a \\\"b\\\"\nc\"\nbob,\"d\\\\\"\n", "ana", backslash))
                .isEqualTo("u,n\nbob,\"d\\\\\"\n");
        assertThat(csv("u,n\n\"a\\\"b\",1\nbob,2\n", "a\"b", backslash)).isEqualTo("u,n\nbob,2\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ISO-8859-1", "UTF-8"})
    void textMayBeInAnotherEncoding(String charset) throws Exception {
        var file =
                file(
                        "u\n\"a\"\"b\"\nJosé\n\u00a0José\u00a0\nJos\n"
                                .getBytes(Charset.forName(charset)));
        assertThat(of("José").csv(file, false, Csv.COMMAS)).isEqualTo(Outcome.REWRITTEN);
        assertThat(file).hasContent("u\n\"a\"\"b\"\nJos\n");
    }

    /** Against what the records were made of: every line end, empty fields and lines, quotes where they are and are not needed. */
    @Test
    void whatStaysStaysByteForByte() throws Exception {
        for (int seed = 0; seed < 300; seed++) {
            var random = new Random(seed);
            var all = new StringBuilder("u,n\n");
            var rest = new StringBuilder("u,n\n");
            for (int i = 0; i < 40; i++) {
                boolean named = random.nextInt(4) == 0;
                var fields = new ArrayList<String>();
                int width = 1 + random.nextInt(4);
                int at = random.nextInt(width);
                for (int f = 0; f < width; f++) {
                    fields.add(named && f == at ? of(random, "p") : of(random, null));
                }
                boolean last = i == 39 && random.nextBoolean();
                var record =
                        String.join(",", fields)
                                + (last ? "" : List.of("\n", "\r\n", "\r").get(random.nextInt(3)));
                // CR and LF next to each other are one end
                if (all.charAt(all.length() - 1) == '\r' && record.startsWith("\n")) {
                    continue;
                }
                all.append(record);
                rest.append(named ? "" : record);
            }
            assertThat(csv(all.toString(), "p")).as("seed %d", seed).isEqualTo(rest.toString());
        }
    }

    private static String of(Random random, String value) {
        var parts = List.of("", "pp", "x", "é", "7");
        var inner = List.of("\"\"", ",", "\r\n", "\n", "\r", "ap", "p-");
        if (value != null) {
            return random.nextBoolean() ? value : "\"" + value + "\"";
        }
        if (random.nextBoolean()) {
            return parts.get(random.nextInt(parts.size()));
        }
        var text = new StringBuilder("\"");
        for (int i = random.nextInt(5); i > 0; i--) {
            text.append(inner.get(random.nextInt(inner.size())));
        }
        return text.append('"').toString();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"u\": \"a\\\"b\\\\c\"}",
                "{\"u\": \"\\u0061\\\"b\\\\c\"}",
                "{\"u\": {\"v\": [1, \"a\\u0022b\\\\c\"]}}"
            })
    void jsonMaySpellAnIdInManyWays(String row) throws Exception {
        var id = "a\"b\\c";
        var other = "{\"u\": \"z a\\\"b\\\\c\"}";
        assertThat(ndjson(row + "\r\n" + other + "\n", id)).isEqualTo(other + "\n");
        assertThat(json("\uFEFF[" + row + ", " + other + " ] ", id))
                .isEqualTo("\uFEFF[" + other + " ] ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[ 'p' , 1, {'a':'p'} ,'p'] | [ 1]",
                "['p','p'] | []",
                "[ 'x', 'p', 2 ,'pp'] | [ 'x', 2 ,'pp']",
                "['x', ['p']] | ['x']",
                "['p', 'x', 'y' ] | ['x', 'y' ]",
            })
    void anArrayLosesElementsAndTheirSeparators(String before, String after) throws Exception {
        assertThat(json(before.replace('\'', '"'), "p")).isEqualTo(after.replace('\'', '"'));
    }

    @Test
    void aLineThatIsNoJsonGoesWhenItHasTheIdAnywhere() throws Exception {
        assertThat(ndjson("{\"u\": \"an\nxanax\n{\"u\":\"x\"\n", "ana"))
                .isEqualTo("{\"u\": \"an\n{\"u\":\"x\"\n");
    }

    @Test
    void aLineTooLongForAnyReaderGoes() throws Exception {
        var long0 = "{\"u\":\"" + "x".repeat(1 << 24) + "\"}\n";
        assertThat(ndjson("{\"u\":1}\n" + long0 + "{\"u\":2}", "ana"))
                .isEqualTo("{\"u\":1}\n{\"u\":2}");
    }

    @Test
    void aFileThatNamesNobodyIsNotTouched() throws Exception {
        for (var text : List.of("[{\"u\": \"ana\"}]", "\r\n[]\r\n", "")) {
            for (var bytes : List.of(text.getBytes(StandardCharsets.UTF_8), packed(text))) {
                boolean packed = bytes.length > 0 && bytes[0] == 0x1f;
                var file = file(bytes);
                var before = Files.getLastModifiedTime(file);
                assertThat(of("bob").csv(file, packed, Csv.COMMAS)).isEqualTo(Outcome.UNTOUCHED);
                assertThat(of("bob").ndjson(file, packed)).isEqualTo(Outcome.UNTOUCHED);
                assertThat(of("bob").json(file, packed)).isEqualTo(Outcome.UNTOUCHED);
                assertThat(file).hasBinaryContent(bytes);
                assertThat(Files.getLastModifiedTime(file)).isEqualTo(before);
            }
        }
        assertThat(of("bob").csv(folder.resolve("none"), false, Csv.COMMAS))
                .isEqualTo(Outcome.UNTOUCHED);
        assertNothingIsLeft();
    }

    @Test
    void whatCannotBeReadGoes() throws Exception {
        for (var text : List.of("{broken", "[1,2", "[1] [2]", "{\"u\":\"ana\"}")) {
            var file = file(text.getBytes(StandardCharsets.UTF_8));
            assertThat(of("ana").json(file, false)).as(text).isEqualTo(Outcome.DELETED);
            assertThat(file).doesNotExist();
        }
        var cut = packed("{\"u\":\"bob\"}\n".repeat(500));
        var gzip = file(Arrays.copyOf(cut, cut.length / 2));
        assertThat(of("ana").ndjson(gzip, true)).isEqualTo(Outcome.DELETED);
        assertNothingIsLeft();
    }

    /** A folder can be opened, and fails when it is read. */
    @Test
    void aFileThatCannotBeReadNowStays() throws Exception {
        var file = Files.createDirectory(folder.resolve("file"));
        assertThatThrownBy(() -> of("ana").json(file, false)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> of("ana").ndjson(file, false)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> of("ana").csv(file, false, Csv.COMMAS))
                .hasRootCauseInstanceOf(IOException.class);
        assertThat(file).exists();
    }

    @Test
    void anIdThatIsAllSpaceTakesNoEmptyValues() throws Exception {
        assertThat(csv("u,n\n,1\n", "\u00a0")).isEqualTo("u,n\n,1\n");
    }

    @Test
    void whatIsPackedIsPackedAgain() throws Exception {
        var file = file(packed("u\nana\nbob\n"));
        assertThat(of("ana").csv(file, true, Csv.COMMAS)).isEqualTo(Outcome.REWRITTEN);
        try (var in = new GZIPInputStream(Files.newInputStream(file))) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("u\nbob\n");
        }
    }

    @Test
    void whoeverIsToldToStopLeavesTheFileAsItWas() throws Exception {
        var file = file(("u\n" + "ana\nbob\n".repeat(10_000)).getBytes(StandardCharsets.UTF_8));
        var before = Files.readAllBytes(file);
        var stopped =
                new PersonFiles(
                        "ana",
                        () -> {
                            throw new CancellationException();
                        });
        assertThatThrownBy(() -> stopped.csv(file, false, Csv.COMMAS))
                .isInstanceOf(CancellationException.class);
        assertThat(file).hasBinaryContent(before);
        assertNothingIsLeft();
    }

    @Test
    void aFileThatWasReplacedMeanwhileIsNotOverwritten() throws Exception {
        var file = file("u\nana\nbob\n".getBytes(StandardCharsets.UTF_8));
        var person =
                new PersonFiles(
                        "ana",
                        () -> {
                            try {
                                Files.delete(file);
                                Files.writeString(file, "u\nnewer\n");
                            } catch (IOException e) {
                                throw new java.io.UncheckedIOException(e);
                            }
                        });
        assertThatThrownBy(() -> person.csv(file, false, Csv.COMMAS))
                .isInstanceOf(IOException.class);
        assertThat(file).hasContent("u\nnewer\n");
    }

    @Test
    void whatAKilledProcessLeftGoes() throws Exception {
        var file = file("u\nbob\n".getBytes(StandardCharsets.UTF_8));
        Files.writeString(file.resolveSibling(file.getFileName() + ".erasing-1"), "u\nbob\n");
        assertThat(of("ana").csv(file, false, Csv.COMMAS)).isEqualTo(Outcome.UNTOUCHED);
        assertNothingIsLeft();
    }

    private void assertNothingIsLeft() throws IOException {
        try (var left = Files.list(folder)) {
            assertThat(left).noneMatch(path -> path.toString().contains(".erasing"));
        }
    }

    private static PersonFiles of(String id) {
        return new PersonFiles(id, () -> {});
    }

    private String csv(String text, String id) throws IOException {
        return csv(text, id, Csv.COMMAS);
    }

    private String csv(String text, String id, Csv how) throws IOException {
        var file = file(text.getBytes(StandardCharsets.UTF_8));
        of(id).csv(file, false, how);
        return Files.readString(file);
    }

    private String ndjson(String text, String id) throws IOException {
        var file = file(text.getBytes(StandardCharsets.UTF_8));
        of(id).ndjson(file, false);
        return Files.readString(file);
    }

    private String json(String text, String id) throws IOException {
        var file = file(text.getBytes(StandardCharsets.UTF_8));
        of(id).json(file, false);
        return Files.readString(file);
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
}
