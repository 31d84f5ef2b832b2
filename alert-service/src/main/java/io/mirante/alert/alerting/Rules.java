package io.mirante.alert.alerting;

import io.r2dbc.spi.Readable;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** A tenant's rules; every call runs in the caller's transaction. Thread-safe. */
@Component
final class Rules {

    private static final String COLUMNS =
            "rule_id, type, org_unit, channel, priority, metric, threshold, window_seconds, operator, hold_seconds,"
                    + " active, created_at, updated_at";

    Mono<Long> count(DatabaseClient db) {
        return db.sql("SELECT count(*) FROM rule")
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one();
    }

    Mono<Void> insert(String tenant, Rule rule, DatabaseClient db) {
        return db.sql(
                        "INSERT INTO rule ("
                                + COLUMNS
                                + ", tenant_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
                .bindValues(values(rule))
                .bind(13, tenant)
                .then();
    }

    Mono<Void> update(Rule rule, DatabaseClient db) {
        return db.sql(
                        "UPDATE rule SET type = $2, org_unit = $3, channel = $4, priority = $5, metric = $6, threshold ="
                                + " $7, window_seconds = $8, operator = $9, hold_seconds = $10, active = $11,"
                                + " created_at = $12, updated_at = $13 WHERE rule_id = $1")
                .bindValues(values(rule))
                .then();
    }

    Mono<Void> delete(String id, DatabaseClient db) {
        return db.sql("DELETE FROM rule WHERE rule_id = $1").bind(0, id).then();
    }

    /** Empty when there is none of this tenant's. */
    Mono<Rule> find(String id, DatabaseClient db) {
        return db.sql("SELECT " + COLUMNS + " FROM rule WHERE rule_id = $1")
                .bind(0, id)
                .map(Rules::read)
                .one();
    }

    /**
     * Newest first.
     *
     * @param after id of the last one seen; empty = from the newest
     */
    Mono<List<Rule>> list(String after, int limit, DatabaseClient db) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM rule WHERE ($1 = '' OR rule_id < $1) ORDER BY rule_id DESC LIMIT $2")
                .bind(0, after)
                .bind(1, limit)
                .map(Rules::read)
                .all()
                .collectList();
    }

    Mono<List<Rule>> active(String tenant, DatabaseClient db) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM rule WHERE tenant_id = $1 AND active ORDER BY rule_id")
                .bind(0, tenant)
                .map(Rules::read)
                .all()
                .collectList();
    }

    private static List<Object> values(Rule rule) {
        var threshold = rule.threshold();
        return List.of(
                rule.id(),
                rule.type(),
                rule.orgUnit(),
                rule.channel(),
                rule.priority(),
                threshold.metric(),
                threshold.value(),
                threshold.window().toSeconds(),
                threshold.operator().text(),
                threshold.hold().toSeconds(),
                rule.active(),
                rule.createdAt(),
                rule.updatedAt());
    }

    private static Rule read(Readable row) {
        return new Rule(
                get(row, 0, String.class),
                get(row, 1, String.class),
                get(row, 2, String.class),
                get(row, 3, String.class),
                get(row, 4, String.class),
                new Threshold(
                        get(row, 5, String.class),
                        get(row, 6, BigDecimal.class),
                        Duration.ofSeconds(get(row, 7, Long.class)),
                        Operator.of(get(row, 8, String.class)).orElseThrow(),
                        Duration.ofSeconds(get(row, 9, Long.class))),
                get(row, 10, Boolean.class),
                get(row, 11, Instant.class),
                get(row, 12, Instant.class));
    }

    private static <T> T get(Readable row, int column, Class<T> type) {
        return Objects.requireNonNull(row.get(column, type));
    }
}
