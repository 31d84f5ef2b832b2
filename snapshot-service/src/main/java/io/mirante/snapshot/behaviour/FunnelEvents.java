package io.mirante.snapshot.behaviour;

import io.mirante.contracts.Json;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Tells what events are to a funnel. Without a breakdown that is their mask; with one, a number from 1 on for each mask with a value.
 * Not thread-safe, one per question.
 */
final class FunnelEvents implements PersonWalks.Refinement {

    /** Values are told apart by that many characters. */
    static final int MAX_VALUE = 256;

    private final Funnel funnel;
    private final Funnel.@Nullable Breakdown breakdown;
    private final TextNumbers values =
            new TextNumbers(
                    "break down by a property with fewer values, or ask for a shorter range");

    /** Above the number of a value, 0 = none; below a mask. */
    private final Map<Long, Integer> numbers = new HashMap<>();

    private long[] kinds = new long[16];

    FunnelEvents(Funnel funnel) {
        this.funnel = funnel;
        this.breakdown = funnel.breakdown();
    }

    @Override
    public int matching(int mask, @Nullable String data) {
        int is = mask;
        int end = data == null ? 0 : data.indexOf('\n');
        var json = data == null ? "" : end < 0 ? data : data.substring(0, end);
        JsonNode tree = null;
        if (!json.isEmpty()) {
            tree = Json.mapper().readTree(json);
            is = funnel.matching(mask, tree);
        }
        if (breakdown == null || is == 0) {
            return is;
        }
        String value = null;
        if ((is & funnel.beginnings()) != 0 && data != null) {
            var property = breakdown.property();
            value =
                    property == null
                            ? data.substring(end + 1)
                            : tree == null ? null : property.text(tree);
        }
        return number(is, value == null || value.isEmpty() ? 0 : values.of(cut(value)));
    }

    private int number(int mask, int value) {
        return numbers.computeIfAbsent(
                (long) value << 32 | mask,
                kind -> {
                    int number = numbers.size() + 1;
                    if (number == kinds.length) {
                        kinds = Arrays.copyOf(kinds, number * 2);
                    }
                    kinds[number] = kind;
                    return number;
                });
    }

    private static String cut(String value) {
        if (value.length() <= MAX_VALUE) {
            return value;
        }
        boolean half = Character.isHighSurrogate(value.charAt(MAX_VALUE - 1));
        return value.substring(0, half ? MAX_VALUE - 1 : MAX_VALUE);
    }

    /** Replaces what events are by their masks. */
    void masks(int[] what, int[] masks, int events) {
        for (int i = 0; i < events; i++) {
            masks[i] = breakdown == null ? what[i] : (int) kinds[what[i]];
        }
    }

    /**
     * The value that a path belongs to: of the events at its start that it can begin with, the first in the order of texts.
     *
     * @return null when none of them has any
     */
    @Nullable String value(long[] micros, int[] what, int events, long start) {
        int at = Arrays.binarySearch(micros, 0, events, start);
        while (at > 0 && micros[at - 1] == start) {
            at--;
        }
        String first = null;
        for (int i = at; i < events && micros[i] == start; i++) {
            long kind = kinds[what[i]];
            int value = (int) (kind >>> 32);
            if (value != 0 && ((int) kind & funnel.beginnings()) != 0) {
                var text = values.text(value);
                first = first == null || text.compareTo(first) < 0 ? text : first;
            }
        }
        return first;
    }
}
