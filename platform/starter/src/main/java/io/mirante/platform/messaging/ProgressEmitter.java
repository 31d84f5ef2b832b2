package io.mirante.platform.messaging;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.Progress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Says each second how far each source partition held here has been processed, also when nothing happens, so that
 * readers can tell "nothing came" from "not there yet"; five times a second while something does. A time is sent once
 * everything accepted before it is stored and published.
 */
final class ProgressEmitter implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(ProgressEmitter.class);

    /** How often it looks whether a time was reached. */
    private static final Duration LOOK = Duration.ofMillis(50);

    private static final Duration BUSY = Duration.ofMillis(200);
    private static final Duration IDLE = Duration.ofSeconds(1);

    /** Partitions are busy until nothing was processed for so long. */
    private static final Duration CALM = Duration.ofSeconds(3);

    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int MAX_PENDING = 600;

    private final Assignments assignments;
    private final Set<String> storing;
    private final Supplier<Consumer<byte[], byte[]>> offsets;
    private final EventSender sender;
    private final Clock clock;
    private final Map<TopicPartition, Deque<Target>> pending = new HashMap<>();
    private final Map<TopicPartition, Long> seen = new HashMap<>();
    private Instant busyUntil = Instant.EPOCH;
    private Instant asked = Instant.EPOCH;
    private ScheduledExecutorService thread = Executors.newScheduledThreadPool(0);
    private volatile boolean running;

    /**
     * An emitter.
     *
     * @param storing names of storing consumers whose source partitions are told about as well
     * @param offsets makes a consumer, used for its offset look-ups alone ({@code read_uncommitted})
     */
    ProgressEmitter(
            Assignments assignments,
            Set<String> storing,
            Supplier<Consumer<byte[], byte[]>> offsets,
            EventSender sender,
            Clock clock) {
        this.assignments = assignments;
        this.storing = Set.copyOf(storing);
        this.offsets = offsets;
        this.sender = sender;
        this.clock = clock;
    }

    /** Everything accepted before {@code time} is below {@code end}. */
    private record Target(Instant time, long end) {}

    @Override
    public void start() {
        running = true;
        thread =
                Executors.newScheduledThreadPool(
                        1, Thread.ofPlatform().daemon().name("progress-", 0).factory());
        var state =
                new Object() {
                    org.apache.kafka.clients.consumer.@org.jspecify.annotations.Nullable Consumer<
                                    byte[], byte[]>
                            consumer;
                };
        var unused =
                thread.scheduleWithFixedDelay(
                        () -> {
                            try {
                                var emitting = emitting();
                                if (emitting.isEmpty()) {
                                    return;
                                }
                                if (state.consumer == null) {
                                    state.consumer = offsets.get();
                                }
                                emit(emitting, state.consumer);
                            } catch (RuntimeException e) {
                                if (running) {
                                    LOG.warn(
                                            "cannot tell progress at the moment: {}",
                                            e.getMessage());
                                }
                            }
                        },
                        IDLE.toMillis(),
                        LOOK.toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        running = false;
        thread.shutdownNow();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private List<ConsumerState> emitting() {
        return assignments.states().stream()
                .filter(s ->
                        s.stopped() == null
                                && (s.mode() == ConsumerState.Mode.PUBLISHING
                                        || storing.contains(s.name())))
                .toList();
    }

    private void emit(List<ConsumerState> states, Consumer<byte[], byte[]> lookUp) {
        var held = new HashMap<TopicPartition, ConsumerState>();
        states.forEach(s -> s.partitions().forEach(p -> held.put(p, s)));
        pending.keySet().retainAll(held.keySet());
        seen.keySet().retainAll(held.keySet());
        if (held.isEmpty()) {
            return;
        }
        var now = clock.instant();
        if (!now.isBefore(asked.plus(isBusy(held, now) ? BUSY : IDLE))) {
            asked = now;
            target(held, now, lookUp);
        }
        var messages = new ArrayList<Outgoing>();
        held.forEach((partition, state) ->
                reached(
                                state,
                                partition,
                                pending.computeIfAbsent(partition, p -> new ArrayDeque<>()))
                        .ifPresent(messages::add));
        if (!messages.isEmpty()) {
            sender.sendAll(messages).block(LIMIT);
        }
    }

    private void target(
            Map<TopicPartition, ConsumerState> held, Instant now, Consumer<byte[], byte[]> lookUp) {
        var ends = lookUp.endOffsets(held.keySet(), LIMIT);
        learnSinks(held, lookUp);
        for (var partition : held.keySet()) {
            var targets = pending.computeIfAbsent(partition, p -> new ArrayDeque<>());
            if (targets.size() < MAX_PENDING) {
                targets.addLast(new Target(now, ends.getOrDefault(partition, 0L)));
            }
        }
    }

    private boolean isBusy(Map<TopicPartition, ConsumerState> held, Instant now) {
        held.forEach((partition, state) -> {
            Long processed = state.processed(partition);
            if (processed != null) {
                Long before = seen.put(partition, processed);
                if (before != null && before < processed) {
                    busyUntil = now.plus(CALM);
                }
            }
        });
        return now.isBefore(busyUntil);
    }

    /** Where a sink ends when its partition is first held: nothing from this source can be beyond. */
    private static void learnSinks(
            Map<TopicPartition, ConsumerState> held, Consumer<byte[], byte[]> lookUp) {
        var unknown =
                held.entrySet().stream()
                        .filter(e ->
                                e.getValue().mode() == ConsumerState.Mode.PUBLISHING
                                        && e.getValue().published(e.getKey()) == null)
                        .toList();
        if (unknown.isEmpty()) {
            return;
        }
        var sinks =
                lookUp.endOffsets(
                        unknown.stream().map(e -> sink(e.getKey())).distinct().toList(), LIMIT);
        unknown.forEach(e ->
                e.getValue().publishedUpTo(e.getKey(), sinks.getOrDefault(sink(e.getKey()), 0L)));
    }

    private static TopicPartition sink(TopicPartition source) {
        return new TopicPartition(Topics.EVENTS_CLEAN.name(), source.partition());
    }

    private java.util.Optional<Outgoing> reached(
            ConsumerState state, TopicPartition partition, Deque<Target> targets) {
        Long processed = state.processed(partition);
        if (processed == null) {
            return java.util.Optional.empty();
        }
        Instant time = null;
        while (!targets.isEmpty() && targets.getFirst().end() <= processed) {
            time = targets.removeFirst().time();
        }
        if (time == null) {
            return java.util.Optional.empty();
        }
        boolean publishing = state.mode() == ConsumerState.Mode.PUBLISHING;
        // Read after "processed": what was published for it is known by then.
        Long end = publishing ? state.published(partition) : processed;
        if (end == null) {
            return java.util.Optional.empty();
        }
        var progress =
                new Progress(
                        partition.topic(),
                        partition.partition(),
                        processed,
                        publishing ? Topics.EVENTS_CLEAN.name() : partition.topic(),
                        Map.of(partition.partition(), end),
                        time);
        return java.util.Optional.of(
                new Outgoing(
                        Topics.PROGRESS.name(),
                        null,
                        Keys.of(partition.toString()),
                        Json.mapper().writeValueAsBytes(progress),
                        Map.of(
                                CloudHeaders.SPEC_VERSION,
                                "1.0",
                                CloudHeaders.ID,
                                partition + "@" + time,
                                CloudHeaders.TYPE,
                                "progress",
                                CloudHeaders.SOURCE,
                                "/progress/" + state.name(),
                                CloudHeaders.TIME,
                                time.toString())));
    }
}
