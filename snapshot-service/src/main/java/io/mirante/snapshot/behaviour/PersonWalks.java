package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.ProblemException;
import io.mirante.snapshot.lake.LakeReader;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Gives the events of all persons, person by person, to who asks a question about behaviour. Memory is bounded: what does not
 * fit is read in several passes, each over a range of persons. Thread-safe; blocks.
 */
@Component
final class PersonWalks {

    /** Of a pass: 90 MB at most. */
    private static final int MAX_EVENTS = 4_000_000;

    private static final int MAX_PASSES = 1 << 10;

    private final LakeReader lake;
    private final int maxEvents;

    @Autowired
    PersonWalks(LakeReader lake) {
        this(lake, MAX_EVENTS);
    }

    PersonWalks(LakeReader lake, int maxEvents) {
        this.lake = lake;
        this.maxEvents = maxEvents;
    }

    /** What SQL alone cannot tell about an event. */
    @FunctionalInterface
    interface Refinement {
        /**
         * A look at what was read.
         *
         * @param mask what the event is by SQL; not 0
         * @param data the text that the scan asks for; null when it asks for none of this event
         * @return what it is; 0 = it is not wanted
         */
        int matching(int mask, @Nullable String data);
    }

    /**
     * Walks over all persons, in the order of their numbers.
     *
     * @param merged persons who go by others
     * @param afterPerson only persons with a higher number
     * @param refinement asked about every event
     * @param visitors gives a new one for each try
     * @return the visitor that has seen all
     */
    <V extends PersonTimelines.Visitor> V walk(
            String tenant,
            LakeReader.Scan scan,
            MergedPersons.Merged merged,
            long afterPerson,
            Refinement refinement,
            Supplier<V> visitors) {
        var extent = lake.extent(tenant, scan.range());
        long highest = extent.highestPerson();
        long passes = extent.rows() / maxEvents + 1;
        if (passes == 1) {
            var all = gather(tenant, scan, merged, afterPerson, Long.MAX_VALUE, refinement);
            if (all.isWhole()) {
                var visitor = visitors.get();
                var unused = all.timelines.visit(visitor);
                return visitor;
            }
            highest = all.highest;
            passes = all.events / maxEvents + 1;
        }
        for (; passes <= MAX_PASSES; passes *= 2) {
            var visitor = visitors.get();
            long width = Math.max(1, (highest - afterPerson) / passes + 1);
            if (walk(tenant, scan, merged, afterPerson, width, highest, refinement, visitor)) {
                return visitor;
            }
        }
        throw ProblemException.impossible(
                "too-many-events",
                "a person has more than %,d events that the question is about; ask for a shorter range"
                        .formatted(maxEvents));
    }

    /** Range by range of persons; false when one has too many events. */
    private boolean walk(
            String tenant,
            LakeReader.Scan scan,
            MergedPersons.Merged merged,
            long afterPerson,
            long width,
            long highest,
            Refinement refinement,
            PersonTimelines.Visitor visitor) {
        for (long after = afterPerson; ; after += width) {
            // Persons may be numbered meanwhile: the last range has no end.
            boolean last = after + width >= highest;
            long until = last ? Long.MAX_VALUE : after + width;
            var range = gather(tenant, scan, merged, after, until, refinement);
            if (!range.isWhole()) {
                return false;
            }
            if (!range.timelines.visit(visitor) || last) {
                return true;
            }
        }
    }

    private Gathered gather(
            String tenant,
            LakeReader.Scan scan,
            MergedPersons.Merged merged,
            long after,
            long until,
            Refinement refinement) {
        return lake.read(
                tenant,
                scan.of(merged.lowest(after), merged.highest(after, until)),
                () -> new Gathered(merged, after, until, refinement));
    }

    /** The events of a range of persons, as long as they fit; how many they are in any case. */
    private final class Gathered implements LakeReader.Sink {
        private final MergedPersons.Merged merged;
        private final long after;
        private final long until;
        private final Refinement refinement;
        private PersonTimelines timelines = new PersonTimelines();
        private long events;
        private long highest;

        /**
         * None yet.
         *
         * @param after number of the last person not wanted
         * @param until number of the last person wanted
         */
        Gathered(MergedPersons.Merged merged, long after, long until, Refinement refinement) {
            this.merged = merged;
            this.after = after;
            this.until = until;
            this.refinement = refinement;
        }

        @Override
        public void add(long number, long micros, int mask, @Nullable String data) {
            long person = merged.of(number);
            highest = Math.max(highest, person);
            if (person <= after || person > until) {
                return;
            }
            int is = refinement.matching(mask, data);
            if (is == 0) {
                return;
            }
            if (events < maxEvents) {
                timelines.add(person, micros, is);
            } else if (events == maxEvents) {
                // What does not fit is read again, and its memory wanted then.
                timelines = new PersonTimelines();
            }
            events++;
        }

        private boolean isWhole() {
            return events <= maxEvents;
        }
    }
}
