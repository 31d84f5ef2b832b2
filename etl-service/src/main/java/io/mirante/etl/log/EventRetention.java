package io.mirante.etl.log;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.gateway.Retention;
import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.persistence.TenantsOf;
import io.mirante.platform.tenants.Tenants;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Removes events whose time is over, each with its identity, and the rows about records that are no event: by the tenant's retention,
 * counted from receipt, by {@link RetentionTime}. Every minute for a quarter of it at most, in batches that are transactions of the
 * tenant's, one replica at a time; a batch looks at so many rows in the order of receipt, and the next goes on behind them, also when
 * most stay. Features, persons and loaded sets stay.
 *
 * <p>Events go only once the lake holds them: those received before it says so, less what clocks may differ. What it says nothing of stays.
 */
@Component
@CrossTenant("asks which tenants have events; each tenant's go as the tenant, by its own retention")
final class EventRetention extends Periodic {

    static final int BATCH = 5_000;
    private static final Duration PAUSE = Duration.ofMinutes(1);
    private static final Duration SHARE = Duration.ofSeconds(15);
    private static final Logger LOG = LoggerFactory.getLogger(EventRetention.class);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** After which the whole log is looked through again, for what came late. */
    private static final Duration WHOLE = Duration.ofDays(1);

    private final StreamDatabase stream;
    private final TenantDatabase database;
    private final Tenants tenants;
    private final RetentionTime time;
    private final Counter events;
    private final Counter others;
    private final LakeCoverage lake;
    private final boolean requiresLake;
    private volatile long secondsBehind;
    private volatile int uncovered;

    /** Up to where nothing is left, as far as this replica knows. */
    private final Map<Rule, Place> done = new HashMap<>();

    private long wholeSince = System.nanoTime();

    EventRetention(
            StreamDatabase stream,
            TenantDatabase database,
            Tenants tenants,
            LakeCoverage lake,
            @Value("${mirante.etl.retention.requires-lake:true}") boolean requiresLake,
            Clock clock,
            MeterRegistry meters) {
        super("event-retention", Duration.ofMinutes(10), PAUSE);
        this.stream = stream;
        this.database = database;
        this.tenants = tenants;
        this.lake = lake;
        this.requiresLake = requiresLake;
        this.time = new RetentionTime(stream, clock, System::nanoTime, meters);
        this.events = meters.counter("mirante.etl.retention.removed", "table", "analytics_event");
        this.others =
                meters.counter("mirante.etl.retention.removed", "table", "analytics_event_meta");
        Gauge.builder("mirante.etl.retention.behind", this, r -> r.secondsBehind)
                .baseUnit("seconds")
                .register(meters);
        Gauge.builder("mirante.etl.retention.uncovered", this, EventRetention::uncovered)
                .baseUnit("tenants")
                .register(meters);
    }

    /** Of what a rule speaks. */
    private enum Rows {
        CSAT("e.event_type = $4 AND $5::text[] = '{}'"),
        /** Of one module. */
        MODULE("e.event_type <> $4 AND e.module = ANY($5::text[])"),
        /** Of no module that has a rule. */
        REST("e.event_type <> $4 AND e.module <> ALL($5::text[])"),
        /** Records that are no event. */
        META("");

        private final String condition;

        Rows(String condition) {
            this.condition = condition;
        }
    }

    /** Which rows of a tenant; what they are kept for may change. */
    private record Rule(String tenant, Rows rows, List<String> modules) {
        Rule {
            modules = List.copyOf(modules);
        }
    }

    private record Due(Rule rule, Instant before) {
        /** Where nothing is left to do. */
        Place end() {
            return new Place(before, "");
        }
    }

    /** In the order of receipt. */
    private record Place(Instant receivedAt, String id) {
        static final Place BEGIN = new Place(Instant.EPOCH, "");
    }

    /**
     * What a batch did.
     *
     * @param reached up to where nothing is left now
     */
    private record Batch(long removed, Place reached) {}

    @Override
    protected void turn() {
        if (!tenants.caughtUp()) {
            return;
        }
        var now = time.advance();
        secondsBehind = time.behind(now).toSeconds();
        if (System.nanoTime() - wholeSince > WHOLE.toNanos()) {
            done.clear();
            wholeSince = System.nanoTime();
        }
        removeAll(due(now));
    }

