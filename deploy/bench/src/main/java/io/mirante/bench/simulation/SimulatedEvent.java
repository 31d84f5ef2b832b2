package io.mirante.bench.simulation;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * One event as a client would send it.
 *
 * @param sendAt when the client sends it; the order of a stream
 * @param fate what the mesh has to do with it
 * @param id the simulator's own name of the event, unique among valid ones; the body's {@code event_id} unless the
 *     event is invalid for lack of one
 * @param type the event type in snake_case
 * @param timestamp when it happened; a duplicate is sent later than it happened
 * @param userId who, when known
 * @param anonymousId the browser, when known
 * @param body the JSON object of the events contract
 */
public record SimulatedEvent(
        Instant sendAt,
        Fate fate,
        String id,
        String type,
        Instant timestamp,
        @Nullable String userId,
        @Nullable String anonymousId,
        Map<String, Object> body) {

    private static final JsonMapper JSON = JsonMapper.shared();

    /** The event's JSON in UTF-8. */
    public byte[] json() {
        return JSON.writeValueAsBytes(body);
    }

    /** The event's own data, empty when it has none. */
    @SuppressWarnings("unchecked")
    public Map<String, Object> data() {
        if (body.get("payload") instanceof Map<?, ?> payload) {
            return (Map<String, Object>) payload;
        }
        if (body.get("event_type") instanceof Map<?, ?> nested
                && nested.get("data") instanceof Map<?, ?> data) {
            return (Map<String, Object>) data;
        }
        return Map.of();
    }

    SimulatedEvent again(Instant later) {
        return new SimulatedEvent(
                later, Fate.DUPLICATE, id, type, timestamp, userId, anonymousId, body);
    }
}
