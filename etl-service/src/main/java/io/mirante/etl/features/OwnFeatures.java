package io.mirante.etl.features;

import io.mirante.etl.features.FeatureCatalog.Tally;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one user's own events give, in one pass over them: the features that {@link FeatureQuery} computes of many users, and the
 * same values. Used by one thread.
 */
final class OwnFeatures {

    private static final long DAY_MICROS = 86_400_000_000L;
    private static final double SECOND_MICROS = 1e6;
    private static final double DAY_SECONDS = 86_400;
    private static final long SESSION_MICROS = 30 * 60 * 1_000_000L;
    private static final double WEEK = 7;
    private static final int SATURDAY = 5;
    private static final int MONTH = 30;

    /** Of 1970-01-01, a Thursday. */
    private static final int FIRST_WEEKDAY = 3;

    private static final List<String> DAY_PARTS = List.of("madrugada", "manha", "tarde", "noite");
    private static final List<String> WEEKDAYS = List.of("0", "1", "2", "3", "4", "5", "6");
    private static final int[] PERIODS = {7, 30, 90};
    private static final long[] NONE = {0};

    private static final Map<String, String> COUNTED =
            Map.of(
                    "page_view", "page_views",
                    "product_view", "product_views",
                    "add_to_cart", "add_to_carts",
                    "checkout_started", "checkouts",
                    "search", "searches",
                    "refund", "refunds",
                    "ticket.created", "tickets",
                    "bet_placed", "bets");

    private static final Map<String, String> GAMES =
            Map.of(
                    "casino", "cassino",
                    "cassino", "cassino",
                    "crash", "crash",
                    "sport", "esportes",
                    "sports", "esportes",
                    "esportes", "esportes",
                    "poker", "poker",
                    "slot", "slots",
                    "slots", "slots");

    private final long asOf;
    private final String currency;
    private final Map<String, Object> features = new HashMap<>();
    private final Map<Tally, Map<String, long[]>> tallies = new EnumMap<>(Tally.class);
    private final Money purchased = new Money();
    private final Money staked = new Money();
    private final Money refunded = new Money();
    private final Money deposited = new Money();
    private final Money withdrawn = new Money();
    private final Sequence days = new Sequence();
    private final Sequence purchaseDays = new Sequence();
    private final Sequence recentDays = new Sequence();
    private final Set<String> sessions = new HashSet<>();

    /** Each followed by the one that is twice as long. */
    private final List<Period> periods = new ArrayList<>();

    private long events;
    private long firstAt;
    private long lastAt;
    private long transactions;
    private long sessionsWithoutId;
    private long lastWithoutSession = Long.MIN_VALUE;
    private long weekend;
    private double scores;
    private long scored;
    private boolean subscribed;

    /**
     * Without an event.
     *
     * @param asOf microseconds since 1970
     * @param currency the tenant's
     */
    OwnFeatures(long asOf, String currency) {
        this.asOf = asOf;
        this.currency = currency;
        for (var tally : Tally.values()) {
            tallies.put(tally, new HashMap<>());
        }
        for (int period : PERIODS) {
            periods.add(new Period(period));
            periods.add(new Period(2 * period));
        }
    }

    /**
     * By name, Double or String; one that is absent has no entry.
     *
     * @param events of one user, all before the moment; at least one
     * @param asOf microseconds since 1970
     * @param currency the tenant's
     */
    static Map<String, Object> of(List<Fact> events, long asOf, String currency) {
        var inOrder = new ArrayList<>(events);
        inOrder.sort(Fact.IN_ORDER);
        var own = new OwnFeatures(asOf, currency);
        inOrder.forEach(own::add);
        return own.features();
    }

