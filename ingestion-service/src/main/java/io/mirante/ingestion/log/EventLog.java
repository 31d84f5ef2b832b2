package io.mirante.ingestion.log;

import io.mirante.platform.messaging.Outgoing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Kafka as the way in sees it: two idempotent producers with {@code acks=all}, one that sends at once (single events),
 * one that waits a few milliseconds and packs (batches). Thread-safe.
 *
 * <p>A send may block its caller while the producer does not know where to send, or has no room. It does so once: the
 * rest of that batch is not tried, and for a quarter of a second every other record is answered {@link
 * Outcome#NOT_STORED} at once, so that a Kafka that is away cannot stop the event loops.
 */
public final class EventLog implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(EventLog.class);
    private static final long PAUSE_NANOS = Duration.ofMillis(250).toNanos();

    private final Producer<byte[], byte[]> single;
    private final Producer<byte[], byte[]> batch;
    private final AtomicLong shedUntil = new AtomicLong(System.nanoTime() - PAUSE_NANOS);

    /**
     * A log on two producers, which it closes.
     *
     * @param single for records sent alone
     * @param batch for records that come many at a time
     */
    public EventLog(Producer<byte[], byte[]> single, Producer<byte[], byte[]> batch) {
        this.single = single;
        this.batch = batch;
    }

    /** Sends one record on subscription; never an error. */
    public Mono<Outcome> store(Outgoing record) {
        return send(single, List.of(record)).map(List::getFirst);
    }

    /**
     * Sends records in their order on subscription; never an error.
     *
     * @return an outcome for each, in the same order, once all are known
     */
    public Mono<List<Outcome>> storeAll(List<Outgoing> records) {
        return records.isEmpty() ? Mono.just(List.of()) : send(batch, records);
    }

    private Mono<List<Outcome>> send(Producer<byte[], byte[]> producer, List<Outgoing> records) {
        return Mono.create(sink -> {
            var sending = new Sending(records.size(), sink::success);
            for (int i = 0; i < records.size(); i++) {
                if (shedding()) {
                    sending.settle(i, Outcome.NOT_STORED);
                } else {
                    send(producer, records.get(i), sending, i);
                }
            }
        });
    }

    private void send(
            Producer<byte[], byte[]> producer, Outgoing record, Sending sending, int index) {
        var caller = Thread.currentThread();
        try {
            var unused =
                    producer.send(
                            record.toRecord(),
                            (metadata, error) -> {
                                var outcome = outcome(error);
                                if (outcome == Outcome.NOT_STORED
                                        && Thread.currentThread().equals(caller)) {
                                    shed();
                                }
                                sending.settle(index, outcome);
                            });
        } catch (RuntimeException e) {
            shed();
            sending.settle(index, outcome(e));
        }
    }

    private boolean shedding() {
        return System.nanoTime() - shedUntil.get() < 0;
    }

    private void shed() {
        shedUntil.set(System.nanoTime() + PAUSE_NANOS);
    }

    private static Outcome outcome(@Nullable Exception error) {
        if (error == null) {
            return Outcome.STORED;
        }
        LOG.debug("Kafka did not store a record", error);
        return error instanceof RecordTooLargeException ? Outcome.TOO_LARGE : Outcome.NOT_STORED;
    }

    @Override
    public void close() {
        single.close(Duration.ofSeconds(5));
        batch.close(Duration.ofSeconds(5));
    }

    /** Collects outcomes, each set once, and tells when all are known. */
    private static final class Sending {
        private final Outcome[] outcomes;
        private final AtomicInteger open;
        private final java.util.function.Consumer<List<Outcome>> done;

        Sending(int size, java.util.function.Consumer<List<Outcome>> done) {
            this.outcomes = new Outcome[size];
            this.open = new AtomicInteger(size);
            this.done = done;
            Arrays.fill(outcomes, Outcome.NOT_STORED);
        }

        void settle(int index, Outcome outcome) {
            outcomes[index] = outcome;
            if (open.decrementAndGet() == 0) {
                done.accept(new ArrayList<>(Arrays.asList(outcomes)));
            }
        }
    }
}
