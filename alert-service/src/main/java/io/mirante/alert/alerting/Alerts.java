package io.mirante.alert.alerting;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Publication;
import io.r2dbc.spi.Readable;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** A tenant's alerts; every call runs in the caller's transaction. Thread-safe. */
@Component
final class Alerts {

    private static final String COLUMNS =
            "alert_id, rule_id, type, metric, state, value, threshold, started_at, fired_at, resolved_at,"
                    + " acknowledged_at, acknowledged_by, revision";

    /**
     * Waits until nobody else moves the tenant's alerts; holds until the transaction ends. Changes to rules take it too,
     * so that an evaluation never acts on half of one.
     */
    Mono<Void> lock(String tenant, DatabaseClient db) {
        return db.sql("SELECT pg_advisory_xact_lock(hashtextextended('alert-moves:' || $1, 0))")
                .bind(0, tenant)
                .then();
    }

    /** The same without waiting; false = another replica is at it. */
    Mono<Boolean> tryLock(String tenant, DatabaseClient db) {
        return db.sql("SELECT pg_try_advisory_xact_lock(hashtextextended('alert-moves:' || $1, 0))")
                .bind(0, tenant)
                .map(row -> get(row, 0, Boolean.class))
                .one();
    }

    Mono<Void> insert(String tenant, Alert alert, DatabaseClient db) {
        var spec =
                db.sql(
                                "INSERT INTO alert (tenant_id, alert_id, rule_id, type, metric, state, value, threshold,"
                                        + " started_at, revision, fired_at, resolved_at) VALUES ($1, $2, $3, $4, $5, $6,"
                                        + " $7, $8, $9, $10, $11, $12)")
                        .bind(0, tenant)
                        .bind(1, alert.id())
                        .bind(2, alert.ruleId())
                        .bind(3, alert.type())
                        .bind(4, alert.metric())
                        .bind(5, alert.state().name())
                        .bind(6, alert.value())
                        .bind(7, alert.threshold())
                        .bind(8, alert.state().startedAt())
                        .bind(9, alert.revision());
        return times(spec, 10, alert.state()).then();
    }

    /** Writes the state, value, threshold and revision. */
    Mono<Void> update(Alert alert, DatabaseClient db) {
        var spec =
                db.sql(
                                "UPDATE alert SET state = $2, value = $3, threshold = $4, revision = $5, fired_at = $6,"
                                        + " resolved_at = $7 WHERE alert_id = $1")
                        .bind(0, alert.id())
                        .bind(1, alert.state().name())
                        .bind(2, alert.value())
                        .bind(3, alert.threshold())
                        .bind(4, alert.revision());
        return times(spec, 5, alert.state()).then();
    }

    Mono<Void> acknowledge(Alert alert, Instant at, String by, DatabaseClient db) {
        return db.sql(
                        "UPDATE alert SET acknowledged_at = $2, acknowledged_by = $3 WHERE alert_id = $1")
                .bind(0, alert.id())
                .bind(1, at)
                .bind(2, by)
                .then();
    }

    /** Empty when there is none of this tenant's. */
    Mono<Alert> find(String id, DatabaseClient db) {
        return db.sql("SELECT " + COLUMNS + " FROM alert WHERE alert_id = $1")
                .bind(0, id)
                .map(Alerts::read)
                .one();
    }

    /** Alerts of rules that are not resolved, by rule. */
    Mono<Map<String, Alert>> open(String tenant, DatabaseClient db) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM alert WHERE tenant_id = $1 AND state <> 'resolved' AND rule_id <> 'manual'")
                .bind(0, tenant)
                .map(Alerts::read)
                .all()
                .collectMap(Alert::ruleId);
    }

    /**
     * Newest first.
     *
     * @param state empty = all
     * @param after id of the last one seen; empty = from the newest
     */
    Mono<List<Alert>> list(String state, String after, int limit, DatabaseClient db) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM alert WHERE ($1 = '' OR state = $1) AND ($2 = '' OR alert_id < $2) ORDER BY"
                                + " alert_id DESC LIMIT $3")
                .bind(0, state)
                .bind(1, after)
                .bind(2, limit)
                .map(Alerts::read)
                .all()
                .collectList();
    }

    /** Deletes published alerts that were over before a time. */
    Mono<Long> deleteResolvedBefore(Instant time, DatabaseClient db) {
        return db.sql("DELETE FROM alert WHERE resolved_at < $1 AND revision = published_revision")
                .bind(0, time)
                .fetch()
                .rowsUpdated();
    }

    private static DatabaseClient.GenericExecuteSpec times(
            DatabaseClient.GenericExecuteSpec spec, int index, AlertState state) {
        return bind(bind(spec, index, state.firing()), index + 1, state.over());
    }

    private static DatabaseClient.GenericExecuteSpec bind(
            DatabaseClient.GenericExecuteSpec spec, int index, @Nullable Instant time) {
        return time == null ? spec.bindNull(index, Instant.class) : spec.bind(index, time);
    }

    private static Alert read(Readable row) {
        return new Alert(
                get(row, 0, String.class),
                get(row, 1, String.class),
                get(row, 2, String.class),
                get(row, 3, String.class),
                AlertState.of(
                        get(row, 4, String.class),
                        get(row, 7, Instant.class),
                        row.get(8, Instant.class),
                        row.get(9, Instant.class)),
                get(row, 5, BigDecimal.class),
                get(row, 6, BigDecimal.class),
                row.get(10, Instant.class),
                row.get(11, String.class),
                get(row, 12, Long.class));
    }

    private static <T> T get(Readable row, int column, Class<T> type) {
        return Objects.requireNonNull(row.get(column, type));
    }

    /** How alerts are published. */
    @Configuration(proxyBeanMethods = false)
    static class Publishing {

        @Bean
        Publication alertPublication() {
            return new Publication(
                    "alert",
                    List.of("tenant_id", "alert_id"),
                    "SELECT "
                            + COLUMNS
                            + ", tenant_id FROM alert WHERE revision > published_revision ORDER BY tenant_id, alert_id"
                            + " LIMIT 1000",
                    Publishing::outgoing,
                    Publication.Retelling.NEVER);
        }

        private static Outgoing outgoing(Readable row) {
            var tenant = Objects.requireNonNull(row.get("tenant_id", String.class));
            var changed = read(row).message(tenant);
            var revision = Long.toString(changed.revision());
            return new Outgoing(
                    Topics.ALERTS.name(),
                    null,
                    Keys.of(tenant, changed.alertId()),
                    Json.mapper().writeValueAsBytes(changed),
                    Map.of(
                            CloudHeaders.SPEC_VERSION,
                            "1.0",
                            CloudHeaders.ID,
                            changed.alertId() + "/" + revision,
                            CloudHeaders.TYPE,
                            "alert_changed",
                            CloudHeaders.SOURCE,
                            "/alert-service",
                            CloudHeaders.TIME,
                            changeTime(changed).toString(),
                            CloudHeaders.SUBJECT,
                            changed.alertId(),
                            CloudHeaders.TENANT,
                            tenant,
                            CloudHeaders.REVISION,
                            revision));
        }

        private static Instant changeTime(io.mirante.contracts.alert.AlertChanged changed) {
            if (changed.resolvedAt() != null) {
                return changed.resolvedAt();
            }
            return changed.firedAt() != null ? changed.firedAt() : changed.startedAt();
        }
    }
}
