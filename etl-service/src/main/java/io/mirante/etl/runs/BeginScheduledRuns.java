package io.mirante.etl.runs;

import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantDatabase;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Submits the runs whose time has come, every few seconds. A time is claimed in the transaction that submits its run, so that
 * replicas begin it once, and a replica that dies in between leaves it to the others.
 */
@Component
@CrossTenant("asks which tenants have a schedule that is due; submitting runs as the tenant")
final class BeginScheduledRuns extends Periodic {

    private static final Duration EVERY = Duration.ofSeconds(3);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final StreamDatabase stream;
    private final TenantDatabase database;
    private final Jobs jobs;

    BeginScheduledRuns(StreamDatabase stream, TenantDatabase database, Jobs jobs) {
        super("schedules", EVERY, EVERY);
        this.stream = stream;
        this.database = database;
        this.jobs = jobs;
    }

    @Override
    protected void turn() {
        for (var tenant : dueTenants()) {
            begin(tenant, Instant.now()).block(LIMIT);
        }
    }

    private List<String> dueTenants() {
        return Objects.requireNonNull(
                stream.client()
                        .sql("SELECT DISTINCT tenant_id FROM etl_schedule WHERE next_at <= now()")
                        .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                        .all()
                        .collectList()
                        .block(LIMIT));
    }

    /** Begins what is due of a tenant. */
    Mono<Void> begin(String tenant, Instant now) {
        return database.one(
                tenant,
                db ->
                        Schedules.due(db, tenant, now)
                                .concatMap(schedule -> begin(db, tenant, schedule, now))
                                .then());
    }

    private Mono<Void> begin(DatabaseClient db, String tenant, Schedule schedule, Instant now) {
        var next = ScheduleRequest.next(schedule.cron(), ZoneId.of(schedule.timezone()), now);
        var load = schedule.load();
        var request =
                new RunRequest.Valid(
                        schedule.mode(),
                        schedule.source(),
                        load == null ? null : load.strategy(),
                        schedule.strict(),
                        null,
                        null,
                        id(schedule));
        return isOver(db, tenant, schedule)
                .flatMap(over ->
                        over
                                ? Runs.submit(jobs, db, tenant, request)
                                        .map(accepted -> true)
                                        .defaultIfEmpty(false)
                                        .flatMap(begun ->
                                                Schedules.passed(
                                                        db,
                                                        tenant,
                                                        schedule,
                                                        next,
                                                        begun ? request.executionId() : null))
                                : Schedules.passed(db, tenant, schedule, next, null));
    }

    /** The schedule and its time; names that an id cannot hold are told apart by a hash. */
    private static String id(Schedule schedule) {
        var plain = schedule.name().replaceAll("[^A-Za-z0-9._-]", "_");
        return "%s+%s"
                .formatted(
                        plain.equals(schedule.name())
                                ? plain
                                : "run-%s-%08x".formatted(plain, schedule.name().hashCode()),
                        Objects.requireNonNull(schedule.nextAt()));
    }

    private static Mono<Boolean> isOver(DatabaseClient db, String tenant, Schedule schedule) {
        var last = schedule.lastExecutionId();
        return last == null
                ? Mono.just(true)
                : Runs.find(db, tenant, last)
                        .map(run ->
                                !run.status().equals(Runs.PENDING)
                                        && !run.status().equals(Runs.RUNNING))
                        .defaultIfEmpty(true);
    }
}
