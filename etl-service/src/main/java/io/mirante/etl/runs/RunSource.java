package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.etl.EtlSettings;
import io.mirante.etl.features.BatchFeatures;
import io.mirante.etl.features.ChangedUsers;
import io.mirante.etl.features.LogTable;
import io.mirante.etl.features.Population;
import io.mirante.etl.features.Populations;
import io.mirante.etl.quality.QualityReport;
import io.mirante.etl.quality.TableCheck;
import io.mirante.etl.quality.TableShape;
import io.mirante.etl.quality.Tables;
import io.mirante.etl.quality.UnreadableTableException;
import io.mirante.etl.runs.StepLimit.Step;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * The job {@code etl_run}: reads a source, cleans it, checks it; in mode batch makes a feature set of what is left, checks that too
 * and loads it unless a critical check failed. Run again it goes on from what it has fetched; what it loaded already it does not load
 * again.
 */
@Component
final class RunSource implements JobHandler {

    static final String KIND = "etl_run";
    static final String EXECUTION_ID = "execution_id";

    /** The job that did the run before it was resumed. */
    static final String RESUMES = "resumes";

    /** The job's file with the users that an append refused. */
    static final String REFUSED = "refused.csv";

    private static final String GATE_FAILED = "gate-failed";
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration LOAD_LIMIT = Duration.ofMinutes(35);
    private static final String SCRATCH = "run.duckdb";

    /** Shares of a batch run's progress, until the features are made and until they are checked. */
    private static final double CHECKED = 0.6;

    private static final double MADE = 0.75;
    private static final double FEATURES_CHECKED = 0.85;

    private final TenantDatabase database;
    private final SourceFetch sources;
    private final QualityThresholdStore thresholds;
    private final EtlSettings settings;
    private final Tenants tenants;
    private final AsOf asOf;
    private final RunFigures figures;

