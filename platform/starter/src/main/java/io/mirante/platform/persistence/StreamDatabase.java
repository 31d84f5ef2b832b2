package io.mirante.platform.persistence;

import java.util.function.Function;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.transaction.reactive.TransactionalOperator;
import reactor.core.publisher.Mono;

/**
 * The database as consumers and publishers see it: all tenants, because a poll holds many. An architecture rule keeps
 * requests away from it. Thread-safe.
 */
public final class StreamDatabase {

    private final DatabaseClient client;
    private final TransactionalOperator transaction;

    StreamDatabase(DatabaseClient client, TransactionalOperator transaction) {
        this.client = client;
        this.transaction = transaction;
    }

    /** Runs the work in one transaction; an error rolls back. */
    public <T> Mono<T> inTransaction(Function<DatabaseClient, Mono<T>> work) {
        return transaction.transactional(Mono.defer(() -> work.apply(client)));
    }

    /** The client without a transaction, for single statements. */
    public DatabaseClient client() {
        return client;
    }
}
