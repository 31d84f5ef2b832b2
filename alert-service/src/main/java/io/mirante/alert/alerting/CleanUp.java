package io.mirante.alert.alerting;

import io.mirante.alert.TenantLists;
import io.mirante.alert.metrics.MeasureRuns;
import io.mirante.alert.metrics.MinuteSums;
import io.mirante.alert.webhook.Deliveries;
import io.mirante.alert.webhook.Recipients;
import io.mirante.platform.persistence.TenantDatabase;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Deletes what is no longer asked for, tenant by tenant, every ten minutes: minutes and ends of runs older than {@link MinuteSums#KEPT},
 * and alerts, deliveries and removed recipients that ended 90 days ago.
 */
@Component
final class CleanUp implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(CleanUp.class);
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
    private ScheduledExecutorService timer = Executors.newScheduledThreadPool(0);
    private volatile boolean running;

    CleanUp(
            TenantLists tenantLists,
            TenantDatabase tenants,
            MinuteSums sums,
            Alerts alerts,
            Deliveries deliveries,
            Recipients recipients,
            Clock clock) {
        this.tenantLists = tenantLists;
        this.tenants = tenants;
        this.sums = sums;
        this.alerts = alerts;
        this.deliveries = deliveries;
        this.recipients = recipients;
        this.clock = clock;
    }

    @Override
    public void start() {
        running = true;
        timer =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("clean-up").factory());
        var unused =
                timer.scheduleWithFixedDelay(
                        this::quietly, PAUSE.toSeconds(), PAUSE.toSeconds(), TimeUnit.SECONDS);
    }

    @Override
    public void stop() {
        running = false;
        timer.shutdownNow();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private void quietly() {
        try {
            once(clock.instant()).block(LIMIT);
        } catch (RuntimeException e) {
            if (running) {
                LOG.warn("cannot clean up at the moment: {}", e.getMessage());
            }
        }
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
