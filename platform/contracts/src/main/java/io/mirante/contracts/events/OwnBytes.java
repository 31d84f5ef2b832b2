package io.mirante.contracts.events;

import java.io.ByteArrayOutputStream;
import java.util.IdentityHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * The bytes an event came in, and where in them its open parts (data, metadata, context) lie. A part that nothing has
 * changed is passed on as it was spelled, without writing its tree again. Immutable once filled.
 */
public final class OwnBytes {

    private final byte[] json;

    /** By identity: a masked tree may look the same and still be another one. */
    private final Map<JsonNode, Part> parts = new IdentityHashMap<>(4);

    private record Part(int from, int to) {}

    OwnBytes(byte[] json) {
        this.json = json;
    }

    void add(JsonNode tree, int from, int to) {
        parts.put(tree, new Part(from, to));
    }

    /** Appends the part's own bytes; false when it has none. */
    boolean append(JsonNode tree, ByteArrayOutputStream out) {
        var part = parts.get(tree);
        if (part == null) {
            return false;
        }
        out.write(json, part.from(), part.to() - part.from());
        return true;
    }
}
