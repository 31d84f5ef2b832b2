package io.mirante.contracts.events;

import io.mirante.contracts.Json;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * An event read from bytes: its tree, and the bytes of its open parts.
 *
 * @param event an object, or whatever else the bytes hold
 */
record EventBytes(JsonNode event, OwnBytes own) {

    /**
     * Reads one value that fills the range.
     *
     * @throws JacksonException when it is not JSON, has a field twice, is nested deeper than {@link Json#MAX_DEPTH}, or
     *     something follows it
     */
    static EventBytes read(byte[] json, int from, int to) {
        var own = new OwnBytes(json);
        try (var parser = Json.mapper().createParser(json, from, to - from)) {
            var first = parser.nextToken();
            if (first == null) {
                throw new StreamReadException(parser, "there is nothing");
            }
            JsonNode event =
                    first == JsonToken.START_OBJECT
                            ? object(parser, from, "", own)
                            : parser.readValueAsTree();
            if (parser.nextToken() != null) {
                throw new StreamReadException(parser, "something follows the event");
            }
            return new EventBytes(event, own);
        }
    }

    private static ObjectNode object(JsonParser parser, int from, String parent, OwnBytes own) {
        var object = JsonNodeFactory.instance.objectNode();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            var name = parser.currentName();
            var token = parser.nextToken();
            if (token == JsonToken.START_OBJECT && open(parent, name)) {
                int start = (int) parser.currentTokenLocation().getByteOffset();
                JsonNode part = parser.readValueAsTree();
                int end = (int) parser.currentLocation().getByteOffset();
                own.add(part, from + start, from + end);
                object.set(name, part);
            } else if (token == JsonToken.START_OBJECT
                    && parent.isEmpty()
                    && name.equals("event_type")) {
                object.set(name, object(parser, from, name, own));
            } else if (token == JsonToken.VALUE_STRING) {
                object.put(name, parser.getString());
            } else if (token == JsonToken.VALUE_NULL) {
                object.putNull(name);
            } else {
                object.set(name, (JsonNode) parser.readValueAsTree());
            }
        }
        return object;
    }

    private static boolean open(String parent, String name) {
        return parent.isEmpty()
                ? switch (name) {
                    case "data", "payload", "metadata", "context" -> true;
                    default -> false;
                }
                : name.equals("data");
    }

    /** A reading error in words, with its place; never what stands there, because the message is stored. */
    static String message(String what, JacksonException e) {
        var at = e.getLocation();
        var place =
                at == null || at.getLineNr() < 1
                        ? ""
                        : " at its line %d, column %d".formatted(at.getLineNr(), at.getColumnNr());
        var why = Json.reason(e);
        return "the %s is not valid JSON%s: %s"
                .formatted(
                        what,
                        place,
                        why.startsWith("Unrecognized token") ? "unrecognized token" : why);
    }

    /** What a reading error is called in answers. */
    static String code(JacksonException e) {
        var message = e.getOriginalMessage().toLowerCase(Locale.ROOT);
        if (e instanceof StreamConstraintsException) {
            return message.contains("nesting") ? "too_deep" : "number_too_long";
        }
        return message.startsWith("duplicate") ? "duplicate_field" : "invalid_json";
    }
}
