package io.mirante.contracts.events;

import io.mirante.contracts.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The one validator for every way in (HTTP, files, Kafka, replay): what it accepts is never refused later, except for an
 * id that is taken. Thread-safe; takes a few microseconds an event and does no I/O.
 *
 * <p>Both shapes are read: {@code "event_type": {"type", "data"}}, and {@code "event_type": "name"} with the data under
 * {@code payload} or {@code data}. JSON null counts as absent everywhere outside the data.
 */
public final class EventValidator {

    /** Deepest nesting of an event; leaves room for what wraps it, see {@link Json#MAX_DEPTH}. */
    public static final int MAX_DEPTH = Json.MAX_DEPTH - 10;

    /** Longest id, in characters. */
    public static final int MAX_ID_LENGTH = 200;

    private static final int MAX_ERRORS = 20;

    private final Function<Instant, String> ids;
    private final Function<String, @Nullable EventType> types;

    /** Makes ids as UUIDs of version 7. */
    public EventValidator() {
        this(EventIds::uuidV7);
    }

    /**
     * @param ids makes the id of an event that came without one, from the time of receipt
     */
    public EventValidator(Function<Instant, String> ids) {
        this(ids, EventTypes::find);
    }

    EventValidator(Function<Instant, String> ids, Function<String, @Nullable EventType> types) {
        this.ids = ids;
        this.types = types;
    }

    /**
     * What one way in asks for.
     *
     * @param strict refuses unknown types and unknown fields outside data, metadata and context
     * @param eventIdRequired refuses an event without an id instead of making one
     * @param maxEventBytes largest event, measured as compact UTF-8 JSON; 1 or more
     * @param receivedAt the default of {@code timestamp}
     * @param source the way in, {@code ce_source}: {@code /http}, {@code /kafka}, {@code /import/<name>}; not judged, it
     *     travels with the settings of its way in
     * @param clockTolerance how far {@code sent_at} and {@code receivedAt} may lie apart before {@code timestamp} is
     *     corrected by the difference. Smaller differences are the network's, vary from request to request, and would
     *     reorder a device's events
     */
    public record Rules(
            boolean strict,
            boolean eventIdRequired,
            int maxEventBytes,
            Instant receivedAt,
            String source,
            Duration clockTolerance) {

        /** 64 KiB. */
        public static final int DEFAULT_MAX_EVENT_BYTES = 64 * 1024;

        private static final Duration ANY_CLOCK = Duration.ofDays(365_000);

        /** Rules that leave every time as it is. */
        public Rules(
                boolean strict,
                boolean eventIdRequired,
                int maxEventBytes,
                Instant receivedAt,
                String source) {
            this(strict, eventIdRequired, maxEventBytes, receivedAt, source, ANY_CLOCK);
        }

        public Rules {
            if (!(clockTolerance != null && !clockTolerance.isNegative())) {
                throw new IllegalArgumentException(
                        "clockTolerance must be 0 or more, was " + clockTolerance);
            }
            if (!(maxEventBytes >= 1)) {
                throw new IllegalArgumentException(
                        "maxEventBytes must be 1 or more, was " + maxEventBytes);
            }
            Objects.requireNonNull(receivedAt, "receivedAt");
            if (!(source != null && !source.isBlank())) {
                throw new IllegalArgumentException("source must not be blank");
            }
        }
    }

    /** The verdict on one event. */
    public sealed interface Result {}

    /**
     * Good; this goes to Kafka once its fields are masked.
     *
     * @param own the bytes it came in; null when it came as a tree
     */
    public record Accepted(CanonicalEvent event, @Nullable OwnBytes own) implements Result {

        /** One that came as a tree. */
        public Accepted(CanonicalEvent event) {
            this(event, null);
        }
    }

    /**
     * Not good.
     *
     * @param errors at least one, at most 20
     * @param reason of the first error
     * @param eventId the id the client gave, when it gave a usable one
     */
    public record Rejected(List<FieldError> errors, Reason reason, @Nullable String eventId)
            implements Result {
        public Rejected {
            if (errors.isEmpty()) {
                throw new IllegalArgumentException("a rejection needs at least one error");
            }
            errors = List.copyOf(errors);
        }
    }

