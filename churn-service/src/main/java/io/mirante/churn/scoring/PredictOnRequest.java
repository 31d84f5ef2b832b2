package io.mirante.churn.scoring;

import io.mirante.churn.registry.ModelEntry;
import io.mirante.churn.registry.Models;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import tools.jackson.databind.JsonNode;

/** Scores what a caller asks for, and keeps it in the history. Predicts on the elastic scheduler. Thread-safe. */
@Component
final class PredictOnRequest {

    private static final int AT_ONCE = 500;

    private final TenantDatabase database;
    private final Models models;
    private final FeatureVectors vectors;
    private final Predictions predictions;
    private final Clock clock;

    PredictOnRequest(
            TenantDatabase database,
            Models models,
            FeatureVectors vectors,
            Predictions predictions,
            Clock clock) {
        this.database = database;
        this.models = models;
        this.vectors = vectors;
        this.predictions = predictions;
        this.clock = clock;
    }

    /**
     * A row ready to score.
     *
     * @param line counts from 1
     * @param asOf of stored features; null for features the caller gave
     */
    record Row(
            int line,
            @Nullable String customerId,
            Map<String, Double> features,
            @Nullable Instant asOf) {}

    /** The model asked for: by id, else the one in force. */
    Mono<ModelEntry> model(String tenant, @Nullable String modelId) {
        if (modelId != null) {
            return models.find(tenant, modelId)
                    .switchIfEmpty(Mono.error(() -> ProblemException.notFound("model " + modelId)));
        }
        return models.current(tenant)
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.impossible(
                                        "no-model",
                                        "no churn model has been trained yet; POST"
                                                + " /api/v1/models/churn/train first")));
    }

    /** A customer's stored features as a row, or empty. */
    Mono<Row> stored(String tenant, String customerId, int line) {
        return database.one(tenant, db -> vectors.find(db, tenant, customerId))
                .map(v -> new Row(line, customerId, v.features(), v.asOf()));
    }

    /** Scores rows with all their reasons, in their order, and remembers them. */
    Flux<Prediction> predict(String tenant, ModelEntry entry, List<Row> rows) {
        return Flux.fromIterable(rows)
                .buffer(AT_ONCE)
                .concatMap(some ->
                        Mono.fromCallable(() -> score(entry, some))
                                .subscribeOn(Schedulers.boundedElastic()))
                .concatMap(scored -> remember(tenant, scored).thenReturn(scored))
                .concatMapIterable(scored -> scored);
    }

    /**
     * A caller's features by name.
     *
     * @param pointer where they stand in the body
     * @throws ProblemException 400 naming each field that is unknown or no number
     */
    static Map<String, Double> features(JsonNode input, ModelEntry entry, String pointer) {
        var errors = new ArrayList<FieldError>();
        var features = features(input, entry, pointer, errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return features;
    }

    /** The same, adding to the errors instead of throwing. */
    static Map<String, Double> features(
            JsonNode input, ModelEntry entry, String pointer, List<FieldError> errors) {
        var known = entry.model().featureNames();
        var features = new HashMap<String, Double>();
        for (var property : input.properties()) {
            var name = property.getKey();
            var value = property.getValue();
            var at = pointer + "/" + name.replace("~", "~0").replace("/", "~1");
            if (!known.contains(name)) {
                errors.add(
                        new FieldError(
                                at,
                                "unknown_feature",
                                name + " is no feature of model " + entry.id()));
            } else if (value.isNumber() && Float.isFinite((float) value.doubleValue())) {
                features.put(name, value.doubleValue());
            } else if (!value.isNull()) {
                errors.add(
                        new FieldError(
                                at, "wrong_type", name + " must be a finite number or null"));
            }
        }
        return features;
    }

    private List<Prediction> score(ModelEntry entry, List<Row> rows) {
        var model = entry.model();
        var values = rows.stream().map(r -> model.row(r.features())).toList();
        var scores = model.score(values);
        var explanations = model.explain(values);
        var now = clock.instant();
        var scored = new ArrayList<Prediction>(rows.size());
        for (int i = 0; i < rows.size(); i++) {
            scored.add(
                    Prediction.of(
                            entry,
                            rows.get(i).customerId(),
                            scores.get(i),
                            explanations.get(i),
                            rows.get(i).asOf(),
                            now));
        }
        return scored;
    }

    private Mono<Void> remember(String tenant, List<Prediction> scored) {
        var all = scored.stream().map(p -> new Predictions.Of(tenant, p)).toList();
        return database.one(tenant, db -> predictions.remember(db, all, "request"));
    }
}
