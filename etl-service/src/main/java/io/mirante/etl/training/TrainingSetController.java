package io.mirante.etl.training;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.time.Instant;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code POST /api/v1/features/training-sets}: starts the job that writes one. */
@RestController
class TrainingSetController {

    private final Jobs jobs;
    private final PastEvents past;

    TrainingSetController(Jobs jobs, PastEvents past) {
        this.jobs = jobs;
        this.past = past;
    }

    @PostMapping("/api/v1/features/training-sets")
    @PreAuthorize(Scopes.MANAGE_OR_INTERNAL)
    Mono<ResponseEntity<JobController.JobAccepted>> build(
            @RequestBody TrainingSetRequest request, Caller caller) {
        var valid = request.validated();
        return past.newest(caller.tenant())
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.impossible(
                                        "no-events",
                                        "there are no events yet, so there is nothing to learn from")))
                .doOnNext(newest -> requireKnownOutcome(valid, newest))
                .then(
                        Mono.defer(() ->
                                jobs.submit(
                                        caller.tenant(), BuildTrainingSet.KIND, payload(valid))))
                .map(JobController::accepted);
    }

    /** What happened within the horizon must have happened already. */
    private static void requireKnownOutcome(TrainingSetRequest.Valid request, Instant newest) {
        var latest = newest.minus(request.horizon());
        if (request.asOf().getLast().isAfter(latest)) {
            throw ProblemException.impossible(
                    "outcome-unknown",
                    "as_of plus the horizon must not lie after the newest event (%s); the latest as_of is %s"
                            .formatted(newest, latest));
        }
    }

    private static JsonNode payload(TrainingSetRequest.Valid request) {
        var payload = Json.mapper().createObjectNode();
        var moments = payload.putArray("as_of");
        request.asOf().forEach(m -> moments.add(m.toString()));
        payload.putObject("label")
                .put("type", TrainingSetRequest.INACTIVITY)
                .put("horizon", request.horizon().toString());
        return payload;
    }
}
