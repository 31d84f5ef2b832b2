package io.mirante.ingestion.imports;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Records of a CSV (RFC 4180) as objects of columns. The apostrophe that an export puts before a text that a spreadsheet would take for a
 * formula is taken off. Holds the columns' names; used by one thread.
 */
final class CsvLines {

    private static final String BYTE_ORDER_MARK = "\uFEFF";
    private static final String FORMULA_BEGINS = "=+-@\t\r\n";

    private final CsvForm form;
    private final CsvReader.CsvReaderBuilder reader;
    private List<String> columns;

    CsvLines(CsvForm form) {
        this.form = form;
        this.columns = form.columns();
        this.reader = CsvReader.builder().fieldSeparator(form.delimiter());
    }

    /** Takes the header; throws {@link IllegalArgumentException} when it names no columns or one twice. */
    void header(byte[] line) {
        if (columns.isEmpty()) {
            var names = fields(line).stream().map(String::strip).toList();
            columns = names;
        }
        if (new HashSet<>(columns).size() < columns.size() || columns.contains("")) {
            throw new IllegalArgumentException(
                    "the columns of the CSV must have names, each once; give them in csv.columns: "
                            + columns);
        }
    }

    /**
     * A record as an object; fields that are empty are left out.
     *
     * @throws IllegalArgumentException when it is no CSV, or has another number of fields than there are columns
     */
    ObjectNode record(byte[] line) {
        var fields = fields(line);
        if (fields.size() != columns.size()) {
            throw new IllegalArgumentException(
                    "the line has %d fields, not %d".formatted(fields.size(), columns.size()));
        }
        var record = JsonNodeFactory.instance.objectNode();
        for (int i = 0; i < fields.size(); i++) {
            if (!fields.get(i).isEmpty()) {
                record.put(columns.get(i), original(fields.get(i)));
            }
        }
        return record;
    }

    private static String original(String field) {
        return field.length() > 1
                        && field.charAt(0) == '\''
                        && FORMULA_BEGINS.indexOf(field.charAt(1)) >= 0
                ? field.substring(1)
                : field;
    }

    private List<String> fields(byte[] line) {
        var text = new String(line, form.encoding());
        if (text.startsWith(BYTE_ORDER_MARK)) {
            text = text.substring(1);
        }
        if (form.blanks()) {
            return List.of(text.strip().split("[ \t]+"));
        }
        try (var parsed = reader.ofCsvRecord(text)) {
            var record = first(parsed);
            return record == null ? new ArrayList<>() : record;
        } catch (CsvParseException | java.io.IOException e) {
            throw new IllegalArgumentException("the line is no CSV: " + e.getMessage());
        }
    }

    private static @Nullable List<String> first(
            CsvReader<de.siegmar.fastcsv.reader.CsvRecord> parsed) {
        for (var record : parsed) {
            return record.getFields();
        }
        return null;
    }
}
