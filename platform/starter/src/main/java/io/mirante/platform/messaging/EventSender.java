package io.mirante.platform.messaging;

import java.util.List;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Sends records and answers when Kafka has stored them ({@code acks=all}, idempotent). An error means: not known to be
 * stored. Never blocks the caller for longer than the producer's {@code max.block.ms}. Thread-safe.
 */
public final class EventSender {

    private final Producer<byte[], byte[]> producer;

    /** A sender on a producer of the caller's, who also closes it. */
    public EventSender(Producer<byte[], byte[]> producer) {
        this.producer = producer;
    }

    /** Sends on subscription; completes with Kafka's acknowledgement. */
    public Mono<RecordMetadata> send(Outgoing record) {
        return Mono.create(sink -> {
            try {
                var unused =
                        producer.send(
                                record.toRecord(),
                                (metadata, error) -> {
                                    if (error != null) {
                                        sink.error(error);
                                    } else {
                                        sink.success(metadata);
                                    }
                                });
            } catch (RuntimeException e) {
                sink.error(e);
            }
        });
    }

    /** Sends all, in order, without waiting between them; completes when Kafka has stored every one. */
    public Mono<Void> sendAll(List<Outgoing> records) {
        return Flux.fromIterable(records)
                .flatMapSequential(this::send, Math.max(1, records.size()))
                .then();
    }
}
