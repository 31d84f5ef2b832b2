package io.mirante.churn.scoring;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** History of predictions, and what is predicted for a user now. */
@RestController
class PredictionController {

    private static final Set<String> RISKS = Set.of("low", "medium", "high");

    private final TenantDatabase database;
    private final Predictions predictions;
    private final FeatureVectors vectors;

    PredictionController(TenantDatabase database, Predictions predictions, FeatureVectors vectors) {
        this.database = database;
        this.predictions = predictions;
        this.vectors = vectors;
    }

    /** What is predicted for a user; {@code asOf} is that of the features. */
    record UserPredictions(String userId, Instant asOf, List<Prediction> predictions) {}

    @GetMapping("/api/v1/predictions")
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<Page<Prediction>> history(
            @RequestParam(name = "customer_id", required = false) @Nullable String customerId,
            @RequestParam(required = false) @Nullable String risk,
            Paging paging,
            Caller caller) {
        if (risk != null && !RISKS.contains(risk)) {
            throw ProblemException.malformed(
                    "?risk", "unknown", "risk must be low, medium or high, was " + risk);
        }
        return database.many(
                        caller.tenant(),
                        db ->
                                predictions.history(
                                        db,
                                        caller.tenant(),
                                        customerId,
                                        risk,
                                        paging.limit() + 1,
                                        paging.after()))
                .collectList()
                .map(rows -> Page.of(rows, paging.limit(), Prediction::predictionId));
    }

    @GetMapping("/api/v1/predictions/{id}")
    @PreAuthorize(Scopes.VIEW)
    Mono<Prediction> show(@PathVariable String id, Caller caller) {
        return database.one(caller.tenant(), db -> predictions.find(db, caller.tenant(), id))
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("prediction " + id)));
    }

    /** Empty predictions when no model has been trained yet; 404 when the user has no features. */
    @GetMapping("/api/v1/users/{id}/predictions")
    @PreAuthorize(Scopes.VIEW)
    Mono<UserPredictions> ofUser(@PathVariable String id, Caller caller) {
        return database.one(
                        caller.tenant(),
                        db ->
                                vectors.find(db, caller.tenant(), id)
                                        .flatMap(v ->
                                                predictions
                                                        .ofUser(db, caller.tenant(), id)
                                                        .map(List::of)
                                                        .defaultIfEmpty(List.of())
                                                        .map(found ->
                                                                new UserPredictions(
                                                                        id, v.asOf(), found))))
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("user " + id)));
    }
}
