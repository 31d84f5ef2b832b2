package io.mirante.segmentation.clustering;

import io.mirante.segmentation.Rows;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Reads who belongs to which cluster. The given client decides which tenants are seen. */
@Component
public final class Clusters {

    private final UserVectors vectors;

    Clusters(UserVectors vectors) {
        this.vectors = vectors;
    }

    /** A user's cluster as answers show it. */
    public record Member(String modelId, int cluster, String label, double distance) {}

    /** Users and their clusters under one model, in the same order. */
    public record Members(List<String> users, List<Integer> clusters) {}

    /** A user's cluster, or empty. */
    public Mono<Member> find(DatabaseClient db, String tenant, String userId) {
        return db.sql(
                        "SELECT model_id, cluster, label, distance FROM user_cluster WHERE tenant_id = $1 AND user_id = $2")
                .bind(0, tenant)
                .bind(1, userId)
                .map(row ->
                        new Member(
                                Rows.text(row, "model_id"),
                                Rows.value(row, "cluster", Integer.class),
                                Rows.text(row, "label"),
                                Rows.value(row, "distance", Double.class)))
                .one();
    }

    /** Users per cluster of the model in force; clusters without any are missing. */
    public Mono<Map<Integer, Long>> sizes(DatabaseClient db, String tenant, String modelId) {
        return db.sql(
                        "SELECT cluster, count(*) AS users FROM user_cluster WHERE tenant_id = $1 AND model_id = $2 GROUP BY cluster")
                .bind(0, tenant)
                .bind(1, modelId)
                .map(row ->
                        Map.entry(
                                Rows.value(row, "cluster", Integer.class),
                                Rows.value(row, "users", Long.class)))
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue)
                .map(TreeMap::new);
    }

    /** Users of a cluster of the model in force after a user id, in the order of ids. */
    public Flux<String> users(
            DatabaseClient db,
            String tenant,
            String modelId,
            int cluster,
            @Nullable String after,
            int limit) {
        return db.sql(
                        "SELECT user_id FROM user_cluster WHERE tenant_id = $1 AND model_id = $2 AND cluster = $3 AND user_id > $4 ORDER BY user_id LIMIT $5")
                .bind(0, tenant)
                .bind(1, modelId)
                .bind(2, cluster)
                .bind(3, after == null ? "" : after)
                .bind(4, limit)
                .map(row -> Rows.text(row, "user_id"))
                .all();
    }

    /** Where everyone would stand under any model, by their newest features. */
    public Mono<Members> members(DatabaseClient db, String tenant, ClusterModel model) {
        return vectors.list(db, tenant, null, Integer.MAX_VALUE)
                .collectList()
                .map(all ->
                        new Members(
                                all.stream().map(UserVector::userId).toList(),
                                all.stream()
                                        .map(v -> model.place(v.features()).cluster())
                                        .toList()));
    }
}
