package io.mirante.contracts.events;

import io.mirante.contracts.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * An accepted event in the one form that goes to Kafka, whatever shape it came in. Immutable as long as nobody changes
 * the trees.
 *
 * @param eventId unique within the tenant
 * @param eventType canonical name, see {@link EventTypes#canonicalName}
 * @param module wire name of a {@link Module}
 * @param occurredAt the event's own time, in microseconds; the time of receipt when the client gave none; corrected by
 *     the clock's error when the client's clock is plainly wrong
 * @param timestampAsGiven the client's own spelling of it; null when it gave none
 * @param critical goes ahead of other events
 * @param schemaVersion version of the type's schema, 1 or more
 * @param data the event's data as it was given, an object
 * @param metadata an object; fields Mirante does not know are under {@code _extra}, the client's sending time under
 *     {@code sent_at}
 * @param context device, place and the like, an object
 */
public record CanonicalEvent(
        String eventId,
        String eventType,
        String module,
        @Nullable String userId,
        @Nullable String anonymousId,
        @Nullable String sessionId,
        Instant occurredAt,
        @Nullable String timestampAsGiven,
        boolean critical,
        int schemaVersion,
        JsonNode data,
        JsonNode metadata,
        JsonNode context) {

    private static final List<String> OPERATIONAL_ENTITIES =
            List.of(
                    "conversation_id",
                    "ticket_id",
                    "automation_id",
                    "channel",
                    "article_id",
                    "agent");

    public CanonicalEvent {
        requireText("eventId", eventId);
        requireText("eventType", eventType);
        requireText("module", module);
        Objects.requireNonNull(occurredAt, "occurredAt");
        if (!(schemaVersion >= 1)) {
            throw new IllegalArgumentException(
                    "schemaVersion must be 1 or more, was " + schemaVersion);
        }
        requireObject("data", data);
        requireObject("metadata", metadata);
        requireObject("context", context);
    }

    /** UTF-8 JSON in snake_case, as on {@code mirante.events.raw}. */
    public byte[] toJson() {
        return Json.mapper().writeValueAsBytes(toTree());
    }

    /**
     * The same, with data, metadata and context as they were spelled where nothing has changed them.
     *
     * @param own the bytes it came in; null writes everything anew
     */
    public byte[] toJson(@Nullable OwnBytes own) {
        if (own == null) {
            return toJson();
        }
        var head = Json.mapper().writeValueAsBytes(head());
        var out = new ByteArrayOutputStream(1024);
        out.write(head, 0, head.length - 1);
        append(out, ",\"data\":", data, own);
        append(out, ",\"metadata\":", metadata, own);
        append(out, ",\"context\":", context, own);
        out.write('}');
        return out.toByteArray();
    }

    private static void append(
            ByteArrayOutputStream out, String name, JsonNode part, OwnBytes own) {
        out.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
        if (!own.append(part, out)) {
            out.writeBytes(Json.mapper().writeValueAsBytes(part));
        }
    }

    /** The same as a tree; shares data, metadata and context. */
    public ObjectNode toTree() {
        var tree = head();
        tree.set("data", data);
        tree.set("metadata", metadata);
        tree.set("context", context);
        return tree;
    }

    private ObjectNode head() {
        var timestamp = occurredAt.toString();
        var tree = JsonNodeFactory.instance.objectNode();
        tree.put("event_id", eventId);
        tree.put("event_type", eventType);
        tree.put("module", module);
        tree.put("user_id", userId);
        tree.put("anonymous_id", anonymousId);
        tree.put("session_id", sessionId);
        tree.put("timestamp", timestamp);
        if (!timestamp.equals(timestampAsGiven)) {
            tree.put("timestamp_as_given", timestampAsGiven);
        }
        tree.put("priority", critical ? "critical" : "normal");
        tree.put("schema_version", schemaVersion);
        return tree;
    }

    /**
     * Reads what {@link #toJson} wrote, possibly by an older or newer release.
     *
     * @throws IllegalArgumentException when it is anything else
     */
    public static CanonicalEvent fromJson(byte[] json) {
        try {
            return fromTree(Json.mapper().readTree(json));
        } catch (JacksonException e) {
            throw new IllegalArgumentException("not a canonical event: " + e.getOriginalMessage());
        }
    }

    /** {@link #fromJson} for a tree that is already parsed. */
    public static CanonicalEvent fromTree(JsonNode tree) {
        var timestamp = requiredText(tree, "timestamp");
        var occurredAt = Rfc3339.parse(timestamp);
        if (occurredAt == null) {
            throw new IllegalArgumentException(
                    "not a canonical event: timestamp " + timestamp + " is not RFC 3339");
        }
        JsonNode version = tree.get("schema_version");
        if (version == null || !version.isInt()) {
            throw new IllegalArgumentException("not a canonical event: schema_version is missing");
        }
        return new CanonicalEvent(
                requiredText(tree, "event_id"),
                requiredText(tree, "event_type"),
                requiredText(tree, "module"),
                optionalText(tree, "user_id"),
                optionalText(tree, "anonymous_id"),
                optionalText(tree, "session_id"),
                occurredAt,
                tree.has("timestamp_as_given")
                        ? optionalText(tree, "timestamp_as_given")
                        : timestamp,
                "critical".equals(optionalText(tree, "priority")),
                version.intValue(),
                object(tree, "data"),
                object(tree, "metadata"),
                object(tree, "context"));
    }

    /**
     * What tells a repetition from a conflict: hex SHA-256 over canonical JSON (RFC 8785) of type, user_id,
     * anonymous_id, session_id, timestamp as the client gave it and data. Ingestion computes it after masking.
     */
    public String contentHash() {
        return new CanonicalJson()
                .ascii("{\"anonymous_id\":")
                .writeStringOrNull(anonymousId)
                .ascii(",\"data\":")
                .write(data)
                .ascii(",\"session_id\":")
                .writeStringOrNull(sessionId)
                .ascii(",\"timestamp\":")
                .writeStringOrNull(timestampAsGiven)
                .ascii(",\"type\":")
                .writeStringOrNull(eventType)
                .ascii(",\"user_id\":")
                .writeStringOrNull(userId)
                .ascii("}")
                .sha256();
    }

    /**
     * Events with one key stay in order. Tenant and, for operational events, the conversation, ticket, automation,
     * channel, article or agent; for all others the user, else the anonymous visitor. An operational event that names
     * neither is ordered with nothing but itself. Parts are joined by a line feed, which no id contains.
     */
    public String partitionKey(String tenantId) {
        var entity = entity();
        if (entity != null) {
            return tenantId + '\n' + entity.field() + '\n' + entity.id();
        }
        var person = personId();
        return tenantId + '\n' + (person == null ? eventId : person);
    }

    /** The user, else the anonymous visitor, else the entity the data names, else null: CloudEvents' subject. */
    public @Nullable String subject() {
        var person = personId();
        if (person != null) {
            return person;
        }
        var entity = entity();
        return entity == null ? null : entity.id();
    }

    /** The known user, else the anonymous visitor, else null. */
    public @Nullable String personId() {
        return userId != null ? userId : anonymousId;
    }

    /** The same event with other data, such as data in which fields were masked. */
    public CanonicalEvent withData(JsonNode changed) {
        return with(changed, metadata, context);
    }

    /** The same event with another context, such as one with a shortened address. */
    public CanonicalEvent withContext(JsonNode changed) {
        return with(data, metadata, changed);
    }

    /** The same event with other metadata. */
    public CanonicalEvent withMetadata(JsonNode changed) {
        return with(data, changed, context);
    }

    /** The same event of nobody: without ids and without what may describe a person. */
    public CanonicalEvent withoutPerson() {
        var empty = JsonNodeFactory.instance.objectNode();
        return new CanonicalEvent(
                eventId,
                eventType,
                module,
                null,
                null,
                null,
                occurredAt,
                null,
                critical,
                schemaVersion,
                Depersonalised.data(data),
                empty,
                empty);
    }

    private CanonicalEvent with(JsonNode newData, JsonNode newMetadata, JsonNode newContext) {
        return new CanonicalEvent(
                eventId,
                eventType,
                module,
                userId,
                anonymousId,
                sessionId,
                occurredAt,
                timestampAsGiven,
                critical,
                schemaVersion,
                newData,
                newMetadata,
                newContext);
    }

    private record Entity(String field, String id) {}

    private @Nullable Entity entity() {
        var known = Module.find(module);
        if (known == null || !known.operational()) {
            return null;
        }
        var type = EventTypes.find(eventType);
        for (var field : type == null ? OPERATIONAL_ENTITIES : type.entityFields()) {
            var id = Text.of(data, field);
            if (id != null) {
                return new Entity(field, id);
            }
        }
        return null;
    }

    private static void requireText(String name, String value) {
        if (!(value != null && !value.isBlank())) {
            throw new IllegalArgumentException(name + " must not be blank");
        }
    }

    private static void requireObject(String name, JsonNode value) {
        if (!(value != null && value.isObject())) {
            throw new IllegalArgumentException(name + " must be a JSON object");
        }
    }

    private static String requiredText(JsonNode tree, String name) {
        var text = optionalText(tree, name);
        if (text == null) {
            throw new IllegalArgumentException("not a canonical event: " + name + " is missing");
        }
        return text;
    }

    private static @Nullable String optionalText(JsonNode tree, String name) {
        JsonNode value = tree.get(name);
        if (value == null || value.isNull()) {
            return null;
        }
        if (!value.isString()) {
            throw new IllegalArgumentException("not a canonical event: " + name + " is no text");
        }
        return value.stringValue();
    }

    private static JsonNode object(JsonNode tree, String name) {
        JsonNode value = tree.get(name);
        if (value == null || !value.isObject()) {
            throw new IllegalArgumentException("not a canonical event: " + name + " is no object");
        }
        return value;
    }
}
