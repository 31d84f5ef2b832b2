package io.mirante.platform.jobs;

import io.mirante.contracts.Json;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** The jobs of one service, in its schema. Thread-safe. */
public final class Jobs {

    private static final String COLUMNS =
            "id, tenant_id, kind, payload::text, status, progress, detail, scheduled_at, created_at, started_at,"
                    + " finished_at, result::text, error::text";

    private final String service;
    private final TenantDatabase tenants;
    private final StreamDatabase stream;

    private volatile Runnable submitted = () -> {};

    Jobs(String service, TenantDatabase tenants, StreamDatabase stream) {
        this.service = service;
        this.tenants = tenants;
        this.stream = stream;
    }

    /** Stores a job; a worker takes it within a second. */
    public Mono<Job> submit(String tenant, String kind, JsonNode payload) {
        return tenants.one(tenant, db -> submit(db, tenant, kind, payload));
    }

    /**
     * Stores a job together with what it is about.
     *
     * @param db the transaction of that, of the tenant
     */
    public Mono<Job> submit(DatabaseClient db, String tenant, String kind, JsonNode payload) {
        return db.sql(
                        "INSERT INTO job (id, tenant_id, kind, payload) VALUES ($1, $2, $3, $4::jsonb)"
                                + " RETURNING "
                                + COLUMNS)
                .bind(0, newId())
                .bind(1, tenant)
                .bind(2, kind)
                .bind(3, text(payload))
                .map(Jobs::read)
                .one()
                .doOnSuccess(job -> submitted.run());
    }

    /** Has this process's worker told of each job that is stored; its transaction may not have ended yet. */
    void onSubmitted(Runnable told) {
        submitted = told;
    }

    /**
     * Stores a job that no worker takes: whoever began it reports on it and ends it. There must be no handler of its kind.
     *
     * @param db the transaction of what the job is about, of the tenant
     */
    public Mono<Job> begin(
            DatabaseClient db, String id, String tenant, String kind, JsonNode payload) {
        return db.sql(
                        "INSERT INTO job (id, tenant_id, kind, payload, status, started_at) VALUES ($1, $2, $3,"
                                + " $4::jsonb, 'running', now()) RETURNING "
                                + COLUMNS)
                .bind(0, id)
                .bind(1, tenant)
                .bind(2, kind)
                .bind(3, text(payload))
                .map(Jobs::read)
                .one();
    }

    /**
     * Says how far a begun job is; with progress 1 it is completed.
     *
     * @param result so far
     */
    public static Mono<Void> report(
            DatabaseClient db, String id, double progress, String detail, JsonNode result) {
        return db.sql(
                        "UPDATE job SET progress = $2, detail = $3, result = $4::jsonb, status = CASE WHEN $2 >= 1"
                                + " THEN 'completed' ELSE status END, finished_at = CASE WHEN $2 >= 1 THEN now() END"
                                + " WHERE id = $1 AND status = 'running'")
                .bind(0, id)
                .bind(1, progress)
                .bind(2, detail)
                .bind(3, text(result))
                .then();
    }

    /** An id for {@link #begin}. */
    public String newId() {
        return service + "_" + TimeOrderedIds.next();
    }

    /** The tenant's job. */
    public Mono<Job> find(String tenant, String id) {
        return tenants.one(
                tenant,
                db ->
                        db.sql("SELECT " + COLUMNS + " FROM job WHERE id = $1")
                                .bind(0, id)
                                .map(Jobs::read)
                                .one());
    }

    /** The tenant's jobs, newest first. */
    public Mono<Page<Job>> list(String tenant, Paging paging) {
        return tenants.many(
                        tenant,
                        db ->
                                db.sql(
                                                "SELECT "
                                                        + COLUMNS
                                                        + " FROM job WHERE tenant_id = $1 AND ($2 = '' OR id < $2)"
                                                        + " ORDER BY id DESC LIMIT $3")
                                        .bind(0, tenant)
                                        .bind(1, Objects.requireNonNullElse(paging.after(), ""))
                                        .bind(2, paging.limit() + 1)
                                        .map(Jobs::read)
                                        .all())
                .collectList()
                .map(rows -> Page.of(rows, paging.limit(), Job::id));
    }

