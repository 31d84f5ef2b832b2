package io.mirante.segmentation.clustering;

import io.mirante.contracts.etl.UserFeatures;
import io.mirante.platform.messaging.Received;
import io.mirante.segmentation.clustering.UserVectors.Assigned;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Keeps each user's newest features, and their place in the clustering in force, as features change. Thread-safe. */
@Component
final class AssignClusters {

    private static final int AT_ONCE = 1_000;

    private final UserVectors vectors;
    private final ClusterModels models;

    AssignClusters(UserVectors vectors, ClusterModels models) {
        this.vectors = vectors;
        this.models = models;
    }

    /** Applies a poll, inside the transaction that advances the position. */
    Mono<Void> store(List<Received<UserFeatures>> fresh, DatabaseClient stream) {
        Map<String, UserFeatures> newest = new HashMap<>();
        for (var received : fresh) {
            var features = received.value();
            newest.merge(
                    features.tenantId() + "\n" + features.userId(),
                    features,
                    (a, b) -> a.revision() >= b.revision() ? a : b);
        }
        var sorted = new TreeMap<>(newest).values();
        var tenants = sorted.stream().map(UserFeatures::tenantId).distinct().toList();
        return models.inForce(stream, tenants)
                .collectMap(ClusterModels.TenantModel::tenant, ClusterModels.TenantModel::model)
                .flatMap(inForce -> keepAndAssign(sorted, inForce, stream));
    }

    private Mono<Void> keepAndAssign(
            java.util.Collection<UserFeatures> sorted,
            Map<String, ClusterModel> inForce,
            DatabaseClient stream) {
        return vectors.keep(stream, sorted)
                .<Assigned>handle((vector, sink) -> {
                    var model = inForce.get(vector.tenant());
                    if (model != null) {
                        sink.next(Assigned.of(vector, model));
                    }
                })
                .collectList()
                .flatMap(assigned -> vectors.assign(stream, assigned));
    }

    /** Assigns some of those that stand under another clustering than the one in force; how many, 0 when none is left. */
    Mono<Integer> some(DatabaseClient db, String tenant) {
        return models.inForce(db, List.of(tenant))
                .next()
                .flatMap(inForce ->
                        vectors.notAssignedBy(db, tenant, inForce.model().id(), AT_ONCE)
                                .map(vector -> Assigned.of(vector, inForce.model()))
                                .collectList()
                                .flatMap(some -> vectors.assign(db, some).thenReturn(some.size())))
                .defaultIfEmpty(0);
    }
}
