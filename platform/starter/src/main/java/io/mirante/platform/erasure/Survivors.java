package io.mirante.platform.erasure;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Copies a file but for ranges that are dropped, in order; nothing is written before the first. A place is a number of bytes, or of lines
 * that end with CR, LF or both. Used by one thread.
 */
final class Survivors implements Closeable {

    private final Source source;
    private final Path next;
    private final boolean packed;
    private final boolean byLines;
    private final byte[] buffer = new byte[1 << 16];
    private @Nullable InputStream in;
    private @Nullable OutputStream out;
    private int begin;
    private int end;
    private long at;
    private boolean afterReturn;

    /** Opens the file, unpacked. */
    interface Source {
        InputStream open() throws IOException;
    }

    Survivors(Source source, Path next, boolean packed, boolean byLines) {
        this.source = source;
        this.next = next;
        this.packed = packed;
        this.byLines = byLines;
    }

    /** Copies up to a place and leaves out what stands between it and another. */
    void drop(long from, long to) throws IOException {
        if (out == null) {
            in = source.open();
            var file = Files.newOutputStream(next);
            out = packed ? new GZIPOutputStream(file, 1 << 16) : file;
        }
        advance(from, out);
        advance(to, null);
    }

    /** Copies the rest; false when nothing was dropped. */
    boolean end() throws IOException {
        if (out == null) {
            return false;
        }
        advance(Long.MAX_VALUE, out);
        return true;
    }

    private void advance(long to, @Nullable OutputStream sink) throws IOException {
        while (at < to || (byLines && afterReturn)) {
            if (begin == end && !fill()) {
                if (to != Long.MAX_VALUE && at < to && !byLines) {
                    throw new IOException("the file became shorter");
                }
                return;
            }
            int stop = byLines ? line(to) : begin + (int) Math.min(end - begin, to - at);
            if (!byLines) {
                at += stop - begin;
            }
            if (sink != null) {
                sink.write(buffer, begin, stop - begin);
            }
            begin = stop;
        }
    }

    /** Where the line at hand ends in the buffer, or the buffer does; LF after CR belongs to the line before. */
    private int line(long to) {
        int i = begin;
        while (i < end) {
            byte b = buffer[i];
            if (afterReturn) {
                afterReturn = false;
                if (b == '\n') {
                    i++;
                    continue;
                }
            }
            if (at >= to) {
                return i;
            }
            i++;
            if (b == '\n') {
                at++;
            } else if (b == '\r') {
                at++;
                afterReturn = true;
            }
        }
        return i;
    }

    private boolean fill() throws IOException {
        begin = 0;
        end = in == null ? 0 : Math.max(0, in.read(buffer));
        return end > 0;
    }

    @Override
    public void close() throws IOException {
        try {
            if (in != null) {
                in.close();
            }
        } finally {
            if (out != null) {
                out.close();
            }
        }
    }
}
