package io.mirante.alert;

import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Which tenants have something to do; the work itself is then done as each tenant. Thread-safe. */
@Component
@CrossTenant("a schedule has no caller: it must find the tenants before it can act as one of them")
public final class TenantLists {

    private final StreamDatabase stream;

    TenantLists(StreamDatabase stream) {
        this.stream = stream;
    }

    /** Tenants with an active rule. */
    public Mono<List<String>> withActiveRules() {
        return tenants(
                stream.client().sql("SELECT DISTINCT tenant_id FROM rule WHERE active ORDER BY 1"));
    }

    /** Tenants with a delivery whose next attempt is due. */
    public Mono<List<String>> withDueDeliveries(Instant now) {
        return tenants(
                stream.client()
                        .sql(
                                "SELECT DISTINCT tenant_id FROM delivery WHERE status = 'pending' AND"
                                        + " next_attempt_at <= $1")
                        .bind(0, now));
    }

    /** Tenants with minutes, alerts or recipients that ended before a time. */
    public Mono<List<String>> withAged(Instant minutesBefore, Instant alertsBefore) {
        return tenants(
                stream.client()
                        .sql(
                                "SELECT tenant_id FROM metric_minute WHERE minute < $1 UNION SELECT tenant_id FROM"
                                        + " counted_run WHERE ended_at < $1 UNION SELECT tenant_id FROM"
                                        + " alert WHERE resolved_at < $2 UNION SELECT tenant_id FROM recipient WHERE"
                                        + " removed_at < $2")
                        .bind(0, minutesBefore)
                        .bind(1, alertsBefore));
    }

    private static Mono<List<String>> tenants(DatabaseClient.GenericExecuteSpec query) {
        return query.map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .all()
                .collectList();
    }
}
