package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.ProblemException;
import io.mirante.snapshot.lake.LakeReader;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Who began in which period, and came back in which: for each person a bit a period, and nothing is sorted. Not thread-safe.
 *
 * <p>Memory: two longs a person for up to 64 periods, another two for each 64 more; what a question may take is bounded.
 */
final class CohortCounts implements LakeReader.Sink {

    /** Bits of a mask: what an event is. */
    static final int BEGINS = 1;

    static final int RETURNS = 2;

    /** 96 MiB. */
    private static final int MAX_LONGS = 12 << 20;

    private final CohortPeriods periods;
    private final MergedPersons.Merged merged;
    private final boolean firstTime;
    private final long from;
    private final long until;
    private final int words;

    /** By person: of those who are counted the first time, when that was; of the others the bits of periods begun in. */
    private long[] began;

    private long[] returned;
    private int persons;

    /**
     * None yet.
     *
     * @param periods cohorts' own and those they are followed through
     * @param firstTime only a person's first beginning counts
     * @param from µs since 1970 from which beginnings make a cohort
     * @param until µs since 1970 before which they do
     */
    CohortCounts(
            CohortPeriods periods,
            MergedPersons.Merged merged,
            boolean firstTime,
            long from,
            long until) {
        this.periods = periods;
        this.merged = merged;
        this.firstTime = firstTime;
        this.from = from;
        this.until = until;
        this.words = (periods.size() + 63) >> 6;
        this.began = new long[0];
        this.returned = new long[0];
        grow(1 << 10);
    }

    @Override
    public void add(long number, long micros, int mask, @Nullable String data) {
        if (number <= 0) {
            return;
        }
        int person = Math.toIntExact(merged.of(number));
        if (person >= persons) {
            grow(person + 1);
        }
        if ((mask & BEGINS) != 0) {
            begin(person, micros);
        }
        if ((mask & RETURNS) != 0) {
            int period = periods.of(micros);
            if (period >= 0 && period < periods.size()) {
                returned[person * words + (period >> 6)] |= 1L << period;
            }
        }
    }

    private void begin(int person, long micros) {
        if (firstTime) {
            began[person] = Math.min(began[person], micros);
        } else if (micros >= from && micros < until) {
            int period = periods.of(micros);
            began[person * words + (period >> 6)] |= 1L << period;
        }
    }

    private void grow(int atLeast) {
        int more = Math.max(atLeast, persons + (persons >> 1));
        int beganWords = firstTime ? 1 : words;
        if ((long) more * (beganWords + words) > MAX_LONGS) {
            more = atLeast;
        }
        if ((long) more * (beganWords + words) > MAX_LONGS) {
            throw ProblemException.impossible(
                    "too-many-periods",
                    "the question has too many periods for %,d persons; ask for fewer periods or a shorter range"
                            .formatted(atLeast));
        }
        int before = began.length;
        began = Arrays.copyOf(began, more * beganWords);
        if (firstTime) {
            Arrays.fill(began, before, began.length, Long.MAX_VALUE);
        }
        returned = Arrays.copyOf(returned, more * words);
        persons = more;
    }

    /**
     * The counts.
     *
     * @param cohorts how many periods have a cohort, from the first
     * @param following through how many periods each is followed, its own included
     * @return by cohort and period after it; period 0 is the cohort's size
     */
    long[][] retained(int cohorts, int following) {
        var retained = new long[cohorts][following];
        for (int person = 0; person < persons; person++) {
            if (firstTime) {
                if (began[person] >= from && began[person] < until) {
                    follow(person, periods.of(began[person]), retained);
                }
            } else {
                for (int cohort = 0; cohort < cohorts; cohort++) {
                    if ((began[person * words + (cohort >> 6)] >> cohort & 1) != 0) {
                        follow(person, cohort, retained);
                    }
                }
            }
        }
        return retained;
    }

    private void follow(int person, int cohort, long[][] retained) {
        var row = retained[cohort];
        row[0]++;
        for (int i = 1; i < row.length; i++) {
            int period = cohort + i;
            row[i] += returned[person * words + (period >> 6)] >>> period & 1;
        }
    }
}
