package io.mirante.ingestion.rejected;

import io.mirante.contracts.events.Glimpse;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What came, among the other bytes of its request.
 *
 * @param from its first byte
 * @param to the byte after its last
 * @param form of which it is, see {@link Retranslation}; null = an event
 * @param event what it was translated into; null when it is an event itself
 */
public record Original(
        byte[] bytes, int from, int to, @Nullable String form, @Nullable JsonNode event) {

    /** An event. */
    public Original(byte[] bytes, int from, int to) {
        this(bytes, from, to, null, null);
    }

    /** An event that came alone. */
    public static Original of(byte[] bytes) {
        return new Original(bytes, 0, bytes.length);
    }

    /** An event whose bytes are not known any more. */
    public static Original of(JsonNode event) {
        return of(bytes(event));
    }

    /**
     * What came in another form.
     *
     * @param sent what came, with all that its translation needs
     * @param event what it was translated into
     */
    public static Original of(String form, JsonNode sent, JsonNode event) {
        var bytes = bytes(sent);
        return new Original(bytes, 0, bytes.length, form, event);
    }

    private static byte[] bytes(JsonNode tree) {
        return tree.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The type the event names. */
    public @Nullable String typeName() {
        if (event == null) {
            return Glimpse.of(bytes, from, to).eventType();
        }
        var type = event.path("event_type");
        return type.isObject() ? type.path("type").stringValue(null) : type.stringValue(null);
    }
}
