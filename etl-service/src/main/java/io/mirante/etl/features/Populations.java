package io.mirante.etl.features;

import io.mirante.contracts.Json;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/** What users are compared with, as stored. */
public final class Populations {

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
                        SELECT version, body::text FROM feature_population WHERE tenant_id = $1
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

    /** Puts a new one in force: every user is compared again. Answers its version. */
    public static Mono<Long> add(
            String tenant, String executionId, Population population, DatabaseClient db) {
        return db.sql(
                        """
                        INSERT INTO feature_population (tenant_id, version, execution_id, body)
                        SELECT $1, coalesce(max(version), 0) + 1, $2, $3::jsonb FROM feature_population WHERE tenant_id = $1
                        RETURNING version\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .bind(2, Json.mapper().writeValueAsString(population))
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one()
                .flatMap(version ->
                        db.sql(
                                        """
                                        WITH locked AS MATERIALIZED (
                                            SELECT user_id FROM user_feature_state WHERE tenant_id = $1
                                            ORDER BY user_id COLLATE "C" FOR UPDATE
                                        )
                                        UPDATE user_feature_state s SET due_at = 'epoch', changes = s.changes + 1
                                        FROM locked l WHERE s.tenant_id = $1 AND s.user_id = l.user_id\
                                        """)
                                .bind(0, tenant)
                                .then()
                                .thenReturn(version));
    }
}
