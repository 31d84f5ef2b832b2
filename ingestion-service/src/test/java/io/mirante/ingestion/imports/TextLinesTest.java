package io.mirante.ingestion.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextLinesTest {

    @TempDir Path folder;

    private record Read(long number, String text, String fault) {}

    @Test
    void endsOfLineOfAnyKindEndARecord() throws IOException {
        assertThat(read("a\nb\r\n\nc", true))
                .containsExactly(
                        new Read(1, "a", null),
                        new Read(2, "b", null),
                        new Read(3, "", null),
                        new Read(4, "c", null));
        assertThat(read("", true)).isEmpty();
        assertThat(read("\n", true)).containsExactly(new Read(1, "", null));
    }

    @Test
    void quotesHoldEndsOfLine() throws IOException {
        assertThat(read("a,\"b\nc\"\"\n\",d\ne\n", true))
                .containsExactly(new Read(1, "a,\"b\nc\"\"\n\",d", null), new Read(4, "e", null));
        assertThat(read("a\"b\nc\n", false))
                .containsExactly(new Read(1, "a\"b", null), new Read(2, "c", null));
    }

    @Test
    void aQuoteThatIsNotClosedHurtsItsOwnLineAlone() throws IOException {
        assertThat(read("a,\"b\nc\nd\n", true))
                .containsExactly(
                        new Read(1, "a,\"b", "a quote is not closed"),
                        new Read(2, "c", null),
                        new Read(3, "d", null));
        assertThat(read("a,\"b", true))
                .containsExactly(new Read(1, "a,\"b", "a quote is not closed"));
        var many = "x".repeat(100) + "\n";
        var lines = read("\"" + many.repeat(30_000), true);
        assertThat(lines).hasSize(30_000);
        assertThat(lines.getFirst().fault()).isNotNull();
        assertThat(lines.subList(1, lines.size())).allMatch(l -> l.fault() == null);
    }

    @Test
    void aLineThatIsTooLongHurtsNoOther() throws IOException {
        var lines = read("a\n" + "x".repeat(3 * TextLines.MAX_BYTES) + "\nb\n", true);
        assertThat(lines).extracting(Read::number).containsExactly(1L, 2L, 3L);
        assertThat(lines.get(1).fault()).contains("longer than");
        assertThat(lines.get(2)).isEqualTo(new Read(3, "b", null));
    }

    @Test
    void gzipIsRecognisedAndAnyPlaceIsFoundAgain() throws IOException {
        var random = new Random(11);
        var text = new StringBuilder();
        for (int i = 0; i < 5_000; i++) {
            text.append(
                    switch (random.nextInt(4)) {
                        case 0 -> "";
                        case 1 -> "\"" + "q\n".repeat(random.nextInt(5)) + "\",x";
                        case 2 -> "y".repeat(random.nextInt(300));
                        default -> "z,\"\"\"\"";
                    });
            text.append(random.nextBoolean() ? "\n" : "\r\n");
        }
        var bytes = new ByteArrayOutputStream();
        try (var packed = new GZIPOutputStream(bytes)) {
            packed.write(text.toString().getBytes(StandardCharsets.UTF_8));
        }
        var plain = write(text.toString().getBytes(StandardCharsets.UTF_8));
        var gzip = write(bytes.toByteArray());
        var all = rest(new TextLines(plain, true, Long.MAX_VALUE));
        assertThat(rest(new TextLines(gzip, true, Long.MAX_VALUE))).isEqualTo(all).hasSize(5_000);
        for (var file : List.of(plain, gzip)) {
            for (int stop : new int[] {1, 777, 4_999, 5_000}) {
                var lines = new TextLines(file, true, Long.MAX_VALUE);
                for (int i = 0; i < stop; i++) {
                    lines.next();
                }
                var later = new TextLines(file, true, Long.MAX_VALUE);
                later.skipTo(lines.place());
                assertThat(rest(later)).isEqualTo(all.subList(stop, all.size()));
                lines.close();
            }
        }
    }

    @Test
    void aBombIsPutDownAtTheLimit() throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var packed = new GZIPOutputStream(bytes)) {
            packed.write("a\n".repeat(10).getBytes(StandardCharsets.UTF_8));
            packed.write(new byte[50 * 1024 * 1024]);
        }
        var bomb = write(bytes.toByteArray());
        try (var lines = new TextLines(bomb, true, 10 * 1024 * 1024)) {
            for (int i = 1; i <= 10; i++) {
                assertThat(lines.next()).extracting(Lines.Line::number).isEqualTo((long) i);
            }
            assertThatThrownBy(lines::next)
                    .isInstanceOf(ZipException.class)
                    .hasMessage("it unpacks to more than 10485760 bytes");
        }
        assertThat(rest(new TextLines(bomb, true, 51L * 1024 * 1024))).hasSize(11);
    }

    private List<Read> read(String text, boolean quotes) throws IOException {
        return rest(
                new TextLines(
                        write(text.getBytes(StandardCharsets.UTF_8)), quotes, Long.MAX_VALUE));
    }

    private static List<Read> rest(TextLines lines) throws IOException {
        try (lines) {
            var read = new ArrayList<Read>();
            for (var line = lines.next(); line != null; line = lines.next()) {
                read.add(
                        new Read(
                                line.number(),
                                new String(line.bytes(), StandardCharsets.UTF_8),
                                line.fault()));
            }
            return read;
        }
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(folder, "lines", ""), bytes);
    }
}
