package io.mirante.platform.messaging;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.Progress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;

/**
 * Up to when answers are complete: the smallest, over source partitions, of the largest progress time whose offsets the
 * consumer has passed. Every event accepted before it is counted. {@link Instant#EPOCH} while nothing is known yet.
 *
 * <p>Read it before the data it describes. Thread-safe.
 */
public final class AsOf implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(AsOf.class);
    private static final int TAIL = 15_000;
    private static final int MAX_KEPT = 600;

    private final Positions positions;
    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final Map<TopicPartition, List<Progress>> known = new ConcurrentHashMap<>();
    private volatile boolean running;
    private volatile @Nullable Consumer<byte[], byte[]> reader;

    AsOf(Positions positions, Supplier<Consumer<byte[], byte[]>> consumers) {
        this.positions = positions;
        this.consumers = consumers;
    }

    /** For a consumer of {@code mirante.events.clean} of this service. */
    public Mono<Instant> of(String consumer) {
        return of(consumer, Topics.EVENTS_CLEAN);
    }

    /**
     * For a consumer of this service.
     *
     * @param topic what it reads: {@code mirante.events.clean} or {@code mirante.telemetry.raw}
     */
    public Mono<Instant> of(String consumer, Topic topic) {
        return positions
                .all(consumer)
                .map(stored ->
                        smallest(
                                sources(topic),
                                p ->
                                        p.sink().equals(topic.name())
                                                && p.cleanOffsets().entrySet().stream()
                                                        .allMatch(e ->
                                                                passed(
                                                                        stored,
                                                                        topic,
                                                                        e.getKey(),
                                                                        e.getValue()))))
                .defaultIfEmpty(Instant.EPOCH);
    }

    /** For the event log itself: what etl has stored. */
    public Mono<Instant> ofLog() {
        return Mono.fromSupplier(() -> smallest(sources(Topics.EVENTS_CLEAN), p -> true));
    }

    private static boolean passed(
            Map<TopicPartition, Positions.Stored> stored, Topic topic, int partition, long end) {
        if (end == 0) {
            return true;
        }
        var position = stored.get(new TopicPartition(topic.name(), partition));
        return position != null && position.nextOffset() >= end;
    }

    private Instant smallest(List<TopicPartition> sources, Predicate<Progress> passed) {
        var smallest = Instant.MAX;
        for (var source : sources) {
            Instant newest = null;
            for (var progress : known.getOrDefault(source, List.of()).reversed()) {
                if (passed.test(progress)) {
                    newest = progress.time();
                    break;
                }
            }
            if (newest == null) {
                return Instant.EPOCH;
            }
            if (newest.isBefore(smallest)) {
                smallest = newest;
            }
        }
        return smallest;
    }

    private static List<TopicPartition> sources(Topic sink) {
        var topics =
                sink.equals(Topics.EVENTS_CLEAN)
                        ? List.of(Topics.EVENTS_RAW, Topics.EVENTS_CRITICAL)
                        : List.of(sink);
        var sources = new ArrayList<TopicPartition>();
        for (var topic : topics) {
            for (int i = 0; i < topic.partitions(); i++) {
                sources.add(new TopicPartition(topic.name(), i));
            }
        }
        return sources;
    }

    void learn(Progress progress) {
        known.merge(
                new TopicPartition(progress.sourceTopic(), progress.sourcePartition()),
                List.of(progress),
                (old, one) -> {
                    var kept = new ArrayList<Progress>(old.size() + 1);
                    for (int i = 0; i < old.size(); i++) {
                        // A reader far behind needs only coarse old times: halve them when there
                        // are many.
                        if (old.size() < MAX_KEPT || i % 2 == 0 || i > old.size() - 10) {
                            kept.add(old.get(i));
                        }
                    }
                    kept.addAll(one);
                    return List.copyOf(kept);
                });
    }

    @Override
    public void start() {
        running = true;
        var unused = Thread.ofPlatform().daemon().name("as-of").start(this::readForever);
    }

    @Override
    public void stop() {
        running = false;
        var open = reader;
        if (open != null) {
            open.wakeup();
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private void readForever() {
        while (running) {
            try (var consumer = consumers.get()) {
                reader = consumer;
                read(consumer);
            } catch (WakeupException e) {
                return;
            } catch (RuntimeException e) {
                if (running) {
                    LOG.warn("cannot read progress at the moment: {}", e.getMessage());
                    LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
                }
            }
        }
    }

    private void read(Consumer<byte[], byte[]> consumer) {
        var partition = new TopicPartition(Topics.PROGRESS.name(), 0);
        consumer.assign(List.of(partition));
        var all = List.of(partition);
        long first = consumer.beginningOffsets(all).getOrDefault(partition, 0L);
        long end = consumer.endOffsets(all).getOrDefault(partition, 0L);
        consumer.seek(partition, Math.max(first, end - TAIL));
        while (running) {
            for (var record : consumer.poll(Duration.ofMillis(500))) {
                try {
                    learn(Json.mapper().readValue(record.value(), Progress.class));
                } catch (JacksonException e) {
                    LOG.warn(
                            "progress record {} is unreadable: {}",
                            record.offset(),
                            e.getOriginalMessage());
                }
            }
        }
    }
}
