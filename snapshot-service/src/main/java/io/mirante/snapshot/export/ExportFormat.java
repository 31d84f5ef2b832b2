package io.mirante.snapshot.export;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.springframework.http.MediaType;

/** Forms a file can have. */
enum ExportFormat {
    CSV("text/csv;charset=UTF-8", "FORMAT csv, HEADER"),
    /** One array. */
    JSON("application/json", ExportFormat.LINES),
    /** An object a line. */
    NDJSON("application/x-ndjson", ExportFormat.LINES),
    /** With real types. */
    PARQUET("application/vnd.apache.parquet", "FORMAT parquet, COMPRESSION zstd");

    /** A text a row as it is. DuckDB's own JSON would write numbers anew: 2.50 as 2.5, and of long ones not all digits. */
    private static final String LINES =
            "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\u0001'";

    private final MediaType mediaType;
    private final String options;

    ExportFormat(String mediaType, String options) {
        this.mediaType = MediaType.parseMediaType(mediaType);
        this.options = options;
    }

    static Optional<ExportFormat> find(String name) {
        return Arrays.stream(values()).filter(f -> f.wireName().equals(name)).findFirst();
    }

    static String names() {
        return Arrays.stream(values())
                .map(ExportFormat::wireName)
                .collect(Collectors.joining(", "));
    }

    /** In requests, and the file's extension. */
    String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether rows are objects. */
    boolean isJson() {
        return this == JSON || this == NDJSON;
    }

    MediaType mediaType() {
        return mediaType;
    }

    /** Of DuckDB's COPY. */
    String options() {
        return options;
    }
}
