package io.mirante.ingestion.events;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.OwnBytes;
import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.intake.Checked;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.TenantRules;
import io.mirante.ingestion.rejected.Original;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.messaging.Outgoing;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/**
 * Checks one event of any way in with the one validator, by its tenant's mode, masks its personal data and makes its
 * record. The content hash is computed after masking. Thread-safe; costs CPU only.
 */
@Component
public final class EventItems {

    private final Rejections rejections;
    private final TenantRules tenants;
    private final EventValidator validator = new EventValidator();

    public EventItems(Rejections rejections, TenantRules tenants) {
        this.rejections = rejections;
        this.tenants = tenants;
    }

    /**
     * Checks one event as it came, among the other bytes of its request, which must not change afterwards.
     *
     * @param from the event's first byte
     * @param to the byte after its last
     * @param rules those of its way in, {@code ce_source} among them
     */
    public Checked check(String tenant, byte[] body, int from, int to, EventValidator.Rules rules) {
        var strictness = tenants.of(tenant, rules);
        return checked(
                tenant,
                validator.validate(body, from, to, strictness),
                rules,
                () -> new Original(body, from, to));
    }

    /**
     * Checks one event whose bytes are not known any more.
     *
     * @param rules those of its way in, {@code ce_source} among them
     */
    public Checked check(String tenant, JsonNode event, EventValidator.Rules rules) {
        return check(tenant, event, rules, () -> Original.of(event));
    }

    /**
     * Checks one event that its way in translated from another form.
     *
     * @param original makes what is kept should it be rejected
     */
    public Checked check(
            String tenant,
            JsonNode event,
            EventValidator.Rules rules,
            Supplier<Original> original) {
        return checked(
                tenant, validator.validate(event, tenants.of(tenant, rules)), rules, original);
    }

    /**
     * Checks one event that was rejected before, as it would be checked now.
     *
     * @param rules {@code receivedAt} is the time of the rejection: the default of its timestamp
     * @param id the event's when it has none, the same each time
     * @param now when it is received now
     */
    public Checked checkAgain(
            String tenant, byte[] event, EventValidator.Rules rules, String id, Instant now) {
        var result =
                new EventValidator(at -> id)
                        .validate(event, 0, event.length, tenants.of(tenant, rules));
        if (!(result instanceof EventValidator.Accepted accepted)) {
            return checked(tenant, result, rules, () -> Original.of(event));
        }
        var again =
                new EventValidator.Rules(
                        rules.strict(),
                        rules.eventIdRequired(),
                        rules.maxEventBytes(),
                        now,
                        rules.source());
        return checked(tenant, accepted, again, () -> Original.of(event));
    }

    private Checked checked(
            String tenant,
            EventValidator.Result result,
            EventValidator.Rules rules,
            Supplier<Original> original) {
        return switch (result) {
            case EventValidator.Accepted accepted -> {
                var event = tenants.masker(tenant).mask(accepted.event());
                yield new Checked(
                        event.eventId(),
                        new Item.Good(
                                record(tenant, event, accepted.own(), rules),
                                () -> tooLargeForKafka(tenant, event, original.get(), rules)));
            }
            case EventValidator.Rejected rejected -> {
                var sent = original.get();
                yield new Checked(
                        rejected.eventId(),
                        rejections.of(
                                tenant,
                                rejected.eventId(),
                                sent.typeName(),
                                rejected.reason(),
                                rejected.errors(),
                                rules.source(),
                                rules.receivedAt(),
                                sent));
            }
        };
    }

    private static Outgoing record(
            String tenant,
            CanonicalEvent event,
            @Nullable OwnBytes own,
            EventValidator.Rules rules) {
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
                event.toJson(own),
                headers);
    }

    private Item.Bad tooLargeForKafka(
            String tenant, CanonicalEvent event, Original original, EventValidator.Rules rules) {
        return rejections.of(
                tenant,
                event.eventId(),
                event.eventType(),
                Reason.SIZE,
                List.of(
                        new FieldError(
                                "",
                                "too_large",
                                "the event is larger than Kafka's topic takes; send less in data,"
                                        + " metadata or context")),
                rules.source(),
                rules.receivedAt(),
                original);
    }
}
