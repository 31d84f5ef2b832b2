package io.mirante.segmentation.profile;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.Job;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.rebuild.GenerationLock;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.mirante.platform.web.TimeRange;
import io.mirante.segmentation.Rows;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code POST /api/v1/segmentation/rebuilds}: snapshot-service's job {@code backfill} asks for this service's part; no key may. */
@RestController
class RebuildController {

    private static final int MAX_ID = 200;

    private final TenantDatabase database;
    private final Jobs jobs;

    RebuildController(TenantDatabase database, Jobs jobs) {
        this.database = database;
        this.jobs = jobs;
    }

    /**
     * What to rebuild.
     *
     * @param askedBy the asker's job, 1 to 200 characters; asked again for the same one, the same job answers
     * @param startTime of the events' own time, widened to whole UTC days; null = open
     * @param endTime not included; null = open
     */
    record RebuildRequest(
            @Nullable String askedBy, @Nullable Instant startTime, @Nullable Instant endTime) {}

    @PostMapping("/api/v1/segmentation/rebuilds")
    @PreAuthorize(Scopes.INTERNAL)
    @Operation(hidden = true)
    Mono<ResponseEntity<JobController.JobAccepted>> rebuild(
            @RequestBody RebuildRequest request, Caller caller) {
        var askedBy = request.askedBy();
        if (askedBy == null || askedBy.isBlank() || askedBy.length() > MAX_ID) {
            throw ProblemException.malformed(
                    "/asked_by", "required", "asked_by must have 1 to 200 characters");
        }
        var range = TimeRange.ofBody(request.startTime(), request.endTime());
        var payload = Json.mapper().createObjectNode();
        payload.put("asked_by", askedBy);
        payload.put("start_time", range.start().toString());
        payload.put("end_time", range.end().toString());
        var tenant = caller.tenant();
        return database.one(
                        tenant,
                        db ->
                                GenerationLock.holdChanges(tenant, db)
                                        .then(begun(tenant, askedBy, db))
                                        .switchIfEmpty(
                                                Mono.defer(() -> submit(tenant, payload, db))))
                .map(JobController::accepted);
    }

    private Mono<Job> begun(String tenant, String askedBy, DatabaseClient db) {
        return db.sql(
                        "SELECT id FROM job WHERE tenant_id = $1 AND kind = $2 AND payload ->> 'asked_by' = $3")
                .bind(0, tenant)
                .bind(1, RebuildProfiles.KIND)
                .bind(2, askedBy)
                .map(row -> Rows.text(row, "id"))
                .one()
                .flatMap(id -> jobs.find(tenant, id));
    }

    private Mono<Job> submit(String tenant, JsonNode payload, DatabaseClient db) {
        return jobs.submit(db, tenant, RebuildProfiles.KIND, payload);
    }
}
