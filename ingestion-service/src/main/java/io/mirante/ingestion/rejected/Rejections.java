package io.mirante.ingestion.rejected;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.ingestion.intake.Item;
import io.mirante.platform.messaging.Outgoing;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Makes what keeps an event that was not accepted. Thread-safe. */
@Component
public final class Rejections {

    private static final int MAX_NAME_LENGTH = 200;

    /**
     * A rejection.
     *
     * @param eventId as far as the event said
     * @param eventType as the event named it, or null; a name that is no usable text is left out
     * @param source the way in
     * @param original the event as it came
     */
    public Item.Bad of(
            String tenant,
            @Nullable String eventId,
            @Nullable String eventType,
            Reason reason,
            List<FieldError> errors,
            String source,
            Instant at,
            Original original) {
        var clean =
                errors.stream()
                        .map(e -> new FieldError(clean(e.pointer()), e.code(), clean(e.message())))
                        .toList();
        var id = UUID.randomUUID().toString();
        var rejected =
                new RejectedEvent(
                        id,
                        tenant,
                        eventId,
                        typeName(eventType),
                        reason.wireName(),
                        clean.stream()
                                .map(e ->
                                        new RejectedEvent.Fault(e.pointer(), e.code(), e.message()))
                                .toList(),
                        source,
                        at,
                        original.text());
        return new Item.Bad(record(rejected), reason, clean);
    }

    private static Outgoing record(RejectedEvent rejected) {
        var headers = new HashMap<String, String>();
        headers.put(CloudHeaders.SPEC_VERSION, "1.0");
        headers.put(CloudHeaders.ID, rejected.rejectionId());
        headers.put(CloudHeaders.TYPE, "event.rejected");
        headers.put(CloudHeaders.SOURCE, rejected.source());
        headers.put(CloudHeaders.TIME, rejected.rejectedAt().toString());
        headers.put(CloudHeaders.TENANT, rejected.tenantId());
        headers.put(CloudHeaders.REASON, rejected.reason());
        return new Outgoing(
                Topics.EVENTS_REJECTED.name(),
                null,
                Keys.of(
                        rejected.tenantId(),
                        Objects.requireNonNullElse(rejected.eventId(), rejected.rejectionId())),
                Json.mapper().writeValueAsBytes(rejected),
                headers);
    }

    private static @Nullable String typeName(@Nullable String given) {
        return given == null || given.isBlank() || given.length() > MAX_NAME_LENGTH
                ? null
                : clean(given);
    }

    /** Text that UTF-8 and PostgreSQL can hold: half characters and U+0000 become U+FFFD. */
    static String clean(String text) {
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
}
