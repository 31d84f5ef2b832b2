package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.RunEnded.Anomaly;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.etl.quality.Anomalies;
import io.mirante.etl.quality.ColumnProfile;
import io.mirante.etl.quality.QualityReport;
import io.mirante.platform.jobs.Job;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.r2dbc.spi.Parameters;
import io.r2dbc.spi.R2dbcType;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;

/** Runs as stored. */
final class Runs {

    static final String PENDING = "pending";
    static final String RUNNING = "running";
    static final String COMPLETED = "completed";
    static final String FAILED = "failed";
    static final String CANCELLED = "cancelled";

    private static final TypeReference<Map<String, ColumnProfile>> PROFILE =
            new TypeReference<>() {};

    private static final TypeReference<List<Anomaly>> ANOMALIES = new TypeReference<>() {};

    /** Seconds that a run took, without the time between its end and going on. */
    static final String SECONDS = "(extract(epoch FROM %s - started_at)::float8 - paused_seconds)";

    private static final String COLUMNS =
            """
            execution_id, job_id, mode, source, strict, reference_time, status, requested_at, started_at, finished_at,
            extracted, kept, score, grade, gate, stopped_by, error, strategy, transformed, loaded, refused, population,
            loaded_at, rolled_back_at, interval_seconds, micro_batches, part_of, anomalies::text, %s\
            """
                    .formatted(SECONDS.formatted("finished_at"));

    private Runs() {}

    /** Stores a new run and the job that does it; empty when there is one of that id. */
    static Mono<RunController.RunAccepted> submit(
            Jobs jobs, DatabaseClient db, String tenant, RunRequest.Valid request) {
        return add(db, tenant, request)
                .flatMap(id ->
                        jobs.submit(
                                        db,
                                        tenant,
                                        request.intervalSeconds() == null
                                                ? RunSource.KIND
                                                : StreamSource.KIND,
                                        Json.mapper()
                                                .createObjectNode()
                                                .put(RunSource.EXECUTION_ID, id))
                                .map(Job::id)
                                .flatMap(job ->
                                        link(db, tenant, id, job)
                                                .thenReturn(
                                                        new RunController.RunAccepted(job, id))));
    }

    private static Mono<String> add(DatabaseClient db, String tenant, RunRequest.Valid request) {
        var spec =
                db.sql(
                                """
                                INSERT INTO etl_run (tenant_id, execution_id, mode, source, strict, strategy, reference_time,
                                    interval_seconds, micro_batches)
                                VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, CASE WHEN $8 IS NOT NULL THEN 0 END) ON CONFLICT DO NOTHING RETURNING execution_id\
                                """)
                        .bind(0, tenant)
                        .bind(1, request.executionId())
                        .bind(2, request.mode())
                        .bind(3, request.source())
                        .bind(4, request.strict())
                        .bind(5, request.load() == null ? "" : request.load().label())
                        .bind(7, Parameters.in(R2dbcType.INTEGER, request.intervalSeconds()));
        var reference = request.referenceTime();
        return (reference == null ? spec.bindNull(6, Instant.class) : spec.bind(6, reference))
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .one();
    }

    private static Mono<Void> link(
            DatabaseClient db, String tenant, String executionId, String jobId) {
        return db.sql("UPDATE etl_run SET job_id = $3 WHERE tenant_id = $1 AND execution_id = $2")
                .bind(0, tenant)
                .bind(1, executionId)
                .bind(2, jobId)
                .then();
    }

