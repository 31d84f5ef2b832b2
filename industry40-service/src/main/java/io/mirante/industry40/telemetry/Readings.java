package io.mirante.industry40.telemetry;

import io.mirante.platform.persistence.TenantDatabase;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Stored readings, read as one tenant. Thread-safe. */
@Component
public final class Readings {

    private final TenantDatabase tenants;

    Readings(TenantDatabase tenants) {
        this.tenants = tenants;
    }

    /** One value of a metric at an instant. */
    public record Sample(Instant at, double value) {}

    /** A metric's values from {@code start} (included) to {@code end} (not), oldest first. */
    public Mono<List<Sample>> between(
            String tenant, String device, String metric, Instant start, Instant end) {
        return tenants.many(
                        tenant,
                        db ->
                                db.sql(
                                                "SELECT read_at, value FROM telemetry_reading WHERE tenant_id = $1 AND"
                                                        + " device_id = $2 AND metric = $3 AND read_at >= $4 AND read_at"
                                                        + " < $5 ORDER BY read_at")
                                        .bind(0, tenant)
                                        .bind(1, device)
                                        .bind(2, metric)
                                        .bind(3, start)
                                        .bind(4, end)
                                        .map(row ->
                                                new Sample(
                                                        Objects.requireNonNull(
                                                                row.get(0, Instant.class)),
                                                        Objects.requireNonNull(
                                                                row.get(1, Double.class))))
                                        .all())
                .collectList();
    }
}
