package io.mirante.etl.quality;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a file holds its rows. */
public enum FileFormat {
    CSV,
    NDJSON,
    JSON,
    PARQUET,

    /** CSV as PostgreSQL writes it, whose form need not be guessed; nobody uploads it. */
    COPIED;

    /** The format of that name in lower case, of those that callers may name. */
    public static Optional<FileFormat> of(String name) {
        return Arrays.stream(values())
                .filter(format -> format != COPIED && format.label().equals(name))
                .findFirst();
    }

    /** Its name for people. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