    static Mono<Run> find(DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        "SELECT %s FROM etl_run WHERE tenant_id = $1 AND execution_id = $2"
                                .formatted(COLUMNS))
                .bind(0, tenant)
                .bind(1, executionId)
                .map(Runs::read)
                .one();
    }

    /** Newest first. */
    static Mono<Page<Run>> list(DatabaseClient db, String tenant, Paging paging) {
        var after = paging.after() == null ? "" : paging.after();
        int end = after.indexOf(' ');
        return db.sql(
                        """
                        SELECT %s FROM etl_run WHERE tenant_id = $1
                            AND ($2 = '' OR (requested_at, execution_id) < ($2::timestamptz, $3))
                        ORDER BY requested_at DESC, execution_id DESC LIMIT $4\
                        """
                                .formatted(COLUMNS))
                .bind(0, tenant)
                .bind(1, end < 0 ? "" : after.substring(0, end))
                .bind(2, end < 0 ? "" : after.substring(end + 1))
                .bind(3, paging.limit() + 1)
                .map(Runs::read)
                .all()
                .collectList()
                .map(rows ->
                        Page.of(
                                rows,
                                paging.limit(),
                                run -> run.requestedAt() + " " + run.executionId()));
    }

    /** The last completed run of each source, by source. */
    static Flux<Run> latest(DatabaseClient db, String tenant) {
        return db.sql(
                        """
                        SELECT DISTINCT ON (source) %s FROM etl_run WHERE tenant_id = $1 AND status = 'completed'
                        ORDER BY source, finished_at DESC\
                        """
                                .formatted(COLUMNS))
                .bind(0, tenant)
                .map(Runs::read)
                .all();
    }

    /** Notes how far a run moved its source's watermark. */
    static Mono<Void> advanced(
            DatabaseClient db,
            String tenant,
            String executionId,
            @Nullable String from,
            String to) {
        return db.sql(
                        """
                        UPDATE etl_run SET watermark_before = $3, watermark_after = $4
                        WHERE tenant_id = $1 AND execution_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .bind(2, Parameters.in(R2dbcType.VARCHAR, from))
                .bind(3, to)
                .then();
    }

    /** Notes what live users are compared with since the run. */
    static Mono<Void> population(
            DatabaseClient db, String tenant, String executionId, long version) {
        return db.sql(
                        "UPDATE etl_run SET population = $3 WHERE tenant_id = $1 AND execution_id = $2")
                .bind(0, tenant)
                .bind(1, executionId)
                .bind(2, version)
                .then();
    }

    /** What a completed run found; empty before. */
    static Mono<JsonNode> report(DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        "SELECT report::text FROM etl_run WHERE tenant_id = $1 AND execution_id = $2 AND report IS NOT NULL")
                .bind(0, tenant)
                .bind(1, executionId)
                .map(row ->
                        Json.mapper().readTree(Objects.requireNonNull(row.get(0, String.class))))
                .one();
    }

    /**
     * Profile of what cleaning left in the source's last run whose gate passed, but for micro-batches of the event log, which are of
     * some users; empty map before.
     */
    static Mono<Map<String, ColumnProfile>> baseline(
            DatabaseClient db, String tenant, String source, String part) {
        return db.sql(
                        """
                        SELECT report #>> ARRAY[$3, 'profile'] FROM etl_run
                        WHERE tenant_id = $1 AND source = $2 AND status = 'completed' AND gate = 'pass' AND (part_of IS NULL OR source <> 'events')
                            AND report #> ARRAY[$3, 'profile'] IS NOT NULL
                        ORDER BY finished_at DESC LIMIT 1\
                        """)
                .bind(0, tenant)
                .bind(1, source)
                .bind(2, part)
                .map(row ->
                        Json.mapper()
                                .readValue(
                                        Objects.requireNonNull(row.get(0, String.class)), PROFILE))
                .one()
                .defaultIfEmpty(Map.of());
    }

    /**
     * Has a run that failed or was cancelled go on as another job; empty when it is no such run. It began when it first did: whoever was
     * erased since is looked up by that.
     */
    static Mono<RunController.RunAccepted> resume(
            Jobs jobs, DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        """
                        UPDATE etl_run SET status = 'pending', paused_at = coalesce(paused_at, finished_at), finished_at = NULL, extracted = NULL, kept = NULL,
                            transformed = NULL, score = NULL, grade = NULL, gate = NULL, stopped_by = NULL, error = NULL,
                            report = NULL, anomalies = NULL
                        WHERE tenant_id = $1 AND execution_id = $2 AND status IN ('failed', 'cancelled')
                            AND loaded_at IS NULL AND mode <> 'streaming' AND part_of IS NULL
                        RETURNING job_id\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .one()
                .flatMap(before ->
                        jobs.submit(
                                db,
                                tenant,
                                RunSource.KIND,
                                Json.mapper()
                                        .createObjectNode()
                                        .put(RunSource.EXECUTION_ID, executionId)
                                        .put(RunSource.RESUMES, before)))
                .flatMap(job ->
                        link(db, tenant, executionId, job.id())
                                .thenReturn(new RunController.RunAccepted(job.id(), executionId)));
    }

    /** The job of the source's newest run that failed or was cancelled; empty when there is none. */
    static Mono<String> lastFailedJob(DatabaseClient db, String tenant, String source) {
        return db.sql(
                        """
                        SELECT job_id FROM etl_run WHERE tenant_id = $1 AND source = $2 AND status IN ('failed', 'cancelled')
                            AND job_id IS NOT NULL AND part_of IS NULL AND mode <> 'streaming'
                        ORDER BY finished_at DESC LIMIT 1\
                        """)
                .bind(0, tenant)
                .bind(1, source)
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .one();
    }

    static Mono<Void> begin(DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        """
                        UPDATE etl_run SET status = 'running', started_at = coalesce(started_at, now()), paused_at = NULL,
                            paused_seconds = paused_seconds + CASE WHEN started_at IS NULL THEN 0
                                ELSE coalesce(extract(epoch FROM now() - paused_at), 0) END
                        WHERE tenant_id = $1 AND execution_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .then();
    }

    /**
     * Ends a run with what it found, without quotes when one of them is of somebody who was erased meanwhile.
     *
     * @param threshold from which robust z-score on a figure is an anomaly
     */
    static Mono<Void> complete(
            DatabaseClient db,
            String tenant,
            String executionId,
            QualityReport report,
            List<String> stoppedBy,
            String status,
            double threshold) {
        return figures(db, tenant, executionId, report)
                .zipWith(past(db, tenant, executionId).collectList())
                .map(both -> Anomalies.of(both.getT1(), both.getT2(), threshold))
                .zipWith(Suppression.erasedSince(db, tenant, executionId))
                .flatMap(both ->
                        complete(
                                db,
                                tenant,
                                executionId,
                                report,
                                withoutErased(report, tenant, both.getT2()),
                                stoppedBy,
                                status,
                                both.getT1()));
    }

    private static String withoutErased(QualityReport report, String tenant, Set<String> erased) {
        var text = storable(report);
        return erased.isEmpty()
                ? text
                : Quotes.without(
                                text,
                                value ->
                                        value.length() >= Quotes.LONGEST
                                                || erased.contains(
                                                        PersonErasure.hash(tenant, value)))
                        .orElse(text);
    }

    private static Mono<Anomalies.Figures> figures(
            DatabaseClient db, String tenant, String executionId, QualityReport report) {
        var cleaning = report.cleaning();
        double changed =
                cleaning.changes().values().stream().mapToLong(QualityReport.Counted::count).sum();
        return db.sql(
                        """
                        SELECT %s FROM etl_run WHERE tenant_id = $1 AND execution_id = $2\
                        """
                                .formatted(SECONDS.formatted("clock_timestamp()")))
                .bind(0, tenant)
                .bind(1, executionId)
                .map(row ->
                        Anomalies.Figures.of(
                                cleaning.rows(),
                                cleaning.kept(),
                                changed,
                                report.transformed().score(),
                                Objects.requireNonNull(row.get(0, Double.class))))
                .one();
    }

    /** Newest completed runs of the same source and mode; micro-batches of the event log are of some users, and tell nothing. */
    private static Flux<Anomalies.Figures> past(
            DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        """
                        SELECT extracted, kept, score, %s,
                            (SELECT coalesce(sum((value ->> 'count')::float8), 0)
                                FROM jsonb_each(report #> '{cleaning,changes}'))
                        FROM etl_run WHERE tenant_id = $1 AND status = 'completed' AND execution_id <> $2
                            AND (source, mode) = (
                                SELECT source, mode FROM etl_run WHERE tenant_id = $1 AND execution_id = $2)
                            AND (part_of IS NULL OR source <> 'events')
                            AND extracted IS NOT NULL AND score IS NOT NULL AND started_at IS NOT NULL
                        ORDER BY finished_at DESC LIMIT $3\
                        """
                                .formatted(SECONDS.formatted("finished_at")))
                .bind(0, tenant)
                .bind(1, executionId)
                .bind(2, Anomalies.AT_MOST)
                .map(row ->
                        Anomalies.Figures.of(
                                Objects.requireNonNull(row.get(0, Long.class)),
                                Objects.requireNonNull(row.get(1, Long.class)),
                                Objects.requireNonNull(row.get(4, Double.class)),
                                Objects.requireNonNull(row.get(2, Double.class)),
                                Objects.requireNonNull(row.get(3, Double.class))))
                .all();
    }

    private static Mono<Void> complete(
            DatabaseClient db,
            String tenant,
            String executionId,
            QualityReport report,
            String text,
            List<String> stoppedBy,
            String status,
            List<Anomaly> anomalies) {
        return db.sql(
                        """
                        UPDATE etl_run SET status = $10, finished_at = clock_timestamp(), extracted = $3, kept = $4, score = $5,
                            grade = $6, gate = $7, stopped_by = $8, report = $9::jsonb, transformed = nullif($11, -1),
                            error = CASE $10 WHEN 'failed' THEN 'the gate stopped the load: '
                                || array_to_string($8, ', ') || '; see the report' END,
                            anomalies = $12::jsonb, revision = revision + 1
                        WHERE tenant_id = $1 AND execution_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .bind(2, report.cleaning().rows())
                .bind(3, report.cleaning().kept())
                .bind(4, report.transformed().score())
                .bind(5, report.transformed().grade())
                .bind(6, stoppedBy.isEmpty() ? "pass" : "fail")
                .bind(7, stoppedBy.toArray(String[]::new))
                .bind(8, text)
                .bind(9, status)
                .bind(10, report.features() == null ? -1 : report.features().rows())
                .bind(11, Json.mapper().writeValueAsString(anomalies))
                .then();
    }

    /** Ends a run that is under way; one that another worker has ended meanwhile stays as it is. */
    static Mono<Void> end(
            DatabaseClient db, String tenant, String executionId, String status, String error) {
        return db.sql(
                        """
                        UPDATE etl_run SET status = $3, error = $4, finished_at = now(),
                            revision = revision + ($3 = 'failed')::int
                        WHERE tenant_id = $1 AND execution_id = $2 AND status IN ('pending', 'running')\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .bind(2, status)
                .bind(3, error)
                .then();
    }

    /** As JSON. Values that it quotes may hold U+0000, which PostgreSQL cannot. */
    private static String storable(QualityReport report) {
        return Json.mapper().writeValueAsString(report).replace("\\u0000", "\\ufffd");
    }

    private static Run read(Readable row) {
        var extracted = row.get(10, Long.class);
        var kept = row.get(11, Long.class);
        var started = row.get(8, Instant.class);
        var finished = row.get(9, Instant.class);
        var seconds = row.get(28, Double.class);
        var stoppedBy = row.get(15, String[].class);
        var strategy = row.get(17, String.class);
        return new Run(
                text(row, 0),
                row.get(1, String.class),
                text(row, 2),
                text(row, 3),
                strategy == null ? null : new Run.Load(LoadStrategy.of(strategy).orElseThrow()),
                Boolean.TRUE.equals(row.get(4, Boolean.class)),
                row.get(5, Instant.class),
                text(row, 6),
                Objects.requireNonNull(row.get(7, Instant.class)),
                started,
                finished,
                extracted,
                kept,
                row.get(18, Long.class),
                row.get(19, Long.class),
                row.get(20, Long.class),
                row.get(21, Long.class),
                row.get(24, Integer.class),
                row.get(25, Long.class),
                row.get(26, String.class),
                row.get(22, Instant.class),
                row.get(23, Instant.class),
                row.get(12, Double.class),
                row.get(13, String.class),
                share(kept, extracted),
                seconds == null ? null : Math.round(seconds * 1e3) / 1e3,
                row.get(14, String.class),
                stoppedBy == null ? List.of() : List.of(stoppedBy),
                row.get(16, String.class),
                anomalies(row.get(27, String.class)));
    }

    /** As stored; null = not judged. */
    static List<Anomaly> anomalies(@Nullable String stored) {
        return stored == null ? List.of() : Json.mapper().readValue(stored, ANOMALIES);
    }

    private static @Nullable Double share(@Nullable Long part, @Nullable Long whole) {
        return part == null || whole == null || whole == 0
                ? null
                : Math.round(1e4 * part / whole) / 1e4;
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
