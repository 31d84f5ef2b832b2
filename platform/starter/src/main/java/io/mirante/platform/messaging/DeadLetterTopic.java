package io.mirante.platform.messaging;

import io.mirante.contracts.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A service's dead-letter topic, read without a group. Thread-safe; what it opens is not, and blocks. */
final class DeadLetterTopic {

    /** Letters looked at for one page: a page of a rare kind is short rather than slow. */
    static final int MAX_LOOKED_AT = 10_000;

    /** A producer's clock against the order on the topic. */
    private static final Duration DISORDER = Duration.ofMinutes(1);

    /** Letters are not older, and none will be written later. */
    private static final Instant EARLIEST = Instant.EPOCH.plus(DISORDER);

    private static final Instant LATEST = Instant.parse("9999-12-31T00:00:00Z");

    private static final Duration POLL = Duration.ofMillis(200);
    private static final int MIN_CHUNK = 50;
    private static final int MAX_CHUNK = 500;

    private final TopicPartition partition;
    private final Supplier<Consumer<byte[], byte[]>> consumers;

    DeadLetterTopic(String service, Supplier<Consumer<byte[], byte[]>> consumers) {
        this.partition = new TopicPartition(Topics.dead(service).name(), 0);
        this.consumers = consumers;
    }

    /**
     * Begins to read.
     *
     * @param patience for all that is read until it is closed
     */
    Reading open(Duration patience) {
        var consumer = consumers.get();
        try {
            return new Reading(consumer, System.nanoTime() + patience.toNanos());
        } catch (RuntimeException e) {
            consumer.close();
            throw e;
        }
    }

    /**
     * Some of the letters.
     *
     * @param next offset to go on with; null when there is nothing left
     */
    record Slice<T>(List<T> letters, @Nullable Long next) {}

    /** A short-lived reader; {@link TimeoutException} when its time is up. */
    final class Reading implements AutoCloseable {

        private final Consumer<byte[], byte[]> consumer;
        private final long deadline;
        private final long first;
        private final long end;

        private Reading(Consumer<byte[], byte[]> consumer, long deadline) {
            this.consumer = consumer;
            this.deadline = deadline;
            consumer.assign(List.of(partition));
            this.first = consumer.beginningOffsets(List.of(partition)).getOrDefault(partition, 0L);
            this.end = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
        }

        @Override
        public void close() {
            consumer.close();
        }

        /** The letter at an offset. */
        Optional<DeadLetter> at(long offset) {
            var found = new ArrayList<DeadLetter>(1);
            if (offset >= first && offset < end) {
                read(
                        offset,
                        offset + 1,
                        record -> {
                            DeadLetter.of(record).ifPresent(found::add);
                            return false;
                        });
            }
            return found.stream().findFirst();
        }

        /**
         * Newest first.
         *
         * @param before offset above all that are wanted; null = from the end
         * @param shown called once for each letter of the answer, and for some more
         */
        <T> Slice<T> backwards(
                DeadLetterSelection selection,
                @Nullable Long before,
                int limit,
                Function<DeadLetter, T> shown) {
            long lowest = begin(selection.from());
            long upper = until(selection.to());
            upper = before == null ? upper : Math.min(before, upper);
            var offsets = new ArrayList<Long>();
            var found = new ArrayList<T>();
            long lookedAt = 0;
            int chunk = Math.max(MIN_CHUNK, limit + 1);
            while (upper > lowest && found.size() <= limit && lookedAt < MAX_LOOKED_AT) {
                long from = Math.max(lowest, upper - chunk);
                var offsetsHere = new ArrayList<Long>();
                var here = new ArrayList<T>();
                read(
                        from,
                        upper,
                        record -> {
                            DeadLetter.of(record)
                                    .filter(selection::matches)
                                    .ifPresent(letter -> {
                                        offsetsHere.add(letter.offset());
                                        here.add(shown.apply(letter));
                                    });
                            return true;
                        });
                offsets.addAll(offsetsHere.reversed());
                found.addAll(here.reversed());
                lookedAt += upper - from;
                upper = from;
                chunk = Math.max(chunk, MAX_CHUNK);
            }
            if (found.size() > limit) {
                return new Slice<>(List.copyOf(found.subList(0, limit)), offsets.get(limit - 1));
            }
            return new Slice<>(List.copyOf(found), upper > lowest ? upper : null);
        }

        /**
         * Oldest first, as long as {@code taker} wants more and some thousand were not looked at.
         *
         * @param from offset to begin with; null = the oldest
         * @param taker false when it does not take the letter and wants no more
         * @return offset to go on with, the refused letter's own; null when there is nothing left
         */
        @Nullable Long forwards(
                DeadLetterSelection selection, @Nullable Long from, Predicate<DeadLetter> taker) {
            long begin = begin(selection.from());
            begin = from == null ? begin : Math.max(from, begin);
            long until = until(selection.to());
            long stop = Math.min(until, begin + MAX_LOOKED_AT);
            var refused = new ArrayList<Long>(1);
            read(
                    begin,
                    stop,
                    record -> {
                        var letter = DeadLetter.of(record).filter(selection::matches);
                        if (letter.isEmpty() || taker.test(letter.get())) {
                            return true;
                        }
                        refused.add(record.offset());
                        return false;
                    });
            if (!refused.isEmpty()) {
                return refused.getFirst();
            }
            return stop < until ? stop : null;
        }

        private void read(long from, long to, Predicate<ConsumerRecord<byte[], byte[]>> visitor) {
            if (from >= to) {
                return;
            }
            consumer.seek(partition, from);
            while (consumer.position(partition) < to) {
                if (System.nanoTime() - deadline > 0) {
                    throw new TimeoutException("Kafka took too long to read " + partition);
                }
                for (var record : consumer.poll(POLL)) {
                    if (record.offset() >= to || !visitor.test(record)) {
                        return;
                    }
                }
            }
        }

        private long begin(@Nullable Instant time) {
            if (time == null || time.isBefore(EARLIEST)) {
                return first;
            }
            var found = atTime(time.minus(DISORDER));
            return found == null ? end : Math.max(first, found);
        }

        private long until(@Nullable Instant time) {
            if (time == null || time.isAfter(LATEST)) {
                return end;
            }
            var found = time.isBefore(EARLIEST) ? Long.valueOf(first) : atTime(time.plus(DISORDER));
            return found == null ? end : Math.min(end, found);
        }

        private @Nullable Long atTime(Instant time) {
            if (time.isAfter(LATEST)) {
                return null;
            }
            var found =
                    consumer.offsetsForTimes(Map.of(partition, time.toEpochMilli())).get(partition);
            return found == null ? null : found.offset();
        }
    }
}
