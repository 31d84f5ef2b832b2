package io.mirante.contracts.alert;

import java.math.BigDecimal;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An alert moved to another state. On {@code mirante.alerts}, and as {@code analytics.alert.triggered} in webhooks.
 *
 * @param state {@code pending}, {@code firing} or {@code resolved}
 * @param value the metric's value that caused the move
 */
public record AlertChanged(
        String tenantId,
        String alertId,
        String ruleId,
        String type,
        String metric,
        String state,
        BigDecimal value,
        BigDecimal threshold,
        Instant startedAt,
        @Nullable Instant firedAt,
        @Nullable Instant resolvedAt,
        long revision) {}