    /** Tenants of whom events stay because the lake does not hold them, at the last turn. */
    int uncovered() {
        return uncovered;
    }

    /** A batch of each in turn, until nothing is left or time is up. */
    private void removeAll(List<Due> due) {
        long begun = System.nanoTime();
        Collections.shuffle(due); // so that none is always the one that there was no time for
        var queue = new ArrayDeque<>(due);
        while (!queue.isEmpty() && System.nanoTime() - begun < SHARE.toNanos()) {
            var one = queue.poll();
            Batch batch;
            try {
                batch =
                        database.one(one.rule().tenant(), db -> alone(db, removeBatch(one, db)))
                                .block(LIMIT);
            } catch (RuntimeException e) {
                // Tried again in a minute; the others have their turn.
                LOG.atWarn()
                        .addKeyValue("tenant_id", one.rule().tenant())
                        .log("retention: a batch failed: {}", e.toString());
                continue;
            }
            if (batch == null) {
                return; // another replica is at it
            }
            (one.rule().rows() == Rows.META ? others : events).increment(batch.removed());
            done.put(one.rule(), batch.reached());
            if (!batch.reached().equals(one.end())) {
                queue.add(one);
            }
        }
    }

    private static Mono<Batch> alone(DatabaseClient db, Mono<Batch> work) {
        return db.sql("SELECT pg_try_advisory_xact_lock(hashtextextended('etl.retention', 0))")
                .map(row -> Boolean.TRUE.equals(row.get(0, Boolean.class)))
                .one()
                .flatMap(ours -> ours ? work : Mono.empty());
    }

    private Mono<Batch> removeBatch(Due due, DatabaseClient db) {
        var from = done.getOrDefault(due.rule(), Place.BEGIN);
        return due.rule().rows() == Rows.META
                ? removeMeta(due, from, db)
                : placeAfter(due, from, db)
                        .defaultIfEmpty(due.end())
                        .flatMap(to ->
                                removeEvents(due.rule(), from, to, db)
                                        .map(removed -> new Batch(removed, to)));
    }

    private static Mono<Batch> removeMeta(Due due, Place from, DatabaseClient db) {
        return db.sql(
                        """
                        DELETE FROM analytics_event_meta WHERE ctid = ANY(ARRAY(
                            SELECT ctid FROM analytics_event_meta
                            WHERE tenant_id = $1 AND received_at >= $2 AND received_at < $3
                            ORDER BY received_at LIMIT %d))\
                        """
                                .formatted(BATCH))
                .bind(0, due.rule().tenant())
                .bind(1, from.receivedAt())
                .bind(2, due.before())
                .fetch()
                .rowsUpdated()
                .map(removed -> new Batch(removed, removed < BATCH ? due.end() : from));
    }

