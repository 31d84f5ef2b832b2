package io.mirante.platform.messaging;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.cloud.stream.binder.kafka.KafkaBindingRebalanceListener;
import reactor.util.retry.Retry;

/**
 * Puts a consumer where PostgreSQL says, whenever it is given partitions. A storing consumer always resumes at
 * PostgreSQL's offset. A publishing consumer resumes at Kafka's group offset (it writes before it publishes), but never
 * after PostgreSQL's: an older database was restored then, and what it lacks is stored again.
 *
 * <p>Stops the consumer, with the remedy, when the topic is another one than before (it was recreated) or no longer
 * holds the offset: going on would skip events silently.
 */
final class Assignments implements KafkaBindingRebalanceListener {

    private static final Logger LOG = LoggerFactory.getLogger(Assignments.class);
    private static final Duration DATABASE = Duration.ofSeconds(90);
    private static final String SUFFIX = "-in-0";

    private final Positions positions;
    private final Admin admin;
    private final boolean acceptRecreated;
    private final Map<String, ConsumerState> states = new ConcurrentHashMap<>();
    private final Map<Consumer<?, ?>, ConsumerState> byConsumer = new ConcurrentHashMap<>();
    private final Map<String, String> topicIds = new ConcurrentHashMap<>();

    Assignments(Positions positions, Admin admin, boolean acceptRecreated) {
        this.positions = positions;
        this.admin = admin;
        this.acceptRecreated = acceptRecreated;
    }

    ConsumerState register(ConsumerState state) {
        if (states.putIfAbsent(state.name(), state) != null) {
            throw new IllegalStateException("two consumers are called " + state.name());
        }
        return state;
    }

    Collection<ConsumerState> states() {
        return List.copyOf(states.values());
    }

    /** The state of the consumer that polls with this Kafka client, or null. */
    @org.jspecify.annotations.Nullable
    ConsumerState of(Consumer<?, ?> consumer) {
        return byConsumer.get(consumer);
    }

    @Override
    public void onPartitionsRevokedBeforeCommit(
            String binding, Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        var state = states.get(consumerName(binding));
        if (state != null) {
            partitions.forEach(state::revoked);
        }
    }

    @Override
    public void onPartitionsAssigned(
            String binding,
            Consumer<?, ?> consumer,
            Collection<TopicPartition> partitions,
            boolean initial) {
        var state = states.get(consumerName(binding));
        if (state == null || partitions.isEmpty()) {
            return;
        }
        byConsumer.put(consumer, state);
        var stored =
                positions
                        .all(state.name())
                        .retryWhen(
                                Retry.backoff(Long.MAX_VALUE, Duration.ofMillis(200))
                                        .maxBackoff(Duration.ofSeconds(2)))
                        .block(DATABASE);
        if (stored == null) {
            throw new IllegalStateException("no positions of " + state.name());
        }
        var earliest = consumer.beginningOffsets(List.copyOf(partitions));
        var latest = consumer.endOffsets(List.copyOf(partitions));
        for (var partition : partitions) {
            place(
                    state,
                    consumer,
                    partition,
                    stored.get(partition),
                    earliest.getOrDefault(partition, 0L),
                    latest.getOrDefault(partition, 0L));
        }
    }

    private void place(
            ConsumerState state,
            Consumer<?, ?> consumer,
            TopicPartition partition,
            Positions.@Nullable Stored stored,
            long earliest,
            long latest) {
        var topicId = topicId(partition.topic());
        if (stored == null) {
            // A consumer that is new to the partition; its group may not be (a binding that was
            // renamed).
            positions.begin(state.name(), partition, topicId, earliest).block(DATABASE);
            seek(state, consumer, partition, earliest);
            return;
        }
        if (!stored.topicId().equals(topicId)) {
            if (acceptRecreated) {
                LOG.warn(
                        "{}: topic {} was recreated; starting anew as accepted",
                        state.name(),
                        partition.topic());
                positions.restart(state.name(), partition, topicId, earliest).block(DATABASE);
                seek(state, consumer, partition, earliest);
            } else {
                stop(
                        state,
                        "topic %s was recreated (its id is another than the one processed so far), so events may be"
                                        .formatted(partition.topic())
                                + " missing. Restore Kafka's folder, or accept the loss and start anew once with"
                                + " MIRANTE_ACCEPT_RECREATED_TOPICS=true");
            }
            return;
        }
        long next = stored.nextOffset();
        if (state.mode() == ConsumerState.Mode.PUBLISHING) {
            long group = consumer.position(partition);
            if (group > next) {
                LOG.warn(
                        "{}: PostgreSQL is at {} of {} and Kafka's group at {}: an older database was restored, events"
                                + " are stored again from there",
                        state.name(),
                        next,
                        partition,
                        group);
            }
            next = Math.min(group, next);
        }
        if (next < earliest) {
            stop(
                    state,
                    "%s no longer holds offset %d (it begins at %d): events were deleted before they were processed."
                                    .formatted(partition, next, earliest)
                            + " Restore a newer database, or accept the loss and start anew once with"
                            + " MIRANTE_ACCEPT_RECREATED_TOPICS=true");
            return;
        }
        if (next > latest) {
            stop(
                    state,
                    "%s ends at %d, before offset %d that was already processed: Kafka lost records. Restore Kafka's"
                                    .formatted(partition, latest, next)
                            + " folder, or accept it and start anew once with"
                            + " MIRANTE_ACCEPT_RECREATED_TOPICS=true");
            return;
        }
        seek(state, consumer, partition, next);
    }

    private static void seek(
            ConsumerState state, Consumer<?, ?> consumer, TopicPartition partition, long next) {
        consumer.seek(partition, next);
        state.assigned(partition, next);
    }

    private static void stop(ConsumerState state, String reason) {
        state.stop(reason);
        LOG.error("{} stopped: {}", state.name(), reason);
    }

    private String topicId(String topic) {
        return topicIds.computeIfAbsent(
                topic,
                name -> {
                    try {
                        return admin.describeTopics(List.of(name))
                                .allTopicNames()
                                .get(30, TimeUnit.SECONDS)
                                .values()
                                .iterator()
                                .next()
                                .topicId()
                                .toString();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw new IllegalStateException("interrupted", e);
                    } catch (ExecutionException | TimeoutException e) {
                        throw new IllegalStateException("Kafka does not describe topic " + name, e);
                    }
                });
    }

    private static String consumerName(String binding) {
        return binding.endsWith(SUFFIX)
                ? binding.substring(0, binding.length() - SUFFIX.length())
                : binding;
    }
}
