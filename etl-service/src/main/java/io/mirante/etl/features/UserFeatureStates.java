package io.mirante.etl.features;

import io.mirante.contracts.Json;
import io.mirante.etl.EtlSettings;
import io.mirante.platform.tenants.Tenants;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;

/** Each user's current features: the only SQL for them besides {@link ChangedUsers}. Thread-safe. */
@Component
final class UserFeatureStates {

    private static final TypeReference<Map<String, Object>> VALUES = new TypeReference<>() {};

    private static final String COMPUTE =
            """
            SELECT d.user_id, d.changes, jsonb_strip_nulls(to_jsonb(f) - ARRAY['person_no', 'user_id'])::text,
                least((SELECT min(e.occurred_at) FROM analytics_event e
                       WHERE e.tenant_id = $1 AND e.person_no = d.person_no AND e.occurred_at >= $2),
                      (SELECT min(e.occurred_at) FROM person_merge m JOIN analytics_event e
                           ON e.tenant_id = $1 AND e.person_no = m.person_no AND e.occurred_at >= $2
                       WHERE m.tenant_id = $1 AND m.user_no = d.person_no AND m.state = 'merged'))
            FROM UNNEST($4::text[], $5::bigint[], $6::bigint[]) AS d(user_id, person_no, changes)
            LEFT JOIN (%s) f USING (person_no)\
            """
                    .formatted(
                            FeatureQuery.sql("$1", "$2::timestamptz", "$3::text", "$5::bigint[]"));

    private final EtlSettings settings;
    private final Tenants tenants;

    UserFeatureStates(EtlSettings settings, Tenants tenants) {
        this.settings = settings;
        this.tenants = tenants;
    }

    /**
     * A user's features as stored.
     *
     * @param population version of what the user was compared with; null = with nobody yet
     * @param features by name, number or text; one that is absent has no entry
     */
    record State(
            String userId,
            Instant asOf,
            int version,
            @Nullable Long population,
            Map<String, Object> features) {}

    /** Which users are computed together: one with very many events would keep the others waiting. */
    enum Lane {
        /** Most users; many at once. */
        LIGHT("events <= 5000", 2_000),

        /** Few at once, since each takes as long as hundreds of the others. */
        HEAVY("events > 5000", 10);

        private final String condition;
        private final int batch;

        Lane(String condition, int batch) {
            this.condition = condition;
            this.batch = batch;
        }

        /** Of {@code user_feature_state}. */
        String condition() {
            return condition;
        }

        /** Users computed at once. */
        int batch() {
            return batch;
        }
    }

    private record Due(String userId, long personNo, long changes) {}

    private record Computed(
            String userId,
            long changes,
            @Nullable String features,
            @Nullable Instant nextEventAt) {}

