package io.mirante.alert.alerting;

import io.mirante.alert.metrics.MinuteSums;
import io.mirante.alert.metrics.MinuteSums.Series;
import java.time.Instant;

/**
 * When to raise an alert.
 *
 * @param type the caller's own word for it, such as {@code sla}
 * @param orgUnit empty = any, as the other two
 * @param active false = paused: not evaluated
 */
record Rule(
        String id,
        String type,
        String orgUnit,
        String channel,
        String priority,
        Threshold threshold,
        boolean active,
        Instant createdAt,
        Instant updatedAt) {

    Series series() {
        return new Series(threshold.metric(), orgUnit, channel, priority);
    }

    MinuteSums.Window window() {
        return new MinuteSums.Window(series(), threshold.window());
    }
}
