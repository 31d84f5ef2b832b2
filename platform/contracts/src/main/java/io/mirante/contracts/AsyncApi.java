package io.mirante.contracts;

import io.mirante.contracts.events.EventType;
import io.mirante.contracts.events.EventTypes;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The AsyncAPI 3.0 document of what outside producers may write to Kafka: one topic per tenant, a message per event type
 * in its newest version, with the schema and sample that the validator itself uses. Thread-safe.
 */
public final class AsyncApi {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String CHANNEL = "ingest";

    private AsyncApi() {}

    /** The document, made anew; it does not depend on the installation. */
    public static JsonNode document() {
        var document = JSON.objectNode();
        document.put("asyncapi", "3.0.0");
        document.set("info", info());
        document.put("defaultContentType", "application/json");
        document.set("channels", JSON.objectNode().set(CHANNEL, channel()));
        document.set("operations", operations());
        document.set("components", components());
        return document;
    }

    private static ObjectNode info() {
        var info = JSON.objectNode();
        info.put("title", "Mirante: events over Kafka");
        info.put("version", "1");
        info.put(
                "description",
                "Producers outside of the mesh write events to the topic of their tenant, as CloudEvents 1.0 in"
                        + " binary mode (attributes in ce_ headers, the data as the value) or structured mode"
                        + " (content-type application/cloudevents+json), or as plain events. The checks are those"
                        + " of every other way in; what is not valid is listed by GET /api/v1/events/rejected. The"
                        + " tenant is the topic's: a ce_tenantid header is not read. Without ce_id the id is a"
                        + " UUID of version 5 of topic, partition and offset.");
        return info;
    }

    private static ObjectNode channel() {
        var channel = JSON.objectNode();
        channel.put("address", Topics.INGEST_PREFIX + "{tenant}");
        channel.put("description", "Events of one tenant; kept " + retention() + " days.");
        channel.set(
                "parameters",
                JSON.objectNode()
                        .set("tenant", JSON.objectNode().put("description", "The tenant's id.")));
        var messages = channel.putObject("messages");
        messages.set("plain_event", reference("#/components/messages/plain_event"));
        EventTypes.all()
                .forEach(type ->
                        messages.set(key(type), reference("#/components/messages/" + key(type))));
        return channel;
    }

    private static long retention() {
        var retention = Topics.ingest("tenant").retention();
        return retention == null ? 0 : retention.toDays();
    }

    private static ObjectNode operations() {
        var take = JSON.objectNode();
        take.put("action", "receive");
        take.put("summary", "Mirante takes the events of a tenant's own producers.");
        take.set("channel", reference("#/channels/" + CHANNEL));
        return JSON.objectNode().set("takeEvents", take);
    }

    private static ObjectNode components() {
        var components = JSON.objectNode();
        var messages = components.putObject("messages");
        messages.set("plain_event", plainEvent());
        EventTypes.all().forEach(type -> messages.set(key(type), message(type)));
        var schemas = components.putObject("schemas");
        EventTypes.all()
                .forEach(type ->
                        schemas.set(key(type), EventTypes.schema(type, type.currentVersion())));
        components.set("messageTraits", JSON.objectNode().set("cloudevent", cloudEventTrait()));
        return components;
    }

    private static ObjectNode message(EventType type) {
        var sample = EventTypes.sample(type, type.currentVersion());
        var message = JSON.objectNode();
        message.put("name", type.name());
        message.put("title", type.name());
        message.put("contentType", "application/json");
        message.set(
                "traits", JSON.arrayNode().add(reference("#/components/messageTraits/cloudevent")));
        message.set("payload", reference("#/components/schemas/" + key(type)));
        var data =
                sample.has("payload")
                        ? sample.path("payload")
                        : sample.path("event_type").path("data");
        var example = JSON.objectNode();
        var headers = example.putObject("headers");
        headers.put(CloudHeaders.SPEC_VERSION, "1.0");
        headers.put(CloudHeaders.ID, sample.path("event_id").asString(""));
        headers.put(CloudHeaders.SOURCE, "/shop");
        headers.put(CloudHeaders.TYPE, type.name());
        headers.put(CloudHeaders.TIME, sample.path("timestamp").asString(""));
        if (sample.path("user_id").isString()) {
            headers.put(CloudHeaders.SUBJECT, sample.path("user_id").stringValue());
        }
        example.set("payload", data);
        message.set("examples", JSON.arrayNode().add(example));
        return message;
    }

    private static ObjectNode plainEvent() {
        var message = JSON.objectNode();
        message.put("name", "plain_event");
        message.put("title", "An event as POST /api/v1/events takes it, without ce_ headers");
        message.put("contentType", "application/json");
        var payload = message.putObject("payload");
        payload.put("type", "object");
        payload.set("required", JSON.arrayNode().add("event_type"));
        var properties = payload.putObject("properties");
        for (var name : List.of("event_id", "user_id", "anonymous_id", "session_id", "timestamp")) {
            properties.putObject(name).set("type", JSON.arrayNode().add("string").add("null"));
        }
        properties
                .putObject("event_type")
                .put("description", "A name, or an object with type and data.")
                .set("type", JSON.arrayNode().add("string").add("object"));
        for (var name : List.of("payload", "metadata", "context")) {
            properties.putObject(name).put("type", "object");
        }
        var example = JSON.objectNode();
        example.set("payload", EventTypes.sample(EventTypes.all().iterator().next(), 1));
        message.set("examples", JSON.arrayNode().add(example));
        return message;
    }

    private static ObjectNode cloudEventTrait() {
        var properties = JSON.objectNode();
        header(properties, CloudHeaders.SPEC_VERSION, "1.0");
        header(
                properties,
                CloudHeaders.ID,
                "Unique per event of the tenant; the same again counts once.");
        header(properties, CloudHeaders.SOURCE, "Where the event comes from; kept in metadata.");
        header(properties, CloudHeaders.TYPE, "The event type, in any spelling.");
        header(properties, CloudHeaders.TIME, "RFC 3339; default: when it was taken.");
        header(
                properties,
                CloudHeaders.SUBJECT,
                "The user, unless ce_userid or ce_anonymousid is given or the type names an entity.");
        header(properties, "ce_userid", "The user.");
        header(properties, "ce_anonymousid", "The anonymous visitor.");
        header(properties, "ce_sessionid", "The session.");
        header(
                properties,
                CloudHeaders.SCHEMA_VERSION,
                "Version of the type's schema; default: the newest.");
        var headers = JSON.objectNode().put("type", "object");
        headers.set(
                "required", JSON.arrayNode().add(CloudHeaders.SPEC_VERSION).add(CloudHeaders.TYPE));
        headers.set("properties", properties);
        return JSON.objectNode().set("headers", headers);
    }

    private static void header(ObjectNode properties, String name, String description) {
        properties.putObject(name).put("type", "string").put("description", description);
    }

    private static ObjectNode reference(String to) {
        return JSON.objectNode().put("$ref", to);
    }

    /** Names of components may hold dots. */
    private static String key(EventType type) {
        return type.name();
    }
}
