package io.mirante.contracts.snapshot;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Map;

/**
 * The counts and sums of one window. On {@code mirante.snapshots}.
 *
 * @param granularity {@code hourly} or {@code daily}
 * @param start first instant of the window; it ends before {@code end}
 * @param metrics additive values by name
 */
public record SnapshotChanged(
        String tenantId,
        String scope,
        String granularity,
        Instant start,
        Instant end,
        Map<String, String> dimensions,
        Map<String, BigDecimal> metrics,
        long revision,
        Instant asOf) {}
