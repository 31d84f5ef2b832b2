package io.mirante.etl.runs;

import io.mirante.platform.web.ProblemException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/** Streaming runs and their micro-batches, each of which is a run of its own, as stored. */
final class MicroBatches {

    /** Loads of a streaming run that can be taken back. */
    static final int BACKUPS = 10;

    private MicroBatches() {}

    /**
     * Where a streaming run is.
     *
     * @param position what of the source is loaded; null = nothing yet
     * @param ended micro-batches, those that failed too
     * @param triesFailed since one loaded
     */
    record Stream(@Nullable String position, long ended, Duration interval, int triesFailed) {}

    static Mono<Stream> find(DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        """
                        SELECT position, micro_batches, interval_seconds, tries_failed FROM etl_run
                        WHERE tenant_id = $1 AND execution_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .map(row ->
                        new Stream(
                                row.get(0, String.class),
                                Objects.requireNonNull(row.get(1, Long.class)),
                                Duration.ofSeconds(
                                        Objects.requireNonNull(row.get(2, Integer.class))),
                                Objects.requireNonNull(row.get(3, Integer.class))))
                .one();
    }

    /** What was loaded of the source before a micro-batch; empty = nothing. */
    static Mono<String> before(DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        """
                        SELECT position_before FROM etl_run
                        WHERE tenant_id = $1 AND execution_id = $2 AND position_before IS NOT NULL\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .one();
    }

    /** Stores the next micro-batch of a streaming run. */
    static Mono<Void> add(
            DatabaseClient db, String tenant, String streamingRun, String id, String position) {
        return db.sql(
                        """
                        INSERT INTO etl_run (tenant_id, execution_id, job_id, mode, source, strict, strategy, part_of,
                            position_before, position)
                        SELECT tenant_id, $3, job_id, mode, source, strict, strategy, execution_id, position, $4
                        FROM etl_run WHERE tenant_id = $1 AND execution_id = $2 ON CONFLICT DO NOTHING\
                        """)
                .bind(0, tenant)
                .bind(1, streamingRun)
                .bind(2, id)
                .bind(3, position)
                .then();
    }

    /** Counts a micro-batch that has ended, once. */
    static Mono<Void> count(
            DatabaseClient db, String tenant, String streamingRun, String id, long number) {
        return db.sql(
                        """
                        UPDATE etl_run r SET micro_batches = $4, position = CASE WHEN b.loaded_at IS NULL THEN r.position ELSE b.position END,
                            tries_failed = CASE WHEN b.loaded_at IS NULL THEN r.tries_failed + 1 ELSE 0 END,
                            extracted = coalesce(r.extracted, 0) + coalesce(b.extracted, 0),
                            kept = coalesce(r.kept, 0) + coalesce(b.kept, 0),
                            transformed = coalesce(r.transformed, 0) + coalesce(b.transformed, 0),
                            loaded = coalesce(r.loaded, 0) + coalesce(b.loaded, 0),
                            score = coalesce(b.score, r.score), grade = coalesce(b.grade, r.grade),
                            gate = coalesce(b.gate, r.gate), stopped_by = coalesce(b.stopped_by, r.stopped_by),
                            report = coalesce(b.report, r.report), population = coalesce(b.population, r.population),
                            error = b.error
                        FROM etl_run b
                        WHERE r.tenant_id = $1 AND r.execution_id = $2 AND b.tenant_id = $1 AND b.execution_id = $3
                            AND r.micro_batches = $4 - 1\
                        """)
                .bind(0, tenant)
                .bind(1, streamingRun)
                .bind(2, id)
                .bind(3, number)
                .then();
    }

    /** Ends the time of backups of all but the last loads of a streaming run: each may be of every user. */
    static Mono<Void> keepLastBackups(DatabaseClient db, String tenant, String streamingRun) {
        return db.sql(
                        """
                        UPDATE etl_run SET backup_until = now() WHERE tenant_id = $1 AND part_of = $2 AND backup_until > now()
                            AND execution_id NOT IN (
                                SELECT execution_id FROM etl_run WHERE tenant_id = $1 AND part_of = $2
                                    AND loaded_at IS NOT NULL AND rolled_back_at IS NULL
                                ORDER BY loaded_at DESC LIMIT $3)\
                        """)
                .bind(0, tenant)
                .bind(1, streamingRun)
                .bind(2, BACKUPS)
                .then();
    }

    /** Counts a time at which the source could not even be asked. */
    static Mono<Void> countUnasked(
            DatabaseClient db, String tenant, String streamingRun, String error) {
        return db.sql(
                        """
                        UPDATE etl_run SET tries_failed = tries_failed + 1, error = $3
                        WHERE tenant_id = $1 AND execution_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, streamingRun)
                .bind(2, error)
                .then();
    }

    /** Fails with 409 for a streaming run as a whole, and for a micro-batch of one that goes on. */
    static Mono<Void> requireWayBack(DatabaseClient db, String tenant, Run run) {
        if (run.intervalSeconds() != null) {
            return Mono.error(
                    ProblemException.conflict(
                            "streaming-run",
                            Objects.requireNonNullElse(run.microBatches(), 0L) == 0
                                    ? run.executionId()
                                            + " has loaded nothing that could be taken back"
                                    : "the micro-batches of %1$s are taken back one by one, the last one that loaded first: roll %1$s.%2$d back"
                                            .formatted(run.executionId(), run.microBatches())));
        }
        var whole = run.partOf();
        return whole == null
                ? Mono.empty()
                : Runs.find(db, tenant, whole)
                        .filter(stream ->
                                stream.status().equals(Runs.PENDING)
                                        || stream.status().equals(Runs.RUNNING))
                        .flatMap(stream ->
                                Mono.error(
                                        ProblemException.conflict(
                                                "streaming-run",
                                                "%s goes on, and would load it again; cancel its job %s first"
                                                        .formatted(whole, stream.jobId()))));
    }
}
