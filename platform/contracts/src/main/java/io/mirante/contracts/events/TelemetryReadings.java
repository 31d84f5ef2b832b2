package io.mirante.contracts.events;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Judges device readings, as {@link EventValidator} does events. Thread-safe. */
public final class TelemetryReadings {

    /** Most metrics of one reading. */
    public static final int MAX_METRICS = 500;

    private static final int MAX_ERRORS = 20;
    private static final int MAX_DEPTH = 10;

    private TelemetryReadings() {}

    /** The verdict on one reading. */
    public sealed interface Item {}

    public record Accepted(TelemetryReading reading) implements Item {}

    /**
     * A reading that was refused.
     *
     * @param deviceId when the reading gave a usable one
     * @param errors at least one; pointers go into the reading
     */
    public record Rejected(@Nullable String deviceId, Reason reason, List<FieldError> errors)
            implements Item {
        public Rejected {
            errors = List.copyOf(errors);
        }
    }

    /**
     * Judges one reading among others, which may not even be JSON.
     *
     * @param from its first byte
     * @param to the byte after its last
     * @param receivedAt the default of {@code timestamp}
     * @param maxBytes largest reading as compact UTF-8 JSON
     */
    public static Item check(byte[] json, int from, int to, Instant receivedAt, int maxBytes) {
        if (to - from > 4L * maxBytes) {
            return tooLarge(maxBytes);
        }
        try {
            return Utf8.firstFault(json, from, to) >= 0
                    ? malformed("bad_encoding", "the reading is not UTF-8")
                    : check(EventBytes.read(json, from, to).event(), receivedAt, maxBytes);
        } catch (JacksonException e) {
            return malformed(EventBytes.code(e), EventBytes.message("reading", e));
        }
    }

    /** {@link #check(byte[], int, int, Instant, int)} for a tree. */
    public static Item check(JsonNode reading, Instant receivedAt, int maxBytes) {
        var unsafe = TreeGuard.check(reading, MAX_DEPTH, maxBytes);
        if (unsafe == null) {
            return read(reading, receivedAt, true);
        }
        return unsafe.code().equals(TreeGuard.TOO_LARGE)
                ? tooLarge(maxBytes)
                : new Rejected(null, Reason.MALFORMED, List.of(unsafe));
    }

    private static Rejected tooLarge(int maxBytes) {
        return new Rejected(
                null,
                Reason.SIZE,
                List.of(
                        new FieldError(
                                "",
                                TreeGuard.TOO_LARGE,
                                "the reading is larger than "
                                        + maxBytes
                                        + " bytes; send fewer metrics at once")));
    }

    private static Rejected malformed(String code, String message) {
        return new Rejected(null, Reason.MALFORMED, List.of(new FieldError("", code, message)));
    }

    /** Reads one; {@code strict} refuses unknown fields, which a newer producer's record may have. */
    static Item read(JsonNode reading, Instant receivedAt, boolean strict) {
        if (!reading.isObject()) {
            return new Rejected(
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
            return new Accepted(new TelemetryReading(deviceId, deviceType, timestamp, metrics));
        }
        return new Rejected(deviceId, nameless ? Reason.IDENTITY : Reason.CONTRACT, errors.list);
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
