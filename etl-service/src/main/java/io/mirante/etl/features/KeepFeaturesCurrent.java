package io.mirante.etl.features;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantDatabase;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Computes features again as events arrive and as time passes, twice a second, tenant by tenant, on one thread of its
 * own. Features carry the log's as_of: every event accepted before is counted, none of a later time is.
 */
@Component
@CrossTenant("asks which tenants have users that are due; computing runs as the tenant")
final class KeepFeaturesCurrent implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(KeepFeaturesCurrent.class);
    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    static final int BATCH = 2_000;

    private final UserFeatureStates states;
    private final TenantDatabase tenants;
    private final StreamDatabase stream;
    private final AsOf asOf;
    private final Counter computed;
    private ScheduledExecutorService thread = Executors.newScheduledThreadPool(0);
    private volatile boolean running;

    KeepFeaturesCurrent(
            UserFeatureStates states,
            TenantDatabase tenants,
            StreamDatabase stream,
            AsOf asOf,
            MeterRegistry meters) {
        this.states = states;
        this.tenants = tenants;
        this.stream = stream;
        this.asOf = asOf;
        this.computed = meters.counter("mirante.etl.features.computed");
    }

    @Override
    public void start() {
        running = true;
        thread =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("features").factory());
        var unused =
                thread.scheduleWithFixedDelay(
                        this::computeDue,
                        PAUSE.toMillis(),
                        PAUSE.toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        running = false;
        thread.shutdownNow();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private void computeDue() {
        try {
            var moment = Objects.requireNonNull(asOf.ofLog().block(LIMIT));
            if (moment.equals(Instant.EPOCH)) {
                return;
            }
            for (var tenant : dueTenants(moment)) {
                computeDue(tenant, moment);
            }
        } catch (RuntimeException e) {
            if (running) {
                LOG.warn("cannot compute features at the moment: {}", e.getMessage());
            }
        }
    }

    private void computeDue(String tenant, Instant moment) {
        int users;
        do {
            Integer done =
                    tenants.one(tenant, db -> states.recompute(tenant, moment, BATCH, db))
                            .block(LIMIT);
            users = done == null ? 0 : done;
            computed.increment(users);
        } while (running && users == BATCH);
    }

    /** Tenants with due users, found by one step through the index per tenant. */
    private List<String> dueTenants(Instant moment) {
        return Objects.requireNonNull(
                stream.client()
                        .sql(
                                """
                                WITH RECURSIVE tenant AS (
                                    (SELECT tenant_id FROM user_feature_state ORDER BY tenant_id LIMIT 1)
                                    UNION ALL
                                    SELECT (SELECT s.tenant_id FROM user_feature_state s
                                            WHERE s.tenant_id > t.tenant_id ORDER BY s.tenant_id LIMIT 1)
                                    FROM tenant t WHERE t.tenant_id IS NOT NULL
                                )
                                SELECT tenant_id FROM tenant t
                                WHERE tenant_id IS NOT NULL AND EXISTS (
                                    SELECT 1 FROM user_feature_state s
                                    WHERE s.tenant_id = t.tenant_id AND s.due_at < $1)\
                                """)
                        .bind(0, moment)
                        .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                        .all()
                        .collectList()
                        .block(LIMIT));
    }
}
