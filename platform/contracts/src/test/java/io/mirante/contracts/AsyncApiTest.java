package io.mirante.contracts;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.events.EventTypes;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class AsyncApiTest {

    @Test
    void everyEventTypeIsAMessageWithItsSchemaAndSample() {
        var document = AsyncApi.document();
        assertThat(document.path("asyncapi").stringValue()).isEqualTo("3.0.0");
        assertThat(document.at("/channels/ingest/address").stringValue())
                .isEqualTo("mirante.ingest.{tenant}");
        for (var type : EventTypes.all()) {
            var message = document.path("components").path("messages").path(type.name());
            assertThat(message.path("name").stringValue()).isEqualTo(type.name());
            assertThat(document.path("components").path("schemas").path(type.name()))
                    .isEqualTo(EventTypes.schema(type, type.currentVersion()));
            assertThat(message.path("examples").path(0).path("payload").isObject()).isTrue();
        }
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        var document = AsyncApi.document();
        var references = new ArrayList<String>();
        collect(document, references);
        assertThat(references).hasSizeGreaterThan(EventTypes.all().size() * 3);
        for (var reference : references) {
            assertThat(reference).startsWith("#/");
            assertThat(document.at(reference.substring(1)).isMissingNode()).as(reference).isFalse();
        }
    }

    private static void collect(JsonNode node, ArrayList<String> references) {
        if (node.path("$ref").isString()) {
            references.add(node.path("$ref").stringValue());
        }
        node.forEach(child -> collect(child, references));
    }
}
