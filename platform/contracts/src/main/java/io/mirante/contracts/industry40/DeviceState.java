package io.mirante.contracts.industry40;

import java.time.Instant;
import java.util.Map;

/**
 * The newest reported values of a device. On {@code mirante.telemetry.state}.
 *
 * @param reported by metric, finite
 */
public record DeviceState(
        String tenantId,
        String deviceId,
        String deviceType,
        Instant reportedAt,
        Map<String, Double> reported,
        long revision) {}
