package io.mirante.platform.messaging;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import io.mirante.platform.erasure.Erasures;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.tenants.Tenants;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Applies polls exactly once. For each poll, in one PostgreSQL transaction: skip what is at or below the stored
 * positions, keep poison on the dead-letter topic, let the handler apply the rest, advance the positions.
 *
 * <p>Poison is data: a record that cannot be parsed never hurts its neighbours. When PostgreSQL or Kafka fails the poll
 * is repeated with back-off, without limit. Any other exception repeats the poll one record per transaction; a record
 * that fails alone three times is dead-lettered.
 *
 * <p>The first poll waits until the tenants' settings are known, and who was erased: what speaks of an erased person is
 * applied without the person, or skipped. Identity of the counters: received = applied + skipped + dead. Thread-safe; each poll runs on the binder's thread,
 * which is the only place that blocks, for longer than the database's statement timeout.
 */
public final class BatchRunner {

    private static final Logger LOG = LoggerFactory.getLogger(BatchRunner.class);
    private static final int TRIES_ALONE = 3;

    private final StreamDatabase stream;
    private final Positions positions;
    private final Assignments assignments;
    private final DeadLetters deadLetters;
    private final BuriedRecords buried;
    private final TransactionalSender publisher;
    private final FaultPoint faults;
    private final MeterRegistry meters;
    private final Duration limit;
    private final Tenants tenants;
    private final Erasures erasures;
    private final Map<String, Run<?>> runs = new ConcurrentHashMap<>();

    BatchRunner(
            StreamDatabase stream,
            Positions positions,
            Assignments assignments,
            DeadLetters deadLetters,
            BuriedRecords buried,
            TransactionalSender publisher,
            FaultPoint faults,
            MeterRegistry meters,
            Duration limit,
            Tenants tenants,
            Erasures erasures) {
        this.stream = stream;
        this.positions = positions;
        this.assignments = assignments;
        this.deadLetters = deadLetters;
        this.buried = buried;
        this.publisher = publisher;
        this.faults = faults;
        this.meters = meters;
        this.limit = limit;
        this.tenants = tenants;
        this.erasures = erasures;
    }

    /**
     * A consumer that stores: its effect and its position are one transaction.
     *
     * @param consumer name of the function bean; also the name of its positions
     */
    public <E> Consumer<Message<List<byte[]>>> storing(
            String consumer, Parser<E> parser, StoreHandler<E> handler) {
        return running(
                new Run<>(
                        assignments.register(
                                new ConsumerState(consumer, ConsumerState.Mode.STORING)),
                        parser,
                        (fresh, db) -> handler.store(fresh, db).thenReturn(List::of)));
    }

    /**
     * A consumer that stores and then publishes, with the group's offset, in one Kafka transaction. Its binding must
     * have {@code ack-mode: MANUAL}.
     */
    public <E> Consumer<Message<List<byte[]>>> publishing(
            String consumer, Parser<E> parser, PublishHandler<E> handler) {
        return running(
                new Run<>(
                        assignments.register(
                                new ConsumerState(consumer, ConsumerState.Mode.PUBLISHING)),
                        parser,
                        handler));
    }

    private <E> Run<E> running(Run<E> run) {
        runs.put(run.state.name(), run);
        return run;
    }

    /** A consumer as one who replays its dead letters sees it. */
    interface Replayable {

        ConsumerState.Mode mode();

        /**
         * Parses a record as it would be parsed now.
         *
         * @return what applies it in a transaction; null when nothing is left of it, because it is about an erased person
         * @throws PoisonException when it cannot be parsed
         */
        @Nullable Function<DatabaseClient, Mono<Void>> effectOf(
                ConsumerRecord<byte[], byte[]> record) throws PoisonException;

        /** Whether it can be parsed and is about an erased person. */
        boolean ofErased(ConsumerRecord<byte[], byte[]> record);
    }

    /** The consumers of this service by name. */
    Map<String, Replayable> consumers() {
        return Map.copyOf(runs);
    }

