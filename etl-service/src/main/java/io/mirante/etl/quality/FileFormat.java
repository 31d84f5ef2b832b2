package io.mirante.etl.quality;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a file holds its rows. */
public enum FileFormat {
    CSV(
            "its first line must name the columns, and all lines be separated alike, by a comma, a semicolon, a tab or a bar, and end in LF"
                    + " or CR LF, with no single CR between; in UTF-8"),
    NDJSON("every line must be one JSON object of at most 1 MiB, in UTF-8"),
    JSON("it must be one array of JSON objects of at most 1 MiB each, in UTF-8"),
    PARQUET("write it anew as Parquet, or name the format it has"),

    /** CSV as PostgreSQL writes it, whose form need not be guessed; nobody uploads it. */
    COPIED("run it again");

    private final String remedy;

    FileFormat(String remedy) {
        this.remedy = remedy;
    }

    /** What to do about a file that is not readable so. */
    String remedy() {
        return remedy;
    }

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
