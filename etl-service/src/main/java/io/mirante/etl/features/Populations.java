package io.mirante.etl.features;

import io.mirante.contracts.Json;
import io.mirante.platform.persistence.TenantDatabase;
import java.time.Duration;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/** What users are compared with, as stored. */
public final class Populations {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private Populations() {}

    /**
     * One of a tenant's.
     *
     * @param version from 1, rising
     */
    record Versioned(long version, Population population) {}

    /** The one in force; empty before the first batch run over the event log. */
    static Mono<Versioned> newest(String tenant, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT version, body::text FROM feature_population WHERE tenant_id = $1 AND NOT withdrawn
                        ORDER BY version DESC LIMIT 1\
                        """)
                .bind(0, tenant)
                .map(row ->
                        new Versioned(
                                Objects.requireNonNull(row.get(0, Long.class)),
                                Json.mapper()
                                        .readValue(
                                                Objects.requireNonNull(row.get(1, String.class)),
                                                Population.class)))
                .one();
    }

    /** What users are compared with now; empty before the first batch run over the event log. */
    public static Mono<Population> inForce(String tenant, DatabaseClient db) {
        return newest(tenant, db).map(Versioned::population);
    }

    /**
     * Puts a new one in force; empty when one of a later moment is. {@link #compareAgain} has users compared with it.
     *
     * @return its version
     */
    public static Mono<Long> add(
            String tenant, String executionId, Population population, DatabaseClient db) {
        return db.sql(
                        """
                        INSERT INTO feature_population (tenant_id, version, execution_id, body)
                        SELECT $1, coalesce(max(version), 0) + 1, $2, $3::jsonb FROM feature_population WHERE tenant_id = $1
                        HAVING coalesce(max((body ->> 'as_of')::timestamptz) FILTER (WHERE NOT withdrawn) <= $4, true)
                        RETURNING version\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .bind(2, Json.mapper().writeValueAsString(population))
                .bind(3, population.asOf())
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one();
    }

    /** Has users computed again who are compared with another one than that in force; may be done again. Blocks. */
    public static void compareAgain(TenantDatabase database, String tenant) {
        Long marked;
        do {
            marked = database.one(tenant, db -> markOutdated(tenant, db)).block(LIMIT);
        } while (marked != null && marked > 0);
    }

    /** Some of them; answers how many. Rows that the log holds at the moment are passed by: they are computed again anyway. */
    private static Mono<Long> markOutdated(String tenant, DatabaseClient db) {
        return db.sql(
                        """
                        WITH newest AS (SELECT max(version) AS no FROM feature_population WHERE tenant_id = $1 AND NOT withdrawn),
                        outdated AS MATERIALIZED (
                            SELECT user_id FROM user_feature_state, newest
                            WHERE tenant_id = $1 AND population IS DISTINCT FROM newest.no AND due_at > 'epoch'
                            LIMIT 5000 FOR UPDATE OF user_feature_state SKIP LOCKED
                        )
                        UPDATE user_feature_state s SET due_at = 'epoch', changes = s.changes + 1
                        FROM outdated o WHERE s.tenant_id = $1 AND s.user_id = o.user_id\
                        """)
                .bind(0, tenant)
                .fetch()
                .rowsUpdated();
    }
}
