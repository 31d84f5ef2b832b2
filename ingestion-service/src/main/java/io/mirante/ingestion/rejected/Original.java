package io.mirante.ingestion.rejected;

import io.mirante.contracts.events.Glimpse;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * An event as it came, among the other bytes of its request.
 *
 * @param from its first byte
 * @param to the byte after its last
 */
public record Original(byte[] bytes, int from, int to) {

    /** One that came alone. */
    public static Original of(byte[] bytes) {
        return new Original(bytes, 0, bytes.length);
    }

    /** One that came in another form and was translated into this tree. */
    public static Original of(JsonNode event) {
        return of(event.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** The type it names. */
    public @Nullable String typeName() {
        return Glimpse.of(bytes, from, to).eventType();
    }
}
