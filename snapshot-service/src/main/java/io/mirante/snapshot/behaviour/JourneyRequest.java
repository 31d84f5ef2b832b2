package io.mirante.snapshot.behaviour;

import io.mirante.contracts.events.EventTypes;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.TimeRange;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The question what people do next, as a client sends it.
 *
 * @param depth how many events after the start are followed, 1 to 10; 3 when missing
 * @param maxNodes how many events of each depth stand for themselves, 1 to 50; 10 when missing
 * @param window ISO 8601 duration from the start on, its end included; null = up to {@code endTime}
 * @param eventTypes which events may come next, at most 50 types; null = all
 * @param startTime only events from it on; null = from the first
 * @param endTime only events before it; null = all
 */
record JourneyRequest(
        @Nullable Start start,
        @Nullable Integer depth,
        @Nullable Integer maxNodes,
        @Nullable String window,
        @Nullable List<@Nullable String> eventTypes,
        @Nullable Instant startTime,
        @Nullable Instant endTime) {

    private static final int DEFAULT_DEPTH = 3;
    private static final int MAX_DEPTH = 10;
    private static final int DEFAULT_NODES = 10;
    private static final int MAX_NODES = 50;
    private static final int MAX_TYPES = 50;

    /**
     * The event to start from.
     *
     * @param value as a funnel step's {@code condition_value}
     */
    record Start(
            @Nullable String type,
            @Nullable String value,
            @Nullable List<@Nullable FilterRequest> filters) {}

    /**
     * The question it asks.
     *
     * @throws ProblemException 400 that names every field that is wrong
     */
    Journey toJourney() {
        var errors = new ArrayList<FieldError>();
        var from = start == null ? new Start(null, null, null) : start;
        var condition =
                FilterRequest.condition(
                        from.type(), from.value(), from.filters(), "/start", "", errors);
        int deep = number(depth, DEFAULT_DEPTH, MAX_DEPTH, "depth", errors);
        int nodes = number(maxNodes, DEFAULT_NODES, MAX_NODES, "max_nodes", errors);
        Duration until = window == null ? null : FunnelRequest.duration(window, errors);
        var types = types(errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new Journey(
                condition,
                types,
                deep,
                nodes,
                until == null ? null : TimeUnit.MICROSECONDS.convert(until),
                TimeRange.ofBody(startTime, endTime));
    }

    private static int number(
            @Nullable Integer given,
            int otherwise,
            int most,
            String field,
            List<FieldError> errors) {
        int number = given == null ? otherwise : given;
        if (!(number >= 1 && number <= most)) {
            errors.add(
                    new FieldError(
                            "/" + field,
                            "out_of_range",
                            "%s must be from 1 to %d, was %d".formatted(field, most, number)));
        }
        return number;
    }

    private List<String> types(List<FieldError> errors) {
        var given = eventTypes;
        if (given == null) {
            return List.of();
        }
        if (given.isEmpty() || given.size() > MAX_TYPES) {
            errors.add(
                    new FieldError(
                            "/event_types",
                            given.isEmpty() ? "required" : "too_many",
                            "event_types must be a list of 1 to %d types, %d were given; leave it out for all"
                                    .formatted(MAX_TYPES, given.size())));
            return List.of();
        }
        var types = new ArrayList<String>();
        for (int i = 0; i < given.size(); i++) {
            var name = given.get(i);
            var type = name == null ? "" : EventTypes.canonicalName(name);
            var at = "/event_types/" + i;
            if (type.isEmpty()) {
                errors.add(new FieldError(at, "required", at + " must name an event type"));
            } else if (!types.contains(type)) {
                types.add(type);
            }
        }
        return types;
    }
}