    /** {@link #validate(JsonNode, Rules)} for bytes that may not even be JSON. */
    public Result validate(byte[] json, Rules rules) {
        return validate(json, 0, json.length, rules);
    }

    /**
     * {@link #validate(byte[], Rules)} for one event among others. The bytes must not change afterwards: the accepted
     * event passes them on.
     *
     * @param from its first byte
     * @param to the byte after its last
     */
    public Result validate(byte[] json, int from, int to, Rules rules) {
        if (to - from > 4L * rules.maxEventBytes()) {
            return tooLarge(rules, Glimpse.of(json, from, to).eventId());
        }
        int bad = Utf8.firstFault(json, from, to);
        if (bad >= 0) {
            return malformed(
                    "bad_encoding",
                    "the event is not UTF-8 at its byte " + (bad - from),
                    Glimpse.of(json, from, to));
        }
        EventBytes read;
        try {
            read = EventBytes.read(json, from, to);
        } catch (JacksonException e) {
            return malformed(
                    EventBytes.code(e), EventBytes.message("event", e), Glimpse.of(json, from, to));
        }
        var result = validate(read.event(), rules);
        return result instanceof Accepted accepted && to - from <= rules.maxEventBytes()
                ? new Accepted(accepted.event(), read.own())
                : result;
    }

    private static Rejected malformed(String code, String message, Glimpse glimpse) {
        return new Rejected(
                List.of(new FieldError("", code, message)), Reason.MALFORMED, glimpse.eventId());
    }

    /**
     * Judges one event. Neither the tree nor its parts may be changed afterwards: the accepted event shares them.
     *
     * @param event the event itself, without a wrapper such as {@code {"event": …}}
     */
    public Result validate(JsonNode event, Rules rules) {
        if (!event.isObject()) {
            return new Rejected(
                    List.of(
                            new FieldError(
                                    "", "wrong_type", "the event must be a JSON object {…}")),
                    Reason.MALFORMED,
                    null);
        }
        var unsafe = TreeGuard.check(event, MAX_DEPTH, rules.maxEventBytes());
        if (unsafe != null) {
            return unsafe.code().equals(TreeGuard.TOO_LARGE)
                    ? tooLarge(rules, givenId(event))
                    : new Rejected(List.of(unsafe), Reason.MALFORMED, givenId(event));
        }
        return new Reading(event, rules).result();
    }

    private static Rejected tooLarge(Rules rules, @Nullable String eventId) {
        return new Rejected(
                List.of(
                        new FieldError(
                                "",
                                TreeGuard.TOO_LARGE,
                                "the event is larger than "
                                        + rules.maxEventBytes()
                                        + " bytes; send less in data, metadata or context")),
                Reason.SIZE,
                eventId);
    }

    private static @Nullable String givenId(JsonNode event) {
        JsonNode id = event.get("event_id");
        return id != null && id.isString() ? usableId(id.stringValue()) : null;
    }

    /** The id itself, or null when it can be none: it would not be stored. */
    static @Nullable String usableId(String id) {
        return idFault(id) == null && TreeGuard.storable(id) ? id : null;
    }

    /** Why a text cannot be an id, or null. */
    static @Nullable FieldError idFault(String text) {
        if (text.isBlank()) {
            return new FieldError("", "blank", "must not be blank; leave it out or send null");
        }
        if (text.length() > MAX_ID_LENGTH
                && text.codePointCount(0, text.length()) > MAX_ID_LENGTH) {
            return new FieldError(
                    "", "too_long", "must have at most " + MAX_ID_LENGTH + " characters");
        }
        for (int i = 0; i < text.length(); i++) {
            if (Character.isISOControl(text.charAt(i))) {
                return new FieldError("", "control_character", "must not hold control characters");
            }
        }
        return null;
    }

    /** One event being read; collects what is wrong. */
    private final class Reading {
        private final JsonNode event;
        private final Rules rules;
        private final List<FieldError> errors = new ArrayList<>(0);
        private @Nullable Reason reason;

        Reading(JsonNode event, Rules rules) {
            this.event = event;
            this.rules = rules;
        }

