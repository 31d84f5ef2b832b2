package io.mirante.snapshot.rebuild;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.mirante.platform.web.TimeRange;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code POST /api/v1/jobs}: work on what is kept of events; so far {@code snapshot_recalc} and {@code backfill}. */
@RestController
class JobRequestController {

    private static final List<String> KINDS =
            List.of(RecalculateSnapshots.KIND, BackfillDerivedData.KIND);

    private final Jobs jobs;

    JobRequestController(Jobs jobs) {
        this.jobs = jobs;
    }

    /**
     * What to do.
     *
     * @param kind {@code snapshot_recalc}: of snapshot-service; {@code backfill}: of all services
     * @param scheduledAt not supported yet
     */
    record JobRequest(
            @Nullable String kind, @Nullable Range payload, @Nullable String scheduledAt) {}

    /**
     * Of which events, by their own time; widened to whole days of the tenant's.
     *
     * @param startTime included; default: the beginning of time
     * @param endTime not included; default: no end
     * @param scope not supported: an event counts in several
     */
    record Range(@Nullable Instant startTime, @Nullable Instant endTime, @Nullable String scope) {}

    @PostMapping("/api/v1/jobs")
    @PreAuthorize(Scopes.ADMIN)
    @Operation(
            summary =
                    "Begin a job: snapshot_recalc makes windows anew from the event log, backfill everything derived")
    Mono<ResponseEntity<JobController.JobAccepted>> begin(
            @RequestBody JobRequest request, Caller caller) {
        var kind = request.kind();
        if (kind == null || !KINDS.contains(kind)) {
            throw ProblemException.malformed(
                    "/kind", "unknown", "kind must be " + String.join(" or ", KINDS));
        }
        if (request.scheduledAt() != null) {
            throw ProblemException.malformed(
                    "/scheduled_at", "unsupported", "a job begins at once; leave it out");
        }
        var range = request.payload();
        if (range != null && range.scope() != null) {
            throw ProblemException.malformed(
                    "/payload/scope", "unsupported", "all scopes are made anew; leave it out");
        }
        return jobs.submit(caller.tenant(), kind, payload(range)).map(JobController::accepted);
    }

    private static JsonNode payload(@Nullable Range range) {
        var payload = Json.mapper().createObjectNode();
        var start = range == null ? null : range.startTime();
        var end = range == null ? null : range.endTime();
        var unused = TimeRange.ofBody(start, end);
        if (start != null) {
            payload.put("start_time", start.toString());
        }
        if (end != null) {
            payload.put("end_time", end.toString());
        }
        return payload;
    }
}
