package io.mirante.gateway;

import io.r2dbc.spi.Readable;
import java.util.List;
import java.util.Objects;

/** Reads columns that are never null. */
public final class Rows {

    private Rows() {}

    /** The column's value. */
    public static <T> T value(Readable row, String column, Class<T> type) {
        return Objects.requireNonNull(row.get(column, type), column);
    }

    /** A text column. */
    public static String text(Readable row, String column) {
        return value(row, column, String.class);
    }

    /** A column of texts. */
    public static List<String> texts(Readable row, String column) {
        return List.of(value(row, column, String[].class));
    }
}