        Result result() {
            var givenId = id("event_id");
            var userId = id("user_id");
            var anonymousId = id("anonymous_id");
            var sessionId = id("session_id");
            var timestampAsGiven = text("timestamp");
            var occurredAt = time("timestamp", timestampAsGiven);
            var sentAtAsGiven = text("sent_at");
            var sentAt = time("sent_at", sentAtAsGiven);
            var priority = priority();
            var metadata = object(event, "metadata", "/metadata");
            var context = object(event, "context", "/context");
            var extra = unknownFields();

            var typed = typeAndData(extra);
            var module = module(typed, extra);
            int version = version(typed);
            if (typed.type() != null && version > 0 && typed.data() != null) {
                SchemaErrors.collect(
                        typed.type().schema(version),
                        typed.data(),
                        typed.dataPointer(),
                        e -> fail(Reason.CONTRACT, e));
            }
            if (givenId == null && rules.eventIdRequired() && absent("event_id")) {
                fail(
                        Reason.IDENTITY,
                        "/event_id",
                        "required",
                        "event_id is required here; send a text that is unique per event");
            }
            if (userId == null
                    && anonymousId == null
                    && absent("user_id")
                    && absent("anonymous_id")
                    && !(module != null && module.operational())) {
                fail(
                        Reason.IDENTITY,
                        "/user_id",
                        "required",
                        "one of user_id and anonymous_id is required for this event type");
            }
            var data = typed.data();
            if (reason != null || data == null || module == null) {
                return new Rejected(errors, Objects.requireNonNull(reason), givenId(event));
            }
            return new Accepted(
                    new CanonicalEvent(
                            givenId != null ? givenId : ids.apply(rules.receivedAt()),
                            typed.name(),
                            module.wireName(),
                            userId,
                            anonymousId,
                            sessionId,
                            occurredAt(occurredAt, sentAt),
                            timestampAsGiven,
                            priority || EventTypes.isCriticalName(typed.name()),
                            version,
                            data,
                            metadata(metadata, extra, sentAtAsGiven),
                            context));
        }

        /** The event's own time by the server's clock, as far as the sending time tells how far the client's is off. */
        private Instant occurredAt(@Nullable Instant given, @Nullable Instant sentAt) {
            if (given == null) {
                return Rfc3339.stored(rules.receivedAt());
            }
            if (sentAt == null) {
                return given;
            }
            var off = Duration.between(sentAt, Rfc3339.stored(rules.receivedAt()));
            if (off.abs().compareTo(rules.clockTolerance()) <= 0) {
                return given;
            }
            var corrected = Rfc3339.stored(given.plus(off));
            return Rfc3339.inRange(corrected) ? corrected : given;
        }

        /** The type's canonical name (empty when unusable), the type when it is known, and the data. */
        private record Typed(
                String name,
                @Nullable EventType type,
                @Nullable JsonNode data,
                String dataPointer) {}

        private Typed typeAndData(ObjectNode extra) {
            JsonNode given = present("event_type");
            if (given == null) {
                fail(
                        Reason.CONTRACT,
                        "/event_type",
                        "required",
                        "event_type is required: a name, or an object with type and data");
                return new Typed("", null, null, "");
            }
            JsonNode nameNode = given;
            String namePointer = "/event_type";
            JsonNode inner = null;
            if (given.isObject()) {
                nameNode = given.get("type");
                namePointer = "/event_type/type";
                inner = given.get("data");
                unknownInside(given, extra);
            }
            var name = typeName(nameNode, namePointer);
            var type = name.isEmpty() ? null : types.apply(name);
            if (type == null && rules.strict() && !name.isEmpty()) {
                fail(
                        Reason.CONTRACT,
                        namePointer,
                        "unknown_type",
                        "event type "
                                + name
                                + " is unknown and this tenant takes known types only");
            }
            return dataOf(name, type, inner);
        }

        private Typed dataOf(String name, @Nullable EventType type, @Nullable JsonNode inner) {
            String pointer = "";
            JsonNode data = null;
            if (inner != null && !inner.isNull()) {
                data = inner;
                pointer = "/event_type/data";
            }
            for (var field : List.of("payload", "data")) {
                JsonNode candidate = present(field);
                if (candidate == null) {
                    continue;
                }
                if (data != null) {
                    fail(
                            Reason.CONTRACT,
                            "/" + field,
                            "ambiguous",
                            field + " repeats the data already given in " + pointer + "; drop one");
                    continue;
                }
                data = candidate;
                pointer = "/" + field;
            }
            if (data == null) {
                data = JsonNodeFactory.instance.objectNode();
                pointer = event.path("event_type").isObject() ? "/event_type/data" : "/payload";
            }
            if (!data.isObject()) {
                wrongType(pointer, "must be a JSON object {…}");
                data = null;
            }
            return new Typed(name, type, data, pointer);
        }

