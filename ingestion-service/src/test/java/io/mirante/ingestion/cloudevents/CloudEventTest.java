package io.mirante.ingestion.cloudevents;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.FieldError;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class CloudEventTest {

    @Test
    void attributesSurroundTheData() {
        var event =
                CloudEvent.ofStructured(
                                json(
                                        """
                                        {'specversion': '1.0', 'id': 'e1', 'source': '/shop', 'type': 'PageView', 'subject': 'ana',
                                         'time': '2026-11-20T10:00:00Z', 'sessionid': 's', 'schemaversion': 1, 'tenantid': 'forged',
                                         'traceparent': '00-1', 'data': {'url': '/'}}
                                        """))
                        .toEvent();
        assertThat(event)
                .isEqualTo(
                        json(
                                """
                                {'event_id': 'e1', 'timestamp': '2026-11-20T10:00:00Z', 'session_id': 's', 'user_id': 'ana',
                                 'schema_version': 1, 'event_type': {'type': 'PageView', 'data': {'url': '/'}},
                                 'metadata': {'cloudevent': {'source': '/shop', 'subject': 'ana', 'traceparent': '00-1'}}}
                                """));
    }

    @ParameterizedTest
    @CsvSource({
        "login, , , ana, ana,",
        "login, bea, , ana, bea,",
        "login, , visitor, ana, , visitor",
        "ticket.created, , , t-1, ,",
        "TicketCreated, , , t-1, t-1,",
    })
    void theSubjectIsTheUserUnlessOneIsNamedOrTheTypeNamesAnEntity(
            String type,
            String userId,
            String anonymousId,
            String subject,
            String user,
            String visitor) {
        var attributes = new java.util.HashMap<>(Map.of("type", type, "subject", subject));
        if (userId != null) {
            attributes.put("userid", userId);
        }
        if (anonymousId != null) {
            attributes.put("anonymousid", anonymousId);
        }
        var event = new CloudEvent(attributes, null).toEvent();
        assertThat(event.path("user_id").asString(null)).isEqualTo(user);
        assertThat(event.path("anonymous_id").asString(null)).isEqualTo(visitor);
    }

    @Test
    void dataThatAreAWholeEventArePassedOnAndFilledIn() {
        var data =
                json(
                        "{'user_id': 'u', 'event_type': 'login', 'timestamp': '2026-01-01T00:00:00Z'}");
        var event =
                new CloudEvent(
                                Map.of("id", "e1", "time", "2026-11-20T10:00:00Z", "type", "x"),
                                data)
                        .toEvent();
        assertThat(event)
                .isEqualTo(
                        json(
                                "{'user_id': 'u', 'event_type': 'login', 'timestamp': '2026-01-01T00:00:00Z', 'event_id': 'e1'}"));
    }

    @Test
    void dataInBase64AreRead() {
        var event =
                CloudEvent.ofStructured(
                        json("{'type': 'search', 'data_base64': 'eyJxdWVyeSI6ICJhIn0='}"));
        assertThat(event.data()).isEqualTo(json("{'query': 'a'}"));
        assertThat(CloudEvent.ofStructured(json("{'data_base64': '%%'}")).data())
                .isEqualTo(json("'%%'"));
    }

    @Test
    void saysWhatIsWrongWithTheEnvelope() {
        assertThat(CloudEvent.ofStructured(json("{}")).faults(true))
                .extracting(FieldError::pointer)
                .containsExactly("/specversion", "/type", "/id", "/source");
        assertThat(
                        CloudEvent.ofStructured(json("{'specversion': '1.0', 'type': 'x'}"))
                                .faults(false))
                .isEmpty();
        assertThat(
                        CloudEvent.ofStructured(
                                        json(
                                                "{'specversion': '0.3', 'type': 'x', 'datacontenttype': 'text/xml'}"))
                                .faults(false))
                .extracting(FieldError::pointer)
                .containsExactly("/specversion", "/datacontenttype");
    }

    @ParameterizedTest
    @CsvSource({
        "/event_type/data/amount, /data/amount",
        "/event_type/type, /type",
        "/user_id, /subject",
        "/timestamp, /time",
        "/metadata, /metadata",
    })
    void pointersGoIntoTheCloudEvent(String inEvent, String inCloudEvent) {
        assertThat(CloudEventController.pointer(new CloudEvent(Map.of(), null), inEvent))
                .isEqualTo(inCloudEvent);
    }

    private static JsonNode json(String text) {
        return Json.mapper().readTree(text.replace('\'', '"'));
    }
}
