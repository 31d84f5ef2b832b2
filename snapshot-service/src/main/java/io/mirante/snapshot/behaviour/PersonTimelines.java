package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.ProblemException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Gathers events in any order and gives them back by person and time. 14 bytes an event while they are gathered, 22 while they are sorted.
 * Not thread-safe.
 *
 * <p>A person's events are sorted as one long each: the time since the first event above, what the event is below. What
 * events can be is numbered as it is met.
 */
final class PersonTimelines {

    private static final int FIRST_CAPACITY = 1 << 12;
    private static final int MAX_KINDS = 1 << 15;

    private final Map<Integer, Integer> numbers = new HashMap<>();
    private int[] kinds = new int[16];
    private int[] persons = new int[FIRST_CAPACITY];
    private long[] micros = new long[FIRST_CAPACITY];
    private short[] kindOf = new short[FIRST_CAPACITY];
    private int size;
    private int maxPerson;
    private long first = Long.MAX_VALUE;
    private long last = Long.MIN_VALUE;

    /** Takes a person's events. */
    @FunctionalInterface
    interface Visitor {
        /**
         * A person.
         *
         * @param micros ascending, of the events
         * @param masks of the events
         * @param events how many of the two arrays are filled
         * @return false = no more persons are wanted
         */
        boolean see(long person, long[] micros, int[] masks, int events);
    }

    /**
     * An event.
     *
     * @param person 0 to 2³¹ − 2
     * @param mask what the event is, any number
     * @throws ProblemException 422 when events are of more than 32,768 kinds
     */
    void add(long person, long at, int mask) {
        if (size == persons.length) {
            int more = size * 2;
            persons = Arrays.copyOf(persons, more);
            micros = Arrays.copyOf(micros, more);
            kindOf = Arrays.copyOf(kindOf, more);
        }
        persons[size] = Math.toIntExact(person);
        micros[size] = at;
        kindOf[size] = number(mask);
        size++;
        maxPerson = Math.max(maxPerson, (int) person);
        first = Math.min(first, at);
        last = Math.max(last, at);
    }

    private short number(int mask) {
        // Few kinds of events, mostly: the newest are looked at first.
        for (int i = 0; i < Math.min(4, numbers.size()); i++) {
            if (kinds[i] == mask) {
                return (short) i;
            }
        }
        return (short)
                (int)
                        numbers.computeIfAbsent(
                                mask,
                                unknown -> {
                                    int number = numbers.size();
                                    if (number == MAX_KINDS) {
                                        throw tooMany();
                                    }
                                    if (number == kinds.length) {
                                        kinds = Arrays.copyOf(kinds, number * 2);
                                    }
                                    kinds[number] = mask;
                                    return number;
                                });
    }

    private static ProblemException tooMany() {
        return ProblemException.impossible(
                "too-many-kinds",
                "the question distinguishes too many kinds of events over too long a time; ask with fewer steps or a shorter range");
    }

    /**
     * Gives all persons, in the order of their numbers, to a visitor; nothing can be added afterwards.
     *
     * @return whether the visitor has seen all
     * @throws ProblemException 422 when the time between first and last event and the kinds of events have no place in 63 bits:
     *     with 16 kinds, 18,000 years
     */
    boolean visit(Visitor visitor) {
        if (size == 0) {
            return true;
        }
        int bits = 32 - Integer.numberOfLeadingZeros(Math.max(1, numbers.size() - 1));
        if (last - first >= 1L << 63 - bits) {
            throw tooMany();
        }
        int[] ends = new int[maxPerson + 2];
        for (int i = 0; i < size; i++) {
            ends[persons[i] + 1]++;
        }
        for (int p = 1; p < ends.length; p++) {
            ends[p] += ends[p - 1];
        }
        long[] packed = new long[size];
        for (int i = 0; i < size; i++) {
            packed[ends[persons[i]]++] = micros[i] - first << bits | kindOf[i];
        }
        persons = new int[0];
        micros = new long[0];
        kindOf = new short[0];
        return unpack(packed, ends, bits, visitor);
    }

    /** Of a person the events end where {@code ends} says, and begin where those of the one before end. */
    private boolean unpack(long[] packed, int[] ends, int bits, Visitor visitor) {
        long kind = (1L << bits) - 1;
        long[] times = new long[64];
        int[] masks = new int[64];
        int from = 0;
        for (int person = 0; person <= maxPerson; person++) {
            int to = ends[person];
            int events = to - from;
            if (events == 0) {
                continue;
            }
            Arrays.sort(packed, from, to);
            if (times.length < events) {
                times = new long[events * 2];
                masks = new int[events * 2];
            }
            for (int i = 0; i < events; i++) {
                long event = packed[from + i];
                times[i] = first + (event >>> bits);
                masks[i] = kinds[(int) (event & kind)];
            }
            if (!visitor.see(person, times, masks, events)) {
                return false;
            }
            from = to;
        }
        return true;
    }
}