    /** The user's features; empty when the user is unknown or new. */
    Mono<State> find(String tenant, String userId, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT user_id, as_of, version, population, features::text FROM user_feature_state
                        WHERE tenant_id = $1 AND user_id = $2 AND features IS NOT NULL\
                        """)
                .bind(0, tenant)
                .bind(1, userId)
                .map(row ->
                        new State(
                                text(row, 0),
                                Objects.requireNonNull(row.get(1, Instant.class)),
                                Objects.requireNonNull(row.get(2, Integer.class)),
                                row.get(3, Long.class),
                                values(text(row, 4))))
                .one();
    }

    static Map<String, Object> values(String json) {
        return Json.mapper().readValue(json, VALUES);
    }

    private static String json(String computed, Population population) {
        var features = values(computed);
        features.replaceAll(
                (name, value) -> value instanceof Number number ? number.doubleValue() : value);
        DerivedFeatures.add(features, population);
        return Json.mapper().writeValueAsString(features);
    }

    /**
     * Computes a batch of due users of a tenant again, as of a moment; answers how many. Another replica that is at the
     * same users leaves nothing to do here. A user is computed at most once in each second of as_of.
     *
     * <p>The rows are locked only while results are written, in the order in which polls lock them. A user marked while
     * computing stays due.
     */
    Mono<Integer> recompute(String tenant, Instant asOf, Lane lane, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT pg_try_advisory_xact_lock(hashtextextended('etl.features ' || $2 || ' ' || $1, 0)),
                            set_config('work_mem', '32MB', true), set_config('max_parallel_workers_per_gather', '0', true)\
                        """)
                .bind(0, tenant)
                .bind(1, lane.name())
                .map(row -> Boolean.TRUE.equals(row.get(0, Boolean.class)))
                .one()
                .flatMap(ours -> ours ? due(tenant, asOf, lane, db) : Mono.just(List.<Due>of()))
                .flatMap(due ->
                        due.isEmpty()
                                ? Mono.just(0)
                                : Populations.newest(tenant, db)
                                        .map(Optional::of)
                                        .defaultIfEmpty(Optional.empty())
                                        .flatMap(population ->
                                                compute(tenant, asOf, due, db)
                                                        .flatMap(computed ->
                                                                write(
                                                                        tenant,
                                                                        asOf,
                                                                        population.orElse(null),
                                                                        computed,
                                                                        db)))
                                        .thenReturn(due.size()));
    }

    private static Mono<List<Due>> due(String tenant, Instant asOf, Lane lane, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT user_id, person_no, changes FROM user_feature_state
                        WHERE tenant_id = $1 AND due_at < $2 AND %s
                            AND (as_of IS NULL OR date_trunc('second', as_of) < date_trunc('second', $2::timestamptz))
                        ORDER BY due_at LIMIT $3\
                        """
                                .formatted(lane.condition()))
                .bind(0, tenant)
                .bind(1, asOf)
                .bind(2, lane.batch())
                .map(row ->
                        new Due(
                                text(row, 0),
                                Objects.requireNonNull(row.get(1, Long.class)),
                                Objects.requireNonNull(row.get(2, Long.class))))
                .all()
                .collectList();
    }

    private Mono<List<Computed>> compute(
            String tenant, Instant asOf, List<Due> due, DatabaseClient db) {
        return db.sql(COMPUTE)
                .bind(0, tenant)
                .bind(1, asOf)
                .bind(2, tenants.settings(tenant).currency())
                .bind(3, due.stream().map(Due::userId).toArray(String[]::new))
                .bind(4, due.stream().map(Due::personNo).toArray(Long[]::new))
                .bind(5, due.stream().map(Due::changes).toArray(Long[]::new))
                .map(row ->
                        new Computed(
                                text(row, 0),
                                Objects.requireNonNull(row.get(1, Long.class)),
                                row.get(2, String.class),
                                row.get(3, Instant.class)))
                .all()
                .collectList();
    }

    private Mono<Void> write(
            String tenant,
            Instant asOf,
            Populations.@Nullable Versioned population,
            List<Computed> computed,
            DatabaseClient db) {
        var refreshAt = asOf.plus(settings.refresh());
        var spec =
                db.sql(
                                """
                                WITH locked AS MATERIALIZED (
                                    SELECT user_id FROM user_feature_state WHERE tenant_id = $1 AND user_id = ANY($4)
                                    ORDER BY user_id COLLATE "C" FOR UPDATE
                                )
                                UPDATE user_feature_state s SET
                                    features = coalesce(c.features::jsonb, s.features),
                                    as_of = CASE WHEN c.features IS NULL AND s.features IS NOT NULL THEN s.as_of ELSE $2 END,
                                    computed_at = clock_timestamp(),
                                    events = coalesce((c.features::jsonb ->> 'events_total')::float8, s.events),
                                    version = CASE WHEN c.features IS NULL AND s.features IS NOT NULL THEN s.version ELSE $3 END,
                                    population = CASE WHEN c.features IS NULL THEN s.population ELSE $8 END,
                                    revision = s.revision + CASE WHEN c.features IS NULL THEN 0 ELSE 1 END,
                                    due_at = CASE WHEN s.changes = c.changes THEN c.due_at ELSE s.due_at END
                                FROM locked l JOIN UNNEST($4::text[], $5::bigint[], $6::text[], $7::timestamptz[])
                                    AS c(user_id, changes, features, due_at) USING (user_id)
                                WHERE s.tenant_id = $1 AND s.user_id = c.user_id AND (s.as_of IS NULL OR s.as_of < $2)\
                                """)
                        .bind(0, tenant)
                        .bind(1, asOf)
                        .bind(2, FeatureCatalog.VERSION)
                        .bind(3, computed.stream().map(Computed::userId).toArray(String[]::new))
                        .bind(4, computed.stream().map(Computed::changes).toArray(Long[]::new))
                        .bind(
                                5,
                                computed.stream()
                                        .map(c -> compared(c.features(), population))
                                        .toArray(String[]::new))
                        .bind(
                                6,
                                computed.stream()
                                        .map(c -> dueAgain(c.nextEventAt(), refreshAt))
                                        .toArray(Instant[]::new));
        return (population == null
                        ? spec.bindNull(7, Long.class)
                        : spec.bind(7, population.version()))
                .then();
    }

    private static @Nullable String compared(
            @Nullable String features, Populations.@Nullable Versioned population) {
        return features == null || population == null
                ? features
                : json(features, population.population());
    }

    private static Instant dueAgain(@Nullable Instant nextEventAt, Instant refreshAt) {
        return nextEventAt != null && nextEventAt.isBefore(refreshAt) ? nextEventAt : refreshAt;
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
