package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.net.URI;
import java.util.Objects;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code /api/v1/etl/runs}: starts runs and shows what they found. */
@RestController
class RunController {

    private final Jobs jobs;
    private final TenantDatabase database;

    RunController(Jobs jobs, TenantDatabase database) {
        this.jobs = jobs;
        this.database = database;
    }

    /** Body of the 202: the job, and the run's id. */
    record RunAccepted(String jobId, String executionId) {}

    @PostMapping("/api/v1/etl/runs")
    @PreAuthorize(Scopes.MANAGE)
    @Operation(
            summary = "Start a run: read a source, clean it, check it",
            description =
                    "The same execution_id again starts nothing and is answered with the same job; with another source or"
                            + " mode it is refused.")
    Mono<ResponseEntity<RunAccepted>> start(@RequestBody RunRequest request, Caller caller) {
        var valid = request.validated();
        var tenant = caller.tenant();
        return database.one(
                tenant,
                db ->
                        Sources.require(db, tenant, valid)
                                .then(
                                        Runs.submit(jobs, db, tenant, valid)
                                                .switchIfEmpty(
                                                        Mono.defer(
                                                                () -> earlier(db, tenant, valid))))
                                .map(RunController::accepted));
    }

    @PostMapping("/api/v1/etl/runs/{executionId}/resume")
    @PreAuthorize(Scopes.MANAGE)
    @Operation(
            summary = "Go on with a run that failed or was cancelled",
            description =
                    "With another job, from what was fetched before where that is still there. One that is under way goes on as it is; 409"
                            + " when it is completed, and for mode streaming.")
    Mono<ResponseEntity<RunAccepted>> resume(@PathVariable String executionId, Caller caller) {
        var tenant = caller.tenant();
        return run(executionId, caller)
                .flatMap(known ->
                        database.one(
                                tenant,
                                db ->
                                        Runs.resume(jobs, db, tenant, executionId)
                                                .switchIfEmpty(
                                                        Runs.find(db, tenant, executionId)
                                                                .flatMap(RunController::underWay))))
                .map(RunController::accepted);
    }

    private static Mono<RunAccepted> underWay(Run run) {
        if (run.intervalSeconds() != null || run.partOf() != null) {
            return Mono.error(
                    ProblemException.conflict(
                            "streaming-run",
                            "a run of mode streaming is not resumed; begin a new one, which reads all of its source first"));
        }
        return run.status().equals(Runs.PENDING) || run.status().equals(Runs.RUNNING)
                ? Mono.just(new RunAccepted(Objects.requireNonNull(run.jobId()), run.executionId()))
                : Mono.error(
                        ProblemException.conflict(
                                "run-ended",
                                "the run is %s: there is nothing to go on with"
                                        .formatted(run.status())));
    }

    @PostMapping("/api/v1/etl/runs/{executionId}/rollback")
    @PreAuthorize(Scopes.MANAGE)
    @Operation(
            summary = "Take a load back: rows are as they were before it",
            description =
                    "A job. The newest load first; 409 when a later one stands, when the run loaded nothing, or when its backup is"
                            + " not kept any more. Again it changes nothing.")
    Mono<ResponseEntity<RunAccepted>> rollBack(@PathVariable String executionId, Caller caller) {
        var tenant = caller.tenant();
        return run(executionId, caller)
                .flatMap(run ->
                        database.one(
                                tenant,
                                db ->
                                        MicroBatches.requireWayBack(db, tenant, run)
                                                .then(
                                                        FeatureLoads.requireWayBack(
                                                                db, tenant, executionId))
                                                .then(
                                                        RollBackLoad.submit(
                                                                jobs, db, tenant, executionId))))
                .map(job -> accepted(new RunAccepted(job.id(), executionId)));
    }

    private static ResponseEntity<RunAccepted> accepted(RunAccepted accepted) {
        return ResponseEntity.accepted()
                .location(URI.create("/api/v1/jobs/" + accepted.jobId()))
                .body(accepted);
    }

    private static Mono<RunAccepted> earlier(
            DatabaseClient db, String tenant, RunRequest.Valid request) {
        return Runs.find(db, tenant, request.executionId())
                .flatMap(run ->
                        isOf(run, request)
                                ? Mono.just(
                                        new RunAccepted(
                                                Objects.requireNonNull(run.jobId()),
                                                run.executionId()))
                                : Mono.error(
                                        ProblemException.conflict(
                                                "execution-id-taken",
                                                "execution_id %s is that of another run; choose a new one"
                                                        .formatted(request.executionId()))));
    }

    private static boolean isOf(Run run, RunRequest.Valid request) {
        return run.mode().equals(request.mode())
                && run.source().equals(request.source())
                && run.strict() == request.strict()
                && (run.load() == null ? null : run.load().strategy()) == request.load()
                && Objects.equals(run.referenceTime(), request.referenceTime())
                && Objects.equals(run.intervalSeconds(), request.intervalSeconds());
    }

    @GetMapping("/api/v1/etl/runs")
    @PreAuthorize(Scopes.VIEW)
    Mono<Page<Run>> list(Caller caller, Paging paging) {
        return database.one(caller.tenant(), db -> Runs.list(db, caller.tenant(), paging));
    }

    @GetMapping("/api/v1/etl/runs/{executionId}")
    @PreAuthorize(Scopes.VIEW)
    Mono<Run> show(@PathVariable String executionId, Caller caller) {
        return run(executionId, caller);
    }

    @GetMapping(
            path = "/api/v1/etl/runs/{executionId}/report",
            produces = MediaType.APPLICATION_JSON_VALUE)
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "What a run found",
            description =
                    "Checks of what was given (raw) and of what cleaning left (transformed), with a profile of each column; as a page with"
                            + " Accept: text/html;"
                            + " 409 while the run is not complete.")
    Mono<JsonNode> report(@PathVariable String executionId, Caller caller) {
        return run(executionId, caller)
                .flatMap(run -> found(run, caller).map(report -> named(run, report)));
    }

    private static JsonNode named(Run run, JsonNode report) {
        var named = Json.mapper().createObjectNode().put("execution_id", run.executionId());
        named.set("anomalies", Json.mapper().valueToTree(run.anomalies()));
        report.properties().forEach(p -> named.set(p.getKey(), p.getValue()));
        return named;
    }

    @GetMapping(
            path = "/api/v1/etl/runs/{executionId}/report",
            produces = MediaType.TEXT_HTML_VALUE)
    @PreAuthorize(Scopes.VIEW)
    @Operation(hidden = true)
    Mono<String> page(@PathVariable String executionId, Caller caller) {
        return run(executionId, caller)
                .flatMap(run -> found(run, caller).map(report -> ReportPage.of(run, report)));
    }

    private Mono<JsonNode> found(Run run, Caller caller) {
        return database.one(
                        caller.tenant(), db -> Runs.report(db, caller.tenant(), run.executionId()))
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.conflict(
                                        "no-report",
                                        "the run is %s: there is no report of it"
                                                .formatted(run.status()))));
    }

    private Mono<Run> run(String executionId, Caller caller) {
        return database.one(caller.tenant(), db -> Runs.find(db, caller.tenant(), executionId))
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("run " + executionId)));
    }
}
