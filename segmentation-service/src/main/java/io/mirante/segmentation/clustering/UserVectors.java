package io.mirante.segmentation.clustering;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.platform.messaging.Publication;
import io.mirante.segmentation.Rows;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;

/** Each user's newest features and their place in the clustering. The given client decides which tenants are seen. */
@Component
final class UserVectors {

    private static final TypeReference<Map<String, Double>> FEATURES = new TypeReference<>() {};
    private static final String COLUMNS = "tenant_id, user_id, as_of, features::text AS features";

    /** A user with their place. */
    record Assigned(UserVector vector, ClusterModel model, ClusterModel.Place place) {
        static Assigned of(UserVector vector, ClusterModel model) {
            return new Assigned(vector, model, model.place(vector.features()));
        }
    }

    /**
     * Keeps what is newer than what is there.
     *
     * @param sorted one per user, in the order of tenant and user
     * @return those that were newer
     */
    Flux<UserVector> keep(DatabaseClient db, Collection<UserFeatures> sorted) {
        return db.sql(
                        """
                        INSERT INTO user_vector AS v (tenant_id, user_id, revision, as_of, features)
                        SELECT t, u, r, a, j::jsonb
                        FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[]) AS n(t, u, r, a, j)
                        ON CONFLICT (tenant_id, user_id) DO UPDATE
                        SET revision = excluded.revision, as_of = excluded.as_of, features = excluded.features,
                            assigned_model = NULL
                        WHERE v.revision < excluded.revision
                        RETURNING tenant_id, user_id, as_of, features::text AS features
                        """)
                .bind(0, texts(sorted, UserFeatures::tenantId))
                .bind(1, texts(sorted, UserFeatures::userId))
                .bind(2, sorted.stream().map(UserFeatures::revision).toArray(Long[]::new))
                .bind(3, texts(sorted, u -> u.asOf().toString()))
                .bind(4, texts(sorted, u -> Json.mapper().writeValueAsString(u.features())))
                .map(UserVectors::vector)
                .all();
    }

    /** A tenant's vectors after a user id, in the order of ids. */
    Flux<UserVector> list(DatabaseClient db, String tenant, @Nullable String after, int limit) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM user_vector WHERE tenant_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3")
                .bind(0, tenant)
                .bind(1, after == null ? "" : after)
                .bind(2, limit)
                .map(UserVectors::vector)
                .all();
    }

    /** Some vectors that stand under another model than this one, locked until the transaction ends. */
    Flux<UserVector> notAssignedBy(DatabaseClient db, String tenant, String modelId, int limit) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM user_vector WHERE tenant_id = $1 AND assigned_model IS DISTINCT FROM $2 ORDER BY user_id LIMIT $3 FOR UPDATE")
                .bind(0, tenant)
                .bind(1, modelId)
                .bind(2, limit)
                .map(UserVectors::vector)
                .all();
    }

    /** Writes places; a row whose model and cluster stay as they are is not published again. */
    Mono<Void> assign(DatabaseClient db, List<Assigned> all) {
        if (all.isEmpty()) {
            return Mono.empty();
        }
        var tenants = all.stream().map(a -> a.vector().tenant()).toArray(String[]::new);
        var users = all.stream().map(a -> a.vector().userId()).toArray(String[]::new);
        var models = all.stream().map(a -> a.model().id()).toArray(String[]::new);
        return db.sql(
                        "UPDATE user_vector v SET assigned_model = n.m FROM UNNEST($1::text[], $2::text[], $3::text[]) AS n(t, u, m) WHERE v.tenant_id = n.t AND v.user_id = n.u")
                .bind(0, tenants)
                .bind(1, users)
                .bind(2, models)
                .then()
                .then(
                        db.sql(
                                        """
                                        INSERT INTO user_cluster AS c
                                          (tenant_id, user_id, model_id, cluster, label, distance, as_of, revision)
                                        SELECT t, u, m, k, l, d, a, %s
                                        FROM UNNEST($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::float8[],
                                                    $7::timestamptz[]) AS n(t, u, m, k, l, d, a)
                                        ON CONFLICT (tenant_id, user_id) DO UPDATE
                                        SET model_id = excluded.model_id, cluster = excluded.cluster,
                                            label = excluded.label, distance = excluded.distance, as_of = excluded.as_of,
                                            revision = CASE WHEN c.model_id = excluded.model_id AND c.cluster = excluded.cluster
                                                THEN c.revision ELSE %s END
                                        """
                                                .formatted(
                                                        Publication.raised("0"),
                                                        Publication.raised("c.revision")))
                                .bind(0, tenants)
                                .bind(1, users)
                                .bind(2, models)
                                .bind(
                                        3,
                                        all.stream()
                                                .map(a -> a.place().cluster())
                                                .toArray(Integer[]::new))
                                .bind(
                                        4,
                                        all.stream()
                                                .map(a ->
                                                        a.model().labels().get(a.place().cluster()))
                                                .toArray(String[]::new))
                                .bind(
                                        5,
                                        all.stream()
                                                .map(a -> a.place().distance())
                                                .toArray(Double[]::new))
                                .bind(
                                        6,
                                        all.stream()
                                                .map(a -> a.vector().asOf().toString())
                                                .toArray(String[]::new))
                                .then());
    }

    private static UserVector vector(Readable row) {
        return new UserVector(
                Rows.text(row, "tenant_id"),
                Rows.text(row, "user_id"),
                Rows.value(row, "as_of", Instant.class),
                Json.mapper().readValue(Rows.text(row, "features"), FEATURES));
    }

    private static String[] texts(
            Collection<UserFeatures> all, Function<UserFeatures, String> part) {
        return all.stream().map(part).toArray(String[]::new);
    }
}
