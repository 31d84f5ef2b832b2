package io.mirante.snapshot;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.CleanEvents;
import io.mirante.platform.messaging.Received;
import io.mirante.platform.rebuild.Rebuilds;
import io.mirante.snapshot.behaviour.BehaviourEvents;
import io.mirante.snapshot.windows.Windows;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Stores and counts the events of a poll. Runs in the transaction that advances the position, so a redelivered poll
 * changes nothing. Only events whose row is new are counted: windows equal a recount of the rows whatever arrives. While a
 * rebuild runs, its second generation gets the events too.
 */
@Component
final class StoreCleanEvents {
    private final BehaviourEvents events;
    private final Windows windows;
    private final CountedUpTo countedUpTo;
    private final Rebuilds rebuilds;

    StoreCleanEvents(
            BehaviourEvents events, Windows windows, CountedUpTo countedUpTo, Rebuilds rebuilds) {
        this.events = events;
        this.windows = windows;
        this.countedUpTo = countedUpTo;
        this.rebuilds = rebuilds;
    }

    Mono<Void> store(List<Received<CleanEvent>> fresh, DatabaseClient stream) {
        var asOf = countedUpTo.lately();
        var polled = fresh.stream().map(Received::value).toList();
        return rebuilds.running(polled.stream().map(CleanEvent::tenantId).toList(), stream)
                .flatMap(running ->
                        events.insert(polled, stream)
                                .flatMap(stored ->
                                        windows.add(stored, asOf, Generation.CURRENT, stream))
                                .then(rebuilds.add(polled, running, stream)));
    }

    @Configuration(proxyBeanMethods = false)
    static class Binding {
        /** The runner parses, skips what was applied, sorts out poison, and alone blocks. */
        @Bean
        Consumer<Message<List<byte[]>>> countCleanEvents(
                BatchRunner runner, StoreCleanEvents handler) {
            return runner.storing(CountedUpTo.CONSUMER, CleanEvents.parser(), handler::store);
        }
    }
}