    RunSource(
            TenantDatabase database,
            SourceFetch sources,
            QualityThresholdStore thresholds,
            EtlSettings settings,
            Tenants tenants,
            AsOf asOf,
            RunFigures figures) {
        this.database = database;
        this.sources = sources;
        this.thresholds = thresholds;
        this.settings = settings;
        this.tenants = tenants;
        this.asOf = asOf;
        this.figures = figures;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws IOException, SQLException, JobFailedException {
        return run(context, context.payload().path(EXECUTION_ID).asString());
    }

    /** Does a run in a job's turn. */
    JsonNode run(JobContext context, String id)
            throws IOException, SQLException, JobFailedException {
        var tenant = context.tenant();
        var run = find(tenant, id);
        if (run.loadedAt() != null) {
            // The service went away between the load and the job's end.
            settle(tenant);
            Tables.delete(context.scratch(SCRATCH));
            SourceFetch.forget(context);
            return result(run);
        }
        ask(tenant, db -> Runs.begin(db, tenant, id)).block(LIMIT);
        try {
            takeOver(context, run);
            attempt(context, run);
            SourceFetch.forget(context);
        } catch (JobFailedException e) {
            if (run.partOf() != null) {
                // The next micro-batch fetches anew.
                SourceFetch.forget(context);
            }
            throw e;
        } finally {
            ask(tenant, db -> Runs.find(db, tenant, id))
                    .doOnNext(ended -> figures.tell(tenant, ended))
                    .onErrorComplete()
                    .block(LIMIT);
        }
        return result(find(tenant, id));
    }

    /**
     * The run goes on from what was fetched for it before, unless that may hold somebody who was erased since. A new run takes what
     * the source's last failed one has fetched, and fetches in its place: of a source that fails again and again no more is kept.
     */
    private void takeOver(JobContext context, Run run) throws IOException {
        var tenant = context.tenant();
        var erased =
                ask(tenant, db -> Suppression.erasedSince(db, tenant, run.executionId()))
                        .block(LIMIT);
        var before = context.payload().path(RESUMES).asString("");
        if (!Objects.requireNonNull(erased).isEmpty()) {
            SourceFetch.forget(context);
        } else if (run.partOf() == null) {
            var left =
                    before.isEmpty()
                            ? ask(tenant, db -> Runs.lastFailedJob(db, tenant, run.source()))
                                    .block(LIMIT)
                            : before;
            if (left != null) {
                context.takeOver(left);
            }
        }
    }

    /** What follows a load that stands: may be done again. */
    private void settle(String tenant) {
        Populations.compareAgain(database, tenant);
    }

    private Run find(String tenant, String id) {
        return Objects.requireNonNull(ask(tenant, db -> Runs.find(db, tenant, id)).block(LIMIT));
    }

    private void attempt(JobContext context, Run run)
            throws IOException, SQLException, JobFailedException {
        var tenant = context.tenant();
        var id = run.executionId();
        try {
            work(context, run);
        } catch (JobFailedException e) {
            // One that the gate stopped has said so already.
            if (!e.kind().equals(GATE_FAILED)) {
                end(tenant, id, Runs.FAILED, String.valueOf(e.getMessage()));
            }
            throw e;
        } catch (UnreadableTableException e) {
            end(tenant, id, Runs.FAILED, String.valueOf(e.getMessage()));
            throw new JobFailedException("unreadable-source", String.valueOf(e.getMessage()));
        } catch (CancellationException e) {
            // The job is cancelled, and so is its run; or the service stops, and another goes on
            // with both.
            throw e;
        } catch (StepLimit.ExceededException e) {
            end(tenant, id, Runs.PENDING, String.valueOf(e.getMessage()));
            throw e;
        } catch (IOException | SQLException | RuntimeException e) {
            end(
                    tenant,
                    id,
                    Runs.PENDING,
                    "the run broke, and is tried three times; the service's log has the cause under the job's id");
            throw e;
        }
    }

    private void work(JobContext context, Run run)
            throws IOException, SQLException, UnreadableTableException, JobFailedException {
        var steps = new StepLimit(settings.steps());
        try (var clock = figures.clock()) {
            work(context, run, steps, clock);
        }
    }

    private void work(JobContext context, Run run, StepLimit steps, RunFigures.Clock clock)
            throws IOException, SQLException, UnreadableTableException, JobFailedException {
        if (run.source().equals(RunRequest.EVENTS)) {
            work(context, run, steps, clock, log(context, run), null);
            return;
        }
        clock.begins("fetching");
        var source = source(run, context.tenant());
        var input = steps.within(Step.FETCH, () -> sources.fetch(source, run, context));
        var order =
                order(
                        context.tenant(),
                        run,
                        tables -> tables.read(input.files(), input.format()),
                        input.source().shape(),
                        Objects.requireNonNullElse(run.referenceTime(), input.at()));
        work(context, run, steps, clock, order, input);
    }

    /** Does the run of a source; without input it is the event log. */
    private void work(
            JobContext context,
            Run run,
            StepLimit steps,
            RunFigures.Clock clock,
            TableCheck.Order order,
            SourceFetch.@Nullable Input input)
            throws IOException, SQLException, UnreadableTableException, JobFailedException {
        boolean batch = run.load() != null;
        try (var check =
                steps.within(
                        Step.CHECK,
                        () ->
                                TableCheck.open(
                                        order,
                                        context.scratch(SCRATCH),
                                        steps::interrupts,
                                        (what, done) -> {
                                            clock.begins(what);
                                            context.progress(batch ? done * CHECKED : done, what);
                                        }))) {
            if (!batch) {
                var stoppedBy = stoppedBy(run, check.report());
                store(context.tenant(), run, order, check.report(), stoppedBy, Runs.COMPLETED);
            } else {
                load(context, run, steps, clock, order, check, input);
            }
        }
    }

    private void load(
            JobContext context,
            Run run,
            StepLimit steps,
            RunFigures.Clock clock,
            TableCheck.Order order,
            TableCheck check,
            SourceFetch.@Nullable Input input)
            throws IOException, SQLException, UnreadableTableException, JobFailedException {
        var tenant = context.tenant();
        clock.begins("making features");
        context.progress(CHECKED, "making features");
        var made = steps.within(Step.FEATURES, () -> made(tenant, run, order, check));
        clock.begins("checking features");
        context.progress(MADE, "checking features");
        var baseline =
                Objects.requireNonNull(
                        ask(tenant, db -> Runs.baseline(db, tenant, run.source(), "features"))
                                .block(LIMIT));
        var report =
                check.report()
                        .with(
                                made.unsaid(),
                                steps.within(
                                        Step.CHECK_FEATURES,
                                        () ->
                                                check.checked(
                                                        BatchFeatures.TABLE,
                                                        BatchFeatures.ofTable(),
                                                        baseline)));
        var stoppedBy = stoppedBy(run, report);
        if (Objects.requireNonNull(run.load()).strategy() == LoadStrategy.REPLACE
                && BatchFeatures.isEmpty(check.tables().connection())) {
            stoppedBy.add("features.no_user_to_replace_with");
        }
        if (!stoppedBy.isEmpty()) {
            store(tenant, run, order, report, stoppedBy, Runs.FAILED);
            throw new JobFailedException(
                    GATE_FAILED,
                    "the gate stopped the load: %s; see /api/v1/etl/runs/%s/report"
                            .formatted(String.join(", ", stoppedBy), run.executionId()));
        }
        clock.begins("loading");
        context.progress(FEATURES_CHECKED, "loading");
        steps.within(
                Step.LOAD,
                () -> {
                    var file =
                            check.tables()
                                    .export(
                                            BatchFeatures.TABLE,
                                            Stream.concat(
                                                            Stream.of("user_id"),
                                                            BatchFeatures.names().stream())
                                                    .toList());
                    load(context, run, order, report, made.population(), file, input);
                    return file;
                });
        settle(tenant);
    }

    /**
     * The load, what it found, how far the source was read and what live users are compared with from now on: all of it or nothing.
     *
     * @param population null = as before
     */
    private void load(
            JobContext context,
            Run run,
            TableCheck.Order judged,
            QualityReport report,
            @Nullable Population population,
            Path file,
            SourceFetch.@Nullable Input input)
            throws IOException {
        var tenant = context.tenant();
        var id = run.executionId();
        var order =
                new FeatureLoads.Order(
                        tenant,
                        id,
                        Objects.requireNonNull(run.load()).strategy(),
                        file,
                        judged.reference(),
                        settings.keepBackups());
        var refused = context.scratch(REFUSED);
        var told = context.file(REFUSED);
        try (var writer = Files.newBufferedWriter(refused)) {
            writer.write("user_id\n");
            ask(
                            tenant,
                            db ->
                                    FeatureLoads.load(db, order, user -> write(writer, user))
                                            .doOnNext(loaded -> finish(writer, refused, told))
                                            .flatMap(loaded ->
                                                    (input == null
                                                                    ? inForce(
                                                                            db,
                                                                            run,
                                                                            tenant,
                                                                            population)
                                                                    : run.partOf() == null
                                                                            ? input.advance(
                                                                                    db, tenant, id)
                                                                            : Mono.<Void>empty())
                                                            .then(
                                                                    Runs.complete(
                                                                            db,
                                                                            tenant,
                                                                            id,
                                                                            report,
                                                                            List.of(),
                                                                            Runs.COMPLETED,
                                                                            judged.thresholds()
                                                                                    .anomalies()))
                                                            .thenReturn(loaded)))
                    .block(LOAD_LIMIT);
        }
    }

    /** There before the load is, whole. */
    private static void finish(BufferedWriter writer, Path file, Path place) {
        try {
            writer.close();
            Files.move(file, place, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Mono<Void> inForce(
            DatabaseClient db, Run run, String tenant, @Nullable Population population) {
        return population == null || population.buyers() == 0
                ? Mono.empty()
                : Populations.add(tenant, run.executionId(), population, db)
                        .flatMap(
                                version -> Runs.population(db, tenant, run.executionId(), version));
    }

    private static void write(BufferedWriter refused, String user) {
        try {
            refused.write('"' + user.replace("\"", "\"\"") + "\"\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What making features told.
     *
     * @param unsaid rows that say nothing of a user
     * @param population what users were compared with; null = the one in force
     */
    private record Made(long unsaid, @Nullable Population population) {}

    /** Makes events of an upload's rows, and features of them. */
    private Made made(String tenant, Run run, TableCheck.Order order, TableCheck check)
            throws SQLException, UnreadableTableException {
        long unsaid = 0;
        boolean log = run.source().equals(RunRequest.EVENTS);
        if (!log) {
            var mapping = check.shape().events();
            if (mapping == null) {
                throw new UnreadableTableException(
                        "the rows do not say what users did: give the source's shape the part events, with user, time and type");
            }
            unsaid = check.tables().events(mapping);
        }
        return new Made(unsaid, features(tenant, run, order, check, log));
    }

    private @Nullable Population features(
            String tenant, Run run, TableCheck.Order order, TableCheck check, boolean log)
            throws SQLException {
        var of = tenants.settings(tenant);
        var table = log ? Tables.CLEAN : Tables.EVENTS;
        var person = log ? LogTable.PERSON : "user_id";
        var inForce = since(tenant, run) == null ? null : inForce(tenant);
        if (inForce != null) {
            BatchFeatures.compared(
                    check.tables().connection(),
                    table,
                    person,
                    order.reference(),
                    of.currency(),
                    inForce);
            return null;
        }
        return BatchFeatures.make(
                check.tables().connection(),
                table,
                person,
                order.reference(),
                of.currency(),
                of.rfmBoundaries());
    }

    private @Nullable Population inForce(String tenant) {
        return ask(tenant, db -> Populations.inForce(tenant, db)).block(LIMIT);
    }

    /**
     * From when on changed users are a micro-batch of the event log; null = it is none, or all users are. The first one is of all
     * users, and so is one before anything is in force to compare users with.
     */
    private @Nullable Instant since(String tenant, Run run) {
        if (run.partOf() == null || !run.source().equals(RunRequest.EVENTS)) {
            return null;
        }
        var before =
                ask(tenant, db -> MicroBatches.before(db, tenant, run.executionId())).block(LIMIT);
        return before == null || inForce(tenant) == null ? null : Instant.parse(before);
    }

    private TableCheck.Order log(JobContext context, Run run) {
        var tenant = context.tenant();
        var known = Objects.requireNonNull(asOf.ofLog().block(LIMIT));
        var given = run.referenceTime();
        var moment = given != null && given.isBefore(known) ? given : known;
        var since = since(tenant, run);
        var changed =
                since == null
                        ? null
                        : ask(tenant, db -> ChangedUsers.since(tenant, since, db)).block(LIMIT);
        return order(
                tenant,
                run,
                tables ->
                        LogTable.into(
                                tables,
                                database,
                                tenant,
                                moment,
                                changed,
                                read -> context.progress(0, "reading, %d events".formatted(read))),
                LogTable.shape(),
                moment);
    }

    private Source source(Run run, String tenant) throws JobFailedException {
        var source = ask(tenant, db -> Sources.find(db, tenant, run.source())).block(LIMIT);
        if (source == null) {
            throw new JobFailedException(
                    "source-gone", "the source %s is gone".formatted(run.source()));
        }
        return source;
    }

    private TableCheck.Order order(
            String tenant,
            Run run,
            TableCheck.Input input,
            @Nullable TableShape shape,
            Instant reference) {
        return new TableCheck.Order(
                input,
                shape,
                Objects.requireNonNull(
                        ask(tenant, db -> thresholds.inForce(db, tenant)).block(LIMIT)),
                reference,
                Objects.requireNonNull(
                        ask(tenant, db -> Runs.baseline(db, tenant, run.source(), "transformed"))
                                .block(LIMIT)));
    }

    private static JsonNode result(Run run) {
        var result = Json.mapper().createObjectNode();
        result.put(EXECUTION_ID, run.executionId());
        result.put("data_quality_score", run.dataQualityScore());
        result.put("grade", run.grade());
        result.put("gate", run.gate());
        if (run.recordsLoaded() != null) {
            result.put("records_loaded", run.recordsLoaded());
            result.put("records_refused", run.recordsRefused());
            result.putArray("files").add(REFUSED);
        }
        return result;
    }

    /** Critical checks that failed: of what is left and what is made of it always, of what was given in a strict run. */
    private static List<String> stoppedBy(Run run, QualityReport report) {
        var names = new ArrayList<String>();
        if (run.strict()) {
            report.raw().critical().forEach(name -> names.add("raw." + name));
        }
        report.transformed().critical().forEach(name -> names.add("transformed." + name));
        var features = report.features();
        if (features != null) {
            features.critical().forEach(name -> names.add("features." + name));
        }
        return names;
    }

    private void store(
            String tenant,
            Run run,
            TableCheck.Order order,
            QualityReport report,
            List<String> stoppedBy,
            String status) {
        ask(
                        tenant,
                        db ->
                                Runs.complete(
                                        db,
                                        tenant,
                                        run.executionId(),
                                        report,
                                        stoppedBy,
                                        status,
                                        order.thresholds().anomalies()))
                .block(LIMIT);
    }

    private void end(String tenant, String id, String status, String error) {
        ask(tenant, db -> Runs.end(db, tenant, id, status, error)).block(LIMIT);
    }

    private <T> Mono<T> ask(String tenant, Function<DatabaseClient, Mono<T>> question) {
        return database.one(tenant, question::apply);
    }
}
