package io.mirante.ingestion.producers;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.Uuid5;
import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.cloudevents.CloudEvent;
import io.mirante.ingestion.events.EventItems;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.rejected.Original;
import io.mirante.ingestion.rejected.Rejections;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One record of {@code mirante.ingest.<tenant>}: a CloudEvent in binary or structured mode, or a plain event. The tenant is
 * in the topic's name and nowhere else.
 */
final class ProducedRecord {

    private static final String PREFIX = "ce_";

    private final ConsumerRecord<byte[], byte[]> record;

    ProducedRecord(ConsumerRecord<byte[], byte[]> record) {
        this.record = record;
    }

    /** The record after its check; good or bad, never an exception. */
    Item check(EventItems items, Rejections rejections, EventValidator.Rules rules) {
        var tenant = Topics.tenantOfIngest(record.topic());
        var value = record.value();
        if (value == null || value.length == 0) {
            return rejections.of(
                    tenant,
                    null,
                    null,
                    Reason.MALFORMED,
                    List.of(new FieldError("", "required", "the record has no value")),
                    rules.source(),
                    rules.receivedAt(),
                    Original.of(new byte[0]));
        }
        var body = value.length > 4L * rules.maxEventBytes() ? null : json(value);
        if (body == null) {
            return items.check(tenant, value, 0, value.length, rules).item();
        }
        var cloud = cloudEvent(body);
        if (cloud == null) {
            return body.path("event_id").isString()
                    ? items.check(tenant, value, 0, value.length, rules).item()
                    : items.check(tenant, withId(body), rules).item();
        }
        var identified = cloud.withId(id());
        var event = identified.toEvent();
        var faults = identified.faults(false);
        return faults.isEmpty()
                ? items.check(tenant, event, rules, () -> identified.original(event)).item()
                : rejections.of(
                        tenant,
                        null,
                        cloud.attributes().get("type"),
                        Reason.CONTRACT,
                        faults,
                        rules.source(),
                        rules.receivedAt(),
                        identified.original(event));
    }

    /** The value as JSON; null when it is none. */
    private static @Nullable JsonNode json(byte[] value) {
        try {
            return Json.mapper().readTree(value);
        } catch (JacksonException e) {
            return null;
        }
    }

    /** The record as a CloudEvent; null when it is a plain event. */
    private @Nullable CloudEvent cloudEvent(JsonNode body) {
        var contentType = header("content-type");
        if (CloudEvent.structured(contentType)) {
            return CloudEvent.ofStructured(body);
        }
        var attributes = attributes();
        if (!attributes.containsKey("specversion")) {
            return null;
        }
        if (contentType != null) {
            attributes.put("datacontenttype", contentType);
        }
        return new CloudEvent(attributes, body);
    }

    /** The same record has the same id whenever it is read again. */
    private JsonNode withId(JsonNode event) {
        if (!(event instanceof ObjectNode object)
                || (object.has("event_id") && !object.path("event_id").isNull())) {
            return event;
        }
        var identified = JsonNodeFactory.instance.objectNode();
        identified.setAll(object);
        return identified.put("event_id", id());
    }

    private String id() {
        return Uuid5.ofRecord(
                        record.topic(), record.partition(), record.offset(), record.timestamp())
                .toString();
    }

    private TreeMap<String, String> attributes() {
        var attributes = new TreeMap<String, String>();
        for (var header : record.headers()) {
            var name = header.key().toLowerCase(Locale.ROOT);
            if (name.startsWith(PREFIX)
                    && !name.equals(CloudHeaders.TENANT)
                    && header.value() != null) {
                attributes.put(name.substring(PREFIX.length()), text(header.value()));
            }
        }
        return attributes;
    }

    private @Nullable String header(String name) {
        for (var header : record.headers()) {
            if (header.key().equalsIgnoreCase(name) && header.value() != null) {
                return text(header.value());
            }
        }
        return null;
    }

    private static String text(byte[] value) {
        return new String(value, StandardCharsets.UTF_8);
    }
}
