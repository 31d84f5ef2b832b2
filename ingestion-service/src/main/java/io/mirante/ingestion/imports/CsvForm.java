package io.mirante.ingestion.imports;

import io.mirante.contracts.events.FieldError;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * How a CSV is written.
 *
 * @param delimiter one character; a blank means runs of blanks and tabs, without quotes
 * @param header the first line holds the columns' names
 * @param columns the names, in place of the header's or where there is none; empty = the header's
 * @param encoding UTF-8, or one of the encodings of one byte per character that are allowed
 */
record CsvForm(char delimiter, boolean header, List<String> columns, Charset encoding) {

    static final CsvForm DEFAULT = new CsvForm(',', true, List.of(), StandardCharsets.UTF_8);

    private static final Set<String> ENCODINGS =
            Set.of("UTF-8", "ISO-8859-1", "WINDOWS-1252", "US-ASCII");

    CsvForm {
        columns = List.copyOf(columns);
    }

    /** Whether fields are divided by runs of blanks. */
    boolean blanks() {
        return delimiter == ' ';
    }

    static CsvForm of(JsonNode given, List<FieldError> errors) {
        if (!given.isObject()) {
            errors.add(new FieldError("/csv", "wrong_type", "csv must be an object {…}"));
            return DEFAULT;
        }
        for (var name : given.propertyNames()) {
            if (!Set.of("delimiter", "header", "columns", "encoding").contains(name)) {
                errors.add(
                        new FieldError(
                                "/csv/" + name,
                                "unknown_field",
                                name
                                        + " is unknown; csv has delimiter, header, columns and encoding"));
            }
        }
        var delimiter = given.path("delimiter").asString(",");
        if (delimiter.length() != 1 || "\"\r\n".contains(delimiter)) {
            errors.add(
                    new FieldError(
                            "/csv/delimiter",
                            "not_allowed",
                            "delimiter must be one character, neither a quote nor an end of line"));
            delimiter = ",";
        }
        var encoding = given.path("encoding").asString("UTF-8").toUpperCase(Locale.ROOT);
        if (!ENCODINGS.contains(encoding)) {
            errors.add(
                    new FieldError(
                            "/csv/encoding",
                            "not_allowed",
                            "encoding must be UTF-8, ISO-8859-1, windows-1252 or US-ASCII"));
            encoding = "UTF-8";
        }
        var columns = new ArrayList<String>();
        for (var column : given.path("columns")) {
            columns.add(column.asString(""));
        }
        boolean header = given.path("header").asBoolean(columns.isEmpty());
        if (!header && columns.isEmpty()) {
            errors.add(
                    new FieldError(
                            "/csv/columns", "required", "columns are required without a header"));
        }
        return new CsvForm(delimiter.charAt(0), header, columns, Charset.forName(encoding));
    }
}
