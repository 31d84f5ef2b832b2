package io.mirante.platform.messaging;

import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.web.ProblemException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;

/**
 * Processes dead letters again, each for the one consumer that failed and for no other reader of its topic. What a storing
 * consumer could not apply is parsed and applied here, in one transaction with the mark that it was: a second replay changes
 * nothing. What a publishing consumer could not take is parsed and then sent once more to the topic it came from, where that
 * consumer recognises a second copy. A letter that fails again stays as it is. Thread-safe; blocks.
 */
final class DeadLetterReplay {

    /** Letters of one call. */
    static final int MAX_LETTERS = 500;

    /** Below the gateway's time limit of ten seconds. */
    private static final Duration IN_ALL = Duration.ofSeconds(6);

    private static final Duration READING = Duration.ofSeconds(9);
    private static final Duration OF_ONE = Duration.ofSeconds(3);
    private static final Duration KNOWLEDGE = Duration.ofSeconds(2);

    private static final Set<String> COMPACTED =
            Topics.all().stream()
                    .filter(Topic::compacted)
                    .map(Topic::name)
                    .collect(Collectors.toUnmodifiableSet());

    private final DeadLetterTopic topic;
    private final BatchRunner runner;
    private final Positions positions;
    private final BuriedRecords buried;
    private final StreamDatabase stream;
    private final EventSender sender;
    private final Function<String, List<String>> readers;

    /**
     * A replay.
     *
     * @param readers names of this service's consumers of a topic
     */
    DeadLetterReplay(
            DeadLetterTopic topic,
            BatchRunner runner,
            Positions positions,
            BuriedRecords buried,
            StreamDatabase stream,
            EventSender sender,
            Function<String, List<String>> readers) {
        this.topic = topic;
        this.runner = runner;
        this.positions = positions;
        this.buried = buried;
        this.stream = stream;
        this.sender = sender;
        this.readers = readers;
    }

    /** What became of a letter. */
    enum Status {
        REPLAYED,
        /** In a dry run: it can be parsed now, and would be tried. */
        REPLAYABLE,
        ALREADY_REPLAYED,
        FAILED,
        NOT_REPLAYABLE,
        NOT_FOUND
    }

    /**
     * A letter's result.
     *
     * @param tenantId the letter's; null when it has none or was not found
     * @param reason a code, with {@code detail} as a sentence; both null when it was replayed
     */
    record Result(
            String id,
            @Nullable String tenantId,
            Status status,
            @Nullable String reason,
            @Nullable String detail) {}

    /**
     * What a call did.
     *
     * @param next offset to go on with; null when no letter is left
     */
    record Outcome(List<Result> results, @Nullable Long next) {}

    /** Replays letters by their ids, oldest first; one that the selection does not allow is not found. */
    Outcome byIds(List<String> ids, DeadLetterSelection allowed, boolean dryRun) {
        return reading(reading -> {
            long end = System.nanoTime() + IN_ALL.toNanos();
            var results = new ArrayList<Result>();
            ids.stream()
                    .distinct()
                    .sorted(Comparator.comparing(id -> DeadLetter.offsetOf(id).orElse(-1L)))
                    .forEach(id -> {
                        if (System.nanoTime() - end > 0) {
                            results.add(
                                    new Result(
                                            id,
                                            null,
                                            Status.FAILED,
                                            "out_of_time",
                                            "there was no time left for it; ask again"));
                            return;
                        }
                        results.add(
                                DeadLetter.offsetOf(id)
                                        .flatMap(reading::at)
                                        .filter(letter -> letter.id().equals(id))
                                        .filter(allowed::matches)
                                        .map(letter -> replay(letter, dryRun))
                                        .orElseGet(() ->
                                                new Result(
                                                        id,
                                                        null,
                                                        Status.NOT_FOUND,
                                                        "not_found",
                                                        "there is no such letter; they stay 14 days")));
                    });
            return new Outcome(List.copyOf(results), null);
        });
    }

    /** Replays up to {@value #MAX_LETTERS} of the letters selected, oldest first. */
    Outcome bySelection(DeadLetterSelection selection, @Nullable Long from, boolean dryRun) {
        return reading(reading -> {
            long end = System.nanoTime() + IN_ALL.toNanos();
            var results = new ArrayList<Result>();
            var next =
                    reading.forwards(
                            selection,
                            from,
                            letter -> {
                                if (results.size() == MAX_LETTERS || System.nanoTime() - end > 0) {
                                    return false;
                                }
                                results.add(replay(letter, dryRun));
                                return true;
                            });
            return new Outcome(List.copyOf(results), next);
        });
    }

    private Outcome reading(Function<DeadLetterTopic.Reading, Outcome> work) {
        if (!runner.awaitKnowledge(KNOWLEDGE)) {
            throw unavailable();
        }
        try (var reading = topic.open(READING)) {
            return work.apply(reading);
        } catch (KafkaException e) {
            throw unavailable();
        }
    }

    private static ProblemException unavailable() {
        return ProblemException.unavailable(
                "Kafka or PostgreSQL does not answer at the moment; ask again, what was replayed is not"
                        + " replayed twice",
                Duration.ofSeconds(2));
    }

    /** The consumer whose record it was; null when that cannot be said. */
    @Nullable String consumerOf(DeadLetter letter) {
        if (letter.consumer() != null) {
            return letter.consumer();
        }
        var candidates = readers.apply(letter.read().topic());
        return candidates.size() == 1 ? candidates.getFirst() : null;
    }

