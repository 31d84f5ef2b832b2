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
import java.util.Optional;
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

    /** Other records shown at most; all are counted. */
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
     * @param stored the event that counts; null when no record with this id could be processed
     * @param duplicates records with the same content, counted nowhere
     * @param conflicts records with another content, among the rejected
     * @param failures records that could not be processed, among the dead letters
     * @param others the newest of these three
     * @param asOf every event accepted before it is in the log
     */
    record LogTrace(
            String eventId,
            @Nullable Stored stored,
            long duplicates,
            long conflicts,
            long failures,
            List<Other> others,
            Instant asOf) {
        LogTrace {
            others = List.copyOf(others);
        }
    }

    /**
     * The event that counts, and where its record stands on Kafka.
     *
     * @param personNo null when the event has no person
     * @param occurredAt its own time
     */
    record Stored(
            String topic,
            int partition,
            long offset,
            Instant receivedAt,
            Instant occurredAt,
            String eventType,
            String module,
            int schemaVersion,
            String source,
            @Nullable String userId,
            @Nullable String anonymousId,
            @Nullable Long personNo) {}

    /**
     * A record with the id that is not the event.
     *
     * @param status {@code duplicate}, {@code conflict} or {@code failed}
     * @param seenAt when that was found
     * @param processingTimeMs from the poll that held it until then; null for one of an older release
     * @param retries how often it was tried again
     * @param error code of the rejection or the dead letter; null for a duplicate
     */
    record Other(
            String status,
            String topic,
            int partition,
            long offset,
            Instant receivedAt,
            Instant seenAt,
            @Nullable Double processingTimeMs,
            int retries,
            @Nullable String error) {}

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
                .map(Optional::of)
                .defaultIfEmpty(Optional.empty())
                .flatMap(stored ->
                        counts(tenant, id, db)
                                .filter(counts -> stored.isPresent() || counts.any())
                                .flatMap(counts ->
                                        others(tenant, id, db)
                                                .map(others ->
                                                        new LogTrace(
                                                                id,
                                                                stored.orElse(null),
                                                                counts.duplicates(),
                                                                counts.conflicts(),
                                                                counts.failures(),
                                                                others,
                                                                until))));
    }

    private static Mono<Stored> stored(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT i.topic, i.partition_no, i.record_offset, i.received_at, e.occurred_at, e.event_type,
                            e.module, e.schema_version, e.source, e.user_id, e.anonymous_id, e.person_no
                        FROM event_identity i
                        JOIN analytics_event e
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
                                Objects.requireNonNull(row.get(4, Instant.class)),
                                text(row, 5),
                                text(row, 6),
                                Objects.requireNonNull(row.get(7, Integer.class)),
                                text(row, 8),
                                row.get(9, String.class),
                                row.get(10, String.class),
                                row.get(11, Long.class)))
                .one();
    }

    private record Counts(long duplicates, long conflicts, long failures) {

        boolean any() {
            return duplicates + conflicts + failures > 0;
        }
    }

    private static Mono<Counts> counts(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT count(*) FILTER (WHERE status = 'duplicate'), count(*) FILTER (WHERE status = 'conflict'),
                            count(*) FILTER (WHERE status = 'failed')
                        FROM analytics_event_meta WHERE tenant_id = $1 AND event_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, id)
                .map(row ->
                        new Counts(
                                Objects.requireNonNull(row.get(0, Long.class)),
                                Objects.requireNonNull(row.get(1, Long.class)),
                                Objects.requireNonNull(row.get(2, Long.class))))
                .one();
    }

    private static Mono<List<Other>> others(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT status, topic, partition_no, record_offset, received_at, seen_at, processing_time_ms,
                            retries, error
                        FROM analytics_event_meta WHERE tenant_id = $1 AND event_id = $2
                        ORDER BY seen_at DESC LIMIT $3\
                        """)
                .bind(0, tenant)
                .bind(1, id)
                .bind(2, MAX_SHOWN)
                .map(row ->
                        new Other(
                                text(row, 0),
                                text(row, 1),
                                Objects.requireNonNull(row.get(2, Integer.class)),
                                Objects.requireNonNull(row.get(3, Long.class)),
                                Objects.requireNonNull(row.get(4, Instant.class)),
                                Objects.requireNonNull(row.get(5, Instant.class)),
                                row.get(6, Double.class),
                                Objects.requireNonNull(row.get(7, Integer.class)),
                                row.get(8, String.class)))
                .all()
                .collectList();
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
