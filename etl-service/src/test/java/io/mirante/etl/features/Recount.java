package io.mirante.etl.features;

import java.math.BigDecimal;
import java.math.MathContext;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
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
            @Nullable Double score,
            @Nullable String category,
            @Nullable String game,
            @Nullable String channel,
            @Nullable Boolean optIn) {

        Event(
                String id,
                String type,
                @Nullable String session,
                Instant at,
                @Nullable String amount,
                @Nullable String currency,
                @Nullable Double score) {
            this(id, type, session, at, amount, currency, score, null, null, null, null);
        }
    }

    private static final List<String> DAY_PARTS = List.of("madrugada", "manha", "tarde", "noite");

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
                "weekend_activity_ratio",
                events.stream().filter(e -> weekend(day(e))).count() / (double) events.size());
        habits(features, events, asOf);
        money(features, events, currency);
        trends(features, events, asOf, currency);
        repeats(features, purchases, asOf, currency);
        return features;
    }

    /** Those whose values are texts. */
    static Map<String, String> texts(List<Event> all, Instant asOf) {
        var events = all.stream().filter(e -> e.at().isBefore(asOf)).toList();
        Map<String, String> texts = new HashMap<>();
        put(texts, "favorite_category", most(events, Event::category));
        put(texts, "favorite_game_type", most(events, Recount::game));
        put(texts, "preferred_channel", most(events, Event::channel));
        var parts =
                counts(events, e -> DAY_PARTS.get(e.at().atOffset(ZoneOffset.UTC).getHour() / 6));
        put(texts, "horarios_atividade", first(parts));
        var days = counts(events, e -> String.valueOf(day(e).getDayOfWeek().getValue() - 1));
        if (!days.isEmpty()) {
            texts.put(
                    "dias_semana_preferidos",
                    days.entrySet().stream()
                            .sorted(byCount())
                            .limit(3)
                            .map(Map.Entry::getKey)
                            .collect(Collectors.joining(",")));
        }
        return texts;
    }

    private static void habits(Map<String, Double> features, List<Event> events, Instant asOf) {
        var days = new TreeSet<>(days(events));
        var gaps = new ArrayList<Double>();
        LocalDate before = null;
        for (var day : days) {
            if (before != null) {
                gaps.add((double) ChronoUnit.DAYS.between(before, day));
            }
            before = day;
        }
        if (gaps.size() >= 2) {
            features.put("activity_regularity", 1 / (1 + variation(gaps)));
        }
        put(features, "behavioral_diversity_score", entropy(counts(events, Event::type)));
        put(features, "category_diversity", entropy(counts(events, Event::category)));
        put(features, "game_diversity_score", entropy(counts(events, Recount::game)));
        var recent = days(events.stream().filter(e -> age(e, asOf) <= 30).toList());
        features.put("active_days_30d", (double) recent.size());
        features.put("engagement_score", Math.min(recent.size() / 30.0, 1));
        features.put("events_per_session", events.size() / (double) sessions(events));
        for (var name : List.of("opt_in_games", "opt_in_promotions")) {
            events.stream()
                    .filter(e -> e.optIn() != null)
                    .reduce((a, b) -> b)
                    .ifPresent(e -> features.put(name, e.optIn() ? 1.0 : 0.0));
        }
    }

    private static void money(Map<String, Double> features, List<Event> events, String currency) {
        features.put("total_transactions", (double) amounts(events, currency).size());
        double deposits = sum(events.stream().filter(type("deposit")).toList(), currency);
        double withdrawals = sum(events.stream().filter(type("withdrawal")).toList(), currency);
        features.put("deposit_amount", deposits);
        features.put("withdrawal_amount", withdrawals);
        if (deposits + withdrawals != 0) {
            features.put("balance_ratio", (deposits - withdrawals) / (deposits + withdrawals));
        }
        putVariation(
                features,
                "ticket_volatility",
                events.stream().filter(type("purchase")).toList(),
                currency);
        var bets = events.stream().filter(type("bet_placed")).toList();
        features.put("bets", (double) bets.size());
        features.put("bet_amount", sum(bets, currency));
        putVariation(features, "bet_volatility", bets, currency);
    }

    private static void putVariation(
            Map<String, Double> features, String name, List<Event> events, String currency) {
        var amounts = amounts(events, currency).stream().map(BigDecimal::doubleValue).toList();
        if (amounts.size() > 1 && amounts.stream().anyMatch(amount -> amount != 0)) {
            features.put(name, variation(amounts));
        }
    }

    private static void trends(
            Map<String, Double> features, List<Event> events, Instant asOf, String currency) {
        events.stream()
                .filter(type("bet_placed"))
                .findFirst()
                .ifPresent(first ->
                        features.put(
                                "frequencia_jogo",
                                features.get("bets") / Math.max(age(first, asOf) / 7, 1)));
        for (int days : new int[] {7, 30, 90}) {
            var now = events.stream().filter(e -> age(e, asOf) <= days).toList();
            var before =
                    events.stream()
                            .filter(e -> age(e, asOf) > days && age(e, asOf) <= 2 * days)
                            .toList();
            if (!now.isEmpty() || !before.isEmpty()) {
                features.put(
                        "events_trend_" + days + "d",
                        (double) (now.size() - before.size()) / (now.size() + before.size()));
            }
            double earned = sum(now.stream().filter(type("purchase")).toList(), currency);
            double earlier = sum(before.stream().filter(type("purchase")).toList(), currency);
            if (earned + earlier != 0) {
                features.put(
                        "revenue_trend_" + days + "d", (earned - earlier) / (earned + earlier));
            }
        }
    }

    private static void repeats(
            Map<String, Double> features, List<Event> purchases, Instant asOf, String currency) {
        var days = new TreeSet<>(days(purchases));
        features.put("repeat_purchases", Math.max(days.size() - 1.0, 0));
        if (days.isEmpty()) {
            return;
        }
        var today = asOf.minusNanos(1_000).atOffset(ZoneOffset.UTC).toLocalDate();
        features.put(
                "age_at_last_purchase_weeks",
                ChronoUnit.DAYS.between(days.getFirst(), days.getLast()) / 7.0);
        features.put("customer_age_weeks", ChronoUnit.DAYS.between(days.getFirst(), today) / 7.0);
        var later = purchases.stream().filter(e -> day(e).isAfter(days.getFirst())).toList();
        if (!amounts(later, currency).isEmpty()) {
            features.put("repeat_value_mean", sum(later, currency) / (days.size() - 1));
        }
    }

    private static @Nullable String game(Event event) {
        return event.game() == null
                ? null
                : switch (event.game()) {
                    case "Casino" -> "cassino";
                    case "sports" -> "esportes";
                    case "crash", "poker", "slots" -> event.game();
                    default -> null;
                };
    }

    private static Map<String, Long> counts(
            List<Event> events, Function<Event, @Nullable String> value) {
        var counts = new HashMap<String, Long>();
        events.stream()
                .map(value)
                .filter(Objects::nonNull)
                .forEach(v -> counts.merge(v, 1L, Long::sum));
        return counts;
    }

    private static Comparator<Map.Entry<String, Long>> byCount() {
        return Map.Entry.<String, Long>comparingByValue()
                .reversed()
                .thenComparing(Map.Entry.comparingByKey());
    }

    private static @Nullable String first(Map<String, Long> counts) {
        return counts.entrySet().stream().min(byCount()).map(Map.Entry::getKey).orElse(null);
    }

    private static @Nullable String most(
            List<Event> events, Function<Event, @Nullable String> value) {
        return first(counts(events, value));
    }

    private static @Nullable Double entropy(Map<String, Long> counts) {
        double all = counts.values().stream().mapToLong(n -> n).sum();
        return counts.isEmpty()
                ? null
                : counts.values().stream().mapToDouble(n -> -n / all * Math.log(n / all)).sum();
    }

    private static double variation(List<Double> values) {
        double mean = values.stream().mapToDouble(x -> x).average().orElseThrow();
        double squares = values.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum();
        return Math.sqrt(squares / (values.size() - 1)) / mean;
    }

    private static <T> void put(Map<String, T> features, String name, @Nullable T value) {
        if (value != null) {
            features.put(name, value);
        }
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
