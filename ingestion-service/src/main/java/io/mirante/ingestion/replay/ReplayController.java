package io.mirante.ingestion.replay;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code POST /api/v1/events/rejected/replay}: a job. */
@RestController
class ReplayController {

    private final Jobs jobs;

    ReplayController(Jobs jobs) {
        this.jobs = jobs;
    }

    @PostMapping("/api/v1/events/rejected/replay")
    @PreAuthorize(Scopes.MANAGE)
    @Operation(
            summary =
                    "Send rejected events again, a job; with dry_run only count what would pass now")
    Mono<ResponseEntity<JobController.JobAccepted>> replay(
            @RequestBody ReplayRequest request, Caller caller) {
        request.check();
        return jobs.submit(caller.tenant(), ReplayRejected.KIND, Json.mapper().valueToTree(request))
                .map(JobController::accepted);
    }
}
