package io.mirante.etl.log;

import io.mirante.platform.jobs.JobController;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code POST /api/v1/etl/replays}: a service that rebuilds asks for a range of the log; no key may. */
@RestController
class ReplayController {

    private static final int MAX_ID = 200;

    private final Replays replays;

    ReplayController(Replays replays) {
        this.replays = replays;
    }

    /**
     * What to replay.
     *
     * @param rebuildId of the asker's choice, 1 to 200 characters; asked again with the same one, the same job answers
     * @param startTime of the events' own time, included
     * @param endTime not included
     */
    record ReplayRequest(
            @Nullable String rebuildId, @Nullable Instant startTime, @Nullable Instant endTime) {}

    @PostMapping("/api/v1/etl/replays")
    @PreAuthorize(Scopes.INTERNAL)
    @Operation(
            summary = "Send a range of the event log to mirante.events.replay, for another service")
    Mono<ResponseEntity<JobController.JobAccepted>> replay(
            @RequestBody ReplayRequest request, Caller caller) {
        var id = request.rebuildId();
        if (id == null || id.isBlank() || id.length() > MAX_ID) {
            throw ProblemException.malformed(
                    "/rebuild_id", "required", "rebuild_id must have 1 to 200 characters");
        }
        var start = request.startTime();
        var end = request.endTime();
        if (start == null || end == null || !end.isAfter(start)) {
            throw ProblemException.malformed(
                    "/end_time",
                    "not_after_start",
                    "start_time and end_time are required, and end_time must be the later");
        }
        return replays.begin(caller.tenant(), id, start, end).map(JobController::accepted);
    }
}