        private String typeName(@Nullable JsonNode node, String pointer) {
            if (node == null || node.isNull()) {
                fail(
                        Reason.CONTRACT,
                        pointer,
                        "required",
                        "event_type needs a type, such as \"page_view\"");
                return "";
            }
            if (!node.isString()) {
                wrongType(pointer, "must be text, such as \"page_view\"");
                return "";
            }
            var name = EventTypes.canonicalName(node.stringValue());
            if (name.isEmpty() || name.length() > EventTypes.maxNameLength()) {
                fail(
                        Reason.CONTRACT,
                        pointer,
                        name.isEmpty() ? "blank" : "too_long",
                        "the event type's name must have 1 to "
                                + EventTypes.maxNameLength()
                                + " letters, digits, dots and underscores");
                return "";
            }
            return name;
        }

        /** The type's own module; for custom types the one given, else {@code custom}. Null when unusable. */
        private @Nullable Module module(Typed typed, ObjectNode extra) {
            Module given = null;
            var name = text("module");
            if (name != null) {
                given = Module.find(name);
                if (given == null) {
                    fail(
                            Reason.CONTRACT,
                            "/module",
                            "unknown_module",
                            "module must be one of " + Module.allNames() + "; it may be left out");
                    return null;
                }
            }
            if (typed.type() == null) {
                return given == null ? Module.CUSTOM : given;
            }
            if (given != null && given != typed.type().module()) {
                if (rules.strict()) {
                    fail(
                            Reason.CONTRACT,
                            "/module",
                            "wrong_module",
                            "module of "
                                    + typed.name()
                                    + " is "
                                    + typed.type().module().wireName()
                                    + "; leave it out");
                } else {
                    extra.put("module", name);
                }
            }
            return typed.type().module();
        }

        /** The version, or 0 when unusable. */
        private int version(Typed typed) {
            JsonNode given = present("schema_version");
            int current = typed.type() == null ? 1 : typed.type().currentVersion();
            if (given == null) {
                return current;
            }
            if (!given.isIntegralNumber()) {
                wrongType("/schema_version", "must be a whole number, 1 or more");
                return 0;
            }
            boolean tooLarge = !given.canConvertToInt();
            if (!tooLarge && given.intValue() < 1) {
                fail(
                        Reason.CONTRACT,
                        "/schema_version",
                        "out_of_range",
                        "schema_version must be 1 or more");
                return 0;
            }
            if (tooLarge || (typed.type() != null && given.intValue() > current)) {
                fail(
                        Reason.VERSION,
                        "/schema_version",
                        "newer_version",
                        "schema_version "
                                + given.asString()
                                + " is newer than the newest known here, "
                                + current
                                + "; send that version or update Mirante");
                return 0;
            }
            return given.intValue();
        }

        private boolean priority() {
            var priority = text("priority");
            if (priority != null && !priority.equals("critical") && !priority.equals("normal")) {
                fail(
                        Reason.CONTRACT,
                        "/priority",
                        "not_allowed",
                        "priority must be \"critical\" or \"normal\"");
            }
            return "critical".equals(priority);
        }

        /** Top-level fields outside the contract; empty when there are none. */
        private ObjectNode unknownFields() {
            var extra = JsonNodeFactory.instance.objectNode();
            for (var field : event.properties()) {
                switch (field.getKey()) {
                    case "event_id",
                            "event_type",
                            "user_id",
                            "anonymous_id",
                            "session_id",
                            "timestamp",
                            "sent_at",
                            "schema_version",
                            "payload",
                            "data",
                            "metadata",
                            "context",
                            "module",
                            "priority" -> {}
                    default -> keepOrRefuse("", field.getKey(), field.getValue(), extra);
                }
            }
            return extra;
        }