    /** Waits until tenants' settings and erasures are known; false when they are not in time. For threads that may block. */
    boolean awaitKnowledge(Duration within) {
        return tenants.awaitCaughtUp(within) && erasures.awaitCaughtUp(within);
    }

    private final class Run<E> implements Consumer<Message<List<byte[]>>>, Replayable {

        private final ConsumerState state;
        private final Parser<E> parser;
        private final PublishHandler<E> handler;
        private final Counter received;
        private final Counter applied;
        private final Counter skipped;
        private final Counter dead;

        Run(ConsumerState state, Parser<E> parser, PublishHandler<E> handler) {
            this.state = state;
            this.parser = parser;
            this.handler = handler;
            this.received = meters.counter("mirante.records.received", "consumer", state.name());
            this.applied =
                    meters.counter(
                            "mirante.records", "consumer", state.name(), "outcome", "applied");
            this.skipped =
                    meters.counter(
                            "mirante.records", "consumer", state.name(), "outcome", "skipped");
            this.dead =
                    meters.counter("mirante.records", "consumer", state.name(), "outcome", "dead");
        }

        @Override
        @SuppressWarnings("unchecked")
        public void accept(Message<List<byte[]>> message) {
            var records =
                    (List<ConsumerRecord<byte[], byte[]>>)
                            message.getHeaders().get(KafkaHeaders.RAW_DATA, List.class);
            var kafka =
                    message.getHeaders()
                            .get(
                                    KafkaHeaders.CONSUMER,
                                    org.apache.kafka.clients.consumer.Consumer.class);
            if (records == null || kafka == null) {
                throw new IllegalStateException(
                        "binding of " + state.name() + " does not use the starter's converter");
            }
            var reason = state.stopped();
            if (reason != null) {
                throw new IllegalStateException(state.name() + " is stopped: " + reason);
            }
            if (!tenants.awaitCaughtUp(limit)) {
                throw new IllegalStateException("the tenants' settings are not known yet");
            }
            if (!erasures.awaitCaughtUp(limit)) {
                throw new IllegalStateException("it is not known yet who was erased");
            }
            var poll = new Poll(records, positionsOf(kafka, records), List.of(), System.nanoTime());
            try {
                apply(poll, kafka);
            } catch (RuntimeException e) {
                if (Failures.ofInfrastructure(e)) {
                    throw e;
                }
                LOG.warn(
                        "{}: a poll of {} failed, repeating it record by record: {}",
                        state.name(),
                        records.size(),
                        e.toString());
                oneByOne(poll, kafka);
            }
        }

        /** After this poll: the position of every partition held, also of those without a record in it. */
        private Map<TopicPartition, Long> positionsOf(
                org.apache.kafka.clients.consumer.Consumer<?, ?> kafka,
                List<ConsumerRecord<byte[], byte[]>> records) {
            Map<TopicPartition, Long> next = new HashMap<>();
            for (var record : records) {
                next.merge(partitionOf(record), record.offset() + 1, Math::max);
            }
            for (var partition : state.partitions()) {
                if (kafka.assignment().contains(partition)) {
                    Long known = state.processed(partition);
                    long position = kafka.position(partition);
                    if (known != null && position > known) {
                        next.merge(partition, position, Math::max);
                    }
                }
            }
            return next;
        }

        private void oneByOne(Poll poll, org.apache.kafka.clients.consumer.Consumer<?, ?> kafka) {
            for (var record : poll.records()) {
                var alone =
                        new Poll(
                                List.of(record),
                                Map.of(partitionOf(record), record.offset() + 1),
                                List.of(),
                                poll.begun());
                for (int attempt = 1; ; attempt++) {
                    try {
                        apply(alone, kafka);
                        break;
                    } catch (RuntimeException e) {
                        if (Failures.ofInfrastructure(e)) {
                            throw e;
                        }
                        if (attempt == TRIES_ALONE) {
                            LOG.atError()
                                    .setCause(e)
                                    .log(
                                            "{}: dead-lettering {}",
                                            state.name(),
                                            record.topic()
                                                    + "-"
                                                    + record.partition()
                                                    + "@"
                                                    + record.offset());
                            bury(alone, e, kafka);
                            break;
                        }
                    }
                }
            }
            apply(new Poll(List.of(), poll.next(), List.of(), poll.begun()), kafka);
        }

