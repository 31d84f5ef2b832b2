package io.mirante.snapshot.rebuild;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.metrics.RunMetrics;
import io.mirante.platform.erasure.PersonRows;
import io.mirante.platform.rebuild.Rebuild;
import io.mirante.platform.rebuild.SecondGeneration;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.CountedUpTo;
import io.mirante.snapshot.Generation;
import io.mirante.snapshot.behaviour.BehaviourEvents;
import io.mirante.snapshot.lake.LakeManifest;
import io.mirante.snapshot.windows.Windows;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ObjectNode;

/** Windows, counted events and persons once more, and how they take the place of those that are shown. Thread-safe. */
@Component
final class RebuiltSnapshots implements SecondGeneration {

    private final BehaviourEvents events;
    private final Windows windows;
    private final CountedUpTo countedUpTo;

    RebuiltSnapshots(BehaviourEvents events, Windows windows, CountedUpTo countedUpTo) {
        this.events = events;
        this.windows = windows;
        this.countedUpTo = countedUpTo;
    }

    @Override
    public TimeRange wholeDays(String tenant, TimeRange asked) {
        return windows.wholeDays(tenant, asked);
    }

    @Override
    public String measures(String tenant) {
        return windows.measures(tenant);
    }

    @Override
    public List<String> tables() {
        return List.of(
                Generation.REBUILT.eventTable(),
                Generation.REBUILT.valueTable(),
                Generation.REBUILT.windowTable());
    }

    @Override
    public Mono<Void> add(List<CleanEvent> taken, DatabaseClient stream) {
        var asOf = countedUpTo.lately();
        return events.insert(taken, Generation.REBUILT, stream)
                .flatMap(stored -> windows.add(stored, asOf, Generation.REBUILT, stream));
    }

