package io.mirante.segmentation.clustering;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mirante.contracts.Json;
import io.mirante.segmentation.Rows;
import java.time.Clock;
import java.util.List;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The tenants' clusterings. The one in force changes under an advisory lock that every assigning transaction shares, so
 * that nobody stays under the old one. Thread-safe; models never change and are kept in memory once read.
 */
@Component
public final class ClusterModels {

    private static final String SHARE =
            "SELECT pg_advisory_xact_lock_shared(hashtext('segmentation.current_cluster_model'))";
    private static final String ALONE =
            "SELECT pg_advisory_xact_lock(hashtext('segmentation.current_cluster_model'))";

    private final Clock clock;
    private final Cache<String, ClusterModel> loaded =
            Caffeine.newBuilder().maximumSize(500).build();

    ClusterModels(Clock clock) {
        this.clock = clock;
    }

    /** A tenant's clustering in force. */
    public record TenantModel(String tenant, ClusterModel model) {}

    /** The clusterings in force, read in an assigning transaction; also holds off a change until it ends. */
    Flux<TenantModel> inForce(DatabaseClient db, List<String> tenants) {
        return db.sql(SHARE)
                .map(row -> true)
                .all()
                .thenMany(
                        db.sql(
                                        "SELECT tenant_id, model_id FROM current_cluster_model WHERE tenant_id = ANY($1)")
                                .bind(0, tenants.toArray(String[]::new))
                                .map(row ->
                                        List.of(
                                                Rows.text(row, "tenant_id"),
                                                Rows.text(row, "model_id")))
                                .all())
                .collectList()
                .flatMapMany(Flux::fromIterable)
                .concatMap(found ->
                        find(db, found.getFirst(), found.getLast())
                                .map(model -> new TenantModel(found.getFirst(), model)));
    }

    /** The clustering in force, or empty. */
    public Mono<ClusterModel> current(DatabaseClient db, String tenant) {
        return db.sql("SELECT model_id FROM current_cluster_model WHERE tenant_id = $1")
                .bind(0, tenant)
                .map(row -> Rows.text(row, "model_id"))
                .one()
                .flatMap(id -> find(db, tenant, id));
    }

    /** A certain clustering, or empty. */
    public Mono<ClusterModel> find(DatabaseClient db, String tenant, String id) {
        var known = loaded.getIfPresent(tenant + "\n" + id);
        if (known != null) {
            return Mono.just(known);
        }
        return db.sql(
                        "SELECT model::text AS model FROM cluster_model WHERE tenant_id = $1 AND id = $2")
                .bind(0, tenant)
                .bind(1, id)
                .map(row -> Json.mapper().readValue(Rows.text(row, "model"), ClusterModel.class))
                .one()
                .doOnNext(model -> loaded.put(tenant + "\n" + id, model));
    }

    /** Keeps a clustering and puts it in force; the same id again changes nothing but that. */
    Mono<Void> putInForce(DatabaseClient db, String tenant, ClusterModel model) {
        return db.sql(ALONE)
                .map(row -> true)
                .all()
                .then(
                        db.sql(
                                        "INSERT INTO cluster_model (tenant_id, id, version, model, created_at) SELECT $1, $2, coalesce(max(version), 0) + 1, $3::jsonb, $4 FROM cluster_model WHERE tenant_id = $1 ON CONFLICT (tenant_id, id) DO NOTHING")
                                .bind(0, tenant)
                                .bind(1, model.id())
                                .bind(2, Json.mapper().writeValueAsString(model))
                                .bind(3, clock.instant())
                                .then())
                .then(
                        db.sql(
                                        "INSERT INTO current_cluster_model (tenant_id, model_id) VALUES ($1, $2) ON CONFLICT (tenant_id) DO UPDATE SET model_id = excluded.model_id")
                                .bind(0, tenant)
                                .bind(1, model.id())
                                .then());
    }
}
