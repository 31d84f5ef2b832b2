package io.mirante.etl.log;

import io.mirante.platform.messaging.Position;
import io.mirante.platform.messaging.Received;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A poll's records in their order, each with what it is. Immutable.
 *
 * <p>Accounting: records = stored + redelivered + duplicates + conflicts.
 */
record SortedPoll(List<Sorted> records) {

    SortedPoll {
        records = List.copyOf(records);
    }

    /** What a record is to the log. */
    enum Verdict {
        /** The first with its id: it counts. */
        KEPT,
        /** Another record with the same id and content counts. */
        DUPLICATE,
        /** Another record with the same id but another content counts. */
        CONFLICT
    }

    /**
     * A record and its verdict.
     *
     * @param again the same record was handled before: it is published again, and changes nothing
     */
    record Sorted(Received<RawEvent> received, Verdict verdict, boolean again) {

        RawEvent event() {
            return received.value();
        }

        private Sorted seenBefore() {
            return new Sorted(received, verdict, true);
        }
    }

    /**
     * Where the event with an id stands that counts.
     *
     * @param receivedAt when it was accepted: positions of a topic that was made anew come again, the time does not
     */
    record Identity(Position position, Instant receivedAt, String contentHash) {

        private boolean isOf(Received<RawEvent> received) {
            return position.equals(received.position())
                    && receivedAt.equals(received.value().receivedAt());
        }
    }

    /**
     * Decides. The same position and receipt = the same record again, whatever it holds; another = a repetition.
     *
     * @param inserted positions whose identity is new
     * @param known the identity of every other id
     */
    static SortedPoll of(
            List<Received<RawEvent>> poll, Set<Position> inserted, Map<EventKey, Identity> known) {
        var sorted = new ArrayList<Sorted>(poll.size());
        for (var received : poll) {
            if (inserted.contains(received.position())) {
                sorted.add(new Sorted(received, Verdict.KEPT, false));
                continue;
            }
            var first = known.get(received.value().key());
            if (first == null) {
                throw new IllegalStateException("no identity of " + received.value().key());
            }
            if (first.isOf(received)) {
                sorted.add(new Sorted(received, Verdict.KEPT, true));
            } else if (first.contentHash().equals(received.value().contentHash())) {
                sorted.add(new Sorted(received, Verdict.DUPLICATE, false));
            } else {
                sorted.add(new Sorted(received, Verdict.CONFLICT, false));
            }
        }
        return new SortedPoll(sorted);
    }

    /** The same, with repetitions that were recorded before marked so. */
    SortedPoll withRecorded(Set<Position> newRepeats) {
        return new SortedPoll(
                records.stream()
                        .map(s ->
                                s.verdict() == Verdict.KEPT
                                                || newRepeats.contains(s.received().position())
                                        ? s
                                        : s.seenBefore())
                        .toList());
    }

    /** What goes into the log. */
    List<Sorted> fresh() {
        return matching(s -> s.verdict() == Verdict.KEPT && !s.again());
    }

    /** What is published as clean: also what was stored before. */
    List<Sorted> kept() {
        return matching(s -> s.verdict() == Verdict.KEPT);
    }

    /** Repetitions, of the same content or another. */
    List<Sorted> repeats() {
        return matching(s -> s.verdict() != Verdict.KEPT);
    }

    private List<Sorted> matching(Predicate<Sorted> condition) {
        return records.stream().filter(condition).toList();
    }
}
