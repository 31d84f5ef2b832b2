package io.mirante.churn.scoring;

import io.mirante.churn.model.ChurnModel;
import io.mirante.churn.registry.ModelEntry;
import io.mirante.churn.registry.Models;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.platform.messaging.Received;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Keeps each user's churn risk current as features change. Thread-safe.
 *
 * <p>A score is written again (history, reasons, publication) when the model or the band changes or the probability moves
 * by 0.02 from what was last written; smaller moves only confirm what is there.
 */
@Component
final class ScoreChurn {

    /** Smallest move of the probability that is written. */
    static final double NOTABLE = 0.02;

    private final FeatureVectors vectors;
    private final Predictions predictions;
    private final Models models;
    private final Clock clock;

    ScoreChurn(FeatureVectors vectors, Predictions predictions, Models models, Clock clock) {
        this.vectors = vectors;
        this.predictions = predictions;
        this.models = models;
        this.clock = clock;
    }

    /** Scores the newest features of each user in a poll, inside the transaction that advances the position. */
    Mono<Void> store(List<Received<UserFeatures>> fresh, DatabaseClient stream) {
        var newest = newestPerUser(fresh);
        return models.inForce(stream, tenants(newest))
                .collectMap(Models.TenantModel::tenant, Models.TenantModel::entry)
                .flatMap(inForce ->
                        vectors.keep(stream, newest)
                                .filter(v -> inForce.containsKey(v.tenant()))
                                .collectList()
                                .flatMap(kept -> score(kept, inForce, stream)));
    }

    /** Scores vectors whose tenants have a model; the transaction holds a share in {@link Models#inForce}. */
    Mono<Void> score(List<FeatureVector> kept, Map<String, ModelEntry> inForce, DatabaseClient db) {
        if (kept.isEmpty()) {
            return Mono.empty();
        }
        return predictions
                .inForce(db, kept)
                .collectMap(p -> p.tenant() + "\n" + p.userId())
                .publishOn(Schedulers.boundedElastic())
                .map(before -> changes(kept, inForce, before))
                .flatMap(changes -> write(changes, kept, inForce, db));
    }

    private Mono<Void> write(
            Changes changes,
            List<FeatureVector> kept,
            Map<String, ModelEntry> inForce,
            DatabaseClient db) {
        var modelIds = kept.stream().map(v -> entry(inForce, v.tenant()).id()).toList();
        return vectors.scoredBy(db, kept, modelIds)
                .then(
                        changes.written().isEmpty()
                                ? Mono.empty()
                                : predictions.remember(db, changes.written(), "features"))
                .then(
                        changes.written().isEmpty()
                                ? Mono.empty()
                                : predictions.putInForce(db, changes.written()))
                .then(
                        changes.confirmed().isEmpty()
                                ? Mono.empty()
                                : predictions.confirm(db, changes.confirmed()));
    }

    private record Changes(List<Predictions.Of> written, List<FeatureVector> confirmed) {}

    private Changes changes(
            List<FeatureVector> kept,
            Map<String, ModelEntry> inForce,
            Map<String, Predictions.InForce> before) {
        var written = new TreeMap<String, Predictions.Of>();
        var confirmed = new ArrayList<FeatureVector>();
        var byTenant =
                kept.stream()
                        .collect(
                                Collectors.groupingBy(
                                        FeatureVector::tenant,
                                        LinkedHashMap::new,
                                        Collectors.toList()));
        byTenant.forEach((tenant, vectorsOfTenant) ->
                changes(entry(inForce, tenant), vectorsOfTenant, before, written, confirmed));
        return new Changes(List.copyOf(written.values()), confirmed);
    }

    private void changes(
            ModelEntry entry,
            List<FeatureVector> kept,
            Map<String, Predictions.InForce> before,
            Map<String, Predictions.Of> written,
            List<FeatureVector> confirmed) {
        ChurnModel model = entry.model();
        var rows = kept.stream().map(v -> model.row(v.features())).toList();
        var scores = model.score(rows);
        var changed = new ArrayList<Integer>();
        for (int i = 0; i < kept.size(); i++) {
            var vector = kept.get(i);
            var old = before.get(vector.tenant() + "\n" + vector.userId());
            var score = scores.get(i);
            if (old != null
                    && old.modelId().equals(entry.id())
                    && old.risk().equals(score.risk().wireName())
                    && Math.abs(old.probability() - score.probability()) < NOTABLE) {
                confirmed.add(vector);
            } else {
                changed.add(i);
            }
        }
        var explanations = model.explain(changed.stream().map(rows::get).toList());
        var now = clock.instant();
        for (int c = 0; c < changed.size(); c++) {
            int i = changed.get(c);
            var vector = kept.get(i);
            written.put(
                    vector.tenant() + "\n" + vector.userId(),
                    new Predictions.Of(
                            vector.tenant(),
                            Prediction.of(
                                    entry,
                                    vector.userId(),
                                    scores.get(i),
                                    explanations.get(c),
                                    vector.asOf(),
                                    now)));
        }
    }

    private static ModelEntry entry(Map<String, ModelEntry> inForce, String tenant) {
        var entry = inForce.get(tenant);
        if (entry == null) {
            throw new IllegalStateException("no model in force for a tenant that is scored");
        }
        return entry;
    }

    private static Collection<UserFeatures> newestPerUser(List<Received<UserFeatures>> fresh) {
        Map<String, UserFeatures> newest = new HashMap<>();
        for (var received : fresh) {
            var features = received.value();
            newest.merge(
                    features.tenantId() + "\n" + features.userId(),
                    features,
                    (a, b) -> a.revision() >= b.revision() ? a : b);
        }
        return new TreeMap<>(newest).values();
    }

    private static List<String> tenants(Collection<UserFeatures> newest) {
        return newest.stream().map(UserFeatures::tenantId).distinct().toList();
    }
}
