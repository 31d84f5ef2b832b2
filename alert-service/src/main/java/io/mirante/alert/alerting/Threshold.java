package io.mirante.alert.alerting;

import java.math.BigDecimal;
import java.time.Duration;

/**
 * The condition of a rule.
 *
 * @param metric {@code scope.name}
 * @param window 1 minute to 24 hours, over which the metric is summed
 * @param hold 0 to 24 hours: how long the condition must hold before the alert fires
 */
record Threshold(
        String metric, BigDecimal value, Duration window, Operator operator, Duration hold) {

    static final Duration MIN_WINDOW = Duration.ofMinutes(1);
    static final Duration MAX_WINDOW = Duration.ofHours(24);
    static final Duration MAX_HOLD = Duration.ofHours(24);

    Threshold {
        if (!(window.compareTo(MIN_WINDOW) >= 0 && window.compareTo(MAX_WINDOW) <= 0)) {
            throw new IllegalArgumentException(
                    "window must be from 1m to 24h, was " + ShortDuration.text(window));
        }
        if (!(!hold.isNegative() && hold.compareTo(MAX_HOLD) <= 0)) {
            throw new IllegalArgumentException(
                    "for must be from 0s to 24h, was " + ShortDuration.text(hold));
        }
    }

    boolean holds(BigDecimal sum) {
        return operator.test(sum, value);
    }
}