    /** Takes the next event, in {@link Fact#IN_ORDER}. */
    void add(Fact event) {
        if (events == 0) {
            firstAt = event.at();
        }
        lastAt = event.at();
        events++;
        double age = age(event.at());
        long day = Math.floorDiv(event.at(), DAY_MICROS);
        var money =
                event.currency() == null || event.currency().equals(currency)
                        ? event.amount()
                        : null;
        transactions += money == null ? 0 : 1;
        days.add(day);
        if (age <= MONTH) {
            recentDays.add(day);
        }
        boolean purchase = event.type().equals("purchase");
        for (int i = 0; i < periods.size(); i++) {
            periods.get(i).add(age, purchase, money);
        }
        int weekday = (int) Math.floorMod(day + FIRST_WEEKDAY, WEEKDAYS.size());
        weekend += weekday >= SATURDAY ? 1 : 0;
        int part = (int) (Math.floorMod(event.at(), DAY_MICROS) / (DAY_MICROS / DAY_PARTS.size()));
        tally(Tally.WEEKDAY, WEEKDAYS.get(weekday));
        tally(Tally.DAY_PART, DAY_PARTS.get(part));
        tally(Tally.EVENT_TYPE, event.type());
        tally(Tally.CATEGORY, event.category());
        tally(Tally.CHANNEL, event.channel());
        tally(Tally.GAME_TYPE, event.game() == null ? null : GAMES.get(event.game()));
        session(event);
        if (event.score() != null) {
            scores += event.score();
            scored++;
        }
        ofType(event, money, age, day);
    }

    private void ofType(Fact event, @Nullable BigDecimal money, double age, long day) {
        switch (event.type()) {
            case "purchase" -> {
                purchased.add(money, event.at(), day);
                purchaseDays.add(day);
                features.put(FeatureCatalog.RECENCY_DAYS, age);
            }
            case "sign_up" -> features.putIfAbsent("days_since_signup", age);
            case "refund" -> refunded.add(money, event.at(), day);
            case "deposit" -> deposited.add(money, event.at(), day);
            case "withdrawal" -> withdrawn.add(money, event.at(), day);
            case "bet_placed" -> staked.add(money, event.at(), day);
            case "subscription_started", "subscription_renewed" -> subscribed = true;
            case "subscription_cancelled" -> subscribed = false;
            case "identify" -> {
                put("opt_in_games", event.optInGames());
                put("opt_in_promotions", event.optInPromotions());
            }
            default -> {}
        }
    }

    private void session(Fact event) {
        if (event.session() != null) {
            sessions.add(event.session());
            return;
        }
        if (lastWithoutSession == Long.MIN_VALUE
                || event.at() - lastWithoutSession > SESSION_MICROS) {
            sessionsWithoutId++;
        }
        lastWithoutSession = event.at();
    }

    private void tally(Tally tally, @Nullable String value) {
        if (value != null) {
            Objects.requireNonNull(tallies.get(tally))
                    .computeIfAbsent(value, v -> new long[1])[0]++;
        }
    }

    /** Of the events that were added, one at least; asked for once. */
    Map<String, Object> features() {
        activity();
        purchases();
        money();
        habits();
        trends();
        return features;
    }

    private void activity() {
        double count = events;
        double parted = sessions.size() + sessionsWithoutId;
        features.put("days_since_last_event", age(lastAt));
        features.put("tenure_days", age(firstAt));
        features.put("events_total", count);
        features.put("sessions_total", parted);
        features.put("events_per_session", count / parted);
        features.put("active_days", (double) days.count);
        features.put("active_days_30d", (double) recentDays.count);
        features.put("engagement_score", Math.min(recentDays.count / (double) MONTH, 1));
        put("activity_regularity", days.regularity());
        features.put("weekend_activity_ratio", weekend / count);
        features.put("subscribed", subscribed ? 1.0 : 0.0);
        put("csat_avg", scored == 0 ? null : scores / scored);
        COUNTED.forEach((type, name) ->
                features.put(
                        name,
                        (double)
                                Objects.requireNonNull(tallies.get(Tally.EVENT_TYPE))
                                        .getOrDefault(type, NONE)[0]));
    }

