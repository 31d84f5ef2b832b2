package io.mirante.etl.quality;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What the values of a column are. */
public enum ColumnType {
    TEXT,
    INTEGER,
    NUMBER,
    BOOLEAN,
    TIMESTAMP;

    /** The type of that name in lower case. */
    public static Optional<ColumnType> of(String name) {
        return Arrays.stream(values()).filter(type -> type.label().equals(name)).findFirst();
    }

    /** Its name in lower case. */
    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** DuckDB's. */
    String sql() {
        return switch (this) {
            case TEXT -> "VARCHAR";
            case INTEGER -> "BIGINT";
            case NUMBER -> "DOUBLE";
            case BOOLEAN -> "BOOLEAN";
            case TIMESTAMP -> "TIMESTAMPTZ";
        };
    }

    boolean isNumeric() {
        return this == INTEGER || this == NUMBER;
    }
}
