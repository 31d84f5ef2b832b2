package io.mirante.ingestion.imports;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * Lines of a text file, plain or gzip. With quotes on, a record goes on over ends of lines inside of double quotes; a quote
 * that is not closed within a record's limit ends with its line, so that it does not swallow what follows. Memory: twice the
 * longest record.
 */
final class TextLines implements Lines {

    /** Longest record, in bytes: several times the largest event. */
    static final int MAX_BYTES = 1024 * 1024;

    private static final int BLOCK = 64 * 1024;

    private final Path file;
    private final boolean quotes;
    private final long maxBytes;
    private final long size;
    private Counting packed;
    private InputStream in;
    private byte[] buffer = new byte[BLOCK];
    private int start;
    private int end;
    private boolean ended;
    private long offset;
    private long line;
    private long unpacked;

    /**
     * @param maxBytes how much the file may unpack to; beyond it, reading ends with a {@link ZipException}
     */
    TextLines(Path file, boolean quotes, long maxBytes) throws IOException {
        this.file = file;
        this.quotes = quotes;
        this.maxBytes = maxBytes;
        this.size = Math.max(1, Files.size(file));
        this.packed = new Counting(Files.newInputStream(file));
        this.in = unpacked(file, packed);
    }

    /** Whether a file begins as gzip does. */
    static boolean gzip(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return in.read() == 0x1f && in.read() == 0x8b;
        }
    }

    private static InputStream unpacked(Path file, InputStream packed) throws IOException {
        return gzip(file) ? new GZIPInputStream(packed, BLOCK) : packed;
    }

    @Override
    public void skipTo(Place place) throws IOException {
        close();
        packed = new Counting(Files.newInputStream(file));
        in = unpacked(file, packed);
        in.skipNBytes(place.offset());
        unpacked = place.offset();
        start = 0;
        end = 0;
        ended = false;
        offset = place.offset();
        line = place.line();
    }

    @Override
    public Place place() {
        return new Place(offset, line);
    }

    @Override
    public double progress() {
        return Math.min(1, (double) packed.read / size);
    }

    @Override
    public @Nullable Line next() throws IOException {
        int at = start;
        int firstEnd = -1;
        int newLines = 0;
        boolean quoted = false;
        while (true) {
            if (at == end) {
                int taken = at - start;
                if (!ended && taken < MAX_BYTES) {
                    fill();
                    at = start + taken;
                    if (firstEnd >= 0) {
                        firstEnd = firstLineEnd(taken);
                    }
                    continue;
                }
                if (taken == 0) {
                    return null;
                }
                if (quoted && firstEnd >= 0) {
                    return record(firstEnd, 1, 1, "a quote is not closed");
                }
                if (ended) {
                    return record(at, 0, 1 + newLines, quoted ? "a quote is not closed" : null);
                }
                return tooLong();
            }
            byte b = buffer[at];
            if (b == '"' && quotes) {
                quoted = !quoted;
            } else if (b == '\n') {
                if (!quoted) {
                    return record(at, 1, 1 + newLines, null);
                }
                newLines++;
                if (firstEnd < 0) {
                    firstEnd = at;
                }
            }
            at++;
        }
    }

    private int firstLineEnd(int taken) {
        for (int i = start; i < start + taken; i++) {
            if (buffer[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    /** The record up to {@code to}; what follows it, {@code separator} bytes on, is read next. */
    private Line record(int to, int separator, int lines, @Nullable String fault) {
        int last = to > start && buffer[to - 1] == '\r' ? to - 1 : to;
        var found = new Line(line + 1, Arrays.copyOfRange(buffer, start, last), fault);
        offset += to + separator - start;
        start = to + separator;
        line += lines;
        return found;
    }

    /** Throws the rest of the line away. */
    private Line tooLong() throws IOException {
        var kept = Arrays.copyOfRange(buffer, start, Math.min(end, start + BLOCK));
        offset += end - start;
        start = 0;
        end = 0;
        while (true) {
            if (start == end) {
                if (ended) {
                    break;
                }
                fill();
                continue;
            }
            offset++;
            if (buffer[start++] == '\n') {
                break;
            }
        }
        line++;
        return new Line(line, kept, "the line is longer than " + MAX_BYTES + " bytes");
    }

    /** Makes room behind what is not used yet and reads more. */
    private void fill() throws IOException {
        int open = end - start;
        if (start > 0) {
            System.arraycopy(buffer, start, buffer, 0, open);
            start = 0;
            end = open;
        }
        if (end == buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.min(2 * buffer.length, MAX_BYTES + BLOCK));
        }
        int read = in.read(buffer, end, buffer.length - end);
        if (read < 0) {
            ended = true;
        } else {
            end += read;
            unpacked += read;
            if (unpacked > maxBytes) {
                throw new ZipException("it unpacks to more than " + maxBytes + " bytes");
            }
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /** Counts what is read of the file itself. */
    private static final class Counting extends FilterInputStream {
        private long read;

        Counting(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int b = super.read();
            read += b < 0 ? 0 : 1;
            return b;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int n = super.read(bytes, from, length);
            read += Math.max(0, n);
            return n;
        }

        @Override
        public long skip(long n) throws IOException {
            long skipped = super.skip(n);
            read += skipped;
            return skipped;
        }
    }
}
