package io.mirante.ingestion.imports;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The records of a file, one after the other, in constant memory. Used by one thread. */
interface Lines extends AutoCloseable {

    /**
     * One record.
     *
     * @param number from 1; of a CSV's record the number of its first line
     * @param bytes without the end of line; cut when it is too long
     * @param fault why it cannot be read, or null
     */
    record Line(long number, byte[] bytes, @Nullable String fault) {}

    /** The next record, or null at the end. */
    @Nullable Line next() throws IOException;

    /** Goes on behind what an earlier run has done. */
    void skipTo(Place place) throws IOException;

    /** Behind the last record read. */
    Place place();

    /** Share of the file that is read, [0, 1]. */
    double progress();

    @Override
    void close() throws IOException;

    /**
     * A place in a file.
     *
     * @param offset unpacked bytes, or rows
     * @param line number of the last line read
     */
    record Place(long offset, long line) {
        static final Place BEGIN = new Place(0, 0);
    }
}
