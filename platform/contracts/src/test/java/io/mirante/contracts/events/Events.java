package io.mirante.contracts.events;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.EventValidator.Accepted;
import io.mirante.contracts.events.EventValidator.Rejected;
import io.mirante.contracts.events.EventValidator.Rules;
import java.time.Instant;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Shared inputs of the tests in this package. */
final class Events {
    static final Instant RECEIVED = Instant.parse("2026-11-21T12:00:00.123456789Z");
    static final Rules OPEN = rules(false, false, Rules.DEFAULT_MAX_EVENT_BYTES);
    static final Rules STRICT = rules(true, false, Rules.DEFAULT_MAX_EVENT_BYTES);
    static final Rules BATCH = rules(false, true, Rules.DEFAULT_MAX_EVENT_BYTES);
    static final EventValidator VALIDATOR = new EventValidator();

    private Events() {}

    static Rules rules(boolean strict, boolean idRequired, int maxBytes) {
        return new Rules(strict, idRequired, maxBytes, RECEIVED, "/http");
    }

    static ObjectNode json(String singleQuoted) {
        return (ObjectNode) Json.mapper().readTree(singleQuoted.replace('\'', '"'));
    }

    static ObjectNode pageView() {
        return json(
                """
                {'event_id': 'e1', 'user_id': 'u1', 'timestamp': '2026-11-20T10:00:00Z',
                 'event_type': {'type': 'PageView', 'data': {'url': '/products'}}}\
                """);
    }

    static ObjectNode purchase(String amountJson) {
        return json(
                "{'event_id': 'e2', 'user_id': 'u1', 'event_type': 'purchase', 'payload': {'amount': "
                        + amountJson
                        + "}}");
    }

    static CanonicalEvent accept(JsonNode event) {
        return accept(event, OPEN);
    }

    static CanonicalEvent accept(JsonNode event, Rules rules) {
        return switch (VALIDATOR.validate(event, rules)) {
            case Accepted accepted -> accepted.event();
            case Rejected rejected -> throw new AssertionError(rejected + " for " + event);
        };
    }

    static Rejected reject(JsonNode event) {
        return reject(event, OPEN);
    }

    static Rejected reject(JsonNode event, Rules rules) {
        return switch (VALIDATOR.validate(event, rules)) {
            case Accepted accepted -> throw new AssertionError("accepted " + accepted.event());
            case Rejected rejected -> rejected;
        };
    }
}
