package io.mirante.etl.runs;

import io.mirante.etl.EtlSettings;
import io.mirante.etl.quality.Thresholds;
import io.mirante.platform.tenants.Tenants;
import java.util.Map;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * From when checks pass for a tenant: the product's thresholds, then the installation's, then those of the tenant's settings, then
 * those that the tenant has set here. Thread-safe.
 */
@Component
final class QualityThresholdStore {

    private final EtlSettings settings;
    private final Tenants tenants;

    QualityThresholdStore(EtlSettings settings, Tenants tenants) {
        this.settings = settings;
        this.tenants = tenants;
    }

    /** Those in force. */
    Mono<Thresholds> inForce(DatabaseClient db, String tenant) {
        return own(db, tenant)
                .map(own ->
                        Thresholds.DEFAULT
                                .with(settings.quality())
                                .with(tenants.settings(tenant).qualityThresholds())
                                .with(own));
    }

    /** Those that the tenant has set here, by check. */
    Mono<Map<String, Double>> own(DatabaseClient db, String tenant) {
        return db.sql("SELECT check_name, value FROM quality_threshold WHERE tenant_id = $1")
                .bind(0, tenant)
                .map(row ->
                        Map.entry(
                                Objects.requireNonNull(row.get(0, String.class)),
                                Objects.requireNonNull(row.get(1, Double.class))))
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    /** Sets these alone. */
    Mono<Void> replace(DatabaseClient db, String tenant, Map<String, Double> thresholds) {
        return db.sql("DELETE FROM quality_threshold WHERE tenant_id = $1")
                .bind(0, tenant)
                .then()
                .then(
                        db.sql(
                                        """
                                        INSERT INTO quality_threshold (tenant_id, check_name, value)
                                        SELECT $1, * FROM UNNEST($2::text[], $3::float8[])\
                                        """)
                                .bind(0, tenant)
                                .bind(1, thresholds.keySet().toArray(String[]::new))
                                .bind(2, thresholds.values().toArray(Double[]::new))
                                .then());
    }
}
