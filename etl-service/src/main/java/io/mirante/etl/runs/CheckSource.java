package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.etl.quality.QualityReport;
import io.mirante.etl.quality.TableCheck;
import io.mirante.etl.quality.UnreadableTableException;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.persistence.TenantDatabase;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** The job {@code etl_run}: reads a source, cleans it, checks it, and stores what it found. Run again it begins anew. */
@Component
final class CheckSource implements JobHandler {

    static final String KIND = "etl_run";
    static final String EXECUTION_ID = "execution_id";

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String SCRATCH = "run.duckdb";

    private final TenantDatabase database;
    private final SourceFetch sources;
    private final QualityThresholdStore thresholds;

    CheckSource(TenantDatabase database, SourceFetch sources, QualityThresholdStore thresholds) {
        this.database = database;
        this.sources = sources;
        this.thresholds = thresholds;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws IOException, SQLException, JobFailedException {
        var tenant = context.tenant();
        var id = context.payload().path(EXECUTION_ID).asString();
        var run = Objects.requireNonNull(ask(tenant, db -> Runs.find(db, tenant, id)).block(LIMIT));
        ask(tenant, db -> Runs.begin(db, tenant, id)).block(LIMIT);
        try (var input = sources.fetch(source(run, tenant), context)) {
            var report = check(context, run, input);
            var stoppedBy = stoppedBy(run, report);
            ask(
                            tenant,
                            db ->
                                    Runs.complete(db, tenant, id, report, stoppedBy)
                                            .then(
                                                    stoppedBy.isEmpty()
                                                            ? input.advance(db, tenant)
                                                            : Mono.empty()))
                    .block(LIMIT);
            var result = Json.mapper().createObjectNode();
            result.put(EXECUTION_ID, id);
            result.put("data_quality_score", report.transformed().score());
            result.put("grade", report.transformed().grade());
            result.put("gate", stoppedBy.isEmpty() ? "pass" : "fail");
            return result;
        } catch (UnreadableTableException e) {
            end(tenant, id, Runs.FAILED, String.valueOf(e.getMessage()));
            throw new JobFailedException("unreadable-source", String.valueOf(e.getMessage()));
        } catch (JobFailedException e) {
            end(tenant, id, Runs.FAILED, String.valueOf(e.getMessage()));
            throw e;
        } catch (CancellationException e) {
            end(tenant, id, Runs.CANCELLED, "cancelled");
            throw e;
        } catch (IOException | SQLException e) {
            // Tried again; what it says holds until then.
            end(tenant, id, Runs.FAILED, "could not be read or checked; see the service's log");
            throw e;
        }
    }

    private Source source(Run run, String tenant) throws JobFailedException {
        var source = ask(tenant, db -> Sources.find(db, tenant, run.source())).block(LIMIT);
        if (source == null) {
            throw new JobFailedException(
                    "source-gone", "the source %s is gone".formatted(run.source()));
        }
        return source;
    }

    private QualityReport check(JobContext context, Run run, SourceFetch.Input input)
            throws IOException, SQLException, UnreadableTableException {
        var tenant = context.tenant();
        var baseline =
                Objects.requireNonNull(
                        ask(tenant, db -> Runs.baseline(db, tenant, run.source())).block(LIMIT));
        var reference = run.referenceTime() == null ? Instant.now() : run.referenceTime();
        return TableCheck.run(
                new TableCheck.Order(
                        input.files(),
                        input.format(),
                        input.source().shape(),
                        Objects.requireNonNull(
                                ask(tenant, db -> thresholds.inForce(db, tenant)).block(LIMIT)),
                        reference,
                        baseline),
                context.file(SCRATCH),
                (what, done) -> context.progress(done, what));
    }

    /** Critical checks that failed: of what is left always, of what was given in a strict run. */
    private static List<String> stoppedBy(Run run, QualityReport report) {
        var names = new ArrayList<String>();
        if (run.strict()) {
            report.raw().critical().forEach(name -> names.add("raw." + name));
        }
        report.transformed().critical().forEach(name -> names.add("transformed." + name));
        return names;
    }

    private void end(String tenant, String id, String status, String error) {
        ask(tenant, db -> Runs.end(db, tenant, id, status, error)).block(LIMIT);
    }

    private <T> Mono<T> ask(String tenant, Function<DatabaseClient, Mono<T>> question) {
        return database.one(tenant, question::apply);
    }
}
