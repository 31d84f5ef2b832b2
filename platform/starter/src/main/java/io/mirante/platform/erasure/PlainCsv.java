package io.mirante.platform.erasure;

import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;

/**
 * Text of CSV as FastCSV reads it well, each character in its place: a quote is doubled where a backslash stood before it, and a CR that
 * ends a line alone is an LF (FastCSV 4.1.0 drops a last field whose quoted text ends with CR when LF follows, and reads on into the next
 * record). Used by one thread.
 */
final class PlainCsv extends FilterReader {

    private final char quote;
    private final boolean backslash;
    private boolean escaped;

    /** Read to see what follows; -1 = nothing. */
    private int held = -1;

    PlainCsv(Reader in, char quote, boolean backslash) {
        super(in);
        this.quote = quote;
        this.backslash = backslash;
    }

    @Override
    public int read() throws IOException {
        var one = new char[1];
        return read(one, 0, 1) < 0 ? -1 : one[0];
    }

    @Override
    public int read(char[] buf, int off, int len) throws IOException {
        int end = off;
        if (held >= 0) {
            buf[end++] = (char) held;
            held = -1;
        }
        end += Math.max(0, in.read(buf, end, len - (end - off)));
        if (end == off) {
            return -1;
        }
        if (buf[end - 1] == '\r' || buf[end - 1] == '\\') {
            held = in.read();
        }
        for (int i = off; i < end; i++) {
            int next = i + 1 < end ? buf[i + 1] : held;
            if (buf[i] == '\r' && next != '\n') {
                buf[i] = '\n';
            } else if (backslash && buf[i] == '\\' && !escaped) {
                buf[i] = next == quote ? quote : '\\';
                escaped = true;
                continue;
            }
            escaped = false;
        }
        return end - off;
    }
}
