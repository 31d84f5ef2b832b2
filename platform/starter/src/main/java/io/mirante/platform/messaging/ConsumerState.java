package io.mirante.platform.messaging;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What one consumer of this process holds at the moment: its partitions, and why it stopped if it did. Thread-safe. */
final class ConsumerState {

    /** How a consumer resumes and what follows its commit. */
    enum Mode {
        STORING,
        PUBLISHING
    }

    private final String name;
    private final Mode mode;
    private final Map<TopicPartition, Long> processed = new ConcurrentHashMap<>();
    private final Map<TopicPartition, Long> published = new ConcurrentHashMap<>();
    private volatile @Nullable String stopped;

    ConsumerState(String name, Mode mode) {
        this.name = name;
        this.mode = mode;
    }

    String name() {
        return name;
    }

    Mode mode() {
        return mode;
    }

    void assigned(TopicPartition partition, long next) {
        processed.put(partition, next);
        published.remove(partition);
    }

    void revoked(TopicPartition partition) {
        processed.remove(partition);
        published.remove(partition);
    }

    Set<TopicPartition> partitions() {
        return Set.copyOf(processed.keySet());
    }

    /** Next offset to process of a partition held, or null. */
    @Nullable Long processed(TopicPartition partition) {
        return processed.get(partition);
    }

    void processedUpTo(Map<TopicPartition, Long> next) {
        next.forEach((partition, offset) ->
                processed.computeIfPresent(partition, (p, old) -> Math.max(old, offset)));
    }

    /** Offset after the last record published from a source partition, once known. */
    @Nullable Long published(TopicPartition source) {
        return published.get(source);
    }

    void publishedUpTo(TopicPartition source, long offset) {
        published.merge(source, offset, Math::max);
    }

    void stop(String reason) {
        stopped = reason;
    }

    /** Why the consumer refuses to go on, or null. */
    @Nullable String stopped() {
        return stopped;
    }
}
