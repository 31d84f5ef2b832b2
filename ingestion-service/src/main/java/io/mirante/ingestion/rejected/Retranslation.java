package io.mirante.ingestion.rejected;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Makes an event of what a way in kept in a form of its own, as it would be made now. Thread-safe. */
public interface Retranslation {

    /** The form, as stored with the rejection. */
    String form();

    /**
     * The event, to be judged.
     *
     * @param sent what was kept
     * @param source the way in
     * @param mapping for an import, instead of the one it had; null = that one
     * @return null when it still cannot be made one
     */
    @Nullable JsonNode translate(JsonNode sent, String source, @Nullable JsonNode mapping);
}
