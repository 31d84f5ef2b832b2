package io.mirante.contracts.metrics;

import java.math.BigDecimal;
import java.util.Map;
import java.util.Objects;

/**
 * What one event adds to one metric. Additive: the value of any window or group is the sum of its measurements.
 *
 * @param scope what is described, such as {@code conversation}
 * @param dimensions known dimensions of the scope, sorted by name; one the event does not give is left out
 * @param metric name within the scope, such as {@code volume}
 * @param value a count or an amount, in the metric's unit
 */
public record Measurement(
        String scope, Map<String, String> dimensions, String metric, BigDecimal value) {

    public Measurement {
        Objects.requireNonNull(scope, "scope");
        Objects.requireNonNull(dimensions, "dimensions");
        Objects.requireNonNull(metric, "metric");
        Objects.requireNonNull(value, "value");
    }
}
