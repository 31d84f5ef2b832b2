package io.mirante.etl.runs;

import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Schedules as stored. */
final class Schedules {

    private static final String COLUMNS =
            """
            name, cron, timezone, mode, source, strategy, strict, created_at, next_at, last_at, last_execution_id, skipped\
            """;

    private Schedules() {}

    /** Stores a schedule in place of one of the same name. */
    static Mono<Schedule> put(
            DatabaseClient db,
            String tenant,
            ScheduleRequest.Valid request,
            @Nullable Instant next) {
        var run = request.run();
        var spec =
                db.sql(
                                """
                                INSERT INTO etl_schedule (tenant_id, name, cron, timezone, mode, source, strategy, strict, next_at)
                                VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8, $9)
                                ON CONFLICT (tenant_id, name) DO UPDATE SET cron = excluded.cron,
                                    timezone = excluded.timezone, mode = excluded.mode, source = excluded.source,
                                    strategy = excluded.strategy, strict = excluded.strict, next_at = excluded.next_at
                                RETURNING %s\
                                """
                                        .formatted(COLUMNS))
                        .bind(0, tenant)
                        .bind(1, request.name())
                        .bind(2, request.cron())
                        .bind(3, request.timezone().getId())
                        .bind(4, run.mode())
                        .bind(5, run.source())
                        .bind(6, run.load() == null ? "" : run.load().label())
                        .bind(7, run.strict());
        return (next == null ? spec.bindNull(8, Instant.class) : spec.bind(8, next))
                .map(Schedules::read)
                .one();
    }

    /** By name. */
    static Mono<Page<Schedule>> list(DatabaseClient db, String tenant, Paging paging) {
        return db.sql(
                        "SELECT %s FROM etl_schedule WHERE tenant_id = $1 AND name > $2 ORDER BY name LIMIT $3"
                                .formatted(COLUMNS))
                .bind(0, tenant)
                .bind(1, Objects.requireNonNullElse(paging.after(), ""))
                .bind(2, paging.limit() + 1)
                .map(Schedules::read)
                .all()
                .collectList()
                .map(rows -> Page.of(rows, paging.limit(), Schedule::name));
    }

    /** Answers whether there was one. */
    static Mono<Boolean> delete(DatabaseClient db, String tenant, String name) {
        return db.sql("DELETE FROM etl_schedule WHERE tenant_id = $1 AND name = $2")
                .bind(0, tenant)
                .bind(1, name)
                .fetch()
                .rowsUpdated()
                .map(rows -> rows > 0);
    }

    /** Those of a tenant whose time has come, held until the transaction ends; another replica passes them by. */
    static Flux<Schedule> due(DatabaseClient db, String tenant, Instant now) {
        return db.sql(
                        """
                        SELECT %s FROM etl_schedule WHERE tenant_id = $1 AND next_at <= $2
                        ORDER BY next_at LIMIT 100 FOR UPDATE SKIP LOCKED\
                        """
                                .formatted(COLUMNS))
                .bind(0, tenant)
                .bind(1, now)
                .map(Schedules::read)
                .all();
    }

    /**
     * Notes that a time has come.
     *
     * @param executionId the run; null = it was skipped
     */
    static Mono<Void> passed(
            DatabaseClient db,
            String tenant,
            Schedule schedule,
            @Nullable Instant next,
            @Nullable String executionId) {
        var spec =
                db.sql(
                                """
                                UPDATE etl_schedule SET next_at = $3, last_at = CASE WHEN $4 = '' THEN last_at ELSE next_at END,
                                    last_execution_id = coalesce(nullif($4, ''), last_execution_id),
                                    skipped = skipped + CASE WHEN $4 = '' THEN 1 ELSE 0 END
                                WHERE tenant_id = $1 AND name = $2\
                                """)
                        .bind(0, tenant)
                        .bind(1, schedule.name())
                        .bind(3, executionId == null ? "" : executionId);
        return (next == null ? spec.bindNull(2, Instant.class) : spec.bind(2, next)).then();
    }

    private static Schedule read(Readable row) {
        var strategy = row.get(5, String.class);
        return new Schedule(
                text(row, 0),
                text(row, 1),
                text(row, 2),
                text(row, 3),
                text(row, 4),
                strategy == null ? null : new Run.Load(LoadStrategy.of(strategy).orElseThrow()),
                Boolean.TRUE.equals(row.get(6, Boolean.class)),
                Objects.requireNonNull(row.get(7, Instant.class)),
                row.get(8, Instant.class),
                row.get(9, Instant.class),
                row.get(10, String.class),
                Objects.requireNonNull(row.get(11, Long.class)));
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
