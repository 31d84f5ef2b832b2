package io.mirante.gateway.keys;

import io.mirante.gateway.Rows;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/** A tenant's keys as its administrators see them; each call in a transaction of that tenant's. Thread-safe. */
final class KeyStore {

    private static final String COLUMNS =
            "key_id, tenant_id, name, scopes, org_units, expires_at, rate_limit, created_at, created_by,"
                    + " last_used_at, rotated_at, bootstrap,"
                    + " CASE WHEN previous_until > now() THEN previous_until END AS previous_until";

    private KeyStore() {}

    /** By id, after one. */
    static Mono<List<KeyView>> list(DatabaseClient db, String tenant, String after, int limit) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM api_key WHERE tenant_id = $1 AND key_id COLLATE \"C\" > $2"
                                + " ORDER BY key_id COLLATE \"C\" LIMIT $3")
                .bind(0, tenant)
                .bind(1, after)
                .bind(2, limit)
                .map(KeyStore::read)
                .all()
                .collectList();
    }

    /** One, kept from others until the transaction ends; empty when there is none. */
    static Mono<KeyView> lock(DatabaseClient db, String tenant, String id) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM api_key WHERE tenant_id = $1 AND key_id = $2 FOR UPDATE")
                .bind(0, tenant)
                .bind(1, id)
                .map(KeyStore::read)
                .one();
    }

    static Mono<Long> count(DatabaseClient db, String tenant) {
        return db.sql("SELECT count(*) AS n FROM api_key WHERE tenant_id = $1")
                .bind(0, tenant)
                .map(row -> Rows.value(row, "n", Long.class))
                .one();
    }

    static Mono<KeyView> add(
            DatabaseClient db, String tenant, KeyForm form, KeyText key, String createdBy) {
        var sql =
                db.sql(
                                "INSERT INTO api_key (tenant_id, key_id, key_hash, format, name, scopes, org_units,"
                                        + " created_by, expires_at, rate_limit)"
                                        + " VALUES ($1, $2, $3, 'mrt', $4, $5, $6, $7, $8, $9) RETURNING "
                                        + COLUMNS)
                        .bind(0, tenant)
                        .bind(1, key.id())
                        .bind(2, PresentedKey.sha256(key.secret()))
                        .bind(3, form.name())
                        .bind(4, form.scopes().toArray(String[]::new))
                        .bind(5, form.limitedTo().toArray(String[]::new))
                        .bind(6, createdBy);
        sql = bind(sql, 7, form.expiresAt(), Instant.class);
        return bind(sql, 8, form.rateLimit(), Integer.class).map(KeyStore::read).one();
    }

    /** Another secret; the one before goes on for the grace, one before that ends now. */
    static Mono<KeyView> rotate(DatabaseClient db, String tenant, KeyText key, Duration grace) {
        return db.sql(
                        "UPDATE api_key SET previous_hash = key_hash, previous_until = now() + $4::bigint * interval '1"
                                + " millisecond', key_hash = $3, rotated_at = now()"
                                + " WHERE tenant_id = $1 AND key_id = $2 RETURNING "
                                + COLUMNS)
                .bind(0, tenant)
                .bind(1, key.id())
                .bind(2, PresentedKey.sha256(key.secret()))
                .bind(3, grace.toMillis())
                .map(KeyStore::read)
                .one();
    }

    static Mono<Void> remove(DatabaseClient db, String tenant, String id) {
        return db.sql("DELETE FROM api_key WHERE tenant_id = $1 AND key_id = $2")
                .bind(0, tenant)
                .bind(1, id)
                .then();
    }

    private static <T> DatabaseClient.GenericExecuteSpec bind(
            DatabaseClient.GenericExecuteSpec sql, int index, @Nullable T value, Class<T> type) {
        return value == null ? sql.bindNull(index, type) : sql.bind(index, value);
    }

    private static KeyView read(Readable row) {
        var orgUnits = Rows.texts(row, "org_units");
        return new KeyView(
                Rows.text(row, "key_id"),
                Rows.text(row, "tenant_id"),
                Rows.text(row, "name"),
                Rows.texts(row, "scopes"),
                orgUnits.isEmpty() ? null : orgUnits,
                row.get("expires_at", Instant.class),
                row.get("rate_limit", Integer.class),
                Rows.value(row, "created_at", Instant.class),
                Rows.text(row, "created_by"),
                row.get("last_used_at", Instant.class),
                row.get("rotated_at", Instant.class),
                row.get("previous_until", Instant.class),
                Rows.value(row, "bootstrap", Boolean.class) ? "API_KEYS" : "api");
    }
}
