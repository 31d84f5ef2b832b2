package io.mirante.ingestion.cloudevents;

import io.mirante.ingestion.rejected.Retranslation;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/** CloudEvents, kept in structured mode. */
@Component
final class CloudEventRetranslation implements Retranslation {

    @Override
    public String form() {
        return CloudEvent.FORM;
    }

    @Override
    public @Nullable JsonNode translate(JsonNode sent, String source, @Nullable JsonNode mapping) {
        var event = CloudEvent.ofStructured(sent);
        return event.faults(source.equals(CloudEventController.SOURCE)).isEmpty()
                ? event.toEvent()
                : null;
    }
}
