package io.mirante.ingestion.rejected;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.TenantRules;
import io.mirante.platform.keys.Seal;
import io.mirante.platform.messaging.Outgoing;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Makes what keeps an event that was not accepted: the reason with personal data masked, the event's own bytes encrypted
 * for the tenant. Thread-safe.
 */
@Component
public final class Rejections {

    private static final int MAX_NAME_LENGTH = 200;

    private final Seal seal;
    private final TenantRules tenants;
    private final IngestionSettings settings;

    public Rejections(Seal seal, TenantRules tenants, IngestionSettings settings) {
        this.seal = seal;
        this.tenants = tenants;
        this.settings = settings;
    }

    /**
     * A rejection.
     *
     * @param eventId as far as the event said
     * @param eventType as the event named it, or null; a name that is no usable text is left out
     * @param source the way in
     * @param original the event as it came; of one larger than an event may be, the beginning is kept
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
        int end = original.to();
        boolean truncated = end - original.from() > settings.maxEventBytes();
        int to = truncated ? original.from() + settings.maxEventBytes() : end;
        var masker = tenants.masker(tenant);
        var type = typeName(eventType);
        var rejected =
                new RejectedEvent(
                        id,
                        tenant,
                        eventId,
                        type == null ? null : masker.mask(type),
                        reason.wireName(),
                        clean.stream()
                                .map(e ->
                                        new RejectedEvent.Fault(
                                                masker.mask(e.pointer()),
                                                e.code(),
                                                masker.mask(e.message())))
                                .toList(),
                        source,
                        at,
                        null,
                        Base64.getEncoder()
                                .encodeToString(
                                        seal.close(
                                                tenant, id, original.bytes(), original.from(), to)),
                        original.form(),
                        truncated);
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
