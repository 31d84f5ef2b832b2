package io.mirante.ingestion.segment;

import io.mirante.ingestion.rejected.Retranslation;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Calls of Segment's API, each kept as a batch of one. */
@Component
final class SegmentRetranslation implements Retranslation {

    static final String FORM = "segment";

    @Override
    public String form() {
        return FORM;
    }

    @Override
    public JsonNode translate(JsonNode sent, String source, @Nullable JsonNode mapping) {
        return SegmentEvents.ofBatch(sent.path("batch").path(0), sent);
    }

    /**
     * A call as a batch of one, without the key.
     *
     * @param call null when the call says itself which it is
     */
    static JsonNode kept(@Nullable Call call, JsonNode given, JsonNode around) {
        var kept = JsonNodeFactory.instance.objectNode();
        for (var name : new String[] {"context", "integrations", "sentAt"}) {
            SegmentEvents.put(kept, name, around.get(name));
        }
        JsonNode item = given;
        if (given instanceof ObjectNode object) {
            var copy = object.without("writeKey");
            item = call == null ? copy : copy.put("type", call.wireName());
        }
        kept.putArray("batch").add(item);
        return kept;
    }
}
