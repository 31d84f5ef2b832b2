package io.mirante.etl.runs;

import io.mirante.etl.features.ChangedUsers;
import io.mirante.platform.jobs.JobAgainException;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.TenantDatabase;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * The job {@code etl_stream}: a run of mode streaming. Each turn asks whether the source has something new; if so it is one
 * micro-batch, a run of its own that {@link RunSource} does; then the job waits in the queue. One that a crash cut short is taken
 * up again under its own number. Three tries in a row without a load end the run.
 */
@Component
final class StreamSource implements JobHandler {

    static final String KIND = "etl_stream";
    private static final int TRIES = 3;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final TenantDatabase database;
    private final RunSource runs;
    private final SourceFetch sources;
    private final AsOf asOf;

    StreamSource(TenantDatabase database, RunSource runs, SourceFetch sources, AsOf asOf) {
        this.database = database;
        this.runs = runs;
        this.sources = sources;
        this.asOf = asOf;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context)
            throws IOException, SQLException, JobFailedException, JobAgainException {
        var tenant = context.tenant();
        var id = context.payload().path(RunSource.EXECUTION_ID).asString();
        ask(tenant, db -> Runs.begin(db, tenant, id)).block(LIMIT);
        try {
            turn(context, id);
        } catch (JobFailedException e) {
            if (stream(tenant, id).triesFailed() >= TRIES) {
                var error = "%d tries in a row loaded nothing: %s".formatted(TRIES, e.getMessage());
                ask(tenant, db -> Runs.end(db, tenant, id, Runs.FAILED, error)).block(LIMIT);
                throw new JobFailedException(e.kind(), error);
            }
        }
        var run = Objects.requireNonNull(ask(tenant, db -> Runs.find(db, tenant, id)).block(LIMIT));
        throw new JobAgainException(
                stream(tenant, id).interval(),
                "%d micro-batches, %d rows, %d users; waiting for what is new"
                        .formatted(
                                run.microBatches(),
                                Objects.requireNonNullElse(run.recordsExtracted(), 0L),
                                Objects.requireNonNullElse(run.recordsLoaded(), 0L)));
    }

    private void turn(JobContext context, String id)
            throws IOException, SQLException, JobFailedException {
        var tenant = context.tenant();
        var stream = stream(tenant, id);
        long number = stream.ended() + 1;
        var batch = id + "." + number;
        var begun = ask(tenant, db -> Runs.find(db, tenant, batch)).block(LIMIT);
        if (begun == null) {
            context.progress(0, "looking for what is new");
            var position = position(context, id, stream);
            if (position.isEmpty() || position.get().equals(stream.position())) {
                return;
            }
            ask(tenant, db -> MicroBatches.add(db, tenant, id, batch, position.get())).block(LIMIT);
        } else if (!id.equals(begun.partOf())) {
            var taken =
                    "%s is the execution_id of another run; choose a new one for this"
                            .formatted(batch);
            unasked(tenant, id, taken);
            throw new JobFailedException("execution-id-taken", taken);
        }
        try {
            runs.run(context, batch);
        } catch (JobFailedException e) {
            count(tenant, id, batch, number);
            throw e;
        }
        count(tenant, id, batch, number);
    }

    private void count(String tenant, String id, String batch, long number) {
        ask(
                        tenant,
                        db ->
                                MicroBatches.count(db, tenant, id, batch, number)
                                        .then(MicroBatches.keepLastBackups(db, tenant, id)))
                .block(LIMIT);
    }

    private void unasked(String tenant, String id, String why) {
        ask(tenant, db -> MicroBatches.countUnasked(db, tenant, id, why)).block(LIMIT);
    }

    private Optional<String> position(JobContext context, String id, MicroBatches.Stream stream)
            throws JobFailedException {
        var tenant = context.tenant();
        var name =
                Objects.requireNonNull(ask(tenant, db -> Runs.find(db, tenant, id)).block(LIMIT))
                        .source();
        if (name.equals(RunRequest.EVENTS)) {
            return changes(tenant, stream);
        }
        try {
            var source = ask(tenant, db -> Sources.find(db, tenant, name)).block(LIMIT);
            if (source == null) {
                throw new JobFailedException(
                        "source-gone", "the source %s is gone".formatted(name));
            }
            return sources.position(source, context);
        } catch (JobFailedException e) {
            unasked(tenant, id, String.valueOf(e.getMessage()));
            throw e;
        }
    }

    /** The log's as_of, when features of users were computed since. */
    private Optional<String> changes(String tenant, MicroBatches.Stream stream) {
        var moment = Objects.requireNonNull(asOf.ofLog().block(LIMIT));
        var before = stream.position();
        var changed =
                ask(
                                tenant,
                                db ->
                                        ChangedUsers.since(
                                                tenant,
                                                before == null
                                                        ? Instant.EPOCH
                                                        : Instant.parse(before),
                                                db))
                        .block(LIMIT);
        return changed == null || changed.length == 0 || moment.equals(Instant.EPOCH)
                ? Optional.empty()
                : Optional.of(moment.toString());
    }

    private MicroBatches.Stream stream(String tenant, String id) {
        return Objects.requireNonNull(
                ask(tenant, db -> MicroBatches.find(db, tenant, id)).block(LIMIT));
    }

    private <T> Mono<T> ask(String tenant, Function<DatabaseClient, Mono<T>> question) {
        return database.one(tenant, question::apply);
    }
}
