package io.mirante.churn.training;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.JobController.JobAccepted;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.time.DateTimeException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code POST /api/v1/models/{kind}/train}: starts a training. */
@RestController
@RequestMapping("/api/v1/models/{kind}/train")
class TrainingController {

    private static final Duration SHORTEST = Duration.ofHours(1);
    private static final Duration LONGEST = Duration.ofDays(365);
    private static final long SEED = 1;

    private final Jobs jobs;

    TrainingController(Jobs jobs) {
        this.jobs = jobs;
    }

    /**
     * Body of a training on the mesh's own features.
     *
     * @param label {@code inactivity}
     * @param horizon ISO 8601, an hour to a year; default P30D
     * @param seed default 1
     */
    record TrainRequest(@Nullable String label, @Nullable String horizon, @Nullable Long seed) {}

    @PostMapping(consumes = MediaType.APPLICATION_JSON_VALUE)
    @PreAuthorize(Scopes.MANAGE)
    Mono<ResponseEntity<JobAccepted>> train(
            @PathVariable String kind, @RequestBody TrainRequest request, Caller caller) {
        if (kind.equals("conversion")) {
            throw ProblemException.impossible(
                    "model-kind-not-available", "only churn models can be trained so far");
        }
        if (!kind.equals("churn")) {
            throw ProblemException.notFound("model kind " + kind);
        }
        var label = request.label();
        if (label == null) {
            throw ProblemException.malformed("/label", "required", "label is required: inactivity");
        }
        if (!label.equals("inactivity")) {
            throw ProblemException.malformed(
                    "/label", "unknown", "label must be inactivity, was " + label);
        }
        var horizon = request.horizon() == null ? "P30D" : request.horizon();
        check(horizon);
        long seed = request.seed() == null ? SEED : request.seed();
        return jobs.submit(
                        caller.tenant(),
                        TrainModel.KIND,
                        Json.mapper().valueToTree(new TrainModel.Order(label, horizon, seed)))
                .map(JobController::accepted);
    }

    /** Training from a CSV is not there yet; said clearly rather than with a bare 415. */
    @PostMapping(consumes = MediaType.MULTIPART_FORM_DATA_VALUE)
    @PreAuthorize(Scopes.MANAGE)
    Mono<Void> trainFromFile(@PathVariable String kind) {
        return Mono.error(
                ProblemException.of(
                        HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                        "csv-training-not-available",
                        "training from a CSV file is not available yet; send JSON such as"
                                + " {\"label\": \"inactivity\", \"horizon\": \"P30D\"} to train on the mesh's own"
                                + " features"));
    }

    private static void check(String horizon) {
        try {
            var duration = Duration.parse(horizon);
            if (duration.compareTo(SHORTEST) >= 0 && duration.compareTo(LONGEST) <= 0) {
                return;
            }
        } catch (DateTimeException e) {
            // the same answer as for one out of range
        }
        throw ProblemException.malformed(
                "/horizon",
                "invalid",
                "horizon must be an ISO 8601 duration from PT1H to P365D, such as P30D; was "
                        + horizon);
    }
}