    /**
     * Cancels: a pending job at once, a running one at its next report of progress.
     *
     * @return the job as it then is; an error 409 when it has already ended
     */
    public Mono<Job> cancel(String tenant, String id) {
        return tenants.one(
                        tenant,
                        db ->
                                db.sql(
                                                "UPDATE job SET cancel_requested = true, status = CASE status WHEN 'pending'"
                                                        + " THEN 'cancelled' ELSE status END, finished_at = CASE status WHEN"
                                                        + " 'pending' THEN now() END WHERE id = $1 AND status IN ('pending',"
                                                        + " 'running') RETURNING "
                                                        + COLUMNS)
                                        .bind(0, id)
                                        .map(Jobs::read)
                                        .one())
                .switchIfEmpty(
                        find(tenant, id)
                                .flatMap(job ->
                                        Mono.error(
                                                ProblemException.conflict(
                                                        "job-ended",
                                                        "the job has already ended: "
                                                                + job.status()))));
    }

    /** Whether the caller wants the job to end: what tells that from the end of the process that runs it. */
    public Mono<Boolean> cancelRequested(String tenant, String id) {
        return tenants.one(
                tenant,
                db ->
                        db.sql("SELECT cancel_requested FROM job WHERE id = $1")
                                .bind(0, id)
                                .map(row -> Boolean.TRUE.equals(row.get(0, Boolean.class)))
                                .one());
    }

    /**
     * Takes the next job that is due, or whose worker's lease ran out.
     *
     * @param owner of the lease; another each time, so that a worker that has lost a job and takes it again is told apart
     */
    Mono<Taken> take(String owner, Collection<String> kinds, Duration lease) {
        return stream.inTransaction(db ->
                db.sql(
                                "UPDATE job SET status = 'running', attempts = attempts + 1, lease_owner = $1,"
                                        + " lease_until = now() + make_interval(secs => $2), started_at ="
                                        + " coalesce(started_at, now()) WHERE id = (SELECT id FROM job WHERE kind ="
                                        + " ANY($3) AND scheduled_at <= now() AND (status = 'pending' OR (status ="
                                        + " 'running' AND lease_until < now())) ORDER BY scheduled_at LIMIT 1 FOR"
                                        + " UPDATE SKIP LOCKED) RETURNING "
                                        + COLUMNS
                                        + ", attempts")
                        .bind(0, owner)
                        .bind(1, (double) lease.toSeconds())
                        .bind(2, kinds.toArray(String[]::new))
                        .map(row ->
                                new Taken(
                                        read(row),
                                        owner,
                                        Objects.requireNonNull(row.get(13, Integer.class))))
                        .one());
    }

    /**
     * A job that a worker holds.
     *
     * @param attempts how often it was taken since it was last put back to go on later, this time included
     */
    record Taken(Job job, String owner, int attempts) {}

    /**
     * Gives a job back that was not carried through because the worker stops: it is taken again at once, and this try does not count,
     * unless it was the first, since a job that was begun is told from one that was not by its tries.
     */
    Mono<Void> giveBack(Taken taken) {
        return stream.client()
                .sql(
                        "UPDATE job SET status = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'pending' END,"
                                + " finished_at = CASE WHEN cancel_requested THEN now() END, attempts = greatest(1, attempts -"
                                + " 1),"
                                + " lease_owner = NULL WHERE id = $1 AND lease_owner = $2")
                .bind(0, taken.job().id())
                .bind(1, taken.owner())
                .then();
    }

