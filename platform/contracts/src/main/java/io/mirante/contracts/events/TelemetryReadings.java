package io.mirante.contracts.events;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Reads the body of {@code POST /industry40/iot/ingest}: one reading, or {@code {"readings": […]}}. A bad reading never
 * hurts its neighbours. Thread-safe.
 */
public final class TelemetryReadings {

    /** Most metrics of one reading. */
    public static final int MAX_METRICS = 500;

    private static final int MAX_ERRORS = 20;
    private static final int MAX_DEPTH = 10;

    private TelemetryReadings() {}

    /**
     * A body, taken apart.
     *
     * @param single the body was one reading, not a list; then there is exactly one item
     * @param items one per reading, in order
     */
    public record Body(boolean single, List<Item> items) {
        public Body {
            items = List.copyOf(items);
        }

        public List<TelemetryReading> accepted() {
            return items.stream()
                    .filter(Accepted.class::isInstance)
                    .map(item -> ((Accepted) item).reading())
                    .toList();
        }
    }

    /** One reading of a body. */
    public sealed interface Item {
        /** Place in the list, from 0. */
        int index();
    }

    public record Accepted(int index, TelemetryReading reading) implements Item {}

    /**
     * A reading that was refused.
     *
     * @param deviceId when the reading gave a usable one
     * @param errors at least one; pointers go into the reading
     */
    public record Rejected(
            int index, @Nullable String deviceId, Reason reason, List<FieldError> errors)
            implements Item {
        public Rejected {
            errors = List.copyOf(errors);
        }
    }

    /**
     * Takes a body apart.
     *
     * @param receivedAt the default of {@code timestamp}
     * @param maxReadingBytes largest reading as compact UTF-8 JSON
     * @return null when the body is neither one reading nor {@code {"readings": […]}} with at least one: a malformed
     *     request
     */
    public static @Nullable Body parse(JsonNode body, Instant receivedAt, int maxReadingBytes) {
        if (!body.isObject()) {
            return null;
        }
        JsonNode list = body.get("readings");
        if (list == null) {
            return new Body(true, List.of(guarded(0, body, receivedAt, maxReadingBytes)));
        }
        if (!list.isArray() || list.isEmpty() || body.size() > 1) {
            return null;
        }
        var items = new ArrayList<Item>(list.size());
        for (int i = 0; i < list.size(); i++) {
            items.add(guarded(i, list.required(i), receivedAt, maxReadingBytes));
        }
        return new Body(false, items);
    }

    private static Item guarded(int index, JsonNode reading, Instant receivedAt, int maxBytes) {
        var unsafe = TreeGuard.check(reading, MAX_DEPTH, maxBytes);
        if (unsafe == null) {
            return read(index, reading, receivedAt, true);
        }
        boolean size = unsafe.code().equals(TreeGuard.TOO_LARGE);
        var error =
                size
                        ? new FieldError(
                                "",
                                TreeGuard.TOO_LARGE,
                                "the reading is larger than "
                                        + maxBytes
                                        + " bytes; send fewer metrics at once")
                        : unsafe;
        return new Rejected(index, null, size ? Reason.SIZE : Reason.MALFORMED, List.of(error));
    }

    /** Reads one; {@code strict} refuses unknown fields, which a newer producer's record may have. */
    static Item read(int index, JsonNode reading, Instant receivedAt, boolean strict) {
        if (!reading.isObject()) {
            return new Rejected(
                    index,
                    null,
                    Reason.MALFORMED,
                    List.of(
                            new FieldError(
                                    "", "wrong_type", "a reading must be a JSON object {…}")));
        }
        var errors = new Errors();
        var deviceId = id(reading, "device_id", errors);
        boolean nameless = deviceId == null && errors.list.isEmpty();
        if (nameless) {
            errors.add("/device_id", "required", "device_id is required: which device measured?");
        }
        var deviceType = id(reading, "device_type", errors);
        var timestamp = timestamp(reading, receivedAt, errors);
        var metrics = metrics(reading, errors);
        if (strict) {
            for (var name : reading.propertyNames()) {
                switch (name) {
                    case "device_id", "device_type", "timestamp", "metrics" -> {}
                    default ->
                            errors.add(
                                    "/" + TreeGuard.escape(name),
                                    "unknown_field",
                                    "a reading has device_id, device_type, timestamp and metrics only");
                }
            }
        }
        if (errors.list.isEmpty() && deviceId != null) {
            return new Accepted(
                    index, new TelemetryReading(deviceId, deviceType, timestamp, metrics));
        }
        return new Rejected(
                index, deviceId, nameless ? Reason.IDENTITY : Reason.CONTRACT, errors.list);
    }

    private static @Nullable String id(JsonNode reading, String name, Errors errors) {
        JsonNode value = reading.get(name);
        if (value == null || value.isNull()) {
            return null;
        }
        if (!value.isString()) {
            errors.add("/" + name, "wrong_type", name + " must be text");
            return null;
        }
        var fault = EventValidator.idFault(value.stringValue());
        if (fault != null) {
            errors.add("/" + name, fault.code(), name + " " + fault.message());
            return null;
        }
        return value.stringValue();
    }

    private static Instant timestamp(JsonNode reading, Instant receivedAt, Errors errors) {
        JsonNode value = reading.get("timestamp");
        if (value == null || value.isNull()) {
            return Rfc3339.stored(receivedAt);
        }
        var instant = value.isString() ? Rfc3339.parse(value.stringValue()) : null;
        if (instant == null) {
            errors.add(
                    "/timestamp",
                    "invalid_time",
                    "timestamp must be an RFC 3339 time with its offset, from 1970 to 9999, such as"
                            + " 2026-11-20T10:00:00Z");
            return Rfc3339.stored(receivedAt);
        }
        return instant;
    }

    private static Map<String, Double> metrics(JsonNode reading, Errors errors) {
        JsonNode given = reading.get("metrics");
        if (given == null || !given.isObject() || given.isEmpty()) {
            errors.add(
                    "/metrics",
                    given == null || given.isNull() ? "required" : "wrong_type",
                    "metrics must be an object of numbers, such as {\"temperature\": 75.5}");
            return Map.of();
        }
        if (given.size() > MAX_METRICS) {
            errors.add(
                    "/metrics",
                    "too_many",
                    "metrics must hold at most " + MAX_METRICS + " numbers");
            return Map.of();
        }
        var metrics = new LinkedHashMap<String, Double>();
        for (var metric : given.properties()) {
            var name = metric.getKey();
            var pointer = "/metrics/" + TreeGuard.escape(name);
            var fault = EventValidator.idFault(name);
            if (fault != null) {
                errors.add(pointer, fault.code(), "a metric's name " + fault.message());
            } else if (!metric.getValue().isNumber()) {
                errors.add(pointer, "wrong_type", name + " must be a number");
            } else if (!Double.isFinite(metric.getValue().asDouble())) {
                errors.add(pointer, "number_out_of_range", name + " must be a finite number");
            } else {
                metrics.put(name, metric.getValue().asDouble());
            }
        }
        return metrics;
    }

    private static final class Errors {
        final List<FieldError> list = new ArrayList<>(0);

        void add(String pointer, String code, String message) {
            if (list.size() < MAX_ERRORS) {
                list.add(new FieldError(pointer, code, message));
            }
        }
    }
}
