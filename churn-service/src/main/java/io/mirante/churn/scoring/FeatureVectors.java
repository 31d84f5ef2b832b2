package io.mirante.churn.scoring;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.UserFeatures;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;

/** Each user's newest features, as their revision says. The given client decides which tenants are seen. */
@Component
public final class FeatureVectors {

    private static final TypeReference<Map<String, Double>> FEATURES = new TypeReference<>() {};

    /**
     * Keeps what is newer than what is there.
     *
     * @param sorted one per user, in the order of tenant and user
     * @return those that were newer
     */
    Flux<FeatureVector> keep(DatabaseClient db, Collection<UserFeatures> sorted) {
        return db.sql(
                        """
                        INSERT INTO feature_vector AS f (tenant_id, user_id, revision, version, as_of, features)
                        SELECT t, u, r, v, a, j::jsonb
                        FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::int[], $5::timestamptz[], $6::text[])
                             AS n(t, u, r, v, a, j)
                        ON CONFLICT (tenant_id, user_id) DO UPDATE
                        SET revision = excluded.revision, version = excluded.version, as_of = excluded.as_of,
                            features = excluded.features, scored_model = NULL
                        WHERE f.revision < excluded.revision
                        RETURNING tenant_id, user_id, as_of, features::text AS features
                        """)
                .bind(0, texts(sorted, UserFeatures::tenantId))
                .bind(1, texts(sorted, UserFeatures::userId))
                .bind(2, sorted.stream().map(UserFeatures::revision).toArray(Long[]::new))
                .bind(3, sorted.stream().map(UserFeatures::version).toArray(Integer[]::new))
                .bind(4, texts(sorted, u -> u.asOf().toString()))
                .bind(5, texts(sorted, u -> Json.mapper().writeValueAsString(u.features())))
                .map(FeatureVectors::vector)
                .all();
    }

    /** A user's features, or empty. */
    Mono<FeatureVector> find(DatabaseClient db, String tenant, String userId) {
        return db.sql(
                        "SELECT tenant_id, user_id, as_of, features::text AS features FROM feature_vector WHERE tenant_id = $1 AND user_id = $2")
                .bind(0, tenant)
                .bind(1, userId)
                .map(FeatureVectors::vector)
                .one();
    }

    /** Some vectors that stand under another model than this one, locked until the transaction ends. */
    Flux<FeatureVector> notScoredBy(DatabaseClient db, String tenant, String modelId, int limit) {
        return db.sql(
                        "SELECT tenant_id, user_id, as_of, features::text AS features FROM feature_vector WHERE tenant_id = $1 AND scored_model IS DISTINCT FROM $2 ORDER BY user_id LIMIT $3 FOR UPDATE")
                .bind(0, tenant)
                .bind(1, modelId)
                .bind(2, limit)
                .map(FeatureVectors::vector)
                .all();
    }

    /** Notes which model users were scored by. */
    Mono<Void> scoredBy(DatabaseClient db, List<FeatureVector> vectors, List<String> modelIds) {
        return db.sql(
                        "UPDATE feature_vector f SET scored_model = n.m FROM UNNEST($1::text[], $2::text[], $3::text[]) AS n(t, u, m) WHERE f.tenant_id = n.t AND f.user_id = n.u")
                .bind(0, vectors.stream().map(FeatureVector::tenant).toArray(String[]::new))
                .bind(1, vectors.stream().map(FeatureVector::userId).toArray(String[]::new))
                .bind(2, modelIds.toArray(String[]::new))
                .then();
    }

    /** From the first to the last event of the users whose features are known. */
    public record History(Instant first, Instant last) {}

    /**
     * The tenant's history, as the features tell it: {@code tenure_days} is the age of a user's first event, {@code
     * days_since_last_event} that of the last. Empty when no features are known.
     */
    public Mono<History> history(DatabaseClient db, String tenant) {
        return db.sql(
                        """
                        SELECT min(as_of - (features ->> 'tenure_days')::float8 * interval '1 day') AS first,
                               max(as_of - (features ->> 'days_since_last_event')::float8 * interval '1 day') AS last
                        FROM feature_vector WHERE tenant_id = $1
                        """)
                .bind(0, tenant)
                .map(row ->
                        java.util.Optional.ofNullable(row.get("first", Instant.class))
                                .flatMap(first ->
                                        java.util.Optional.ofNullable(
                                                        row.get("last", Instant.class))
                                                .map(last -> new History(first, last))))
                .one()
                .flatMap(Mono::justOrEmpty);
    }

    private static FeatureVector vector(Readable row) {
        return new FeatureVector(
                Objects.requireNonNull(row.get("tenant_id", String.class)),
                Objects.requireNonNull(row.get("user_id", String.class)),
                Objects.requireNonNull(row.get("as_of", Instant.class)),
                Json.mapper()
                        .readValue(
                                Objects.requireNonNull(row.get("features", String.class)),
                                FEATURES));
    }

    private static String[] texts(
            Collection<UserFeatures> all, java.util.function.Function<UserFeatures, String> part) {
        return all.stream().map(part).toArray(String[]::new);
    }
}
