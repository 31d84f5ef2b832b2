package io.mirante.etl.features;

import io.mirante.contracts.Json;
import io.mirante.etl.EtlSettings;
import io.mirante.platform.messaging.Publication;
import io.mirante.platform.tenants.Tenants;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import tools.jackson.core.type.TypeReference;

/** Each user's current features: the only SQL for them besides {@link ChangedUsers}. Thread-safe. */
@Component
final class UserFeatureStates {

    private static final TypeReference<Map<String, Object>> VALUES = new TypeReference<>() {};

    /** Users whose features are asked for, as parameters 3 to 5. */
    private static final String OF_DUE =
            "FROM UNNEST($3::text[], $4::bigint[], $5::bigint[]) AS d(user_id, person_no, changes)";

    private static final String COMPUTE =
            """
            SELECT d.user_id, d.changes, (to_jsonb(f) - ARRAY['person_no', 'user_id'])::text,
                least((SELECT min(e.occurred_at) FROM analytics_event e
                       WHERE e.tenant_id = $1 AND e.person_no = d.person_no AND e.occurred_at >= $2),
                      (SELECT min(e.occurred_at) FROM person_merge m JOIN analytics_event e
                           ON e.tenant_id = $1 AND e.person_no = m.person_no AND e.occurred_at >= $2
                       WHERE m.tenant_id = $1 AND m.user_no = d.person_no AND m.state = 'merged'))
            %s LEFT JOIN (%s) f USING (person_no)\
            """
                    .formatted(
                            OF_DUE,
                            FeatureQuery.sql("$1", "$2::timestamptz", "$6::text", "$4::bigint[]"));

    /** More events of one user than this are not read into memory. */
    private static final int MOST_FACTS = 20_000;

    /** Reads the index of a person's events alone. Events that are not before as_of are among them. */
    private static final String FACTS =
            """
            SELECT d.user_id, d.changes, f.events, f.facts %s
            CROSS JOIN LATERAL (
                SELECT count(*) AS events, CASE WHEN count(*) <= %d
                    THEN string_agg(encode(timestamptz_send(e.occurred_at), 'hex') || e.fact, chr(30)) END AS facts
                FROM (SELECT d.person_no, '-infinity'::timestamptz AS since
                      UNION ALL
                      SELECT m.person_no, m.occurred_at FROM person_merge m
                      WHERE m.tenant_id = $1 AND m.user_no = d.person_no AND m.state = 'merged') w
                JOIN analytics_event e ON e.tenant_id = $1 AND e.person_no = w.person_no
                    AND (w.since < $2 OR e.occurred_at >= $2)) f\
            """
                    .formatted(OF_DUE, MOST_FACTS);

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
        /** Most users; many at once, each folded from the facts of their events. */
        LIGHT("events <= 5000", 2_000),

        /** Few at once, since each takes as long as hundreds of the others; computed by PostgreSQL, which need not hold their events. */
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

    /** Until a user who could not be computed is tried again. */
    private static final Duration STEP_BACK = Duration.ofMinutes(10);

    private record Due(String userId, long personNo, long changes) {}

    /**
     * A user computed.
     *
     * @param features own ones, by name, Double or String; null = there is no event to compute from
     * @param events so many were counted; null = as before
     * @param nextEventAt when an event's time comes that is not counted yet; null = none is known
     */
    private record Computed(
            String userId,
            long changes,
            @Nullable Map<String, Object> features,
            @Nullable Long events,
            @Nullable Instant nextEventAt) {}

    private static final String STATE =
            """
            SELECT user_id, as_of, version, population, features::text
            FROM user_feature_state JOIN user_feature_values USING (tenant_id, user_id) WHERE tenant_id = $1\
            """;

    /** The user's features; empty when the user is unknown or new. */
    Mono<State> find(String tenant, String userId, DatabaseClient db) {
        return db.sql(STATE + " AND user_id = $2")
                .bind(0, tenant)
                .bind(1, userId)
                .map(UserFeatureStates::state)
                .one();
    }

    /** Features of users in the order of their ids. */
    Flux<State> list(String tenant, @Nullable String after, int limit, DatabaseClient db) {
        return db.sql(STATE + " AND user_id > $2 ORDER BY user_id LIMIT $3")
                .bind(0, tenant)
                .bind(1, after == null ? "" : after)
                .bind(2, limit)
                .map(UserFeatureStates::state)
                .all();
    }

