package io.mirante.snapshot.behaviour;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.platform.web.ProblemException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PersonTimelinesTest {

    private record Event(long person, long at, int mask) {}

    private static final Comparator<Event> ORDER =
            Comparator.comparingLong(Event::person)
                    .thenComparingLong(Event::at)
                    .thenComparingInt(Event::mask);

    @Test
    void givesEveryEventBackByPersonAndTime() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            var timelines = new PersonTimelines();
            var events = new ArrayList<Event>();
            int kinds = 1 + random.nextInt(40);
            for (int i = random.nextInt(10_000); i > 0; i--) {
                var event =
                        new Event(
                                random.nextInt(50),
                                1_700_000_000_000_000L + random.nextInt(1_000),
                                1 + random.nextInt(kinds) * 7);
                events.add(event);
                timelines.add(event.person(), event.at(), event.mask());
            }
            var seen = new ArrayList<Event>();
            var persons = new ArrayList<Long>();
            assertThat(
                            timelines.visit((person, micros, masks, count) -> {
                                persons.add(person);
                                for (int i = 0; i < count; i++) {
                                    assertThat(i == 0 || micros[i - 1] <= micros[i]).isTrue();
                                    seen.add(new Event(person, micros[i], masks[i]));
                                }
                                return true;
                            }))
                    .isTrue();
            events.sort(ORDER);
            seen.sort(ORDER);
            assertThat(seen).as("seed %d", seed).isEqualTo(events);
            assertThat(persons).isSorted().doesNotHaveDuplicates();
        }
    }

    @Test
    void stopsWhenNobodyElseIsWanted() {
        var timelines = new PersonTimelines();
        for (int person = 9; person >= 0; person--) {
            timelines.add(person, 5, 1);
        }
        var seen = new ArrayList<Long>();
        assertThat(
                        timelines.visit((person, micros, masks, events) -> {
                            seen.add(person);
                            return person < 3;
                        }))
                .isFalse();
        assertThat(seen).isEqualTo(List.of(0L, 1L, 2L, 3L));
    }

    @Test
    void holdsTheWholeOfTimeWithFewKindsAndSaysSoWhenItCannot() {
        long last = 253_402_300_799_000_000L; // 9999
        var few = new PersonTimelines();
        var many = new PersonTimelines();
        for (int kind = 1; kind <= 1 << 10; kind++) {
            if (kind <= 16) {
                few.add(1, kind == 1 ? 0 : last, kind);
            }
            many.add(1, kind == 1 ? 0 : last, kind);
        }
        var times = new ArrayList<Long>();
        assertThat(
                        few.visit((person, micros, masks, events) -> {
                            times.add(micros[0]);
                            times.add(micros[events - 1]);
                            return true;
                        }))
                .isTrue();
        assertThat(times).containsExactly(0L, last);
        assertThatThrownBy(() -> many.visit((person, micros, masks, events) -> true))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("fewer steps");
    }
}