    private void purchases() {
        features.put("orders", (double) purchased.rows);
        features.put(FeatureCatalog.FREQUENCY_DAYS, (double) purchaseDays.count);
        features.put(FeatureCatalog.MONETARY, purchased.sum.doubleValue());
        put(FeatureCatalog.AVG_TICKET, purchased.mean());
        put("max_ticket", purchased.max == null ? null : purchased.max.doubleValue());
        put("ticket_volatility", purchased.variation());
        put("purchase_interval_mean_days", purchased.gaps.mean());
        put("purchase_interval_std_days", purchased.gaps.deviation());
        features.put(FeatureCatalog.REPEAT_PURCHASES, Math.max(purchaseDays.count - 1.0, 0));
        if (purchaseDays.count > 0) {
            long today = Math.floorDiv(asOf - 1, DAY_MICROS);
            features.put(
                    FeatureCatalog.AGE_AT_LAST_PURCHASE,
                    (purchaseDays.last - purchaseDays.first) / WEEK);
            features.put(FeatureCatalog.CUSTOMER_AGE, (today - purchaseDays.first) / WEEK);
        }
        if (purchaseDays.count > 1 && purchased.later != null) {
            features.put(
                    FeatureCatalog.REPEAT_VALUE,
                    purchased.later.doubleValue() / (purchaseDays.count - 1));
        }
    }

    private void money() {
        features.put("total_transactions", (double) transactions);
        features.put("refunded_amount", refunded.sum.doubleValue());
        features.put("deposit_amount", deposited.sum.doubleValue());
        features.put("withdrawal_amount", withdrawn.sum.doubleValue());
        put(
                "balance_ratio",
                ratio(deposited.sum.subtract(withdrawn.sum), deposited.sum.add(withdrawn.sum)));
        features.put("bet_amount", staked.sum.doubleValue());
        put("bet_volatility", staked.variation());
        if (staked.rows > 0) {
            features.put("frequencia_jogo", staked.rows / Math.max(age(staked.firstAt) / WEEK, 1));
        }
    }

    private void habits() {
        put("horarios_atividade", most(Tally.DAY_PART));
        put("favorite_category", most(Tally.CATEGORY));
        put("preferred_channel", most(Tally.CHANNEL));
        put("favorite_game_type", most(Tally.GAME_TYPE));
        put("behavioral_diversity_score", entropy(Tally.EVENT_TYPE));
        put("category_diversity", entropy(Tally.CATEGORY));
        put("game_diversity_score", entropy(Tally.GAME_TYPE));
        features.put(
                "dias_semana_preferidos",
                ranked(Tally.WEEKDAY).limit(3).collect(Collectors.joining(",")));
    }

    private void trends() {
        for (int i = 0; i < PERIODS.length; i++) {
            int period = PERIODS[i];
            var now = periods.get(2 * i);
            var both = periods.get(2 * i + 1);
            features.put("events_" + period + "d", (double) now.events);
            features.put("purchases_" + period + "d", (double) now.purchases);
            features.put("revenue_" + period + "d", now.revenue.doubleValue());
            put(
                    "events_trend_" + period + "d",
                    both.events == 0 ? null : (2.0 * now.events - both.events) / both.events);
            put(
                    "revenue_trend_" + period + "d",
                    ratio(now.revenue.add(now.revenue).subtract(both.revenue), both.revenue));
        }
    }

    private double age(long at) {
        return (asOf - at) / SECOND_MICROS / DAY_SECONDS;
    }

    private void put(String name, @Nullable Object value) {
        if (value != null) {
            features.put(name, value);
        }
    }

    /** Values with most events first; of equal ones the lesser text, by its bytes. */
    private Stream<String> ranked(Tally tally) {
        return Objects.requireNonNull(tallies.get(tally)).entrySet().stream()
                .sorted(
                        Comparator.comparingLong(
                                        (Map.Entry<String, long[]> entry) -> -entry.getValue()[0])
                                .thenComparing(
                                        entry -> entry.getKey().getBytes(StandardCharsets.UTF_8),
                                        Arrays::compareUnsigned))
                .map(Map.Entry::getKey);
    }