    private static State state(Readable row) {
        return new State(
                text(row, 0),
                Objects.requireNonNull(row.get(1, Instant.class)),
                Objects.requireNonNull(row.get(2, Integer.class)),
                row.get(3, Long.class),
                values(text(row, 4)));
    }

    static Map<String, Object> values(String json) {
        return Json.mapper().readValue(json, VALUES);
    }

    /**
     * Computes at most so many due users of a tenant again, as of a moment; answers how many. Another replica that is at the
     * same users leaves nothing to do here. A user is computed at most once in each second of as_of.
     *
     * <p>The rows are locked only while results are written, in the order in which polls lock them. A user marked while
     * computing stays due.
     */
    Mono<Integer> recompute(String tenant, Instant asOf, Lane lane, int most, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT pg_try_advisory_xact_lock(hashtextextended('etl.features ' || $2 || ' ' || $1, 0)),
                            set_config('work_mem', '32MB', true), set_config('max_parallel_workers_per_gather', '0', true)\
                        """)
                .bind(0, tenant)
                .bind(1, lane.name())
                .map(row -> Boolean.TRUE.equals(row.get(0, Boolean.class)))
                .one()
                .flatMap(ours ->
                        ours ? due(tenant, asOf, lane, most, db) : Mono.just(List.<Due>of()))
                .flatMap(due ->
                        due.isEmpty()
                                ? Mono.just(0)
                                : Populations.newest(tenant, db)
                                        .map(Optional::of)
                                        .defaultIfEmpty(Optional.empty())
                                        .flatMap(population ->
                                                compute(tenant, asOf, lane, due, db)
                                                        .flatMap(computed ->
                                                                write(
                                                                        tenant,
                                                                        asOf,
                                                                        population.orElse(null),
                                                                        computed,
                                                                        db)))
                                        .thenReturn(due.size()));
    }

    /**
     * Has the user who is due first wait, who could not be computed; answers their number. Events that arrive meanwhile do not
     * make it sooner.
     */
    Mono<Long> setAside(String tenant, Instant asOf, Lane lane, DatabaseClient db) {
        return due(tenant, asOf, lane, 1, db)
                .flatMapIterable(due -> due)
                .next()
                .flatMap(due ->
                        db.sql(
                                        "UPDATE user_feature_state SET retry_at = $3 WHERE tenant_id = $1 AND user_id = $2")
                                .bind(0, tenant)
                                .bind(1, due.userId())
                                .bind(2, asOf.plus(STEP_BACK))
                                .then()
                                .thenReturn(due.personNo()));
    }

    private static Mono<List<Due>> due(
            String tenant, Instant asOf, Lane lane, int most, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT user_id, person_no, changes FROM user_feature_state
                        WHERE tenant_id = $1 AND due_at < $2 AND %s AND (retry_at IS NULL OR retry_at < $2)
                            AND (as_of IS NULL OR date_trunc('second', as_of) < date_trunc('second', $2::timestamptz))
                        ORDER BY due_at, user_id LIMIT $3\
                        """
                                .formatted(lane.condition()))
                .bind(0, tenant)
                .bind(1, asOf)
                .bind(2, most)
                .map(row ->
                        new Due(
                                text(row, 0),
                                Objects.requireNonNull(row.get(1, Long.class)),
                                Objects.requireNonNull(row.get(2, Long.class))))
                .all()
                .collectList();
    }

    private Mono<List<Computed>> compute(
            String tenant, Instant asOf, Lane lane, List<Due> due, DatabaseClient db) {
        var currency = tenants.settings(tenant).currency();
        var query =
                db.sql(lane == Lane.LIGHT ? FACTS : COMPUTE)
                        .bind(0, tenant)
                        .bind(1, asOf)
                        .bind(2, due.stream().map(Due::userId).toArray(String[]::new))
                        .bind(3, due.stream().map(Due::personNo).toArray(Long[]::new))
                        .bind(4, due.stream().map(Due::changes).toArray(Long[]::new));
        return lane == Lane.LIGHT
                ? query.map(UserFeatureStates::facts)
                        .all()
                        .collectList()
                        // Folding many users is not for the thread that other transactions wait
                        // for.
                        .publishOn(Schedulers.boundedElastic())
                        .map(all -> all.stream().map(one -> folded(one, asOf, currency)).toList())
                : query.bind(5, currency).map(UserFeatureStates::aggregated).all().collectList();
    }

    private static Computed aggregated(Readable row) {
        var json = row.get(2, String.class);
        if (json == null) {
            return new Computed(text(row, 0), changes(row), null, null, row.get(3, Instant.class));
        }
        var features = values(json);
        features.values().removeIf(Objects::isNull);
        features.replaceAll(
                (name, value) -> value instanceof Number number ? number.doubleValue() : value);
        long events = ((Number) Objects.requireNonNull(features.get("events_total"))).longValue();
        return new Computed(
                text(row, 0), changes(row), features, events, row.get(3, Instant.class));
    }

    /**
     * What the log holds of a user.
     *
     * @param facts those of all events; empty also when there are more than {@link #MOST_FACTS}
     */
    private record Facts(String userId, long changes, long events, String facts) {}

    private static Facts facts(Readable row) {
        return new Facts(
                text(row, 0),
                changes(row),
                Objects.requireNonNull(row.get(2, Long.class)),
                Objects.requireNonNullElse(row.get(3, String.class), ""));
    }

    private static Computed folded(Facts user, Instant asOf, String currency) {
        if (user.events() > MOST_FACTS) {
            // Stays due, and belongs to the other lane from now on.
            return new Computed(user.userId(), user.changes(), null, user.events(), Instant.EPOCH);
        }
        long moment = ChronoUnit.MICROS.between(Instant.EPOCH, asOf);
        var before = new ArrayList<Fact>((int) user.events());
        boolean known = false;
        long next = Long.MAX_VALUE;
        for (var reader = new Fact.Reader(user.facts()); reader.hasNext(); ) {
            var fact = reader.next();
            if (fact.at() < moment) {
                before.add(fact);
                known |= fact.known();
            } else {
                next = Math.min(next, fact.at());
            }
        }
        return new Computed(
                user.userId(),
                user.changes(),
                known ? OwnFeatures.of(before, moment, currency) : null,
                known ? (long) before.size() : null,
                next == Long.MAX_VALUE ? null : Instant.EPOCH.plus(next, ChronoUnit.MICROS));
    }

    private static long changes(Readable row) {
        return Objects.requireNonNull(row.get(1, Long.class));
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
                                ), written AS (
                                    UPDATE user_feature_state s SET
                                        as_of = CASE WHEN c.features IS NULL AND s.revision > 0 THEN s.as_of ELSE $2 END,
                                        computed_at = clock_timestamp(),
                                        events = coalesce(c.events, s.events),
                                        retry_at = NULL,
                                        version = CASE WHEN c.features IS NULL AND s.revision > 0 THEN s.version ELSE $3 END,
                                        population = CASE WHEN c.features IS NULL THEN s.population ELSE $8 END,
                                        revision = CASE WHEN c.features IS NULL THEN s.revision ELSE %s END,
                                        due_at = CASE WHEN s.changes = c.changes THEN c.due_at ELSE s.due_at END
                                    FROM locked l JOIN UNNEST($4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $9::bigint[])
                                        AS c(user_id, changes, features, due_at, events) USING (user_id)
                                    WHERE s.tenant_id = $1 AND s.user_id = c.user_id AND (s.as_of IS NULL OR s.as_of < $2)
                                    RETURNING s.user_id, c.features
                                )
                                INSERT INTO user_feature_values (tenant_id, user_id, features)
                                SELECT $1, user_id, features::json FROM written WHERE features IS NOT NULL
                                ON CONFLICT (tenant_id, user_id) DO UPDATE SET features = excluded.features\
                                """
                                        .formatted(Publication.raised("s.revision")))
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
                                        .toArray(Instant[]::new))
                        .bind(8, computed.stream().map(Computed::events).toArray(Long[]::new));
        return (population == null
                        ? spec.bindNull(7, Long.class)
                        : spec.bind(7, population.version()))
                .then();
    }

    private static @Nullable String compared(
            @Nullable Map<String, Object> features, Populations.@Nullable Versioned population) {
        if (features == null) {
            return null;
        }
        if (population != null) {
            DerivedFeatures.add(features, population.population());
        }
        return Json.mapper().writeValueAsString(features);
    }

    private static Instant dueAgain(@Nullable Instant nextEventAt, Instant refreshAt) {
        return nextEventAt != null && nextEventAt.isBefore(refreshAt) ? nextEventAt : refreshAt;
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
