package io.mirante.ingestion.rejected;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.platform.messaging.Outgoing;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Makes the record that keeps an event that was not accepted. Holds no state. */
public final class Rejections {

    /** Longest original kept, in characters; the rest is cut off. */
    public static final int MAX_ORIGINAL_LENGTH = 64 * 1024;

    private static final int MAX_NAME_LENGTH = 200;

    private Rejections() {}

    /**
     * The record for {@code mirante.events.rejected}.
     *
     * @param eventId as far as the event said
     * @param eventType as the event named it, or null; a name that is no usable text is left out
     * @param original the event, as parsed
     */
    public static Outgoing record(
            String tenant,
            @Nullable String eventId,
            @Nullable String eventType,
            Reason reason,
            List<FieldError> errors,
            String source,
            Instant at,
            JsonNode original) {
        var id = UUID.randomUUID().toString();
        var rejected =
                new RejectedEvent(
                        id,
                        tenant,
                        eventId,
                        eventType,
                        reason.wireName(),
                        errors.stream()
                                .map(e ->
                                        new RejectedEvent.Fault(
                                                clean(e.pointer()), e.code(), clean(e.message())))
                                .toList(),
                        source,
                        at,
                        text(original));
        var headers = new HashMap<String, String>();
        headers.put(CloudHeaders.SPEC_VERSION, "1.0");
        headers.put(CloudHeaders.ID, id);
        headers.put(CloudHeaders.TYPE, "event.rejected");
        headers.put(CloudHeaders.SOURCE, source);
        headers.put(CloudHeaders.TIME, at.toString());
        headers.put(CloudHeaders.TENANT, tenant);
        headers.put(CloudHeaders.REASON, reason.wireName());
        return new Outgoing(
                Topics.EVENTS_REJECTED.name(),
                null,
                Keys.of(tenant, Objects.requireNonNullElse(eventId, id)),
                Json.mapper().writeValueAsBytes(rejected),
                headers);
    }

    /** The event type as the client named it, when that is short, storable text. */
    public static @Nullable String typeOf(JsonNode event) {
        var type = event.path("event_type");
        var name = type.isObject() ? type.path("type") : type;
        if (!name.isString()) {
            return null;
        }
        var text = name.stringValue();
        return text.isBlank() || text.length() > MAX_NAME_LENGTH ? null : clean(text);
    }

    /** Text that UTF-8 and PostgreSQL can hold: half characters and U+0000 become U+FFFD. */
    public static String clean(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == 0 || Character.isSurrogate(c)) {
                return cleaned(text);
            }
        }
        return text;
    }

    private static String cleaned(String text) {
        var out = new StringBuilder(text.length());
        text.codePoints()
                .map(c -> c == 0 || (c >= 0xD800 && c <= 0xDFFF) ? 0xFFFD : c)
                .forEach(out::appendCodePoint);
        return out.toString();
    }

    /** The event as JSON text, cut; half characters are written as escapes, which is the same JSON. */
    private static String text(JsonNode original) {
        var json = original.toString();
        var out = new StringBuilder(Math.min(json.length(), MAX_ORIGINAL_LENGTH));
        for (int i = 0; i < json.length() && out.length() < MAX_ORIGINAL_LENGTH; ) {
            int c = json.codePointAt(i);
            if (c >= 0xD800 && c <= 0xDFFF) {
                out.append("\\u").append(Integer.toHexString(c));
            } else {
                out.appendCodePoint(c);
            }
            i += Character.charCount(c);
        }
        return out.toString();
    }
}