    private @Nullable String most(Tally tally) {
        return ranked(tally).findFirst().orElse(null);
    }

    private @Nullable Double entropy(Tally tally) {
        double all = 0;
        double logs = 0;
        for (var n : Objects.requireNonNull(tallies.get(tally)).values()) {
            all += n[0];
            logs += n[0] * Math.log(n[0]);
        }
        return all == 0 ? null : Math.abs(Math.log(all) - logs / all);
    }

    private static @Nullable Double ratio(BigDecimal part, BigDecimal whole) {
        return whole.signum() == 0 ? null : part.doubleValue() / whole.doubleValue();
    }

    /** Mean and deviation of values. By the steps of Youngs and Cramer, as PostgreSQL takes them, so that roundings are its own. */
    private static final class Spread {

        private double sum;
        private double squares;
        private long n;

        void add(double value) {
            n++;
            sum += value;
            if (n > 1) {
                double apart = value * n - sum;
                squares += apart * apart / (n * (n - 1.0));
            }
        }

        @Nullable Double mean() {
            return n == 0 ? null : sum / n;
        }

        /** Standard deviation of a sample; null below two. */
        @Nullable Double deviation() {
            return n < 2 ? null : Math.sqrt(squares / (n - 1));
        }
    }

    /** Events of the last days. */
    private static final class Period {

        private final int days;
        private long events;
        private long purchases;
        private BigDecimal revenue = BigDecimal.ZERO;

        Period(int days) {
            this.days = days;
        }

        void add(double age, boolean purchase, @Nullable BigDecimal money) {
            if (age > days) {
                return;
            }
            events++;
            if (purchase) {
                purchases++;
                revenue = money == null ? revenue : revenue.add(money);
            }
        }
    }

    /** Days, each not before the one that was added last. */
    private static final class Sequence {

        private final Spread gaps = new Spread();
        private long first;
        private long last;
        private long count;

        void add(long day) {
            if (count == 0) {
                first = day;
            } else if (day == last) {
                return;
            } else {
                gaps.add((double) (day - last));
            }
            last = day;
            count++;
        }

        @Nullable Double regularity() {
            var deviation = gaps.deviation();
            var mean = gaps.mean();
            return deviation == null || mean == null ? null : 1 / (1 + deviation / mean);
        }
    }

    /** Events of one type, in the order of their times, and their amounts, exactly summed. */
    private static final class Money {

        private final Spread gaps = new Spread();
        private long rows;
        private long firstAt;
        private long lastAt;
        private long firstDay;
        private long amounts;
        private BigDecimal sum = BigDecimal.ZERO;
        private BigDecimal squares = BigDecimal.ZERO;
        private @Nullable BigDecimal max;

        /** Of days after the first; null = no amount. */
        private @Nullable BigDecimal later;

        void add(@Nullable BigDecimal money, long at, long day) {
            if (rows == 0) {
                firstAt = at;
                firstDay = day;
            } else {
                gaps.add((at - lastAt) / SECOND_MICROS / DAY_SECONDS);
            }
            rows++;
            lastAt = at;
            if (money == null) {
                return;
            }
            amounts++;
            sum = sum.add(money);
            squares = squares.add(money.multiply(money));
            max = max == null ? money : max.max(money);
            if (day > firstDay) {
                later = later == null ? money : later.add(money);
            }
        }

        @Nullable Double mean() {
            return amounts == 0 ? null : sum.doubleValue() / amounts;
        }

        /** Coefficient of variation; null below two amounts, or when their mean is 0. */
        @Nullable Double variation() {
            var mean = mean();
            if (mean == null || amounts < 2 || sum.signum() == 0) {
                return null;
            }
            var n = BigDecimal.valueOf(amounts);
            double spread = n.multiply(squares).subtract(sum.multiply(sum)).doubleValue();
            return Math.sqrt(spread / ((double) amounts * (amounts - 1))) / mean;
        }
    }
}
