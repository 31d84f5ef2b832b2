package io.mirante.etl.log;

import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.r2dbc.spi.Readable;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code GET /api/v1/etl/events/{id}/trace}: the event log's part of an event's trace. */
@RestController
class EventTraceController {

    /** Repeats shown at most; all are counted. */
    private static final int MAX_SHOWN = 20;

    private final TenantDatabase database;
    private final AsOf asOf;

    EventTraceController(TenantDatabase database, AsOf asOf) {
        this.database = database;
        this.asOf = asOf;
    }

    /**
     * What the event log knows of an id.
     *
     * @param stored the event that counts
     * @param duplicates records with the same content, counted nowhere
     * @param conflicts records with another content, among the rejected
     * @param repeats the newest of both
     * @param asOf every event accepted before it is in the log
     */
    record LogTrace(
            String eventId,
            Stored stored,
            long duplicates,
            long conflicts,
            List<Repeat> repeats,
            Instant asOf) {
        LogTrace {
            repeats = List.copyOf(repeats);
        }
    }

    /**
     * The event that counts, and where its record stands on Kafka.
     *
     * @param personNo null when the event has no person
     * @param occurredAt its own time; null, as what follows, when the log's retention is over
     */
    record Stored(
            String topic,
            int partition,
            long offset,
            Instant receivedAt,
            @Nullable Instant occurredAt,
            @Nullable String eventType,
            @Nullable String module,
            @Nullable Integer schemaVersion,
            @Nullable String source,
            @Nullable String userId,
            @Nullable String anonymousId,
            @Nullable Long personNo) {}

    /**
     * Another record with the same id.
     *
     * @param kind {@code duplicate} or {@code conflict}
     */
    record Repeat(String kind, String topic, int partition, long offset, Instant seenAt) {}

    @GetMapping("/api/v1/etl/events/{id}/trace")
    @PreAuthorize("hasAnyAuthority('SCOPE_analytics.view', 'SCOPE_ingest', 'SCOPE_internal')")
    @Operation(summary = "Tell what the event log knows of an event")
    Mono<LogTrace> trace(@PathVariable String id, Caller caller) {
        return asOf.ofLog()
                .flatMap(until ->
                        database.one(caller.tenant(), db -> trace(caller.tenant(), id, until, db)))
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("event " + id)));
    }

    private static Mono<LogTrace> trace(
            String tenant, String id, Instant until, DatabaseClient db) {
        return stored(tenant, id, db)
                .flatMap(stored ->
                        counts(tenant, id, db)
                                .flatMap(counts ->
                                        repeats(tenant, id, db)
                                                .map(repeats ->
                                                        new LogTrace(
                                                                id,
                                                                stored,
                                                                counts.duplicates(),
                                                                counts.conflicts(),
                                                                repeats,
                                                                until))));
    }

    private static Mono<Stored> stored(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT i.topic, i.partition_no, i.record_offset, i.received_at, e.occurred_at, e.event_type,
                            e.module, e.schema_version, e.source, e.user_id, e.anonymous_id, e.person_no
                        FROM event_identity i
                        LEFT JOIN analytics_event e
                            ON e.tenant_id = i.tenant_id AND e.received_at = i.received_at AND e.id = i.event_id
                        WHERE i.tenant_id = $1 AND i.event_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, id)
                .map(row ->
                        new Stored(
                                text(row, 0),
                                Objects.requireNonNull(row.get(1, Integer.class)),
                                Objects.requireNonNull(row.get(2, Long.class)),
                                Objects.requireNonNull(row.get(3, Instant.class)),
                                row.get(4, Instant.class),
                                row.get(5, String.class),
                                row.get(6, String.class),
                                row.get(7, Integer.class),
                                row.get(8, String.class),
                                row.get(9, String.class),
                                row.get(10, String.class),
                                row.get(11, Long.class)))
                .one();
    }

    private record Counts(long duplicates, long conflicts) {}

    private static Mono<Counts> counts(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT count(*) FILTER (WHERE kind = 'duplicate'), count(*) FILTER (WHERE kind = 'conflict')
                        FROM event_repeat WHERE tenant_id = $1 AND event_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, id)
                .map(row ->
                        new Counts(
                                Objects.requireNonNull(row.get(0, Long.class)),
                                Objects.requireNonNull(row.get(1, Long.class))))
                .one();
    }

    private static Mono<List<Repeat>> repeats(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT kind, topic, partition_no, record_offset, seen_at
                        FROM event_repeat WHERE tenant_id = $1 AND event_id = $2
                        ORDER BY seen_at DESC LIMIT $3\
                        """)
                .bind(0, tenant)
                .bind(1, id)
                .bind(2, MAX_SHOWN)
                .map(row ->
                        new Repeat(
                                text(row, 0),
                                text(row, 1),
                                Objects.requireNonNull(row.get(2, Integer.class)),
                                Objects.requireNonNull(row.get(3, Long.class)),
                                Objects.requireNonNull(row.get(4, Instant.class))))
                .all()
                .collectList();
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