        private void bury(
                Poll alone,
                RuntimeException e,
                org.apache.kafka.clients.consumer.Consumer<?, ?> kafka) {
            var dead =
                    new DeadLetters.Dead(
                            alone.records().getFirst(), "handler_failed", String.valueOf(e));
            apply(new Poll(List.of(), alone.next(), List.of(dead), alone.begun()), kafka);
        }

        private void apply(Poll poll, org.apache.kafka.clients.consumer.Consumer<?, ?> kafka) {
            var parsed = parse(poll.records());
            faults.reached(FaultPoint.BEFORE_COMMIT, state.name());
            var outcome =
                    stream.inTransaction(db -> store(poll, parsed, db))
                            .timeout(limit)
                            .block(limit.plusSeconds(5));
            if (outcome == null) {
                throw new IllegalStateException("no outcome of a poll");
            }
            if (state.mode() == ConsumerState.Mode.PUBLISHING) {
                faults.reached(FaultPoint.AFTER_COMMIT, state.name());
                publish(poll, outcome, kafka);
            }
            state.processedUpTo(poll.next());
            received.increment(poll.records().size() + poll.failed().size());
            applied.increment(outcome.applied());
            skipped.increment(outcome.skipped());
            dead.increment(outcome.dead());
        }

        private void publish(
                Poll poll,
                Outcome outcome,
                org.apache.kafka.clients.consumer.Consumer<?, ?> kafka) {
            if (poll.next().isEmpty()) {
                return;
            }
            var ends = publisher.send(outcome.outgoing().get(), poll.next(), kafka.groupMetadata());
            // A record goes to the partition number it came from, so that a source's progress has
            // one sink partition.
            for (var source : poll.next().keySet()) {
                ends.forEach((sink, end) -> {
                    if (sink.partition() == source.partition()
                            && sink.topic()
                                    .equals(io.mirante.contracts.Topics.EVENTS_CLEAN.name())) {
                        state.publishedUpTo(source, end);
                    }
                });
            }
        }

        private Mono<Outcome> store(Poll poll, Parsed<E> parsed, DatabaseClient db) {
            boolean redeliver = state.mode() == ConsumerState.Mode.PUBLISHING;
            var partitions = new TreeSet<>(TOPIC_ORDER);
            partitions.addAll(poll.next().keySet());
            return positions
                    .lock(db, state.name(), partitions)
                    .flatMap(locked -> {
                        var fresh = new ArrayList<Received<E>>();
                        Map<Positions.SourceKey, Long> sources = new HashMap<>();
                        int skippedHere = parsed.tombstones();
                        for (var record : parsed.good()) {
                            var kept =
                                    redeliver || isFresh(record, locked, sources)
                                            ? admissible(record)
                                            : null;
                            if (kept != null) {
                                fresh.add(kept);
                            } else {
                                skippedHere++;
                            }
                        }
                        var poison = new ArrayList<DeadLetters.Dead>();
                        for (var bad : parsed.poison()) {
                            Long next = locked.next().get(partitionOf(bad.record()));
                            if (redeliver || next == null || bad.record().offset() >= next) {
                                poison.add(bad);
                            } else {
                                skippedHere++;
                            }
                        }
                        for (var failed : poll.failed()) {
                            poison.add(failed);
                            noteSource(failed.record(), sources);
                        }
                        int skipped = skippedHere;
                        Mono<Supplier<List<Outgoing>>> effect =
                                fresh.isEmpty()
                                        ? Mono.just(List::of)
                                        : handler.store(fresh, db).defaultIfEmpty(List::of);
                        // Letters come after the effect, so that a handler that fails writes none.
                        return effect.flatMap(outgoing ->
                                deadLetters
                                        .keep(state.name(), poison)
                                        .then(buried.bury(db, state.name(), placesOf(poison)))
                                        .then(
                                                poison.isEmpty()
                                                        ? Mono.<Void>empty()
                                                        : handler.passedOver(
                                                                deadOf(poll, poison), db))
                                        .then(positions.advance(db, state.name(), poll.next()))
                                        .then(positions.advanceSources(db, state.name(), sources))
                                        .thenReturn(
                                                new Outcome(
                                                        outgoing,
                                                        fresh.size(),
                                                        skipped,
                                                        poison.size())));
                    });
        }

