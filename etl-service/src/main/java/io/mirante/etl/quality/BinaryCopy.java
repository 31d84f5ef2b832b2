package io.mirante.etl.quality;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;

/** A file that {@code COPY … (FORMAT binary)} reads: a signature, then each field after its length (PostgreSQL's COPY, file formats). */
final class BinaryCopy implements Closeable {

    private static final byte[] SIGNATURE =
            "PGCOPY\n\u00ff\r\n\0".getBytes(StandardCharsets.ISO_8859_1);
    private static final int NULL = -1;

    private final FileChannel file;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 18);

    BinaryCopy(Path path) throws IOException {
        this.file =
                FileChannel.open(
                        path,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
        // Neither flags nor more of a header.
        buffer.put(SIGNATURE).putInt(0).putInt(0);
    }

    /** Adds rows, and closes them. Columns are doubles, or texts. */
    void add(ResultSet rows) throws SQLException, IOException {
        try (rows) {
            var types = rows.getMetaData();
            var isNumber = new boolean[types.getColumnCount()];
            for (int i = 0; i < isNumber.length; i++) {
                isNumber[i] = types.getColumnType(i + 1) == Types.DOUBLE;
            }
            while (rows.next()) {
                room(Short.BYTES).putShort((short) isNumber.length);
                for (int i = 0; i < isNumber.length; i++) {
                    if (isNumber[i]) {
                        number(rows, i + 1);
                    } else {
                        text(rows.getString(i + 1));
                    }
                }
            }
        }
    }

    private void number(ResultSet rows, int column) throws SQLException, IOException {
        double value = rows.getDouble(column);
        var to = room(Integer.BYTES + Double.BYTES);
        if (rows.wasNull()) {
            to.putInt(NULL);
        } else {
            to.putInt(Double.BYTES).putDouble(value);
        }
    }

    private void text(@org.jspecify.annotations.Nullable String text) throws IOException {
        if (text == null) {
            room(Integer.BYTES).putInt(NULL);
            return;
        }
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        room(Integer.BYTES + bytes.length).putInt(bytes.length).put(bytes);
    }

    /** The buffer, with place for so many bytes: ids and names have 1,600 at most. */
    private ByteBuffer room(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            flush();
        }
        return buffer;
    }

    private void flush() throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            file.write(buffer);
        }
        buffer.clear();
    }

    @Override
    public void close() throws IOException {
        try (file) {
            room(Short.BYTES).putShort((short) NULL);
            flush();
        }
    }
}
