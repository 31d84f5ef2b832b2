package io.mirante.bench.simulation;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * One telemetry reading of a machine, for one minute (history) or one second (live).
 *
 * @param deviceId the machine
 * @param timestamp end of the interval the counts belong to
 * @param metrics temperature in °C, vibration in mm/s, produced and good pieces of the interval, and whether it ran
 */
public record SimulatedReading(String deviceId, Instant timestamp, Map<String, Object> metrics) {
    private static final JsonMapper JSON = JsonMapper.shared();

    /** The reading's JSON in UTF-8, as the telemetry contract wants it. */
    public byte[] json() {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("device_id", deviceId);
        body.put("device_type", "press");
        body.put("timestamp", timestamp.toString());
        body.put("metrics", metrics);
        return JSON.writeValueAsBytes(body);
    }
}
