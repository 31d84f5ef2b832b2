package io.mirante.etl.training;

import io.mirante.etl.features.FeatureCatalog;
import io.mirante.etl.features.FeatureQuery;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The log as training sees it: what users were like at a moment, and what they did next. Thread-safe. */
@Component
final class PastEvents {

    private static final int FETCH = 500;

    private static final String ROWS =
            """
            SELECT f.*, (a.person_no IS NULL)::int AS label
            FROM (%s) f
            LEFT JOIN (
                SELECT DISTINCT coalesce(m.user_no, e.person_no) AS person_no
                FROM analytics_event e LEFT JOIN person_merge m
                    ON m.tenant_id = $1 AND m.person_no = e.person_no AND m.state = 'merged' AND m.occurred_at < $4
                WHERE e.tenant_id = $1 AND (e.user_id IS NOT NULL OR m.user_no IS NOT NULL)
                    AND e.occurred_at >= $2 AND e.occurred_at < $4
            ) a USING (person_no)
            ORDER BY f.person_no\
            """
                    .formatted(FeatureQuery.sql("$1", "$2::timestamptz", "$3::text", null));

    private final TenantDatabase database;
    private final AsOf asOf;
    private final Tenants tenants;

    PastEvents(TenantDatabase database, AsOf asOf, Tenants tenants) {
        this.database = database;
        this.asOf = asOf;
        this.tenants = tenants;
    }

    /**
     * One user at one moment.
     *
     * @param features in the order of {@link FeatureCatalog#training}; null = absent
     * @param label 1 = no event within the horizon, else 0
     */
    record Row(String userId, @Nullable Double[] features, int label) {}

    /** Time of the tenant's newest event that is not in the future of the log; empty when there is none. */
    Mono<Instant> newest(String tenant) {
        return asOf.ofLog()
                .flatMap(until ->
                        database.one(
                                tenant,
                                db ->
                                        db.sql(
                                                        """
                                                        SELECT occurred_at FROM analytics_event
                                                        WHERE tenant_id = $1 AND occurred_at <= $2
                                                        ORDER BY occurred_at DESC LIMIT 1\
                                                        """)
                                                .bind(0, tenant)
                                                .bind(1, until)
                                                .map(row ->
                                                        Objects.requireNonNull(
                                                                row.get(0, Instant.class)))
                                                .one()));
    }

    /** Every user with an event before the moment, by person number; read as fast as they are taken. */
    Flux<Row> at(String tenant, Instant moment, Duration horizon) {
        return database.many(
                tenant,
                db ->
                        db.sql("SET LOCAL statement_timeout = '10min'")
                                .then()
                                .thenMany(
                                        db.sql(ROWS)
                                                .filter(statement -> statement.fetchSize(FETCH))
                                                .bind(0, tenant)
                                                .bind(1, moment)
                                                .bind(2, tenants.settings(tenant).currency())
                                                .bind(3, moment.plus(horizon))
                                                .map(PastEvents::row)
                                                .all()));
    }

    private static Row row(Readable row) {
        var features = FeatureCatalog.training();
        var values = new @Nullable Double[features.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = row.get(features.get(i).name(), Double.class);
        }
        return new Row(
                Objects.requireNonNull(row.get("user_id", String.class)),
                values,
                Objects.requireNonNull(row.get("label", Integer.class)));
    }
}
