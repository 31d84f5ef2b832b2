package io.mirante.etl;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.platform.messaging.Outgoing;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Raw records as ingestion writes them. */
public final class RawRecords {

    private RawRecords() {}

    public static CanonicalEvent event(
            String id, String type, String module, @Nullable String user, Instant at, String data) {
        return new CanonicalEvent(
                id,
                type,
                module,
                user,
                null,
                null,
                at.truncatedTo(ChronoUnit.MICROS),
                at.truncatedTo(ChronoUnit.MICROS).toString(),
                false,
                1,
                json(data),
                json("{}"),
                json("{}"));
    }

    public static CanonicalEvent pageView(String user, Instant at) {
        return event(id(), "page_view", "web", user, at, "{\"url\":\"/\"}");
    }

    public static CanonicalEvent purchase(String user, Instant at, String amount) {
        return event(
                id(),
                "purchase",
                "commerce",
                user,
                at,
                "{\"amount\":\"" + amount + "\",\"currency\":\"USD\"}");
    }

    /** By a visitor nobody knows. */
    public static CanonicalEvent visit(String anonymousId, Instant at) {
        return event("page_view", null, anonymousId, at, "{\"url\":\"/\"}");
    }

    public static CanonicalEvent identify(String user, String anonymousId, Instant at) {
        return event("identify", user, anonymousId, at, "{\"traits\":{}}");
    }

    public static CanonicalEvent alias(String user, String previousId, Instant at) {
        return event("alias", user, null, at, "{\"previous_id\":\"" + previousId + "\"}");
    }

    /** Of module web. */
    public static CanonicalEvent event(
            String type,
            @Nullable String user,
            @Nullable String anonymousId,
            Instant at,
            String data) {
        return new CanonicalEvent(
                id(),
                type,
                "web",
                user,
                anonymousId,
                null,
                at.truncatedTo(ChronoUnit.MICROS),
                at.truncatedTo(ChronoUnit.MICROS).toString(),
                false,
                1,
                json(data),
                json("{}"),
                json("{}"));
    }

    public static String id() {
        return "evt_" + UUID.randomUUID();
    }

    public static JsonNode json(String text) {
        return Json.mapper().readTree(text);
    }

    /** On {@code mirante.events.raw}, partitioned by the key. */
    public static Outgoing raw(String tenant, CanonicalEvent event) {
        return raw(tenant, event, Topics.EVENTS_RAW.name(), null);
    }

    public static Outgoing raw(
            String tenant, CanonicalEvent event, String topic, @Nullable Integer partition) {
        return new Outgoing(
                topic,
                partition,
                event.partitionKey(tenant).getBytes(StandardCharsets.UTF_8),
                event.toJson(),
                headers(tenant, event));
    }

    public static Map<String, String> headers(String tenant, CanonicalEvent event) {
        Map<String, String> headers = new HashMap<>();
        headers.put(CloudHeaders.SPEC_VERSION, "1.0");
        headers.put(CloudHeaders.ID, event.eventId());
        headers.put(CloudHeaders.TYPE, event.eventType());
        headers.put(CloudHeaders.SOURCE, "/http");
        headers.put(CloudHeaders.TIME, event.occurredAt().toString());
        headers.put(CloudHeaders.TENANT, tenant);
        headers.put(CloudHeaders.SCHEMA_VERSION, "1");
        headers.put(CloudHeaders.CONTENT_HASH, event.contentHash());
        headers.put(
                CloudHeaders.RECEIVED_AT, Instant.now().truncatedTo(ChronoUnit.MICROS).toString());
        return headers;
    }
}
