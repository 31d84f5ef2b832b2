package io.mirante.platform.messaging;

import java.util.List;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Applies the fresh records of a poll. Runs inside the transaction that also advances the consumer's position, so a
 * redelivered poll changes nothing; must not touch anything but the given client.
 */
@FunctionalInterface
public interface StoreHandler<E> {

    /**
     * Applies records in their order.
     *
     * @param fresh never empty; none of them was applied before
     * @param stream the transaction's client, for all tenants
     */
    Mono<Void> store(List<Received<E>> fresh, DatabaseClient stream);
}
