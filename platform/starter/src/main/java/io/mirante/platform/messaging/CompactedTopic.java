package io.mirante.platform.messaging;

import java.time.Duration;
import java.util.HashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a compacted topic from its beginning without a group, so each replica has all of it, and follows it. While Kafka is
 * away, it tries again. Records come on one thread. Thread-safe.
 */
public final class CompactedTopic implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CompactedTopic.class);

    private final String topic;
    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> learn;
    private final CountDownLatch firstPass = new CountDownLatch(1);
    private volatile boolean reading;
    private volatile @Nullable Consumer<byte[], byte[]> reader;

    /**
     * A reader that has not begun.
     *
     * @param consumers makes consumers without a group
     * @param learn takes in each record; must not throw
     */
    public CompactedTopic(
            String topic,
            Supplier<Consumer<byte[], byte[]>> consumers,
            java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> learn) {
        this.topic = topic;
        this.consumers = consumers;
        this.learn = learn;
    }

    /** Begins to read, on a thread of its own. */
    public void read() {
        if (!reading) {
            reading = true;
            var unused = Thread.ofPlatform().daemon().name(topic).start(this::readForever);
        }
    }

    /** Whether the topic was read to its end once since the start. */
    public boolean caughtUp() {
        return firstPass.getCount() == 0;
    }

    /** Waits for the first pass; for threads that may block. False when the limit or an interrupt came first. */
    public boolean awaitCaughtUp(Duration limit) {
        try {
            return firstPass.await(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        reading = false;
        var open = reader;
        if (open != null) {
            open.wakeup();
        }
    }

    private void readForever() {
        while (reading) {
            try (var consumer = consumers.get()) {
                reader = consumer;
                follow(consumer);
            } catch (WakeupException e) {
                return;
            } catch (RuntimeException e) {
                if (reading) {
                    LOG.warn("cannot read {} at the moment: {}", topic, e.getMessage());
                    LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
                }
            }
        }
    }

    private void follow(Consumer<byte[], byte[]> consumer) {
        var partitions =
                consumer.partitionsFor(topic).stream()
                        .map(p -> new TopicPartition(topic, p.partition()))
                        .toList();
        if (partitions.isEmpty()) {
            throw new IllegalStateException("the topic does not exist; run the set-up step");
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        var missing = new HashMap<>(consumer.endOffsets(partitions));
        while (reading) {
            missing.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
            if (missing.isEmpty()) {
                firstPass.countDown();
            }
            consumer.poll(Duration.ofMillis(500)).forEach(learn);
        }
    }
}
