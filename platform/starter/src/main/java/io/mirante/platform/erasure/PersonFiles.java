package io.mirante.platform.erasure;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;

/**
 * Takes the rows that name a person out of files: those with a value that is the person's id, whole and but for space around it. What
 * stays, stays byte for byte; a file that names nobody is not written. Memory does not grow with the file. A file that cannot be read
 * goes, since nobody can say whom it names. Used by one thread.
 */
public final class PersonFiles {

    /** Longest line of NDJSON, in bytes, and longest field of CSV, in characters: no reader takes more. */
    private static final int LONGEST = 1 << 24;

    private static final int RECORDS_PER_PULSE = 4096;
    private static final int LONGEST_NUMBER = 40;

    private static final JsonFactory JSON =
            JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxStringLength(LONGEST).build())
                    .build();

    private final String userId;
    private final @Nullable BigDecimal number;

    /** The id as fields of CSV may have it, each byte as a character. */
    private final List<String> spellings;

    private final Runnable pulse;
    private long records;

    /**
     * For one person.
     *
     * @param pulse is called again and again; what it throws ends the work and leaves the file as it was
     */
    public PersonFiles(String userId, Runnable pulse) {
        var trimmed = trimmed(userId);
        this.userId = trimmed.isEmpty() ? userId : trimmed;
        this.number = number(this.userId);
        this.spellings =
                List.of(
                        this.userId,
                        new String(
                                this.userId.getBytes(StandardCharsets.UTF_8),
                                StandardCharsets.ISO_8859_1));
        this.pulse = pulse;
    }

    /** What became of a file. */
    public enum Outcome {
        UNTOUCHED,
        REWRITTEN,
        DELETED
    }

    /**
     * How a file of CSV is written; a quote within quotes is doubled, or has a backslash before it.
     *
     */
    public record Csv(String delimiter, char quote, boolean backslash) {

        /** With commas and double quotes. */
        public static final Csv COMMAS = new Csv(",", '"', false);

        private Csv unquoted() {
            return new Csv(delimiter, '\uFFFF', false);
        }
    }

    /** Makes another file of a file. */
    public interface Copy {

        /**
         * Writes the rows that do not name the person.
         *
         * @return false when there are no others; what was written is then dropped
         * @throws UnreadableException when the file is not what it should be
         */
        boolean withoutPerson(Path next) throws IOException;
    }

    /** A file is not what it should be. */
    public static final class UnreadableException extends IOException {

        private static final long serialVersionUID = 1L;

        /** Because of that. */
        public UnreadableException(Exception cause) {
            super(cause);
        }
    }

    /**
     * Puts another file in a file's place, at once. One that was replaced or removed in the meantime stays so: the next try finds it.
     */
    public Outcome replace(Path file, Copy copy) throws IOException {
        if (!Files.exists(file)) {
            return Outcome.UNTOUCHED;
        }
        dropRests(file);
        var next = file.resolveSibling(file.getFileName() + ".erasing-" + UUID.randomUUID());
        var before = stamp(file);
        try {
            if (!copy.withoutPerson(next)) {
                return Outcome.UNTOUCHED;
            }
            pulse.run();
            if (!stamp(file).equals(before)) {
                throw new IOException("a file changed while a person was taken out of it");
            }
            Files.move(
                    next,
                    file,
                    StandardCopyOption.REPLACE_EXISTING,
                    StandardCopyOption.ATOMIC_MOVE);
            return Outcome.REWRITTEN;
        } catch (JacksonIOException e) {
            throw new IOException(e);
        } catch (UnreadableException
                | ZipException
                | EOFException
                | JacksonException
                | CsvParseException unreadable) {
            Files.deleteIfExists(file);
            return Outcome.DELETED;
        } finally {
            Files.deleteIfExists(next);
        }
    }

    /** Drops what a process that was killed left of rewriting a file. */
    public static void dropRests(Path file) throws IOException {
        var folder = file.toAbsolutePath().getParent();
        if (folder != null && Files.isDirectory(folder)) {
            try (var rests = Files.newDirectoryStream(folder, file.getFileName() + ".erasing-*")) {
                for (var rest : rests) {
                    Files.deleteIfExists(rest);
                }
            }
        }
    }

    private static List<Object> stamp(Path file) throws IOException {
        var now = Files.readAttributes(file, BasicFileAttributes.class);
        return List.of(String.valueOf(now.fileKey()), now.size(), now.lastModifiedTime());
    }

    /**
     * Takes records out of CSV, however many lines they have; the first stays, since it holds the titles. Text in another encoding than
     * UTF-8 is no obstacle. A field of several lines names the person also with one of its lines or cells: where quotes do not pair, other
     * readers see rows there. Quotes that do not end within 16 MiB are none.
     */
    public Outcome csv(Path file, boolean packed, Csv how) throws IOException {
        return replace(
                file,
                next -> {
                    try {
                        return csv(file, packed, how, next);
                    } catch (CsvParseException endlessQuotes) {
                        return csv(file, packed, how.unquoted(), next);
                    }
                });
    }

    private boolean csv(Path file, boolean packed, Csv how, Path next) throws IOException {
        try (var in = open(file, packed);
                var rest = new Survivors(() -> open(file, packed), next, packed, true);
                var reader = reader(in, how)) {
            boolean titles = true;
            long named = 0;
            for (var row : reader) {
                if (named > 0) {
                    rest.drop(named - 1, row.line() - 1);
                }
                named = row.named() && !titles ? row.line() : 0;
                titles = false;
                pulse();
            }
            if (named > 0) {
                rest.drop(named - 1, Long.MAX_VALUE);
            }
            return rest.end();
        }
    }

    private CsvReader<Row> reader(InputStream in, Csv how) {
        var bytes = new InputStreamReader(in, StandardCharsets.ISO_8859_1);
        return CsvReader.builder()
                .fieldSeparator(
                        new String(
                                how.delimiter().getBytes(StandardCharsets.UTF_8),
                                StandardCharsets.ISO_8859_1))
                .quoteCharacter(how.quote())
                .skipEmptyLines(false)
                .allowExtraFields(true)
                .allowMissingFields(true)
                .allowExtraCharsAfterClosingQuote(true)
                .maxBufferSize(LONGEST)
                .build(new Rows(how), new PlainCsv(bytes, how.quote(), how.backslash()));
    }

    /**
     * A record of CSV.
     *
     * @param line its first, from 1
     */
    private record Row(long line, boolean named) {}

    private final class Rows extends AbstractBaseCsvCallbackHandler<Row> {

        private final Pattern cells;
        private boolean named;

        Rows(Csv how) {
            this.cells =
                    Pattern.compile(
                            "[\\r\\n%s]|%s"
                                    .formatted(
                                            Pattern.quote(String.valueOf(how.quote())),
                                            Pattern.quote(how.delimiter())));
        }

        @Override
        protected void handleBegin(long startingLineNumber) {
            named = false;
        }

        @Override
        protected void handleField(int fieldIdx, char[] buf, int offset, int len, boolean quoted) {
            if (named || len < spellings.getFirst().length()) {
                return;
            }
            var field = new String(buf, offset, len);
            if (spellings.stream().anyMatch(field::contains)) {
                named =
                        isPerson(field)
                                || (isOfLines(field)
                                        && cells.splitAsStream(field)
                                                .anyMatch(PersonFiles.this::isPerson));
            }
        }

        @Override
        protected Row buildRecord() {
            return new Row(getStartingLineNumber(), named);
        }
    }

    private static boolean isOfLines(String field) {
        return field.indexOf('\n') >= 0 || field.indexOf('\r') >= 0;
    }

    /** Of text whose characters are bytes. */
    private boolean isPerson(String field) {
        return names(field)
                || names(
                        new String(
                                field.getBytes(StandardCharsets.ISO_8859_1),
                                StandardCharsets.UTF_8));
    }

    /**
     * Takes lines out of NDJSON: those with a string or number, at any depth, that is the id. A line that is no JSON goes when it has the id
     * anywhere, one of more than 16 MiB always: no run reads either.
     */
    public Outcome ndjson(Path file, boolean packed) throws IOException {
        return replace(
                file,
                next -> {
                    try (var in = open(file, packed);
                            var rest =
                                    new Survivors(() -> open(file, packed), next, packed, false)) {
                        var lines = new Lines(in);
                        long begin = 0;
                        for (var line = lines.next(); line != null; line = lines.next()) {
                            if (line.length > LONGEST || namedIn(line)) {
                                rest.drop(begin, lines.position());
                            }
                            begin = lines.position();
                            pulse();
                        }
                        return rest.end();
                    }
                });
    }

    private boolean namedIn(byte[] line) {
        try (var parser =
                JSON.createParser(ObjectReadContext.empty(), new ByteArrayInputStream(line))) {
            boolean named = false;
            while (!named && parser.nextToken() != null) {
                named = isPerson(parser);
            }
            return named;
        } catch (JacksonException noJson) {
            var text = new String(line, StandardCharsets.ISO_8859_1);
            return spellings.stream().anyMatch(text::contains);
        }
    }

    /**
     * Takes elements out of a JSON array: those with a string or number, at any depth, that is the id. Any other JSON is one row.
     */
    public Outcome json(Path file, boolean packed) throws IOException {
        return replace(
                file,
                next -> {
                    try (var in = open(file, packed);
                            var parser = JSON.createParser(ObjectReadContext.empty(), in);
                            var rest =
                                    new Survivors(() -> open(file, packed), next, packed, false)) {
                        if (parser.nextToken() != JsonToken.START_ARRAY) {
                            boolean named = parser.currentToken() != null && namedIn(parser);
                            if (parser.nextToken() != null || named) {
                                throw new StreamReadException(parser, "no array");
                            }
                            return false;
                        }
                        dropElements(parser, rest);
                        if (parser.nextToken() != null) {
                            throw new StreamReadException(parser, "more than an array");
                        }
                        return rest.end();
                    }
                });
    }

    /** With the separator before each; the first that stays loses its own. */
    private void dropElements(JsonParser parser, Survivors rest) throws IOException {
        boolean first = true;
        long end = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            long begin = offset(parser.currentTokenLocation().getByteOffset(), parser);
            long from = end == 0 ? begin : end;
            boolean named = namedIn(parser);
            parser.finishToken();
            long after = offset(parser.currentLocation().getByteOffset(), parser);
            if (named) {
                rest.drop(from, after);
            } else if (first) {
                first = false;
                if (from < begin) {
                    rest.drop(from, begin);
                }
            }
            end = after;
            pulse();
        }
    }

    private static long offset(long offset, JsonParser parser) {
        if (offset < 0) {
            throw new StreamReadException(parser, "not UTF-8");
        }
        return offset;
    }

    /** Reads the value that begins with the current token to its end. */
    private boolean namedIn(JsonParser parser) {
        boolean named = isPerson(parser);
        int depth = parser.currentToken().isStructStart() ? 1 : 0;
        while (depth > 0) {
            var token = parser.nextToken();
            if (token == null) {
                throw new StreamReadException(parser, "no end");
            }
            depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            named = named || isPerson(parser);
        }
        return named;
    }

    private boolean isPerson(JsonParser parser) {
        var token = parser.currentToken();
        if (token == JsonToken.VALUE_STRING) {
            return names(parser.getString());
        }
        if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
            return false;
        }
        var text = parser.getString();
        if (text.equals(userId)) {
            return true;
        }
        var value = number == null ? null : number(text);
        return value != null && value.compareTo(number) == 0;
    }

    private static @Nullable BigDecimal number(String text) {
        try {
            return text.length() > LONGEST_NUMBER ? null : new BigDecimal(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** Whether a value is the id, but for space around it and the apostrophe that an export puts before what looks like a formula. */
    private boolean names(String value) {
        if (value.length() < userId.length() || !value.contains(userId)) {
            return false;
        }
        var trimmed = trimmed(value);
        return trimmed.equals(userId) || trimmed.equals("'" + userId);
    }

    private static String trimmed(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isSpace(text.charAt(from))) {
            from++;
        }
        while (to > from && isSpace(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    private static boolean isSpace(char c) {
        return " \t\n\u000B\f\r\u00A0\uFEFF\u200B".indexOf(c) >= 0;
    }

    private void pulse() {
        if (++records % RECORDS_PER_PULSE == 0) {
            pulse.run();
        }
    }

    private static InputStream open(Path file, boolean packed) throws IOException {
        var in = Files.newInputStream(file);
        return packed ? new GZIPInputStream(in, 1 << 16) : in;
    }

    /** Lines as bytes, with their ends. */
    private static final class Lines {

        private final InputStream in;
        private final byte[] buffer = new byte[1 << 16];
        private int begin;
        private int end;
        private long position;

        Lines(InputStream in) {
            this.in = in;
        }

        /** Bytes of all lines read. */
        long position() {
            return position;
        }

        /** The next one, or its first bytes, more than the longest that is let stand; null at the end. */
        byte @Nullable [] next() throws IOException {
            var line = new ByteArrayOutputStream();
            boolean any = false;
            while (true) {
                if (begin == end) {
                    end = Math.max(0, in.read(buffer));
                    begin = 0;
                    if (end == 0) {
                        return any ? line.toByteArray() : null;
                    }
                }
                any = true;
                int stop = begin;
                while (stop < end && buffer[stop] != '\n') {
                    stop++;
                }
                boolean ended = stop < end;
                int upTo = ended ? stop + 1 : stop;
                if (line.size() <= LONGEST) {
                    line.write(buffer, begin, upTo - begin);
                }
                position += upTo - begin;
                begin = upTo;
                if (ended) {
                    return line.toByteArray();
                }
            }
        }
    }
}