    /** That of the last row of the next batch; empty when fewer are left. */
    private static Mono<Place> placeAfter(Due due, Place from, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT received_at, id FROM analytics_event
                        WHERE tenant_id = $1 AND received_at >= $2 AND (received_at, id) > ($2, $3) AND received_at < $4
                        ORDER BY received_at, id OFFSET %d LIMIT 1\
                        """
                                .formatted(BATCH - 1))
                .bind(0, due.rule().tenant())
                .bind(1, from.receivedAt())
                .bind(2, from.id())
                .bind(3, due.before())
                .map(row ->
                        new Place(
                                Objects.requireNonNull(row.get(0, Instant.class)),
                                Objects.requireNonNull(row.get(1, String.class))))
                .one();
    }

    private static Mono<Long> removeEvents(Rule rule, Place from, Place to, DatabaseClient db) {
        return db.sql(
                        """
                        WITH old AS (
                            SELECT received_at, id FROM analytics_event e
                            WHERE tenant_id = $1 AND received_at >= $2 AND (received_at, id) > ($2, $3)
                                AND received_at <= $6 AND (received_at, id) <= ($6, $7) AND %s
                            FOR UPDATE SKIP LOCKED
                        ), gone AS (
                            DELETE FROM analytics_event e USING old
                            WHERE e.tenant_id = $1 AND e.received_at = old.received_at AND e.id = old.id RETURNING e.id
                        ), forgotten AS (
                            DELETE FROM event_identity i USING gone WHERE i.tenant_id = $1 AND i.event_id = gone.id
                        )
                        SELECT count(*) FROM gone\
                        """
                                .formatted(rule.rows().condition))
                .bind(0, rule.tenant())
                .bind(1, from.receivedAt())
                .bind(2, from.id())
                .bind(3, Retention.CSAT)
                .bind(4, rule.modules().toArray(String[]::new))
                .bind(5, to.receivedAt())
                .bind(6, to.id())
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one();
    }

    private List<Due> due(Instant now) {
        var due = new ArrayList<Due>();
        var waiting = new TreeSet<String>();
        for (var tenant : owners("analytics_event")) {
            for (var one : dueEvents(tenant, now)) {
                var covered = covered(one);
                due.add(covered);
                if (!covered.equals(one) && waits(covered, one)) {
                    waiting.add(tenant);
                }
            }
        }
        tell(waiting);
        for (var tenant : owners("analytics_event_meta")) {
            due.add(
                    new Due(
                            new Rule(tenant, Rows.META, List.of()),
                            before(now, retention(tenant).rawEvents())));
        }
        return due;
    }

    private List<Due> dueEvents(String tenant, Instant now) {
        var due = new ArrayList<Due>();
        var retention = retention(tenant);
        var modules = new TreeMap<>(retention.modules());
        due.add(new Due(new Rule(tenant, Rows.CSAT, List.of()), before(now, retention.csat())));
        modules.forEach((module, period) ->
                due.add(
                        new Due(
                                new Rule(tenant, Rows.MODULE, List.of(module)),
                                before(now, period))));
        due.add(
                new Due(
                        new Rule(tenant, Rows.REST, List.copyOf(modules.keySet())),
                        before(now, retention.rawEvents())));
        return due;
    }

    /** As far as the lake holds it. */
    private Due covered(Due due) {
        if (!requiresLake) {
            return due;
        }
        var covered =
                lake.of(due.rule().tenant())
                        .map(until -> until.minus(RetentionTime.TOLERANCE))
                        .orElse(Instant.EPOCH);
        return covered.isBefore(due.before()) ? new Due(due.rule(), covered) : due;
    }

    /** Whether there are events for which the lake is waited for, by when they were received alone. */
    private boolean waits(Due covered, Due due) {
        return Boolean.TRUE.equals(
                database.one(
                                due.rule().tenant(),
                                db ->
                                        db.sql(
                                                        """
                                                        SELECT EXISTS (SELECT 1 FROM analytics_event
                                                            WHERE tenant_id = $1 AND received_at >= $2 AND received_at < $3)\
                                                        """)
                                                .bind(0, due.rule().tenant())
                                                .bind(1, covered.before())
                                                .bind(2, due.before())
                                                .map(row ->
                                                        Boolean.TRUE.equals(
                                                                row.get(0, Boolean.class)))
                                                .one())
                        .block(LIMIT));
    }

    /** Once when it begins and once when it is over. */
    private void tell(Set<String> waiting) {
        if (waiting.isEmpty() && uncovered > 0) {
            LOG.info("retention: the lake holds again what is to go");
        }
        if (!waiting.isEmpty() && uncovered == 0) {
            LOG.warn(
                    "retention: events of {} tenants stay although their time is over, since the lake does not hold them yet, among them {}'s",
                    waiting.size(),
                    waiting.iterator().next());
        }
        uncovered = waiting.size();
    }

    private Retention retention(String tenant) {
        return tenants.knows(tenant) ? tenants.settings(tenant).retention() : Retention.DEFAULT;
    }

    private static Instant before(Instant now, Period period) {
        return now.atOffset(ZoneOffset.UTC).minus(period).toInstant();
    }

    private TreeSet<String> owners(String table) {
        return new TreeSet<>(
                Objects.requireNonNull(
                        stream.client()
                                .sql(TenantsOf.query(table, "SELECT tenant_id FROM tenant"))
                                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                                .all()
                                .collectList()
                                .block(LIMIT)));
    }
}
