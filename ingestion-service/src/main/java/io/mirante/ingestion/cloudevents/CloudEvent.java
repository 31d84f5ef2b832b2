package io.mirante.ingestion.cloudevents;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.EventTypes;
import io.mirante.contracts.events.FieldError;
import io.mirante.ingestion.rejected.Original;
import io.mirante.ingestion.rejected.Retranslation;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One CloudEvent: its attributes by their lower-case names, and its data as JSON. Read leniently here; {@link #faults} says
 * what is wrong, and {@link #toEvent} makes of it the event that the one validator judges. Immutable as long as nobody
 * changes the data.
 *
 * <p>The data are those of the event type, with the attributes around them: {@code id}, {@code type}, {@code time}, {@code
 * subject} (the user, unless the type names an entity) and the extensions {@code userid}, {@code anonymousid}, {@code
 * sessionid}, {@code schemaversion}. Data that hold {@code event_type} themselves are a whole event, and attributes fill in
 * what it lacks. {@code tenantid} and the other extensions that Mirante writes itself are not read.
 *
 * @param data null when there are none
 */
public record CloudEvent(Map<String, String> attributes, @Nullable JsonNode data) {

    /** Of rejected ones, see {@link Retranslation}. */
    static final String FORM = "cloudevent";

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** Attributes with a place of their own in the event, and Mirante's own, which nobody else may say. */
    private static final Set<String> NOT_KEPT =
            Set.of(
                    "specversion",
                    "id",
                    "type",
                    "time",
                    "datacontenttype",
                    "userid",
                    "anonymousid",
                    "sessionid",
                    "schemaversion",
                    "tenantid",
                    "contenthash",
                    "receivedat",
                    "personno",
                    "sourcetopic",
                    "sourcepartition",
                    "sourceoffset",
                    "revision",
                    "asof",
                    "reason",
                    "reasondetail");

    public CloudEvent {
        attributes = Map.copyOf(attributes);
    }

    /** Whether a content type is that of an event in structured mode. */
    public static boolean structured(@Nullable String contentType) {
        return contentType != null && mediaType(contentType).equals("application/cloudevents+json");
    }

    /** Whether the data of binary mode can be read: JSON, or nothing is said about them. */
    public static boolean json(@Nullable String contentType) {
        if (contentType == null || contentType.isBlank()) {
            return true;
        }
        var type = mediaType(contentType);
        return type.endsWith("/json") || type.endsWith("+json");
    }

    private static String mediaType(String contentType) {
        int end = contentType.indexOf(';');
        return (end < 0 ? contentType : contentType.substring(0, end))
                .strip()
                .toLowerCase(Locale.ROOT);
    }

    /** An event in structured mode: one object of attributes, {@code data} and {@code data_base64}. */
    public static CloudEvent ofStructured(JsonNode object) {
        var attributes = new TreeMap<String, String>();
        JsonNode data = null;
        for (var field : object.properties()) {
            switch (field.getKey()) {
                case "data" -> data = field.getValue();
                case "data_base64" -> data = decoded(field.getValue());
                default -> {
                    if (field.getValue().isValueNode() && !field.getValue().isNull()) {
                        attributes.put(field.getKey(), field.getValue().asString());
                    }
                }
            }
        }
        return new CloudEvent(attributes, data);
    }

    /** This event in structured mode. */
    private ObjectNode toStructured() {
        var structured = JSON.objectNode();
        new TreeMap<>(attributes).forEach(structured::put);
        return data == null ? structured : structured.set("data", data);
    }

    /**
     * What is kept of it when it is rejected.
     *
     * @param event what it was translated into
     */
    public Original original(JsonNode event) {
        return Original.of(FORM, toStructured(), event);
    }

    /** The same with an id, unless it has one. */
    public CloudEvent withId(String id) {
        if (attributes.containsKey("id")) {
            return this;
        }
        var identified = new TreeMap<>(attributes);
        identified.put("id", id);
        return new CloudEvent(identified, data);
    }

    /** JSON in base64; text that is none stays text, and is refused as data. */
    private static JsonNode decoded(JsonNode base64) {
        try {
            return Json.mapper()
                    .readTree(
                            Base64.getDecoder()
                                    .decode(
                                            base64.asString("")
                                                    .getBytes(StandardCharsets.US_ASCII)));
        } catch (IllegalArgumentException | JacksonException e) {
            return base64;
        }
    }

    /**
     * What is wrong with the envelope, pointers into a structured event; empty when nothing is.
     *
     * @param idRequired as the specification has it; else an id may be made for it
     */
    public List<FieldError> faults(boolean idRequired) {
        var faults = new ArrayList<FieldError>(0);
        var version = attributes.get("specversion");
        if (version == null || !version.startsWith("1.")) {
            faults.add(
                    new FieldError(
                            "/specversion",
                            version == null ? "required" : "not_allowed",
                            "specversion must be 1.0"));
        }
        require("type", "the type of the event, such as page_view", faults);
        if (idRequired) {
            require("id", "a text that is unique per event", faults);
            require("source", "a URI that says where the event comes from", faults);
        }
        if (!json(attributes.get("datacontenttype"))) {
            faults.add(
                    new FieldError(
                            "/datacontenttype",
                            "not_allowed",
                            "datacontenttype must be application/json"));
        }
        return faults;
    }

    private void require(String name, String what, List<FieldError> faults) {
        var value = attributes.get(name);
        if (value == null || value.isBlank()) {
            faults.add(new FieldError("/" + name, "required", name + " is required: " + what));
        }
    }

    /** The event, to be judged; its id is absent when the attributes have none. */
    public JsonNode toEvent() {
        if (whole()) {
            return filledIn((ObjectNode) java.util.Objects.requireNonNull(data));
        }
        var type = attributes.getOrDefault("type", "");
        var event = JSON.objectNode();
        put(event, "event_id", attributes.get("id"));
        put(event, "timestamp", attributes.get("time"));
        put(event, "anonymous_id", attributes.get("anonymousid"));
        put(event, "session_id", attributes.get("sessionid"));
        var user = attributes.get("userid");
        if (user == null && !attributes.containsKey("anonymousid") && ofAPerson(type)) {
            user = attributes.get("subject");
        }
        put(event, "user_id", user);
        var version = attributes.get("schemaversion");
        if (version != null) {
            event.set("schema_version", number(version));
        }
        event.putObject("event_type")
                .put("type", type)
                .set("data", data == null ? JSON.objectNode() : data);
        event.set("metadata", JSON.objectNode().set("cloudevent", kept()));
        return event;
    }

    /** Whether the data are an event of Mirante's own form. */
    public boolean whole() {
        return data instanceof ObjectNode object && object.has("event_type");
    }

    private ObjectNode filledIn(ObjectNode given) {
        var event = JSON.objectNode();
        event.setAll(given);
        fill(event, "event_id", attributes.get("id"));
        fill(event, "timestamp", attributes.get("time"));
        return event;
    }

    private static void fill(ObjectNode event, String name, @Nullable String value) {
        var present = event.get(name);
        if (present == null || present.isNull()) {
            put(event, name, value);
        }
    }

    private ObjectNode kept() {
        var kept = JSON.objectNode();
        new TreeMap<>(attributes)
                .forEach((name, value) -> {
                    if (!NOT_KEPT.contains(name)) {
                        kept.put(name, value);
                    }
                });
        return kept;
    }

    private static boolean ofAPerson(String typeName) {
        var type = EventTypes.find(EventTypes.canonicalName(typeName));
        return type == null || !type.module().operational();
    }

    private static JsonNode number(String text) {
        try {
            return JSON.numberNode(Integer.parseInt(text));
        } catch (NumberFormatException e) {
            return JSON.stringNode(text);
        }
    }

    private static void put(ObjectNode event, String name, @Nullable String value) {
        if (value != null) {
            event.put(name, value);
        }
    }
}
