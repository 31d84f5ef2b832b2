package io.mirante.alert.alerting;

import io.mirante.alert.webhook.Deliveries;
import io.mirante.platform.jobs.TimeOrderedIds;
import java.math.BigDecimal;
import java.time.Instant;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * The only writer of an alert's state: the state, its revision and what receivers are told are one transaction. The
 * caller holds {@link Alerts#lock}. Thread-safe.
 */
@Component
final class MoveAlerts {

    private final Alerts alerts;
    private final Deliveries deliveries;

    MoveAlerts(Alerts alerts, Deliveries deliveries) {
        this.alerts = alerts;
        this.deliveries = deliveries;
    }

    /** A new alert of a rule whose condition began to hold. */
    Mono<Alert> open(
            String tenant, Rule rule, AlertState state, BigDecimal value, DatabaseClient db) {
        return open(
                tenant,
                new Alert(
                        newId(),
                        rule.id(),
                        rule.type(),
                        rule.threshold().metric(),
                        state,
                        value,
                        rule.threshold().value(),
                        null,
                        null,
                        1),
                db);
    }

    Mono<Alert> open(String tenant, Alert alert, DatabaseClient db) {
        return alerts.insert(tenant, alert, db)
                .then(tell(tenant, alert, alert.state().startedAt(), db))
                .thenReturn(alert);
    }

    Mono<Alert> move(
            String tenant,
            Alert alert,
            AlertState next,
            BigDecimal value,
            BigDecimal threshold,
            Instant now,
            DatabaseClient db) {
        var moved = alert.moved(next, value, threshold);
        return alerts.update(moved, db).then(tell(tenant, moved, now, db)).thenReturn(moved);
    }

    /** Ends an open alert whatever the metric says: its rule is gone or paused, or it was raised by hand. */
    Mono<Alert> end(String tenant, Alert alert, Instant now, DatabaseClient db) {
        return move(
                tenant,
                alert,
                new AlertState.Resolved(alert.state().startedAt(), alert.state().firing(), now),
                alert.value(),
                alert.threshold(),
                now,
                db);
    }

    static String newId() {
        return "alert_" + TimeOrderedIds.next();
    }

    private Mono<Void> tell(String tenant, Alert alert, Instant now, DatabaseClient db) {
        return alert.state().isTold()
                ? deliveries.enqueue(alert.owner(), alert.message(tenant), now, db)
                : Mono.empty();
    }
}
