package io.mirante.etl.log;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.jobs.Job;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.persistence.TenantDatabase;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Replays and how far they have come, and the log as they read it; the only SQL for both. Thread-safe. */
@Component
final class Replays {

    private final TenantDatabase database;
    private final Jobs jobs;

    Replays(TenantDatabase database, Jobs jobs) {
        this.database = database;
        this.jobs = jobs;
    }

    /** The last event that was sent; its id is empty at the beginning. */
    record Cursor(Instant occurredAt, String id) {}

    /** A replay as it stands; the end is not included. */
    record Replay(Instant startsAt, Instant endsAt, Cursor after, long events) {}

    /** An event of the log; an empty key is that of an erased person's. */
    record LoggedEvent(CleanEvent event, String source, int schemaVersion, String partitionKey) {
        Cursor cursor() {
            return new Cursor(event.occurredAt(), event.eventId());
        }
    }

    /** The job of the rebuild's replay: a new one, or that which was begun before. */
    Mono<Job> begin(String tenant, String rebuildId, Instant start, Instant end) {
        var payload = Json.mapper().createObjectNode();
        payload.put("rebuild_id", rebuildId);
        payload.put("start_time", start.toString());
        payload.put("end_time", end.toString());
        return database.<Optional<Job>>one(
                        tenant,
                        db ->
                                insert(tenant, rebuildId, start, end, db)
                                        .filter(rows -> rows > 0)
                                        .flatMap(rows ->
                                                jobs.submit(db, tenant, ReplayEvents.KIND, payload))
                                        .flatMap(job ->
                                                remember(tenant, rebuildId, job.id(), db)
                                                        .thenReturn(Optional.of(job)))
                                        .defaultIfEmpty(Optional.empty()))
                .flatMap(made -> made.map(Mono::just).orElseGet(() -> begun(tenant, rebuildId)));
    }

    private static Mono<Long> insert(
            String tenant, String rebuildId, Instant start, Instant end, DatabaseClient db) {
        return db.sql(
                        """
                        INSERT INTO event_replay (tenant_id, rebuild_id, job_id, starts_at, ends_at, after_occurred_at)
                        VALUES ($1, $2, '', $3, $4, $3) ON CONFLICT DO NOTHING\
                        """)
                .bind(0, tenant)
                .bind(1, rebuildId)
                .bind(2, start)
                .bind(3, end)
                .fetch()
                .rowsUpdated();
    }

    private static Mono<Void> remember(
            String tenant, String rebuildId, String jobId, DatabaseClient db) {
        return db.sql(
                        "UPDATE event_replay SET job_id = $3 WHERE tenant_id = $1 AND rebuild_id = $2")
                .bind(0, tenant)
                .bind(1, rebuildId)
                .bind(2, jobId)
                .then();
    }

    private Mono<Job> begun(String tenant, String rebuildId) {
        return database.one(
                        tenant,
                        db ->
                                db.sql(
                                                "SELECT job_id FROM event_replay WHERE tenant_id = $1 AND rebuild_id = $2")
                                        .bind(0, tenant)
                                        .bind(1, rebuildId)
                                        .map(row -> text(row, 0))
                                        .one())
                .flatMap(id -> jobs.find(tenant, id));
    }

    Mono<Replay> find(String tenant, String rebuildId) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        """
                                        SELECT starts_at, ends_at, after_occurred_at, after_id, events
                                        FROM event_replay WHERE tenant_id = $1 AND rebuild_id = $2\
                                        """)
                                .bind(0, tenant)
                                .bind(1, rebuildId)
                                .map(row ->
                                        new Replay(
                                                instant(row, 0),
                                                instant(row, 1),
                                                new Cursor(instant(row, 2), text(row, 3)),
                                                number(row, 4)))
                                .one());
    }

    /** Everything up to the cursor is on Kafka. */
    Mono<Void> sentUpTo(String tenant, String rebuildId, Cursor cursor, long events) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        """
                                        UPDATE event_replay SET after_occurred_at = $3, after_id = $4, events = $5
                                        WHERE tenant_id = $1 AND rebuild_id = $2\
                                        """)
                                .bind(0, tenant)
                                .bind(1, rebuildId)
                                .bind(2, cursor.occurredAt())
                                .bind(3, cursor.id())
                                .bind(4, events)
                                .then());
    }

    /** The next events after the cursor, as they are now: of an erased person what is left of them. */
    Mono<List<LoggedEvent>> next(String tenant, Cursor after, Instant end, int limit) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        """
                                        SELECT id, event_type, module, user_id, anonymous_id, session_id, occurred_at,
                                            received_at, coalesce(person_no, 0), payload::text, source, schema_version,
                                            partition_key
                                        FROM analytics_event
                                        WHERE tenant_id = $1 AND occurred_at >= $2 AND (occurred_at, id) > ($2, $3)
                                            AND occurred_at < $4
                                        ORDER BY occurred_at, id LIMIT $5\
                                        """)
                                .bind(0, tenant)
                                .bind(1, after.occurredAt())
                                .bind(2, after.id())
                                .bind(3, end)
                                .bind(4, limit)
                                .map(row -> logged(tenant, row))
                                .all()
                                .collectList());
    }

    /** When the oldest event that is still in the log was received; empty when there is none. */
    Mono<Instant> logBeginsAt(String tenant) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        "SELECT received_at FROM analytics_event WHERE tenant_id = $1 ORDER BY received_at LIMIT 1")
                                .bind(0, tenant)
                                .map(row -> instant(row, 0))
                                .one());
    }

    /** The first and the last time of the range's events; empty when there are none. */
    Mono<List<Instant>> extent(String tenant, Instant start, Instant end) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        """
                                        SELECT occurred_at FROM (
                                            (SELECT occurred_at FROM analytics_event WHERE tenant_id = $1
                                                AND occurred_at >= $2 AND occurred_at < $3 ORDER BY occurred_at LIMIT 1)
                                            UNION ALL
                                            (SELECT occurred_at FROM analytics_event WHERE tenant_id = $1
                                                AND occurred_at >= $2 AND occurred_at < $3
                                                ORDER BY occurred_at DESC LIMIT 1)) ends\
                                        """)
                                .bind(0, tenant)
                                .bind(1, start)
                                .bind(2, end)
                                .map(row -> instant(row, 0))
                                .all()
                                .collectList());
    }

    private static LoggedEvent logged(String tenant, Readable row) {
        var payload = Json.mapper().readTree(text(row, 9));
        return new LoggedEvent(
                new CleanEvent(
                        tenant,
                        text(row, 0),
                        text(row, 1),
                        text(row, 2),
                        row.get(3, String.class),
                        row.get(4, String.class),
                        row.get(5, String.class),
                        instant(row, 6),
                        instant(row, 7),
                        number(row, 8),
                        payload.path("data"),
                        payload.path("metadata"),
                        payload.path("context")),
                text(row, 10),
                Objects.requireNonNull(row.get(11, Integer.class)),
                text(row, 12));
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }

    private static Instant instant(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, Instant.class));
    }

    private static long number(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, Long.class));
    }
}
