package io.mirante.etl.features;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.etl.features.UserFeatureStates.Lane;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.persistence.TenantsOf;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Computes features again as events arrive and as time passes, tenant by tenant, whenever the log's as_of has moved; less often
 * while the log is behind. Features carry that as_of: every event accepted before is counted, none of a later time is. Users with
 * very many events have a thread of their own, and a quarter of its time.
 */
@Component
@CrossTenant("asks which tenants have users that are due; computing runs as the tenant")
final class KeepFeaturesCurrent implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(KeepFeaturesCurrent.class);

    /** Looking whether as_of has moved costs next to nothing. */
    static final Duration LOOK = Duration.ofMillis(50);

    static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** A log that is this far behind has the database for itself, but for a quarter of the time. */
    static final Duration BEHIND = Duration.ofSeconds(5);

    private static final int SHARES_OF_THE_LOG = 3;

    /** Of a batch that fails, one in so many is tried next. */
    private static final int FEWER = 8;

    /** Users that a turn sets aside of a tenant: when so many fail, it is not for them. */
    private static final int MOST_ASIDE = 10;

    private final UserFeatureStates states;
    private final TenantDatabase tenants;
    private final StreamDatabase stream;
    private final AsOf asOf;
    private final LogBacklog backlog;
    private final Counter computed;
    private final Counter setAside;
    private final Map<Lane, Instant> done = new ConcurrentHashMap<>();
    private ScheduledExecutorService threads = Executors.newScheduledThreadPool(0);
    private volatile boolean running;

    /** Of the light lane while the log has more to do than it can at once, in {@link System#nanoTime()}. */
    private volatile long restUntil = System.nanoTime();

    KeepFeaturesCurrent(
            UserFeatureStates states,
            TenantDatabase tenants,
            StreamDatabase stream,
            AsOf asOf,
            LogBacklog backlog,
            MeterRegistry meters) {
        this.states = states;
        this.tenants = tenants;
        this.stream = stream;
        this.asOf = asOf;
        this.backlog = backlog;
        this.computed = meters.counter("mirante.etl.features.computed");
        this.setAside = meters.counter("mirante.etl.features.set.aside");
    }

    @Override
    public void start() {
        running = true;
        threads =
                Executors.newScheduledThreadPool(
                        Lane.values().length,
                        Thread.ofPlatform().daemon().name("features-", 0).factory());
        for (var lane : Lane.values()) {
            next(lane, PAUSE);
        }
    }

    private void next(Lane lane, Duration pause) {
        var unused = threads.schedule(() -> turn(lane), pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        running = false;
        threads.shutdownNow();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private void turn(Lane lane) {
        var pause = LOOK;
        try {
            var moment = Objects.requireNonNull(asOf.ofLog().block(LIMIT));
            boolean behind = backlog.isThere() || isBehind(Duration.between(moment, Instant.now()));
            // A rest is over when its reason is.
            boolean rests = behind && lane == Lane.LIGHT && System.nanoTime() - restUntil < 0;
            if (!rests && moment.isAfter(done.getOrDefault(lane, Instant.EPOCH))) {
                long begun = System.nanoTime();
                collectMarks();
                for (var tenant : dueTenants(moment, lane)) {
                    computeOrWarn(tenant, moment, lane, lane == Lane.HEAVY || behind);
                }
                done.put(lane, moment);
                var rest =
                        pause(
                                lane,
                                Duration.ofNanos(System.nanoTime() - begun),
                                behind || backlog.isThere());
                if (lane == Lane.LIGHT) {
                    restUntil = System.nanoTime() + rest.toNanos();
                } else {
                    pause = rest;
                }
            }
        } catch (RuntimeException e) {
            pause = PAUSE;
            if (running) {
                LOG.warn("cannot compute features at the moment: {}", e.getMessage());
            }
        } finally {
            if (running) {
                next(lane, pause);
            }
        }
    }

    private void collectMarks() {
        while (running
                && Boolean.TRUE.equals(stream.inTransaction(ChangedUsers::collect).block(LIMIT))) {
            // the next ones
        }
    }

    /** One tenant's users, that cannot be computed in time say, do not keep others' waiting. */
    private void computeOrWarn(String tenant, Instant moment, Lane lane, boolean once) {
        try {
            computeDue(tenant, moment, lane, once);
        } catch (RuntimeException e) {
            if (running) {
                LOG.atWarn()
                        .addKeyValue("tenant_id", tenant)
                        .log("cannot compute features at the moment: {}", e.getMessage());
            }
        }
    }

    /** What fails is tried again with fewer users, down to the one who makes it fail: that one steps back. */
    private void computeDue(String tenant, Instant moment, Lane lane, boolean once) {
        int most = lane.batch();
        int aside = 0;
        boolean more = true;
        while (running && more) {
            int batch = most;
            try {
                Integer done =
                        tenants.one(tenant, db -> states.recompute(tenant, moment, lane, batch, db))
                                .block(LIMIT);
                int users = done == null ? 0 : done;
                computed.increment(users);
                // Events that begin to wait meanwhile are not kept waiting by all the others.
                boolean last = (once || backlog.isThere()) && batch == lane.batch();
                more = users == batch && !last;
                most = Math.min(lane.batch(), batch * FEWER);
            } catch (RuntimeException e) {
                if (!running) {
                    return;
                }
                if (batch > 1) {
                    most = Math.max(1, batch / FEWER);
                } else if (++aside > MOST_ASIDE) {
                    throw e;
                } else {
                    setAside(tenant, moment, lane, e);
                }
            }
        }
    }

    private void setAside(String tenant, Instant moment, Lane lane, RuntimeException why) {
        var person =
                tenants.one(tenant, db -> states.setAside(tenant, moment, lane, db)).block(LIMIT);
        setAside.increment();
        LOG.atWarn()
                .addKeyValue("tenant_id", tenant)
                .addKeyValue("person_no", person)
                .log("a user's features cannot be computed, others go on: {}", why.getMessage());
    }

    /**
     * How long to leave the database to the log. Each batch reads all events of its users: under a load that the log cannot
     * take beside it, users computed less often are what lets the log catch up, and what is computed of a log that is behind
     * is old when it is published.
     *
     * @param took time of the last turn, in which each tenant with due users had a batch
     * @param behind whether the log has more to do than it can at once
     */
    static Duration pause(Lane lane, Duration took, boolean behind) {
        var rest = took.multipliedBy(SHARES_OF_THE_LOG);
        if (behind) {
            return rest.compareTo(PAUSE) > 0 ? rest : PAUSE;
        }
        return lane == Lane.HEAVY && rest.compareTo(LOOK) > 0 ? rest : LOOK;
    }

    static boolean isBehind(Duration behind) {
        return behind.compareTo(BEHIND) > 0;
    }

    /** Tenants with due users. */
    private List<String> dueTenants(Instant moment, Lane lane) {
        return Objects.requireNonNull(
                stream.client()
                        .sql(
                                TenantsOf.query(
                                        "user_feature_state",
                                        """
                                        SELECT tenant_id FROM tenant t
                                        WHERE EXISTS (
                                            SELECT 1 FROM user_feature_state s
                                            WHERE s.tenant_id = t.tenant_id AND s.due_at < $1 AND s.%s
                                                AND (s.retry_at IS NULL OR s.retry_at < $1))\
                                        """
                                                .formatted(lane.condition())))
                        .bind(0, moment)
                        .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                        .all()
                        .collectList()
                        .block(LIMIT));
    }
}
