package io.mirante.segmentation;

import io.r2dbc.spi.Readable;
import java.math.BigDecimal;
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

    /** Money as answers show it: decimal text with at least two places, exact. */
    public static String money(BigDecimal amount) {
        var plain = amount.stripTrailingZeros();
        return (plain.scale() < 2 ? plain.setScale(2) : plain).toPlainString();
    }
}