    /** Renews the lease; answers whether the caller asked to cancel; empty when the lease is another's by now. */
    Mono<Boolean> renew(Taken taken, Duration lease, double progress, @Nullable String detail) {
        return stream.client()
                .sql(
                        "UPDATE job SET lease_until = now() + make_interval(secs => $3), progress = $4, detail = $5"
                                + " WHERE id = $1 AND lease_owner = $2 AND status = 'running' RETURNING"
                                + " cancel_requested")
                .bind(0, taken.job().id())
                .bind(1, taken.owner())
                .bind(2, (double) lease.toSeconds())
                .bind(3, progress)
                .bind(4, Objects.requireNonNullElse(detail, ""))
                .map(row -> Boolean.TRUE.equals(row.get(0, Boolean.class)))
                .one();
    }

    /** Puts a job that broke back in the queue, for a later try. */
    Mono<Void> retryLater(Taken taken, Duration delay) {
        return stream.client()
                .sql(
                        "UPDATE job SET status = 'pending', lease_owner = NULL, scheduled_at = now() +"
                                + " make_interval(secs => $3) WHERE id = $1 AND lease_owner = $2")
                .bind(0, taken.job().id())
                .bind(1, taken.owner())
                .bind(2, (double) delay.toSeconds())
                .then();
    }

    /** Puts a job that goes on later back in the queue, its tries counted from anew; one that was to be cancelled is. */
    Mono<Void> again(Taken taken, Duration after, double progress, String detail) {
        return stream.client()
                .sql(
                        "UPDATE job SET status = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'pending' END,"
                                + " finished_at = CASE WHEN cancel_requested THEN now() END, attempts = 0,"
                                + " lease_owner = NULL, scheduled_at = now() + make_interval(secs => $3), progress ="
                                + " $4, detail = $5 WHERE id = $1 AND lease_owner = $2")
                .bind(0, taken.job().id())
                .bind(1, taken.owner())
                .bind(2, after.toMillis() / 1e3)
                .bind(3, progress)
                .bind(4, detail)
                .then();
    }

    /**
     * Ends the job; only the holder of the lease can.
     *
     * @param detail what it was at; null = what is known of that
     */
    Mono<Void> end(
            Taken taken,
            String status,
            @Nullable String detail,
            @Nullable JsonNode result,
            @Nullable JsonNode error) {
        DatabaseClient.GenericExecuteSpec spec =
                stream.client()
                        .sql(
                                "UPDATE job SET status = $3, result = $4::jsonb, error = $5::jsonb, finished_at = now(),"
                                        + " progress = CASE $3 WHEN 'completed' THEN 1 ELSE progress END, detail ="
                                        + " coalesce($6, detail), lease_owner = NULL WHERE id = $1 AND"
                                        + " lease_owner = $2")
                        .bind(0, taken.job().id())
                        .bind(1, taken.owner())
                        .bind(2, status);
        spec = result == null ? spec.bindNull(3, String.class) : spec.bind(3, text(result));
        spec = error == null ? spec.bindNull(4, String.class) : spec.bind(4, text(error));
        spec = detail == null ? spec.bindNull(5, String.class) : spec.bind(5, detail);
        return spec.then();
    }

    private static String text(JsonNode node) {
        return Json.mapper().writeValueAsString(node);
    }

    private static Job read(Readable row) {
        return new Job(
                string(row, 0),
                string(row, 1),
                string(row, 2),
                Json.mapper().readTree(string(row, 3)),
                string(row, 4),
                Objects.requireNonNull(row.get(5, Double.class)),
                row.get(6, String.class),
                Objects.requireNonNull(row.get(7, Instant.class)),
                Objects.requireNonNull(row.get(8, Instant.class)),
                row.get(9, Instant.class),
                row.get(10, Instant.class),
                json(row, 11),
                json(row, 12));
    }

    private static String string(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }

    private static @Nullable JsonNode json(Readable row, int column) {
        var text = row.get(column, String.class);
        return text == null ? null : Json.mapper().readTree(text);
    }
}