    /** The log has lost what is shown. */
    @Override
    public Mono<String> refusalToSwap(Rebuild rebuild, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT 'the event log no longer holds all events of the range, so they would be lost here too;'
                            || ' start later'
                        WHERE EXISTS (SELECT 1 FROM behaviour_event b
                                LEFT JOIN (SELECT event_type, min(received_at) AS oldest FROM rebuilt_event
                                    WHERE tenant_id = $1 GROUP BY event_type) n ON n.event_type = b.event_type
                                WHERE b.tenant_id = $1 AND b.occurred_at >= $3 AND b.occurred_at < $4
                                    AND b.received_at < greatest(coalesce(n.oldest, 'infinity'), coalesce(
                                        (SELECT max(log_begins_at) FROM rebuild_part
                                            WHERE tenant_id = $1 AND rebuild_id = $2), 'infinity'))
                                    AND NOT EXISTS (SELECT 1 FROM rebuilt_event r
                                        WHERE r.tenant_id = b.tenant_id AND r.event_id = b.event_id))\
                        """)
                .bind(0, rebuild.tenantId())
                .bind(1, rebuild.id())
                .bind(2, rebuild.range().start())
                .bind(3, rebuild.range().end())
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .one();
    }

    /**
     * A window that changes gets a higher revision, one that had vanished a revision above any it can have had; one that
     * the log knows nothing of stays, with zeros, so that who holds it gets the correction. Rows of erased persons stay as
     * they are.
     */
    @Override
    public Mono<ObjectNode> swap(Rebuild rebuild, DatabaseClient db) {
        var asOf = countedUpTo.lately();
        var result = Json.mapper().createObjectNode();
        return PersonRows.holdPublication(db, List.of(Generation.CURRENT.windowTable()))
                .then(Mono.defer(() -> swapEvents(rebuild, db)))
                .flatMap(changed -> {
                    result.put("events", changed.rebuilt());
                    result.put("events_removed", changed.removed());
                    result.put("events_written", changed.written());
                    return LakeManifest.sendBack(rebuild.tenantId(), changed.days(), db)
                            .then(renewPersons(rebuild, changed.persons(), db));
                })
                .flatMap(persons -> {
                    result.put("persons_written", persons);
                    return swapWindows(rebuild, asOf, db);
                })
                .map(changed -> {
                    result.put("windows", changed.rebuilt());
                    result.put("windows_added", changed.added());
                    result.put("windows_corrected", changed.corrected());
                    return result;
                });
    }

    /**
     * What has changed.
     *
     * @param persons those who lost a row
     * @param days in UTC
     */
    private record Events(
            long rebuilt, long removed, long written, Long[] persons, List<LocalDate> days) {}

    private static Mono<Events> swapEvents(Rebuild rebuild, DatabaseClient db) {
        return db.sql(
                        """
                        WITH removed AS (
                            DELETE FROM behaviour_event b
                            WHERE b.tenant_id = $1 AND b.occurred_at >= $2 AND b.occurred_at < $3
                                AND NOT EXISTS (SELECT 1 FROM rebuilt_event n WHERE n.tenant_id = b.tenant_id
                                    AND n.person_no = b.person_no AND n.occurred_at = b.occurred_at
                                    AND n.event_id = b.event_id)
                            RETURNING b.person_no, b.occurred_at
                        ), written AS (
                            INSERT INTO behaviour_event SELECT * FROM rebuilt_event n
                            WHERE n.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM behaviour_event b
                                WHERE b.tenant_id = n.tenant_id AND b.person_no = n.person_no
                                    AND b.occurred_at = n.occurred_at AND b.event_id = n.event_id
                                    AND (ROW(b.event_type, b.main_property, b.session_id, b.user_id, b.anonymous_id,
                                            b.country, b.device, b.data, b.received_at)
                                        IS NOT DISTINCT FROM ROW(n.event_type, n.main_property, n.session_id, n.user_id,
                                            n.anonymous_id, n.country, n.device, n.data, n.received_at)
                                        OR coalesce(b.user_id, b.anonymous_id, n.user_id, n.anonymous_id) IS NULL
                                            AND b.person_no > 0))
                            ON CONFLICT (tenant_id, person_no, occurred_at, event_id) DO UPDATE SET
                                event_type = excluded.event_type, main_property = excluded.main_property,
                                session_id = excluded.session_id, user_id = excluded.user_id,
                                anonymous_id = excluded.anonymous_id, country = excluded.country,
                                device = excluded.device, data = excluded.data, received_at = excluded.received_at
                            RETURNING occurred_at
                        )
                        SELECT (SELECT count(*) FROM rebuilt_event WHERE tenant_id = $1),
                            (SELECT count(*) FROM removed), (SELECT count(*) FROM written),
                            (SELECT coalesce(array_agg(DISTINCT person_no), '{}') FROM removed),
                            (SELECT coalesce(array_agg(DISTINCT (occurred_at AT TIME ZONE 'UTC')::date), '{}')
                                FROM (SELECT occurred_at FROM removed UNION ALL SELECT occurred_at FROM written) c)\
                        """)
                .bind(0, rebuild.tenantId())
                .bind(1, rebuild.range().start())
                .bind(2, rebuild.range().end())
                .map(row ->
                        new Events(
                                Objects.requireNonNull(row.get(0, Long.class)),
                                Objects.requireNonNull(row.get(1, Long.class)),
                                Objects.requireNonNull(row.get(2, Long.class)),
                                Objects.requireNonNull(row.get(3, Long[].class)),
                                List.of(Objects.requireNonNull(row.get(4, LocalDate[].class)))))
                .one();
    }

    /** Persons of the range as all their events say; ids that are known stay. */
    private static Mono<Long> renewPersons(Rebuild rebuild, Long[] removed, DatabaseClient db) {
        return db.sql(
                        """
                        DELETE FROM person p WHERE p.tenant_id = $1 AND p.person_no = ANY($2) AND NOT EXISTS (
                            SELECT 1 FROM behaviour_event e WHERE e.tenant_id = $1 AND e.person_no = p.person_no)\
                        """)
                .bind(0, rebuild.tenantId())
                .bind(1, removed)
                .then()
                .then(
                        db.sql(
                                        """
                                        INSERT INTO person AS p
                                            (tenant_id, person_no, user_id, anonymous_id, first_seen_at, last_seen_at)
                                        SELECT e.tenant_id, e.person_no,
                                            (array_agg(e.user_id ORDER BY e.received_at DESC)
                                                FILTER (WHERE e.user_id IS NOT NULL))[1],
                                            (array_agg(e.anonymous_id ORDER BY e.received_at DESC)
                                                FILTER (WHERE e.anonymous_id IS NOT NULL))[1],
                                            min(e.occurred_at), max(e.occurred_at)
                                        FROM behaviour_event e
                                        WHERE e.tenant_id = $1 AND e.person_no > 0 AND e.person_no IN (
                                            SELECT person_no FROM rebuilt_event WHERE tenant_id = $1
                                            UNION SELECT unnest($2))
                                        GROUP BY e.tenant_id, e.person_no
                                        ON CONFLICT (tenant_id, person_no) DO UPDATE SET
                                            user_id = coalesce(p.user_id, excluded.user_id),
                                            anonymous_id = coalesce(p.anonymous_id, excluded.anonymous_id),
                                            first_seen_at = excluded.first_seen_at,
                                            last_seen_at = excluded.last_seen_at
                                        WHERE (p.first_seen_at, p.last_seen_at)
                                                IS DISTINCT FROM (excluded.first_seen_at, excluded.last_seen_at)
                                            OR p.user_id IS NULL AND excluded.user_id IS NOT NULL
                                            OR p.anonymous_id IS NULL AND excluded.anonymous_id IS NOT NULL\
                                        """)
                                .bind(0, rebuild.tenantId())
                                .bind(1, removed)
                                .fetch()
                                .rowsUpdated());
    }

    private record Changed(long rebuilt, long added, long corrected) {}

    private static Mono<Changed> swapWindows(Rebuild rebuild, Instant asOf, DatabaseClient db) {
        return db.sql(
                        """
                        WITH stale AS (
                            SELECT v.*, EXISTS (SELECT 1 FROM rebuilt_window w
                                WHERE (w.tenant_id, w.scope, w.granularity, w.starts_at, w.dimensions)
                                    = (v.tenant_id, v.scope, v.granularity, v.starts_at, v.dimensions)) AS in_window
                            FROM metric_value v
                            WHERE v.tenant_id = $1 AND v.scope <> $5 AND v.starts_at >= $2 AND v.starts_at < $3 AND NOT EXISTS (
                                SELECT 1 FROM rebuilt_value n
                                WHERE (n.tenant_id, n.scope, n.granularity, n.starts_at, n.dimensions, n.metric)
                                    = (v.tenant_id, v.scope, v.granularity, v.starts_at, v.dimensions, v.metric))
                        ), removed AS (
                            DELETE FROM metric_value v USING stale s
                            WHERE s.in_window
                                AND (s.tenant_id, s.scope, s.granularity, s.starts_at, s.dimensions, s.metric)
                                    = (v.tenant_id, v.scope, v.granularity, v.starts_at, v.dimensions, v.metric)
                            RETURNING v.scope, v.granularity, v.starts_at, v.dimensions
                        ), emptied AS (
                            UPDATE metric_value v SET value = 0 FROM stale s
                            WHERE NOT s.in_window AND v.value <> 0
                                AND (s.tenant_id, s.scope, s.granularity, s.starts_at, s.dimensions, s.metric)
                                    = (v.tenant_id, v.scope, v.granularity, v.starts_at, v.dimensions, v.metric)
                            RETURNING v.scope, v.granularity, v.starts_at, v.dimensions
                        ), written AS (
                            INSERT INTO metric_value AS v SELECT * FROM rebuilt_value n
                            WHERE n.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM metric_value v
                                WHERE (n.tenant_id, n.scope, n.granularity, n.starts_at, n.dimensions, n.metric, n.value)
                                    = (v.tenant_id, v.scope, v.granularity, v.starts_at, v.dimensions, v.metric, v.value))
                            ON CONFLICT (tenant_id, scope, granularity, starts_at, dimensions, metric)
                                DO UPDATE SET value = excluded.value
                            RETURNING v.scope, v.granularity, v.starts_at, v.dimensions
                        ), changed AS (
                            SELECT * FROM removed UNION SELECT * FROM emptied UNION SELECT * FROM written
                        ), added AS (
                            INSERT INTO metric_window
                                (tenant_id, scope, granularity, starts_at, dimensions, ends_at, as_of, revision)
                            SELECT n.tenant_id, n.scope, n.granularity, n.starts_at, n.dimensions, n.ends_at,
                                greatest(n.as_of, $4), (extract(epoch FROM now()) * 1000)::bigint
                            FROM rebuilt_window n
                            WHERE n.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM metric_window w
                                WHERE (w.tenant_id, w.scope, w.granularity, w.starts_at, w.dimensions)
                                    = (n.tenant_id, n.scope, n.granularity, n.starts_at, n.dimensions))
                            RETURNING 1
                        ), corrected AS (
                            UPDATE metric_window w SET
                                revision = greatest(w.revision + 1, (extract(epoch FROM now()) * 1000)::bigint), as_of = greatest(w.as_of, $4)
                            FROM changed c
                            WHERE w.tenant_id = $1 AND (c.scope, c.granularity, c.starts_at, c.dimensions)
                                = (w.scope, w.granularity, w.starts_at, w.dimensions)
                            RETURNING 1
                        )
                        SELECT (SELECT count(*) FROM rebuilt_window WHERE tenant_id = $1), (SELECT count(*) FROM added),
                            (SELECT count(*) FROM corrected)\
                        """)
                .bind(0, rebuild.tenantId())
                .bind(1, rebuild.range().start().toString())
                .bind(2, rebuild.range().end().toString())
                .bind(3, asOf)
                .bind(4, RunMetrics.SCOPE) // runs are not in the log
                .map(row ->
                        new Changed(
                                Objects.requireNonNull(row.get(0, Long.class)),
                                Objects.requireNonNull(row.get(1, Long.class)),
                                Objects.requireNonNull(row.get(2, Long.class))))
                .one();
    }
}