        /** As it is, of an erased person without the person, or null when nothing is left. */
        private @Nullable Received<E> admissible(Received<E> record) {
            if (!erasures.cover(record.value())) {
                return record;
            }
            var rest = Erasures.withoutPerson(record.value());
            return rest == null ? null : record.with(rest);
        }

        /** Also notes the record's source position, so that a second copy in the same poll is skipped as well. */
        private boolean isFresh(
                Received<E> record,
                Positions.Locked locked,
                Map<Positions.SourceKey, Long> sources) {
            var partition =
                    new TopicPartition(record.position().topic(), record.position().partition());
            Long next = locked.next().get(partition);
            if (next == null) {
                throw new IllegalStateException(
                        "no stored position of " + partition + " for " + state.name());
            }
            if (record.position().offset() < next) {
                return false;
            }
            var source = record.source();
            if (source == null) {
                return true;
            }
            var key = new Positions.SourceKey(partition, source.topic(), source.partition());
            Long last = sources.getOrDefault(key, locked.sources().get(key));
            if (last != null && source.offset() <= last) {
                return false;
            }
            sources.put(key, source.offset());
            return true;
        }

        /** A second copy of a record that failed is not tried: the record is to be replayed. */
        private void noteSource(
                ConsumerRecord<byte[], byte[]> record, Map<Positions.SourceKey, Long> sources) {
            var origin = originOf(record);
            if (state.mode() == ConsumerState.Mode.STORING && !origin.equals(placeOf(record))) {
                sources.merge(
                        new Positions.SourceKey(
                                partitionOf(record), origin.topic(), origin.partition()),
                        origin.offset(),
                        Math::max);
            }
        }

        private Parsed<E> parse(List<ConsumerRecord<byte[], byte[]>> records) {
            var good = new ArrayList<Received<E>>(records.size());
            var poison = new ArrayList<DeadLetters.Dead>();
            int tombstones = 0;
            for (var record : records) {
                if (record.value() == null && COMPACTED.contains(record.topic())) {
                    tombstones++;
                    continue;
                }
                try {
                    good.add(parse(record));
                } catch (PoisonException e) {
                    poison.add(
                            new DeadLetters.Dead(
                                    record, e.reason(), String.valueOf(e.getMessage())));
                }
            }
            return new Parsed<>(good, poison, tombstones);
        }

        private Received<E> parse(ConsumerRecord<byte[], byte[]> record) throws PoisonException {
            if (record.value() == null) {
                throw new PoisonException("no_value", "the record has no value");
            }
            var headers = new Headers(record.headers());
            return new Received<>(
                    value(record.value(), headers),
                    placeOf(record),
                    source(headers),
                    Instant.ofEpochMilli(record.timestamp()),
                    headers);
        }

        private E value(byte[] bytes, Headers headers) throws PoisonException {
            try {
                return parser.parse(bytes, headers);
            } catch (RuntimeException e) {
                throw new PoisonException("unreadable", String.valueOf(e));
            }
        }

        @Override
        public ConsumerState.Mode mode() {
            return state.mode();
        }

        @Override
        public @Nullable Function<DatabaseClient, Mono<Void>> effectOf(
                ConsumerRecord<byte[], byte[]> record) throws PoisonException {
            var rest = admissible(parse(record));
            return rest == null ? null : db -> handler.store(List.of(rest), db).then();
        }

        @Override
        public boolean ofErased(ConsumerRecord<byte[], byte[]> record) {
            try {
                return erasures.cover(parse(record).value());
            } catch (PoisonException e) {
                return false;
            }
        }
    }

