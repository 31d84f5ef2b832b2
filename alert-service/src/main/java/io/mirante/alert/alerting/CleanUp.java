package io.mirante.alert.alerting;

import io.mirante.alert.TenantLists;
import io.mirante.alert.metrics.MeasureRuns;
import io.mirante.alert.metrics.MinuteSums;
import io.mirante.alert.webhook.Deliveries;
import io.mirante.alert.webhook.Recipients;
import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.persistence.TenantDatabase;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Deletes what is no longer asked for, tenant by tenant, every ten minutes: minutes and ends of runs older than {@link MinuteSums#KEPT},
 * and alerts, deliveries and removed recipients that ended 90 days ago.
 */
@Component
final class CleanUp extends Periodic {

    private static final Duration PAUSE = Duration.ofMinutes(10);
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final Duration ENDED_KEPT = Duration.ofDays(90);

    private final TenantLists tenantLists;
    private final TenantDatabase tenants;
    private final MinuteSums sums;
    private final Alerts alerts;
    private final Deliveries deliveries;
    private final Recipients recipients;
    private final Clock clock;

    CleanUp(
            TenantLists tenantLists,
            TenantDatabase tenants,
            MinuteSums sums,
            Alerts alerts,
            Deliveries deliveries,
            Recipients recipients,
            Clock clock) {
        super("clean-up", PAUSE, PAUSE);
        this.tenantLists = tenantLists;
        this.tenants = tenants;
        this.sums = sums;
        this.alerts = alerts;
        this.deliveries = deliveries;
        this.recipients = recipients;
        this.clock = clock;
    }

    @Override
    protected void turn() {
        once(clock.instant()).block(LIMIT);
    }

    Mono<Void> once(Instant now) {
        var minutesBefore = now.minus(MinuteSums.KEPT);
        var endedBefore = now.minus(ENDED_KEPT);
        return tenantLists
                .withAged(minutesBefore, endedBefore)
                .flatMapMany(Flux::fromIterable)
                .concatMap(tenant ->
                        tenants.one(
                                tenant,
                                db ->
                                        sums.deleteBefore(minutesBefore, db)
                                                .then(MeasureRuns.deleteBefore(minutesBefore, db))
                                                .then(deliveries.deleteEndedBefore(endedBefore, db))
                                                .then(alerts.deleteResolvedBefore(endedBefore, db))
                                                .then(
                                                        recipients.deleteRemovedBefore(
                                                                endedBefore, db))))
                .then();
    }
}
