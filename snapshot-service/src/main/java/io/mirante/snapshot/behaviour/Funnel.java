package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.lake.LakeReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A funnel, checked.
 *
 * <p>What an event is to it is a mask: bit i = it can be step i + 1; bit {@value #FIRST_EXCLUSION} + i = exclusion i is about it;
 * {@link #ANY_EVENT} on every event of a strict funnel.
 *
 * @param range events outside it are not looked at
 * @param window from the first step, its end included
 * @param breakdown null = none
 */
record Funnel(
        String name,
        TimeRange range,
        Duration window,
        Order order,
        List<Step> steps,
        List<Exclusion> exclusions,
        @Nullable Breakdown breakdown) {

    static final int MAX_STEPS = 20;
    static final int MAX_EXCLUSIONS = 10;

    /** Bit of the first exclusion. */
    static final int FIRST_EXCLUSION = MAX_STEPS;

    static final int ANY_EVENT = 1 << FIRST_EXCLUSION + MAX_EXCLUSIONS;

    Funnel {
        steps = List.copyOf(steps);
        exclusions = List.copyOf(exclusions);
    }

    /** How the events of steps may lie. */
    enum Order {
        /** In the order of the steps; other events may lie between. */
        SEQUENTIAL,
        /** In the order of the steps; no other event of the person may lie between. */
        STRICT,
        /** In any order. */
        ANY;

        private final String wireName = name().toLowerCase(Locale.ROOT);

        static Optional<Order> find(String wireName) {
            return Stream.of(values()).filter(o -> o.wireName.equals(wireName)).findFirst();
        }
    }

    record Step(String name, EventCondition condition) {}

    /**
     * Events that must not lie between steps.
     *
     * @param from the step, counted from 1, after which they must not lie
     * @param to the step before which they must not lie
     */
    record Exclusion(EventCondition condition, int from, int to) {

        /** Bit i = they must not lie between step i + 1 and the next. */
        int gaps() {
            return (1 << to - 1) - 1 & -(1 << from - 1);
        }
    }

    /**
     * By which value of the event that a path begins with persons are told apart.
     *
     * @param column of events; null where it is a property of the data
     * @param property null where it is a column
     */
    record Breakdown(@Nullable String column, EventCondition.@Nullable Property property) {}

    /** The same without its breakdown. */
    Funnel whole() {
        return new Funnel(name, range, window, order, steps, exclusions, null);
    }

    /** A finder of persons' paths. */
    PathFinder paths() {
        long micros =
                TimeUnit.SECONDS.toMicros(window.getSeconds())
                        + TimeUnit.NANOSECONDS.toMicros(window.getNano());
        if (order == Order.ANY) {
            return new UnorderedPaths(steps.size(), micros);
        }
        int[] gaps = new int[MAX_EXCLUSIONS + 1];
        for (int i = 0; i < exclusions.size(); i++) {
            gaps[i] = exclusions.get(i).gaps();
        }
        gaps[MAX_EXCLUSIONS] = (1 << steps.size() - 1) - 1;
        return new FunnelPaths(steps.size(), micros, gaps);
    }

    /** Every event it is about, as far as SQL can tell. */
    LakeReader.Scan scan() {
        var arguments = new ArrayList<String>();
        var mask = new ArrayList<String>();
        var types = new LinkedHashSet<String>();
        for (int bit = 0; bit < FIRST_EXCLUSION + exclusions.size(); bit++) {
            var condition = condition(bit);
            if (condition != null) {
                mask.add(
                        "CASE WHEN %s THEN %d ELSE 0 END"
                                .formatted(condition.sql(arguments), 1 << bit));
                types.add(condition.type());
            }
        }
        if (order == Order.STRICT) {
            mask.add(Integer.toString(ANY_EVENT));
            types.clear();
        }
        return new LakeReader.Scan(
                range, List.copyOf(types), String.join(" | ", mask), arguments, data());
    }

    /** What an event must be to have a bit; null when the bit stands for nothing. */
    private @Nullable EventCondition condition(int bit) {
        if (bit < FIRST_EXCLUSION) {
            return bit < steps.size() ? steps.get(bit).condition() : null;
        }
        return exclusions.get(bit - FIRST_EXCLUSION).condition();
    }

    /** What is read of an event: the data where it is looked at, behind it in a line of its own the column of the breakdown. */
    private @Nullable String data() {
        int looked = filtered();
        var column = breakdown == null ? null : breakdown.column();
        if (breakdown != null && column == null) {
            looked |= beginnings();
        }
        var data = only(looked, LakeReader.Scan.EVENT_DATA);
        if (column == null) {
            return looked == 0 ? null : data;
        }
        return only(looked | beginnings(), "concat(%s, chr(10), %s)".formatted(data, column));
    }

    private static String only(int bits, String expression) {
        return "CASE WHEN (mask & %d) <> 0 THEN %s END".formatted(bits, expression);
    }

    /** Bits of events whose data are looked at. */
    private int filtered() {
        int bits = 0;
        for (int bit = 0; bit < FIRST_EXCLUSION + exclusions.size(); bit++) {
            var condition = condition(bit);
            if (condition != null && !condition.filters().isEmpty()) {
                bits |= 1 << bit;
            }
        }
        return bits;
    }

    /** Bits of events that a path can begin with. */
    int beginnings() {
        return order == Order.ANY ? (1 << steps.size()) - 1 : 1;
    }

    /**
     * What an event is.
     *
     * @param mask the same as far as {@link #scan} can tell
     */
    int matching(int mask, JsonNode data) {
        int matching = mask;
        for (int bits = mask & ~ANY_EVENT; bits != 0; bits &= bits - 1) {
            int bit = Integer.numberOfTrailingZeros(bits);
            var condition = condition(bit);
            if (condition != null && !condition.matches(data)) {
                matching &= ~(1 << bit);
            }
        }
        return matching;
    }
}
