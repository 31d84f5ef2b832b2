package io.mirante.platform.messaging;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a poll's records and the group's offsets in one Kafka transaction: both or neither. One producer per consumer
 * thread, because a transaction belongs to a producer; a producer that failed is thrown away.
 */
final class TransactionalSender implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TransactionalSender.class);

    private final Function<String, Producer<byte[], byte[]>> factory;
    private final String prefix;
    private final AtomicInteger counter = new AtomicInteger();
    private final Map<Thread, Named> producers = new ConcurrentHashMap<>();

    /**
     * A sender.
     *
     * @param factory makes a producer for a transactional id
     * @param prefix begins every transactional id; stable across restarts of this replica, so that what a crash left
     *     open is aborted at once
     */
    TransactionalSender(Function<String, Producer<byte[], byte[]>> factory, String prefix) {
        this.factory = factory;
        this.prefix = prefix;
    }

    private record Named(String id, Producer<byte[], byte[]> producer) {}

    /**
     * Sends and commits; blocks until Kafka has both.
     *
     * @return per partition written, the offset after the last record sent
     */
    Map<TopicPartition, Long> send(
            List<Outgoing> records, Map<TopicPartition, Long> next, ConsumerGroupMetadata group) {
        var named =
                producers.computeIfAbsent(
                        Thread.currentThread(), t -> open(prefix + counter.getAndIncrement()));
        var producer = named.producer();
        try {
            producer.beginTransaction();
            List<Future<RecordMetadata>> sent = new ArrayList<>(records.size());
            for (var record : records) {
                sent.add(producer.send(record.toRecord()));
            }
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            next.forEach(
                    (partition, offset) -> offsets.put(partition, new OffsetAndMetadata(offset)));
            producer.sendOffsetsToTransaction(offsets, group);
            producer.commitTransaction();
            Map<TopicPartition, Long> ends = new HashMap<>();
            for (var future : sent) {
                var metadata = future.get();
                ends.merge(
                        new TopicPartition(metadata.topic(), metadata.partition()),
                        metadata.offset() + 1,
                        Math::max);
            }
            return ends;
        } catch (InterruptedException e) {
            abandon(named);
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while publishing", e);
        } catch (ExecutionException | RuntimeException e) {
            abandon(named);
            throw new PublishFailedException(e);
        }
    }

    /** Aborts and forgets the producer; the next poll opens one under the same id, which fences the old. */
    private void abandon(Named named) {
        try {
            named.producer().abortTransaction();
        } catch (RuntimeException e) {
            LOG.debug("abort failed, the broker will time the transaction out: {}", e.getMessage());
        }
        named.producer().close(Duration.ZERO);
        producers.replace(Thread.currentThread(), open(named.id()));
    }

    private Named open(String id) {
        var producer = factory.apply(id);
        producer.initTransactions();
        return new Named(id, producer);
    }

    @Override
    public void close() {
        producers.values().forEach(named -> named.producer().close(Duration.ofSeconds(5)));
    }
}
