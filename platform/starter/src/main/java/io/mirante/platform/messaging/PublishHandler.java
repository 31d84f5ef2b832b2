package io.mirante.platform.messaging;

import java.util.List;
import java.util.function.Supplier;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Stores a poll and says what to publish for it. Unlike a {@link StoreHandler} it also sees redelivered records, and
 * must answer the same for them while storing nothing twice: publication follows the commit and may have been missed.
 */
@FunctionalInterface
public interface PublishHandler<E> {

    /**
     * Stores the records and answers with what makes the records to be sent, in their order, in one Kafka transaction. They
     * are made after the commit, so that locks are not held for it.
     */
    Mono<Supplier<List<Outgoing>>> store(List<Received<E>> poll, DatabaseClient stream);

    /**
     * Notes records that are passed over as dead, in the transaction that does so; after a redelivery it may be called with
     * some of them again. Must not fail because of what is in them.
     *
     * @param dead never empty
     */
    default Mono<Void> passedOver(List<DeadRecord> dead, DatabaseClient stream) {
        return Mono.empty();
    }
}