    private static List<DeadRecord> deadOf(Poll poll, List<DeadLetters.Dead> dead) {
        var took = Duration.ofNanos(System.nanoTime() - poll.begun());
        return dead.stream()
                .map(one ->
                        new DeadRecord(
                                placeOf(one.record()),
                                Instant.ofEpochMilli(one.record().timestamp()),
                                new Headers(one.record().headers()),
                                one.reason(),
                                poll.failed().contains(one) ? TRIES_ALONE : 0,
                                took))
                .toList();
    }

    private static List<BuriedRecords.Buried> placesOf(List<DeadLetters.Dead> dead) {
        return dead.stream()
                .map(one -> new BuriedRecords.Buried(originOf(one.record()), placeOf(one.record())))
                .toList();
    }

    /** What Kafka allows, and PostgreSQL can hold. */
    private static final Pattern TOPIC_NAME = Pattern.compile("[A-Za-z0-9._-]{1,249}");

    /** Where the record first stood: at its source when it names one, else where it was read. */
    static Position originOf(ConsumerRecord<byte[], byte[]> record) {
        try {
            var source = source(new Headers(record.headers()));
            return source != null && TOPIC_NAME.matcher(source.topic()).matches()
                    ? source
                    : placeOf(record);
        } catch (PoisonException e) {
            return placeOf(record);
        }
    }

    private static Position placeOf(ConsumerRecord<byte[], byte[]> record) {
        return new Position(record.topic(), record.partition(), record.offset());
    }

    private static final java.util.Comparator<TopicPartition> TOPIC_ORDER =
            java.util.Comparator.comparing(TopicPartition::topic)
                    .thenComparing(TopicPartition::partition);

    /**
     * What is applied in one transaction.
     *
     * @param next positions after it
     * @param failed what the handler could not apply: passed over as dead
     * @param begun when the poll it belongs to was, in {@link System#nanoTime()}
     */
    private record Poll(
            List<ConsumerRecord<byte[], byte[]>> records,
            Map<TopicPartition, Long> next,
            List<DeadLetters.Dead> failed,
            long begun) {}

    /** Topics on which a record without a value says that its key is no more, which is not poison. */
    private static final Set<String> COMPACTED =
            Topics.all().stream()
                    .filter(Topic::compacted)
                    .map(Topic::name)
                    .collect(Collectors.toUnmodifiableSet());

    private record Parsed<E>(
            List<Received<E>> good, List<DeadLetters.Dead> poison, int tombstones) {}

    private record Outcome(Supplier<List<Outgoing>> outgoing, int applied, int skipped, int dead) {}

    /** Where the record first stood, when the one who passed it on says so. */
    private static @Nullable Position source(Headers headers) throws PoisonException {
        var topic = headers.get(CloudHeaders.SOURCE_TOPIC);
        if (topic == null) {
            return null;
        }
        try {
            return new Position(
                    topic,
                    Integer.parseInt(headers.require(CloudHeaders.SOURCE_PARTITION)),
                    Long.parseLong(headers.require(CloudHeaders.SOURCE_OFFSET)));
        } catch (NumberFormatException e) {
            throw new PoisonException("bad_header", "the source position is not a number");
        }
    }

    private static TopicPartition partitionOf(ConsumerRecord<?, ?> record) {
        return new TopicPartition(record.topic(), record.partition());
    }

    /**
     * Called when a consumer has had nothing to do for a while: its position may still move, past transaction markers,
     * and whoever waits for {@code as_of} must see that.
     */
    void idle(org.apache.kafka.clients.consumer.Consumer<?, ?> kafka) {
        var state = assignments.of(kafka);
        if (state == null || state.stopped() != null) {
            return;
        }
        Map<TopicPartition, Long> next = new HashMap<>();
        for (var partition : new HashSet<>(state.partitions())) {
            if (!kafka.assignment().contains(partition)) {
                continue;
            }
            Long known = state.processed(partition);
            long position = kafka.position(partition);
            if (known != null && position > known) {
                next.put(partition, position);
            }
        }
        if (next.isEmpty() || state.mode() == ConsumerState.Mode.PUBLISHING) {
            return;
        }
        stream.inTransaction(db -> positions.advance(db, state.name(), next).thenReturn(true))
                .block(limit);
        state.processedUpTo(next);
    }
}
