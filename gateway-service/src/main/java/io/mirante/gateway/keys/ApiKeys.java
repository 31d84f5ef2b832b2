package io.mirante.gateway.keys;

import io.mirante.gateway.Rows;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.r2dbc.spi.Readable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Keys as the door sees them, before a tenant is known. Thread-safe. */
@Component
@CrossTenant("a key says whose it is, so it is looked up before a tenant is known")
final class ApiKeys {

    private static final String UNKNOWN = "0".repeat(64);

    private final StreamDatabase database;

    ApiKeys(StreamDatabase database) {
        this.database = database;
    }

    /**
     * Whom a key stands for; empty when there is no such key or it has expired. Compares in the same time whether or not
     * the key is there.
     *
     * @param fingerprint as {@link PresentedKey} makes it
     */
    Mono<Principal> find(String fingerprint) {
        var parts = fingerprint.split(":", 3);
        var made = parts.length == 3;
        return database.client()
                .sql(
                        "SELECT tenant_id, key_id, scopes, org_units, rate_limit, format, key_hash,"
                                + " CASE WHEN previous_until > now() THEN previous_hash END AS previous_hash"
                                + " FROM api_key WHERE (key_id = $1 AND format = 'mrt'"
                                + " OR key_hash = $2 AND format = 'text')"
                                + " AND (expires_at IS NULL OR expires_at > now())")
                .bind(0, made ? parts[1] : "")
                .bind(1, parts[0])
                .map(row -> Found.of(row, parts[0], made ? parts[2] : UNKNOWN))
                .all()
                .collectList()
                .mapNotNull(found -> {
                    if (found.isEmpty()) {
                        same(UNKNOWN, parts[0]);
                    }
                    return found.stream()
                            .filter(Found::matches)
                            .map(Found::principal)
                            .findFirst()
                            .orElse(null);
                });
    }

    /** The tenant of a key; empty when there is no such key. */
    Mono<String> tenantOf(String keyId) {
        return database.client()
                .sql("SELECT tenant_id FROM api_key WHERE key_id = $1")
                .bind(0, keyId)
                .map(row -> Rows.text(row, "tenant_id"))
                .one();
    }

    /** Notes when keys and people were last seen; an older time changes nothing. */
    Mono<Void> seen(Map<String, Instant> lastUse) {
        var ids = lastUse.keySet().stream().sorted().toArray(String[]::new);
        var times = new Instant[ids.length];
        for (int i = 0; i < ids.length; i++) {
            times[i] = lastUse.get(ids[i]);
        }
        return update("api_key", "key_id", "last_used_at", ids, times)
                .then(update("person", "user_id", "last_seen_at", ids, times));
    }

    private Mono<Void> update(
            String table, String id, String column, String[] ids, Instant[] times) {
        return database.client()
                .sql(
                        "UPDATE %1$s t SET %3$s = u.at FROM UNNEST($1::text[], $2::timestamptz[]) AS u (id, at) WHERE t.%2$s = u.id AND (t.%3$s IS NULL OR t.%3$s < u.at)"
                                .formatted(table, id, column))
                .bind(0, ids)
                .bind(1, times)
                .then();
    }

    /**
     * Makes the keys of a tenant's settings the only ones of that kind: creates the tenant and the keys that are missing,
     * removes those that are no longer named. Keys made in another way stay.
     *
     * @param rateLimit of these keys; null = the tenant's
     */
    Mono<Void> bootstrap(
            String tenant, List<String> hashes, List<String> scopes, @Nullable Integer rateLimit) {
        var ids = hashes.stream().map(hash -> "key_" + UUID.randomUUID()).toArray(String[]::new);
        return database.inTransaction(db -> {
            var insert =
                    db.sql(
                                    "INSERT INTO api_key (tenant_id, key_id, key_hash, name, scopes,"
                                            + " bootstrap, rate_limit) SELECT $1, i, h, 'API_KEYS', $4::text[],"
                                            + " true, $5::int FROM unnest($2::text[], $3::text[]) AS u (i, h)"
                                            + " ON CONFLICT (key_hash) DO UPDATE"
                                            + " SET rate_limit = excluded.rate_limit WHERE api_key.bootstrap")
                            .bind(0, tenant)
                            .bind(1, ids)
                            .bind(2, hashes.toArray(String[]::new))
                            .bind(3, scopes.toArray(String[]::new));
            return db.sql(
                            "INSERT INTO tenant (tenant_id, name) VALUES ($1, $1)"
                                    + " ON CONFLICT (tenant_id) DO NOTHING")
                    .bind(0, tenant)
                    .then()
                    .then(
                            db.sql(
                                            "DELETE FROM api_key WHERE bootstrap AND NOT"
                                                    + " (tenant_id = $1 AND key_hash = ANY($2))")
                                    .bind(0, tenant)
                                    .bind(1, hashes.toArray(String[]::new))
                                    .then())
                    .then(
                            (rateLimit == null
                                            ? insert.bindNull(4, Integer.class)
                                            : insert.bind(4, rateLimit))
                                    .then());
        });
    }

    private record Found(boolean matches, Principal principal) {

        static Found of(Readable row, String whole, String secret) {
            boolean text = Rows.text(row, "format").equals("text");
            var hash = Rows.text(row, "key_hash");
            var previous = row.get("previous_hash", String.class);
            boolean current = same(hash, text ? whole : secret);
            boolean before = same(previous == null ? UNKNOWN : previous, secret);
            return new Found(
                    current || (before && previous != null),
                    new Principal(
                            Rows.text(row, "tenant_id"),
                            Rows.text(row, "key_id"),
                            Rows.texts(row, "scopes"),
                            Rows.texts(row, "org_units"),
                            row.get("rate_limit", Integer.class)));
        }
    }

    private static boolean same(String a, String b) {
        return MessageDigest.isEqual(
                a.getBytes(StandardCharsets.US_ASCII), b.getBytes(StandardCharsets.US_ASCII));
    }
}
