package io.mirante.churn.scoring;

import io.mirante.churn.registry.Models;
import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.persistence.TenantDatabase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * Scores every known user again after a model was put in force: some hundred users a transaction, until none stands
 * under another model. May run again at any time.
 */
@Component
final class Rescore implements JobHandler {

    private static final int AT_ONCE = 500;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final TenantDatabase database;
    private final FeatureVectors vectors;
    private final Models models;
    private final ScoreChurn scoring;

    Rescore(TenantDatabase database, FeatureVectors vectors, Models models, ScoreChurn scoring) {
        this.database = database;
        this.vectors = vectors;
        this.models = models;
        this.scoring = scoring;
    }

    @Override
    public String kind() {
        return "rescore";
    }

    @Override
    public JsonNode run(JobContext context) {
        long users = 0;
        while (true) {
            Integer some = batch(context.tenant()).block(LIMIT);
            if (some == null || some == 0) {
                return Json.mapper().createObjectNode().put("users", users);
            }
            users += some;
            context.progress(0.5, users + " users scored");
        }
    }

    private Mono<Integer> batch(String tenant) {
        return database.one(
                tenant,
                db ->
                        models.inForce(db, List.of(tenant))
                                .next()
                                .flatMap(inForce ->
                                        vectors.notScoredBy(
                                                        db, tenant, inForce.entry().id(), AT_ONCE)
                                                .collectList()
                                                .flatMap(some ->
                                                        scoring.score(
                                                                        some,
                                                                        Map.of(
                                                                                tenant,
                                                                                inForce.entry()),
                                                                        db)
                                                                .thenReturn(some.size())))
                                .defaultIfEmpty(0));
    }
}
