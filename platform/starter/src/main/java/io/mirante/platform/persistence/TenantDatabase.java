package io.mirante.platform.persistence;

import java.util.function.Function;
import org.reactivestreams.Publisher;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.transaction.reactive.TransactionalOperator;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The database as one tenant sees it: every call is one transaction that begins by setting the tenant, and row security
 * shows that tenant's rows alone. For requests, schedulers, retention and training. Thread-safe.
 */
public final class TenantDatabase {

    private final DatabaseClient client;
    private final TransactionalOperator transaction;

    TenantDatabase(DatabaseClient client, TransactionalOperator transaction) {
        this.client = client;
        this.transaction = transaction;
    }

    /**
     * Runs work that ends in at most one value in a transaction of the tenant's; an error rolls back.
     *
     * @param tenant the caller's tenant, from its verified token
     */
    public <T> Mono<T> one(String tenant, Function<DatabaseClient, Mono<T>> work) {
        return transaction.transactional(enter(tenant).then(Mono.defer(() -> work.apply(client))));
    }

    /** Runs work that ends in many values, as {@link #one}. */
    public <T> Flux<T> many(String tenant, Function<DatabaseClient, ? extends Publisher<T>> work) {
        return transaction.transactional(
                enter(tenant).thenMany(Flux.defer(() -> work.apply(client))));
    }

    private Mono<Void> enter(String tenant) {
        return client.sql("SELECT set_config('mirante.tenant', $1, true)").bind(0, tenant).then();
    }
}
