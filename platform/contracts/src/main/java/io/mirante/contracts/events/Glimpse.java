package io.mirante.contracts.events;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/**
 * What can be told of an event that could not be read, or need not be: its id and type, as far as they come before the
 * fault. Costs one pass over the bytes, never fails.
 *
 * @param eventId as the event gave it, when it is usable as an id
 * @param eventType as the event named it; not judged
 */
public record Glimpse(@Nullable String eventId, @Nullable String eventType) {

    private static final int MAX_DEPTH = 1_000_000;

    private static final TokenStreamFactory LENIENT =
            JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(MAX_DEPTH)
                                    .maxNumberLength(Integer.MAX_VALUE)
                                    .maxNameLength(Integer.MAX_VALUE)
                                    .build())
                    .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                    .build();

    /** Looks at the bytes of one event. */
    public static Glimpse of(byte[] json, int from, int to) {
        String id = null;
        String type = null;
        try (JsonParser parser =
                LENIENT.createParser(ObjectReadContext.empty(), json, from, to - from)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return new Glimpse(null, null);
            }
            while ((id == null || type == null) && parser.nextToken() == JsonToken.PROPERTY_NAME) {
                var name = parser.currentName();
                var token = parser.nextToken();
                if (id == null && name.equals("event_id") && token == JsonToken.VALUE_STRING) {
                    id = EventValidator.usableId(parser.getString());
                } else if (type == null && name.equals("event_type")) {
                    type = type(parser, token);
                } else {
                    parser.skipChildren();
                }
            }
        } catch (JacksonException e) {
            // What came before the fault is all there is to tell.
        }
        return new Glimpse(id, type);
    }

    private static @Nullable String type(JsonParser parser, JsonToken token) {
        if (token == JsonToken.VALUE_STRING) {
            return parser.getString();
        }
        String type = null;
        if (token == JsonToken.START_OBJECT) {
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                var name = parser.currentName();
                if (parser.nextToken() == JsonToken.VALUE_STRING && name.equals("type")) {
                    type = parser.getString();
                }
                parser.skipChildren();
            }
        }
        return type;
    }
}
