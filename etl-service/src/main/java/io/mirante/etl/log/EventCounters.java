package io.mirante.etl.log;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.etl.PersonMerge;
import java.util.List;
import org.springframework.stereotype.Component;
import org.springframework.transaction.reactive.TransactionSynchronization;
import org.springframework.transaction.reactive.TransactionSynchronizationManager;
import reactor.core.publisher.Mono;

/**
 * Counts what became of records, in {@code mirante_etl_events_total} by {@code outcome}.
 *
 * <p>Identity: received = stored + duplicate + conflict + redelivered + dead, where received is
 * {@code mirante_records_received_total} of the two consumers. Counted after the commit, so that a poll that rolls back
 * and is repeated counts once. Thread-safe.
 */
@Component
final class EventCounters {

    private static final String NAME = "mirante.etl.events";
    private static final String MERGES = "mirante.etl.merges";
    private static final String OUTCOME = "outcome";

    private final Counter stored;
    private final Counter duplicate;
    private final Counter conflict;
    private final Counter redelivered;
    private final Counter merged;
    private final Counter refused;

    EventCounters(MeterRegistry meters) {
        this.stored = meters.counter(NAME, OUTCOME, "stored");
        this.duplicate = meters.counter(NAME, OUTCOME, "duplicate");
        this.conflict = meters.counter(NAME, OUTCOME, "conflict");
        this.redelivered = meters.counter(NAME, OUTCOME, "redelivered");
        this.merged = meters.counter(MERGES, OUTCOME, PersonMerge.MERGED);
        this.refused = meters.counter(MERGES, OUTCOME, PersonMerge.REFUSED);
        FunctionCounter.builder(NAME, meters, EventCounters::dead)
                .tag(OUTCOME, "dead")
                .register(meters);
    }

    /** Registers the counts with the transaction that is open. */
    Mono<Void> afterCommit(SortedPoll poll, List<PersonMerge> merges) {
        return TransactionSynchronizationManager.forCurrentTransaction()
                .doOnNext(transaction ->
                        transaction.registerSynchronization(
                                new TransactionSynchronization() {
                                    @Override
                                    public Mono<Void> afterCommit() {
                                        return Mono.fromRunnable(() -> count(poll, merges));
                                    }
                                }))
                .then();
    }

    private void count(SortedPoll poll, List<PersonMerge> merges) {
        merges.forEach(m -> (m.state().equals(PersonMerge.MERGED) ? merged : refused).increment());
        for (var sorted : poll.records()) {
            var counter =
                    sorted.again()
                            ? redelivered
                            : switch (sorted.verdict()) {
                                case KEPT -> stored;
                                case DUPLICATE -> duplicate;
                                case CONFLICT -> conflict;
                            };
            counter.increment();
        }
    }

    /** What the runner dead-lettered for the two consumers of this package. */
    private static double dead(MeterRegistry meters) {
        return meters.find("mirante.records").tag(OUTCOME, "dead").counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }
}
