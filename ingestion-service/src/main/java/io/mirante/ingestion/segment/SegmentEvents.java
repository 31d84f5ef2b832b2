package io.mirante.ingestion.segment;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Rewrites a call of Segment's API as an event of Mirante, which the one validator then judges. Judges nothing itself: what
 * is missing in the call is missing in the event. Holds no state.
 */
final class SegmentEvents {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** Fields of a call that have a place of their own in the event, or none: the key must not be stored. */
    private static final Set<String> KNOWN =
            Set.of(
                    "type",
                    "event",
                    "name",
                    "category",
                    "properties",
                    "traits",
                    "groupId",
                    "previousId",
                    "userId",
                    "anonymousId",
                    "messageId",
                    "timestamp",
                    "originalTimestamp",
                    "sentAt",
                    "receivedAt",
                    "context",
                    "integrations",
                    "writeKey",
                    "_metadata");

    private SegmentEvents() {}

    /**
     * One call of a batch.
     *
     * @param around the batch: its {@code context}, {@code integrations} and {@code sentAt} are those of calls without
     */
    static JsonNode ofBatch(JsonNode given, JsonNode around) {
        if (!(given instanceof ObjectNode item)) {
            return given;
        }
        return of(Call.find(item.path("type").asString("")), item, around);
    }

    /**
     * A call as an event.
     *
     * @param call null when it names none that there is
     */
    static JsonNode of(@Nullable Call call, JsonNode given, JsonNode around) {
        if (!(given instanceof ObjectNode item)) {
            return given;
        }
        var event = JSON.objectNode();
        put(event, "event_id", item.get("messageId"));
        put(event, "user_id", asText(item.get("userId")));
        put(event, "anonymous_id", asText(item.get("anonymousId")));
        put(event, "timestamp", first(item.get("timestamp"), item.get("originalTimestamp")));
        put(event, "sent_at", first(item.get("sentAt"), around.get("sentAt")));
        var context = object(item, "context");
        var common = object(around, "context");
        put(event, "session_id", asText(first(context.get("sessionId"), common.get("sessionId"))));
        if (call != null) {
            typeAndData(call, item, context, event);
        }
        event.set("context", SegmentContext.of(common, context));
        event.set("metadata", metadata(call, item, around));
        return event;
    }

    private static void typeAndData(
            Call call, ObjectNode item, ObjectNode context, ObjectNode event) {
        var properties = object(item, "properties");
        switch (call) {
            case TRACK -> {
                if (item.path("event").isString()) {
                    var tracked = TrackedNames.of(item.path("event").stringValue(), properties);
                    typed(event, tracked.type(), tracked.data());
                }
            }
            case PAGE -> typed(event, "page_view", page(item, properties, context));
            case SCREEN -> typed(event, "screen_view", named(item, properties));
            case IDENTIFY -> {
                var data = JSON.objectNode();
                put(data, "traits", item.get("traits"));
                typed(event, "identify", data);
            }
            case GROUP -> {
                var data = JSON.objectNode();
                put(data, "group_id", item.get("groupId"));
                put(data, "group_traits", item.get("traits"));
                typed(event, "group", data);
            }
            case ALIAS -> {
                var data = JSON.objectNode();
                put(data, "previous_id", asText(item.get("previousId")));
                typed(event, "alias", data);
            }
        }
    }

    private static void typed(ObjectNode event, String type, ObjectNode data) {
        event.putObject("event_type").put("type", type).set("data", data);
    }

    /** A page without a URL is known by its path, else by its name. */
    private static ObjectNode page(ObjectNode item, ObjectNode properties, ObjectNode context) {
        var data = named(item, properties);
        var page = context.path("page");
        put(
                data,
                "url",
                first(
                        properties.get("url"),
                        page.get("url"),
                        properties.get("path"),
                        page.get("path"),
                        item.get("name")));
        put(data, "title", first(properties.get("title"), page.get("title"), item.get("name")));
        return data;
    }

    private static ObjectNode named(ObjectNode item, ObjectNode properties) {
        var data = JSON.objectNode();
        data.setAll(properties);
        put(data, "name", first(item.get("name"), properties.get("name")));
        put(data, "category", first(item.get("category"), properties.get("category")));
        return data;
    }

    private static ObjectNode metadata(@Nullable Call call, ObjectNode item, JsonNode around) {
        var metadata = JSON.objectNode();
        var segment = metadata.putObject("segment");
        put(segment, "call", call == null ? item.get("type") : JSON.stringNode(call.wireName()));
        if (call == Call.TRACK) {
            put(segment, "event", item.get("event"));
        }
        item.properties().stream()
                .filter(field -> !KNOWN.contains(field.getKey()))
                .forEach(field -> segment.set(field.getKey(), field.getValue()));
        var integrations = first(item.get("integrations"), around.get("integrations"));
        if (integrations != null && !integrations.isEmpty()) {
            metadata.set("integrations", integrations);
        }
        return metadata;
    }

    /** Ids that clients send as numbers are text here. */
    private static @Nullable JsonNode asText(@Nullable JsonNode id) {
        return id != null && id.isIntegralNumber() ? JSON.stringNode(id.asString()) : id;
    }

    /** The first that is there and not null. */
    static @Nullable JsonNode first(@Nullable JsonNode... candidates) {
        for (var candidate : candidates) {
            if (candidate != null && !candidate.isNull()) {
                return candidate;
            }
        }
        return null;
    }

    /** Sets a field when there is something to set. */
    static void put(ObjectNode target, String name, @Nullable JsonNode value) {
        if (value != null && !value.isNull()) {
            target.set(name, value);
        }
    }

    /** The object in a field; an empty one when it is absent or something else. */
    static ObjectNode object(JsonNode parent, String name) {
        return parent.path(name) instanceof ObjectNode object ? object : JSON.objectNode();
    }
}
