package io.mirante.platform.rebuild;

import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * A lock per tenant around its derived rows: held in share by whoever stores or blanks some, and alone by whoever must see them at rest.
 */
public final class GenerationLock {

    private static final String KEY =
            "hashtextextended(current_schema() || '.generation ' || t.id, 0)";

    private GenerationLock() {}

    /** Keeps a swap of the tenants' from happening until the transaction ends; others who change rows go on. */
    public static Mono<Void> holdSwap(Collection<String> tenants, DatabaseClient db) {
        return hold("pg_advisory_xact_lock_shared", tenants, db);
    }

    /** Waits until nobody is changing the tenant's derived rows, and keeps everybody from it until the transaction ends. */
    public static Mono<Void> holdChanges(String tenant, DatabaseClient db) {
        return hold("pg_advisory_xact_lock", List.of(tenant), db);
    }

    private static Mono<Void> hold(String lock, Collection<String> tenants, DatabaseClient db) {
        return db.sql("SELECT " + lock + "(" + KEY + ") FROM unnest($1) AS t (id)")
                .bind(0, new TreeSet<>(tenants).toArray(String[]::new))
                .then();
    }
}
