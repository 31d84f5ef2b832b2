package io.mirante.bench.simulation;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a mesh should answer about the events played, counted by plain Java. Identity: sent = accepted + invalid,
 * accepted = stored + duplicates. Not thread-safe.
 */
public final class Recount {

    /** What one customer bought. */
    public record Purchases(int orders, Set<LocalDate> days, BigDecimal monetary, LocalDate last) {
        /** Days with a purchase. */
        public int frequency() {
            return days.size();
        }

        private Purchases plus(LocalDate day, BigDecimal amount) {
            Set<LocalDate> all = new HashSet<>(days);
            all.add(day);
            return new Purchases(
                    orders + 1, all, monetary.add(amount), day.isAfter(last) ? day : last);
        }
    }

    private record Step(Instant at, String type) {}

    private final Set<String> ids = new HashSet<>();
    private final Map<String, Long> byType = new TreeMap<>();
    private final Map<LocalDate, BigDecimal> revenueByDay = new TreeMap<>();
    private final Map<LocalDate, Map<String, Long>> typesByDay = new TreeMap<>();
    private final Map<String, Purchases> purchases = new TreeMap<>();
    private final Map<String, List<Step>> paths = new HashMap<>();
    private long sent;
    private long invalid;
    private long duplicates;

    /** Counts one event that was sent. */
    public void add(SimulatedEvent event) {
        sent++;
        if (event.fate() == Fate.INVALID) {
            invalid++;
            return;
        }
        if (!ids.add(event.id())) {
            duplicates++;
            return;
        }
        LocalDate day = LocalDate.ofInstant(event.timestamp(), ZoneOffset.UTC);
        byType.merge(event.type(), 1L, Long::sum);
        typesByDay
                .computeIfAbsent(day, ignored -> new TreeMap<>())
                .merge(event.type(), 1L, Long::sum);
        String person = person(event);
        if (person != null) {
            paths.computeIfAbsent(person, ignored -> new ArrayList<>())
                    .add(new Step(event.timestamp(), event.type()));
        }
        if (event.type().equals("purchase")) {
            BigDecimal amount = new BigDecimal(String.valueOf(event.data().get("amount")));
            revenueByDay.merge(day, amount, BigDecimal::add);
            String buyer = event.userId();
            if (buyer != null) {
                Purchases before = purchases.get(buyer);
                purchases.put(
                        buyer,
                        before == null
                                ? new Purchases(1, Set.of(day), amount, day)
                                : before.plus(day, amount));
            }
        }
    }

    public long sent() {
        return sent;
    }

    public long invalid() {
        return invalid;
    }

    public long duplicates() {
        return duplicates;
    }

    /** What an ingestion must accept: valid ones and repeats. */
    public long accepted() {
        return sent - invalid;
    }

    /** What an event log must hold. */
    public long stored() {
        return ids.size();
    }

    public long count(String type) {
        return byType.getOrDefault(type, 0L);
    }

    public long count(LocalDate day, String type) {
        return typesByDay.getOrDefault(day, Map.of()).getOrDefault(type, 0L);
    }

    public BigDecimal revenue() {
        return revenueByDay.values().stream().reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    public Map<LocalDate, BigDecimal> revenueByDay() {
        return Map.copyOf(revenueByDay);
    }

    /** Per user id; purchases of people without a user id are in the totals alone. */
    public Map<String, Purchases> purchases() {
        return Map.copyOf(purchases);
    }

    /** Distinct people: user ids, and browsers that no event tied to a user. */
    public int people() {
        return paths.size();
    }

    /**
     * A sequential funnel as the contract defines it: how many people reach each step, other events between allowed,
     * all within the window from the first step, its end included. Every step has its own type.
     */
    public List<Integer> funnel(List<String> types, Duration window) {
        int[] reached = new int[types.size()];
        for (List<Step> path : paths.values()) {
            path.sort(Comparator.comparing(Step::at));
            int furthest = furthest(path, types, window);
            for (int step = 0; step < furthest; step++) {
                reached[step]++;
            }
        }
        List<Integer> result = new ArrayList<>();
        for (int count : reached) {
            result.add(count);
        }
        return result;
    }

    private static int furthest(List<Step> path, List<String> types, Duration window) {
        int best = 0;
        for (Step start : path) {
            if (!start.type().equals(types.getFirst())) {
                continue;
            }
            Instant end = start.at().plus(window);
            Instant reached = start.at();
            int step = 1;
            while (step < types.size()) {
                Instant next = next(path, types.get(step), reached, end);
                if (next == null) {
                    break;
                }
                reached = next;
                step++;
            }
            best = Math.max(best, step);
            if (best == types.size()) {
                break;
            }
        }
        return best;
    }

    private static @Nullable Instant next(List<Step> path, String type, Instant from, Instant end) {
        for (Step step : path) {
            if (step.type().equals(type) && !step.at().isBefore(from) && !step.at().isAfter(end)) {
                return step.at();
            }
        }
        return null;
    }

    private static @Nullable String person(SimulatedEvent event) {
        return event.userId() != null ? event.userId() : event.anonymousId();
    }
}
