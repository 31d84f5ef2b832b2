package io.mirante.ingestion.imports;

import io.mirante.contracts.events.FieldError;
import io.mirante.ingestion.rejected.Retranslation;
import io.mirante.platform.web.ProblemException;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Lines of imported files, kept as columns and values with the mapping they were read by. */
@Component
public final class ImportRetranslation implements Retranslation {

    static final String FORM = "import";

    @Override
    public String form() {
        return FORM;
    }

    @Override
    public @Nullable JsonNode translate(JsonNode sent, String source, @Nullable JsonNode mapping) {
        var row = sent.path("row");
        var by = mapping == null ? sent.path("mapping") : mapping;
        var faults = new ArrayList<FieldError>(0);
        var event =
                by.isObject()
                        ? Mapping.of(by, faults).toEvent(row, faults)
                        : sent.path("format").asString("").equals("ndjson")
                                ? row
                                : Mapping.NONE.toEvent(row, faults);
        if (!faults.isEmpty()) {
            return null;
        }
        return event instanceof ObjectNode object && sent.path("event_id").isString()
                ? ImportedFile.withId(object, sent.path("event_id").stringValue())
                : event;
    }

    /** Throws a problem with pointers into {@code /mapping} when it is none. */
    public static void requireMapping(JsonNode mapping) {
        var errors = new ArrayList<FieldError>();
        Mapping.of(mapping, errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(
                    errors.stream()
                            .map(e ->
                                    new io.mirante.platform.web.FieldError(
                                            "/mapping" + e.pointer(), e.code(), e.message()))
                            .toList());
        }
    }

    /**
     * A line with what its translation needs.
     *
     * @param mapping as the import had it; null for none
     */
    static JsonNode kept(
            ImportedFile.Format format, ImportedFile.Read read, @Nullable JsonNode mapping) {
        var kept = JsonNodeFactory.instance.objectNode();
        kept.put("line", read.line()).put("format", format.wireName()).set("row", read.row());
        if (mapping != null) {
            kept.set("mapping", mapping);
        }
        if (!read.given() && read.eventId() != null) {
            kept.put("event_id", read.eventId());
        }
        return kept;
    }
}
