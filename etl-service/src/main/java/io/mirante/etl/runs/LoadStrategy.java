package io.mirante.etl.runs;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What becomes of the rows that are there already. */
enum LoadStrategy {
    /** Rows of the same users are replaced, others stay. */
    MERGE,
    /** All rows of the tenant are replaced. */
    REPLACE,
    /** Rows stay as they are; users that have one are refused. */
    APPEND;

    /** The strategy of that name in lower case. */
    static Optional<LoadStrategy> of(String name) {
        return Arrays.stream(values())
                .filter(strategy -> strategy.label().equals(name))
                .findFirst();
    }

    /** Its name in lower case. */
    @JsonValue
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
