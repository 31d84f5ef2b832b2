package io.mirante.etl.features;

import java.math.BigDecimal;
import java.math.MathContext;
import java.time.DayOfWeek;
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
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Every feature once more, the slow and obvious way: the judge of the SQL. */
final class Recount {

    /** An event of one user. */
    record Event(
            String id,
            String type,
            @Nullable String session,
            Instant at,
            @Nullable String amount,
            @Nullable String currency,
            @Nullable Double score) {}

    private Recount() {}

    static Map<String, Double> of(List<Event> all, Instant asOf, String currency) {
        var events =
                all.stream()
                        .filter(e -> e.at().isBefore(asOf))
                        .sorted(Comparator.comparing(Event::at).thenComparing(Event::id))
                        .toList();
        Map<String, Double> features = new HashMap<>();
        if (events.isEmpty()) {
            return features;
        }
        var purchases = events.stream().filter(type("purchase")).toList();
        var refunds = events.stream().filter(type("refund")).toList();
        features.put("days_since_last_event", age(events.getLast(), asOf));
        features.put("tenure_days", age(events.getFirst(), asOf));
        events.stream()
                .filter(type("sign_up"))
                .findFirst()
                .ifPresent(e -> features.put("days_since_signup", age(e, asOf)));
        if (!purchases.isEmpty()) {
            features.put("recency_days", age(purchases.getLast(), asOf));
        }
        features.put("frequency_days", (double) days(purchases).size());
        features.put("orders", (double) purchases.size());
        features.put("monetary", sum(purchases, currency));
        var money = amounts(purchases, currency);
        if (!money.isEmpty()) {
            features.put(
                    "avg_ticket",
                    money.stream()
                            .reduce(BigDecimal.ZERO, BigDecimal::add)
                            .divide(BigDecimal.valueOf(money.size()), MathContext.DECIMAL64)
                            .doubleValue());
            features.put(
                    "max_ticket",
                    money.stream().max(Comparator.naturalOrder()).orElseThrow().doubleValue());
        }
        features.put("events_total", (double) events.size());
        features.put("sessions_total", (double) sessions(events));
        features.put("active_days", (double) days(events).size());
        for (int days : new int[] {7, 30, 90}) {
            Predicate<Event> recent = e -> age(e, asOf) <= days;
            var bought = purchases.stream().filter(recent).toList();
            features.put("events_" + days + "d", (double) events.stream().filter(recent).count());
            features.put("purchases_" + days + "d", (double) bought.size());
            features.put("revenue_" + days + "d", sum(bought, currency));
        }
        Map.of(
                        "page_views", "page_view",
                        "product_views", "product_view",
                        "add_to_carts", "add_to_cart",
                        "checkouts", "checkout_started",
                        "searches", "search",
                        "refunds", "refund",
                        "tickets", "ticket.created")
                .forEach((name, type) ->
                        features.put(name, (double) events.stream().filter(type(type)).count()));
        features.put("refunded_amount", sum(refunds, currency));
        events.stream()
                .filter(e -> e.score() != null)
                .mapToDouble(Event::score)
                .average()
                .ifPresent(mean -> features.put("csat_avg", mean));
        features.put(
                "subscribed",
                events.stream()
                                .filter(e -> e.type().startsWith("subscription_"))
                                .reduce((a, b) -> b)
                                .filter(e -> !e.type().equals("subscription_cancelled"))
                                .isPresent()
                        ? 1.0
                        : 0.0);
        var gaps = new ArrayList<Double>();
        for (int i = 1; i < purchases.size(); i++) {
            gaps.add(days(purchases.get(i - 1).at(), purchases.get(i).at()));
        }
        if (!gaps.isEmpty()) {
            double mean = gaps.stream().mapToDouble(x -> x).average().orElseThrow();
            features.put("purchase_interval_mean_days", mean);
            if (gaps.size() > 1) {
                double squares = gaps.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum();
                features.put("purchase_interval_std_days", Math.sqrt(squares / (gaps.size() - 1)));
            }
        }
        features.put(
                "weekend_ratio",
                events.stream().filter(e -> weekend(day(e))).count() / (double) events.size());
        return features;
    }

    private static Predicate<Event> type(String type) {
        return e -> e.type().equals(type);
    }

    private static double age(Event event, Instant asOf) {
        return days(event.at(), asOf);
    }

    private static double days(Instant from, Instant to) {
        return Duration.between(from, to).toNanos() / 1e3 / 1e6 / 86_400;
    }

    private static LocalDate day(Event event) {
        return event.at().atOffset(ZoneOffset.UTC).toLocalDate();
    }

    private static boolean weekend(LocalDate day) {
        return day.getDayOfWeek() == DayOfWeek.SATURDAY || day.getDayOfWeek() == DayOfWeek.SUNDAY;
    }

    private static Set<LocalDate> days(List<Event> events) {
        var days = new HashSet<LocalDate>();
        events.forEach(e -> days.add(day(e)));
        return days;
    }

    private static List<BigDecimal> amounts(List<Event> events, String currency) {
        return events.stream()
                .filter(e -> e.amount() != null)
                .filter(e -> e.currency() == null || e.currency().equals(currency))
                .map(e -> new BigDecimal(e.amount()))
                .toList();
    }

    private static double sum(List<Event> events, String currency) {
        return amounts(events, currency).stream()
                .reduce(BigDecimal.ZERO, BigDecimal::add)
                .doubleValue();
    }

    private static int sessions(List<Event> events) {
        var ids = new HashSet<String>();
        int without = 0;
        Instant last = null;
        for (var event : events) {
            if (event.session() != null) {
                ids.add(event.session());
                continue;
            }
            if (last == null
                    || Duration.between(last, event.at()).compareTo(Duration.ofMinutes(30)) > 0) {
                without++;
            }
            last = event.at();
        }
        return ids.size() + without;
    }
}
