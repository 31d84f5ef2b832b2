package io.mirante.ingestion.events;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.messaging.Outgoing;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Checks one event of any way in with the one validator and makes its record. Thread-safe; costs CPU only. */
public final class EventItems {

    static final String SOURCE = "/http";

    private final EventValidator validator = new EventValidator();

    /**
     * One event after its check.
     *
     * @param eventId the id it has from now on; null when it is rejected and named none that can be used
     */
    public record Checked(@Nullable String eventId, Item item) {}

    /**
     * Checks one event.
     *
     * @param rules those of its way in, {@code ce_source} among them
     */
    public Checked check(String tenant, JsonNode event, EventValidator.Rules rules) {
        return switch (validator.validate(event, rules)) {
            case EventValidator.Accepted accepted -> {
                var canonical = accepted.event();
                yield new Checked(
                        canonical.eventId(),
                        new Item.Good(
                                record(tenant, canonical, rules),
                                () -> tooLargeForKafka(tenant, canonical, event, rules)));
            }
            case EventValidator.Rejected rejected ->
                    new Checked(
                            rejected.eventId(),
                            bad(
                                    tenant,
                                    rejected.eventId(),
                                    rejected.reason(),
                                    rejected.errors(),
                                    event,
                                    rules));
        };
    }

    private static Outgoing record(
            String tenant, CanonicalEvent event, EventValidator.Rules rules) {
        var headers = new HashMap<String, String>(16);
        headers.put(CloudHeaders.SPEC_VERSION, "1.0");
        headers.put(CloudHeaders.ID, event.eventId());
        headers.put(CloudHeaders.TYPE, event.eventType());
        headers.put(CloudHeaders.SOURCE, rules.source());
        headers.put(CloudHeaders.TIME, event.occurredAt().toString());
        headers.put(CloudHeaders.TENANT, tenant);
        headers.put(CloudHeaders.SCHEMA_VERSION, Integer.toString(event.schemaVersion()));
        headers.put(CloudHeaders.CONTENT_HASH, event.contentHash());
        headers.put(CloudHeaders.RECEIVED_AT, rules.receivedAt().toString());
        var subject = event.subject();
        if (subject != null) {
            headers.put(CloudHeaders.SUBJECT, subject);
        }
        return new Outgoing(
                (event.critical() ? Topics.EVENTS_CRITICAL : Topics.EVENTS_RAW).name(),
                null,
                event.partitionKey(tenant).getBytes(StandardCharsets.UTF_8),
                event.toJson(),
                headers);
    }

    private static Item.Bad tooLargeForKafka(
            String tenant, CanonicalEvent event, JsonNode original, EventValidator.Rules rules) {
        return bad(
                tenant,
                event.eventId(),
                Reason.SIZE,
                List.of(
                        new FieldError(
                                "",
                                "too_large",
                                "the event is larger than Kafka's topic takes; send less in data,"
                                        + " metadata or context")),
                original,
                rules);
    }

    private static Item.Bad bad(
            String tenant,
            @Nullable String eventId,
            Reason reason,
            List<FieldError> errors,
            JsonNode original,
            EventValidator.Rules rules) {
        var clean =
                errors.stream()
                        .map(e ->
                                new FieldError(
                                        Rejections.clean(e.pointer()),
                                        e.code(),
                                        Rejections.clean(e.message())))
                        .toList();
        return new Item.Bad(
                Rejections.record(
                        tenant,
                        eventId,
                        Rejections.typeOf(original),
                        reason,
                        clean,
                        rules.source(),
                        rules.receivedAt(),
                        original),
                reason == Reason.SIZE,
                clean);
    }

    static EventValidator.Rules rules(boolean idRequired, int maxEventBytes, Instant receivedAt) {
        return new EventValidator.Rules(false, idRequired, maxEventBytes, receivedAt, SOURCE);
    }
}
