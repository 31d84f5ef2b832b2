package io.mirante.contracts.events;

import io.mirante.contracts.Json;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * What a device measured at one moment. On {@code mirante.telemetry.raw}. Immutable.
 *
 * @param deviceId 1 to 200 characters
 * @param deviceType what kind of device it is; null when it did not say
 * @param timestamp when it was measured, in microseconds
 * @param metrics at least one; finite numbers in the device's own units, in the order given
 */
public record TelemetryReading(
        String deviceId,
        @Nullable String deviceType,
        Instant timestamp,
        Map<String, Double> metrics) {

    public TelemetryReading {
        if (!(deviceId != null && !deviceId.isBlank())) {
            throw new IllegalArgumentException("deviceId must not be blank");
        }
        if (metrics.isEmpty()) {
            throw new IllegalArgumentException("metrics must hold at least one number");
        }
        metrics.forEach((name, value) -> {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException(
                        "metric " + name + " must be finite, was " + value);
            }
        });
        metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    }

    /** UTF-8 JSON in snake_case. */
    public byte[] toJson() {
        var tree = JsonNodeFactory.instance.objectNode();
        tree.put("device_id", deviceId);
        tree.put("device_type", deviceType);
        tree.put("timestamp", timestamp.toString());
        var values = tree.putObject("metrics");
        metrics.forEach(values::put);
        return Json.mapper().writeValueAsBytes(tree);
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @throws IllegalArgumentException when it is anything else
     */
    public static TelemetryReading fromJson(byte[] json) {
        JsonNode tree;
        try {
            tree = Json.mapper().readTree(json);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("not a reading: " + e.getOriginalMessage());
        }
        return switch (TelemetryReadings.read(tree, Instant.EPOCH, false)) {
            case TelemetryReadings.Accepted accepted -> accepted.reading();
            case TelemetryReadings.Rejected rejected ->
                    throw new IllegalArgumentException(
                            "not a reading: " + rejected.errors().getFirst().message());
        };
    }
}
