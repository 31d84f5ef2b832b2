package io.mirante.ingestion.imports;

import io.mirante.contracts.Json;
import io.mirante.contracts.Uuid5;
import io.mirante.contracts.events.FieldError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A file's lines as events, to be judged. Used by one thread. */
final class ImportedFile implements AutoCloseable {

    /** How a file is written. */
    enum Format {
        CSV,
        NDJSON,
        PARQUET;

        String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Format format;
    private final Lines lines;
    private final CsvLines csv;
    private final CsvForm form;
    private final Mapping mapping;
    private final String tenant;
    private final String source;

    /**
     * One line.
     *
     * @param event the event, or the line itself when it could not be made one
     * @param eventId as the line has it, or made of it; null when the line could not be read
     * @param given the id is the line's own, so another line may repeat it
     * @param row the line's columns and values; its text when it could not be read
     * @param faults why it is none; empty when it is one
     */
    record Read(
            long line,
            JsonNode event,
            @Nullable String eventId,
            boolean given,
            JsonNode row,
            List<FieldError> faults) {}

    ImportedFile(
            Path file, String name, String tenant, String source, Mapping mapping, long maxBytes)
            throws IOException {
        this.format = formatOf(file, name);
        this.mapping = mapping;
        this.form = mapping.csv();
        this.tenant = tenant;
        this.source = source;
        this.csv = new CsvLines(form);
        this.lines =
                format == Format.PARQUET
                        ? new ParquetLines(file)
                        : new TextLines(file, format == Format.CSV && !form.blanks(), maxBytes);
        if (format == Format.CSV && form.header()) {
            var header = lines.next();
            csv.header(header == null ? new byte[0] : header.bytes());
        }
    }

    /** By what the file holds, else by its name: Parquet's mark, an object as the first thing, else CSV. */
    static Format formatOf(Path file, String name) throws IOException {
        var lower = name.toLowerCase(Locale.ROOT);
        var plain = lower.endsWith(".gz") ? lower.substring(0, lower.length() - 3) : lower;
        var begin = begin(file);
        if (begin.startsWith("PAR1")) {
            return Format.PARQUET;
        }
        if (plain.endsWith(".csv") || plain.endsWith(".tsv") || plain.endsWith(".txt")) {
            return Format.CSV;
        }
        return plain.endsWith(".ndjson")
                        || plain.endsWith(".jsonl")
                        || plain.endsWith(".json")
                        || begin.strip().startsWith("{")
                ? Format.NDJSON
                : Format.CSV;
    }

    private static String begin(Path file) throws IOException {
        try (var in = Files.newInputStream(file);
                var plain = TextLines.gzip(file) ? new GZIPInputStream(in) : in) {
            return new String(plain.readNBytes(64), StandardCharsets.ISO_8859_1);
        }
    }

    void skipTo(Lines.Place place) throws IOException {
        if (place.offset() > 0) {
            lines.skipTo(place);
        }
    }

    Lines.Place place() {
        return lines.place();
    }

    double progress() {
        return lines.progress();
    }

    /** The next line that is not empty, or null at the end. */
    @Nullable Read next() throws IOException {
        for (var line = lines.next(); line != null; line = lines.next()) {
            if (line.fault() != null || !blank(line.bytes())) {
                return read(line);
            }
        }
        return null;
    }

    private static boolean blank(byte[] bytes) {
        for (byte b : bytes) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    private Read read(Lines.Line line) {
        var fault = line.fault();
        if (fault != null) {
            return unreadable(line, fault);
        }
        JsonNode row;
        try {
            row =
                    format == Format.CSV
                            ? csv.record(line.bytes())
                            : Json.mapper().readTree(line.bytes());
        } catch (JacksonException e) {
            return unreadable(line, "the line is no JSON: " + Json.reason(e));
        } catch (IllegalArgumentException e) {
            return unreadable(line, String.valueOf(e.getMessage()));
        }
        var faults = new ArrayList<FieldError>(0);
        boolean asItStands = format == Format.NDJSON && mapping.none();
        var event = asItStands ? row : mapping.toEvent(row, faults);
        if (!(event instanceof ObjectNode object)) {
            return new Read(line.number(), event, null, false, row, faults);
        }
        var given = object.path("event_id");
        if (given.isString()) {
            return new Read(line.number(), object, given.stringValue(), true, row, faults);
        }
        if (!given.isMissingNode() && !given.isNull()) {
            return new Read(line.number(), object, null, false, row, faults);
        }
        var id = Uuid5.ofLine(tenant, source, line.number(), line.bytes()).toString();
        return new Read(line.number(), withId(object, id), id, false, row, faults);
    }

    /** The event with this id, unless it has one of its own. */
    static ObjectNode withId(ObjectNode event, String id) {
        if (!event.path("event_id").isMissingNode() && !event.path("event_id").isNull()) {
            return event;
        }
        var identified = JsonNodeFactory.instance.objectNode();
        identified.setAll(event);
        return identified.put("event_id", id);
    }

    Format format() {
        return format;
    }

    private Read unreadable(Lines.Line line, String fault) {
        var text = JsonNodeFactory.instance.stringNode(new String(line.bytes(), form.encoding()));
        return new Read(
                line.number(),
                text,
                null,
                false,
                text,
                List.of(new FieldError("", "malformed", fault)));
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
