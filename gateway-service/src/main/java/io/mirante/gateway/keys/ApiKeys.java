package io.mirante.gateway.keys;

import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.r2dbc.spi.Readable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** The store of tenants and keys. Thread-safe. */
@Component
@CrossTenant("a key says whose it is, so it is looked up before a tenant is known")
final class ApiKeys {

    private final StreamDatabase database;

    ApiKeys(StreamDatabase database) {
        this.database = database;
    }

    /** Whom a key stands for; empty when there is no such key or it has expired. */
    Mono<Principal> find(String hash) {
        return database.client()
                .sql(
                        "SELECT tenant_id, key_id, scopes, org_units, key_hash FROM api_key WHERE key_hash = $1"
                                + " AND (expires_at IS NULL OR expires_at > now())")
                .bind(0, hash)
                .map(ApiKeys::read)
                .one()
                .filter(found -> same(found.hash(), hash))
                .map(Found::principal);
    }

    /**
     * Makes the keys of a tenant's settings the only ones of that kind: creates the tenant and the keys that are missing,
     * removes those that are no longer named. Keys made in another way stay.
     */
    Mono<Void> bootstrap(String tenant, List<String> hashes, List<String> scopes) {
        var ids = hashes.stream().map(hash -> "key_" + UUID.randomUUID()).toArray(String[]::new);
        return database.inTransaction(db ->
                db.sql(
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
                                db.sql(
                                                "INSERT INTO api_key (tenant_id, key_id, key_hash, name, scopes,"
                                                        + " bootstrap) SELECT $1, i, h, 'API_KEYS', $4::text[], true"
                                                        + " FROM unnest($2::text[], $3::text[]) AS u (i, h)"
                                                        + " ON CONFLICT (key_hash) DO NOTHING")
                                        .bind(0, tenant)
                                        .bind(1, ids)
                                        .bind(2, hashes.toArray(String[]::new))
                                        .bind(3, scopes.toArray(String[]::new))
                                        .then()));
    }

    private record Found(String hash, Principal principal) {}

    private static Found read(Readable row) {
        return new Found(
                text(row, 4),
                new Principal(
                        text(row, 0),
                        text(row, 1),
                        List.of(Objects.requireNonNull(row.get(2, String[].class))),
                        List.of(Objects.requireNonNull(row.get(3, String[].class)))));
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }

    private static boolean same(String a, String b) {
        return MessageDigest.isEqual(
                a.getBytes(StandardCharsets.US_ASCII), b.getBytes(StandardCharsets.US_ASCII));
    }
}
