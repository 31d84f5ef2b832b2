package io.mirante.ingestion.producers;

import io.mirante.contracts.Topics;
import io.mirante.ingestion.intake.EventLimits;
import io.mirante.platform.lifecycle.Periodic;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.event.ConsumerStartedEvent;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Holds outside producers to their tenants' events per second: nothing of a poll is refused, but a tenant whose poll was more
 * than it may send has its partitions paused until its limit has paid for it, and others are read on. What is owed is not kept
 * over a restart; it is one poll at most. Thread-safe.
 */
@Component
class ProducersPause extends Periodic {

    private static final Duration LIMIT = Duration.ofSeconds(5);

    private final EventLimits limits;
    private final List<MessageListenerContainer> containers = new CopyOnWriteArrayList<>();
    private final Map<String, Owed> owed = new ConcurrentHashMap<>();

    /** Events of a tenant that were taken and are not paid for, and where they came from. */
    private record Owed(int events, Set<TopicPartition> partitions) {}

    ProducersPause(EventLimits limits) {
        super("producers-pause", Duration.ofMillis(100), Duration.ofMillis(100));
        this.limits = limits;
    }

    /** The consumer of the topics of outside producers is the one with a pattern. */
    @EventListener
    void started(ConsumerStartedEvent event) {
        var container = event.getContainer(MessageListenerContainer.class);
        if (container.getContainerProperties().getTopicPattern() != null
                && !containers.contains(container)) {
            containers.add(container);
        }
    }

    /** Pays for a poll, or pauses those that cannot. */
    Mono<Void> pay(Collection<ConsumerRecord<byte[], byte[]>> records) {
        var tenants =
                records.stream()
                        .collect(Collectors.groupingBy(r -> Topics.tenantOfIngest(r.topic())));
        return Flux.fromIterable(tenants.entrySet())
                .concatMap(each ->
                        limits.takeSpare(each.getKey(), each.getValue().size())
                                .doOnNext(paid ->
                                        pause(each.getKey(), each.getValue().size() - paid)))
                .then();
    }

    private void pause(String tenant, int open) {
        if (open == 0) {
            return;
        }
        var partitions = partitionsOf(Topics.ingest(tenant).name());
        // Pauses and resumes in turn: one at a time for each tenant.
        owed.compute(
                tenant,
                (t, before) -> {
                    partitions.forEach(p -> containers.forEach(c -> c.pausePartition(p)));
                    return before == null
                            ? new Owed(open, partitions)
                            : new Owed(
                                    before.events() + open, union(before.partitions(), partitions));
                });
    }

    /** Those that this replica reads. */
    private Set<TopicPartition> partitionsOf(String topic) {
        return containers.stream()
                .flatMap(c -> Stream.ofNullable(c.getAssignedPartitions()))
                .flatMap(Collection::stream)
                .filter(p -> p.topic().equals(topic))
                .collect(Collectors.toSet());
    }

    private static Set<TopicPartition> union(Set<TopicPartition> a, Set<TopicPartition> b) {
        var all = new HashSet<>(a);
        all.addAll(b);
        return all;
    }

    @Override
    protected void turn() {
        for (var tenant : List.copyOf(owed.keySet())) {
            var open = owed.get(tenant);
            if (open != null) {
                int paid = limits.takeSpare(tenant, open.events()).blockOptional(LIMIT).orElse(0);
                owed.computeIfPresent(tenant, (t, now) -> left(now, paid));
            }
        }
    }

    private @Nullable Owed left(Owed now, int paid) {
        if (now.events() > paid) {
            return new Owed(now.events() - paid, now.partitions());
        }
        now.partitions().forEach(p -> containers.forEach(c -> c.resumePartition(p)));
        return null;
    }
}
