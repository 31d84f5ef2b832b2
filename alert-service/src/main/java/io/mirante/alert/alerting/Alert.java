package io.mirante.alert.alerting;

import io.mirante.contracts.alert.AlertChanged;
import java.math.BigDecimal;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An alert and where it stands.
 *
 * @param ruleId {@link #MANUAL} when it was raised by hand
 * @param value the metric's value at the last move
 * @param threshold the rule's at the last move
 * @param revision rises with each move
 */
record Alert(
        String id,
        String ruleId,
        String type,
        String metric,
        AlertState state,
        BigDecimal value,
        BigDecimal threshold,
        @Nullable Instant acknowledgedAt,
        @Nullable String acknowledgedBy,
        long revision) {

    /** Stands in place of a rule when there is none. */
    static final String MANUAL = "manual";

    boolean isManual() {
        return ruleId.equals(MANUAL);
    }

    /** Whose recipients are told. */
    String owner() {
        return isManual() ? id : ruleId;
    }

    Alert moved(AlertState next, BigDecimal nowValue, BigDecimal nowThreshold) {
        return new Alert(
                id,
                ruleId,
                type,
                metric,
                next,
                nowValue,
                nowThreshold,
                acknowledgedAt,
                acknowledgedBy,
                revision + 1);
    }

    Alert acknowledged(Instant now, String by) {
        return new Alert(id, ruleId, type, metric, state, value, threshold, now, by, revision);
    }

    AlertChanged message(String tenant) {
        return new AlertChanged(
                tenant,
                id,
                ruleId,
                type,
                metric,
                state.name(),
                value,
                threshold,
                state.startedAt(),
                state.firing(),
                state.over(),
                revision);
    }
}