        private void unknownInside(JsonNode eventType, ObjectNode extra) {
            ObjectNode inner = null;
            for (var field : eventType.properties()) {
                if (!field.getKey().equals("type") && !field.getKey().equals("data")) {
                    if (inner == null) {
                        inner = JsonNodeFactory.instance.objectNode();
                    }
                    keepOrRefuse("/event_type", field.getKey(), field.getValue(), inner);
                }
            }
            if (inner != null) {
                extra.set("event_type", inner);
            }
        }

        private void keepOrRefuse(String parent, String name, JsonNode value, ObjectNode extra) {
            if (rules.strict()) {
                fail(
                        Reason.CONTRACT,
                        parent + "/" + TreeGuard.escape(name),
                        "unknown_field",
                        "field "
                                + shortened(name)
                                + " is unknown; put it into metadata, context or the data");
            } else {
                extra.set(name, value);
            }
        }

        private JsonNode metadata(
                @Nullable JsonNode given, ObjectNode extra, @Nullable String sentAt) {
            if (given == null) {
                given = JsonNodeFactory.instance.objectNode();
            }
            boolean addSentAt = sentAt != null && !given.has("sent_at");
            if (extra.isEmpty() && !addSentAt) {
                return given;
            }
            var merged = JsonNodeFactory.instance.objectNode();
            given.properties().forEach(f -> merged.set(f.getKey(), f.getValue()));
            if (addSentAt) {
                merged.put("sent_at", sentAt);
            }
            if (!extra.isEmpty()) {
                JsonNode before = given.path("_extra");
                var all = JsonNodeFactory.instance.objectNode();
                if (before.isObject()) {
                    before.properties().forEach(f -> all.set(f.getKey(), f.getValue()));
                } else if (!before.isMissingNode()) {
                    all.set("_extra", before);
                }
                extra.properties().forEach(f -> all.set(f.getKey(), f.getValue()));
                merged.set("_extra", all);
            }
            return merged;
        }

        private @Nullable String id(String name) {
            JsonNode value = present(name);
            if (value == null) {
                return null;
            }
            if (!value.isString()) {
                wrongType(
                        "/" + name,
                        value.isNumber()
                                ? "must be text; put the number in quotes"
                                : "must be text");
                return null;
            }
            var fault = idFault(value.stringValue());
            if (fault != null) {
                fail(Reason.CONTRACT, "/" + name, fault.code(), name + " " + fault.message());
                return null;
            }
            return value.stringValue();
        }

        private @Nullable String text(String name) {
            JsonNode value = present(name);
            if (value == null) {
                return null;
            }
            if (!value.isString()) {
                wrongType("/" + name, "must be text");
                return null;
            }
            return value.stringValue();
        }

        private @Nullable Instant time(String name, @Nullable String text) {
            if (text == null) {
                return null;
            }
            var instant = Rfc3339.parse(text);
            if (instant == null) {
                fail(
                        Reason.CONTRACT,
                        "/" + name,
                        "invalid_time",
                        name
                                + " must be an RFC 3339 time with its offset, from 1970 to 9999, such"
                                + " as 2026-11-20T10:00:00Z");
            }
            return instant;
        }

        private JsonNode object(JsonNode parent, String name, String pointer) {
            JsonNode value = parent.get(name);
            if (value == null || value.isNull()) {
                return JsonNodeFactory.instance.objectNode();
            }
            if (!value.isObject()) {
                wrongType(pointer, "must be a JSON object {…}");
            }
            return value;
        }

        private @Nullable JsonNode present(String name) {
            JsonNode value = event.get(name);
            return value == null || value.isNull() ? null : value;
        }

        private boolean absent(String name) {
            return present(name) == null;
        }

        private void wrongType(String pointer, String message) {
            fail(
                    Reason.CONTRACT,
                    pointer,
                    "wrong_type",
                    pointer.substring(1).replace('/', '.') + " " + message);
        }

        private void fail(Reason why, String pointer, String code, String message) {
            fail(why, new FieldError(pointer, code, message));
        }

        private void fail(Reason why, FieldError error) {
            if (reason == null) {
                reason = why;
            }
            if (errors.size() < MAX_ERRORS) {
                errors.add(error);
            }
        }
    }

    private static String shortened(String name) {
        return name.length() <= 80 ? name : name.substring(0, 80) + "…";
    }
}