    /** Whether a letter is known to be about an erased person. */
    boolean ofErased(DeadLetter letter) {
        var name = consumerOf(letter);
        var consumer = name == null ? null : runner.consumers().get(name);
        return consumer != null && consumer.ofErased(letter.record());
    }

    private Result replay(DeadLetter letter, boolean dryRun) {
        if (COMPACTED.contains(letter.read().topic())) {
            return notReplayable(
                    letter,
                    "superseded",
                    letter.read().topic()
                            + " keeps the newest state of each key: a later state replaces this one, and"
                            + " is published with the next change");
        }
        var name = consumerOf(letter);
        var consumer = name == null ? null : runner.consumers().get(name);
        if (name == null || consumer == null) {
            return notReplayable(
                    letter,
                    "unknown_consumer",
                    name == null
                            ? "the letter does not say which consumer of "
                                    + letter.read().topic()
                                    + " it is for"
                            : "the service no longer has a consumer " + name);
        }
        Function<DatabaseClient, Mono<Void>> effect;
        try {
            effect = consumer.effectOf(letter.record());
        } catch (PoisonException e) {
            return failed(letter, e.reason(), String.valueOf(e.getMessage()));
        }
        if (effect == null) {
            return notReplayable(letter, "erased", "the person it is about was erased");
        }
        var act = consumer.mode() == ConsumerState.Mode.STORING ? effect : sendingAgain(letter);
        try {
            var result =
                    stream.inTransaction(db -> once(db, name, letter, dryRun ? null : act))
                            .timeout(OF_ONE)
                            .retryWhen(
                                    Retry.backoff(2, Duration.ofMillis(50))
                                            .filter(e ->
                                                    !(e instanceof TimeoutException)
                                                            && Failures.ofInfrastructure(e))
                                            .onRetryExhaustedThrow(
                                                    (spec, signal) -> signal.failure()))
                            .block();
            if (result == null) {
                throw new IllegalStateException("no result of a replay");
            }
            return result;
        } catch (RuntimeException e) {
            if (Failures.ofInfrastructure(e)) {
                throw unavailable();
            }
            return failed(letter, "handler_failed", String.valueOf(e));
        }
    }

    /**
     * Acts unless it was done before. The lock on the consumer's position keeps its own polls of the partition, and other
     * replays, out of the way.
     */
    private Mono<Result> once(
            DatabaseClient db,
            String consumer,
            DeadLetter letter,
            @Nullable Function<DatabaseClient, Mono<Void>> act) {
        var read = letter.read();
        var partition = new TopicPartition(read.topic(), read.partition());
        var record = new BuriedRecords.Buried(letter.origin(), read);
        return positions
                .lock(db, consumer, List.of(partition))
                .flatMap(locked -> {
                    Long next = locked.next().get(partition);
                    return next == null || read.offset() >= next
                            ? Mono.just(
                                    notReplayable(
                                            letter,
                                            "not_passed",
                                            consumer
                                                    + " has not passed the record yet and will come"
                                                    + " to it by itself"))
                            : buried.state(db, consumer, record.origin())
                                    .flatMap(
                                            state -> act(db, consumer, letter, record, state, act));
                });
    }

    private Mono<Result> act(
            DatabaseClient db,
            String consumer,
            DeadLetter letter,
            BuriedRecords.Buried record,
            BuriedRecords.State state,
            @Nullable Function<DatabaseClient, Mono<Void>> act) {
        if (state == BuriedRecords.State.REPLAYED) {
            return Mono.just(result(letter, Status.ALREADY_REPLAYED, null, null));
        }
        // A letter that does not name its consumer is older than the note of what was passed over.
        if (state == BuriedRecords.State.UNKNOWN && letter.consumer() != null) {
            return Mono.just(
                    notReplayable(
                            letter,
                            "not_dead",
                            "the attempt that wrote this letter was rolled back, and "
                                    + consumer
                                    + " processed the record afterwards"));
        }
        if (act == null) {
            return Mono.just(result(letter, Status.REPLAYABLE, null, null));
        }
        return buried.markReplayed(db, consumer, record)
                .then(act.apply(db))
                .thenReturn(result(letter, Status.REPLAYED, null, null));
    }

    /** The same record once more, at the end of its partition. */
    private Function<DatabaseClient, Mono<Void>> sendingAgain(DeadLetter letter) {
        var record = letter.record();
        Map<String, String> headers = new HashMap<>();
        record.headers()
                .forEach(h -> {
                    if (h.value() != null) {
                        headers.put(h.key(), new String(h.value(), StandardCharsets.UTF_8));
                    }
                });
        var again =
                new Outgoing(
                        record.topic(), record.partition(), record.key(), record.value(), headers);
        return db -> sender.send(again).then();
    }

    private static Result failed(DeadLetter letter, String reason, String detail) {
        return result(letter, Status.FAILED, reason, detail);
    }

    private static Result notReplayable(DeadLetter letter, String reason, String detail) {
        return result(letter, Status.NOT_REPLAYABLE, reason, detail);
    }

    private static Result result(
            DeadLetter letter, Status status, @Nullable String reason, @Nullable String detail) {
        return new Result(letter.id(), letter.tenantId(), status, reason, detail);
    }
}
