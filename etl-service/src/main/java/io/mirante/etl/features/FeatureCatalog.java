package io.mirante.etl.features;

import io.mirante.contracts.etl.RfmSegment;
import io.mirante.etl.features.Feature.Origin;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All features, in the order of their columns. A changed definition is a new {@link #VERSION}.
 *
 * <p>Days are days of UTC; ages are fractions of days of 86,400 seconds. A purchase of amount 0 is a purchase. A transaction is
 * an event with an amount in the tenant's currency.
 */
public final class FeatureCatalog {

    /** Version of the definitions. */
    public static final int VERSION = 2;

    /** Names of the derived features, for {@link DerivedFeatures}. */
    static final String RECENCY_DAYS = "recency_days";

    static final String FREQUENCY_DAYS = "frequency_days";
    static final String MONETARY = "monetary";
    static final String AVG_TICKET = "avg_ticket";
    static final String REPEAT_PURCHASES = "repeat_purchases";
    static final String AGE_AT_LAST_PURCHASE = "age_at_last_purchase_weeks";
    static final String CUSTOMER_AGE = "customer_age_weeks";
    static final String REPEAT_VALUE = "repeat_value_mean";
    static final String LIFETIME_VALUE = "customer_lifetime_value";

    private static final String PURCHASE = "event_type = 'purchase'";
    private static final String BET = "event_type = 'bet_placed'";

    private static final List<Feature> FEATURES = features();
    private static final List<Feature> TRAINING =
            FEATURES.stream().filter(Feature::training).toList();

    private FeatureCatalog() {}

    /** Every feature. */
    public static List<Feature> all() {
        return FEATURES;
    }

    /** Those of training sets: numbers that depend on the user's own past alone. */
    public static List<Feature> training() {
        return TRAINING;
    }

    /** The one of a name. */
    static Feature named(String name) {
        return FEATURES.stream().filter(f -> f.name().equals(name)).findFirst().orElseThrow();
    }

    /** Those of an origin. */
    static List<Feature> of(Origin origin) {
        return FEATURES.stream().filter(feature -> feature.origin() == origin).toList();
    }

    private static List<Feature> features() {
        var all = new Definitions();
        all.version = 1;
        recency(all);
        purchases(all);
        activity(all);
        kinds(all);
        all.version = 2;
        habits(all);
        money(all);
        gaming(all);
        trends(all);
        optIns(all);
        repeats(all);
        scores(all);
        lifetime(all);
        return List.copyOf(all.features);
    }

    private static void recency(Definitions all) {
        all.days(
                RECENCY_DAYS,
                "Since the last purchase; absent without one",
                "min(age_days) FILTER (WHERE " + PURCHASE + ")",
                "purchase");
        all.days("days_since_last_event", "Since the last event of any type", "min(age_days)");
        all.days("tenure_days", "Since the first event of any type", "max(age_days)");
        all.days(
                "days_since_signup",
                "Since the first sign_up; absent without one",
                "max(age_days) FILTER (WHERE event_type = 'sign_up')",
                "sign_up");
    }

    private static void purchases(Definitions all) {
        all.count(
                FREQUENCY_DAYS,
                "Days with a purchase",
                "days",
                "count(DISTINCT day) FILTER (WHERE " + PURCHASE + ")",
                "purchase");
        all.count(
                "orders",
                "Purchases",
                "purchases",
                "count(*) FILTER (WHERE " + PURCHASE + ")",
                "purchase");
        all.amount(
                MONETARY,
                "Amounts of purchases, summed",
                "coalesce(sum(money) FILTER (WHERE " + PURCHASE + "), 0)",
                "purchase");
        all.amount(
                AVG_TICKET,
                "Mean amount of a purchase; absent without one",
                "avg(money) FILTER (WHERE " + PURCHASE + ")",
                "purchase");
        all.amount(
                "max_ticket",
                "Largest amount of a purchase; absent without one",
                "max(money) FILTER (WHERE " + PURCHASE + ")",
                "purchase");
    }

    private static void activity(Definitions all) {
        all.count("events_total", "Events of any type", "events", "count(*)");
        all.from(Origin.SESSIONS);
        all.count(
                "sessions_total",
                "Sessions: by session_id; events without one belong to a session that ends after 30 minutes without an event",
                "sessions",
                "count(DISTINCT session_id) + count(*) FILTER (WHERE begins_session)");
        all.from(Origin.EVENTS);
        all.count("active_days", "Days with an event", "days", "count(DISTINCT day)");
        for (int days : new int[] {7, 30, 90}) {
            all.count(
                    "events_" + days + "d",
                    "Events in the last " + days + " days",
                    "events",
                    "count(*) FILTER (WHERE age_days <= " + days + ")");
        }
        for (int days : new int[] {7, 30, 90}) {
            all.count(
                    "purchases_" + days + "d",
                    "Purchases in the last " + days + " days",
                    "purchases",
                    "count(*) FILTER (WHERE " + PURCHASE + " AND age_days <= " + days + ")",
                    "purchase");
        }
        for (int days : new int[] {7, 30, 90}) {
            all.amount(
                    "revenue_" + days + "d",
                    "Amounts of purchases in the last " + days + " days",
                    "coalesce(sum(money) FILTER (WHERE "
                            + PURCHASE
                            + " AND age_days <= "
                            + days
                            + "), 0)",
                    "purchase");
        }
    }

    private static void kinds(Definitions all) {
        all.ofType("page_views", "page_view");
        all.ofType("product_views", "product_view");
        all.ofType("add_to_carts", "add_to_cart");
        all.ofType("checkouts", "checkout_started");
        all.ofType("searches", "search");
        all.ofType("refunds", "refund");
        all.amount(
                "refunded_amount",
                "Amounts of refunds, summed",
                "coalesce(sum(money) FILTER (WHERE event_type = 'refund'), 0)",
                "refund");
        all.ofType("tickets", "ticket.created");
        all.add(
                "csat_avg",
                "Mean satisfaction score given; absent without one",
                "points",
                "score",
                null,
                null,
                "avg(score)",
                "csat.submitted");
        all.flag(
                "subscribed",
                "1 when the last word on a subscription was started or renewed, else 0",
                "CASE WHEN (array_agg(event_type ORDER BY occurred_at DESC, id DESC) FILTER (WHERE event_type IN"
                        + " ('subscription_started', 'subscription_renewed', 'subscription_cancelled')))[1]"
                        + " <> 'subscription_cancelled' THEN 1 ELSE 0 END",
                "subscription_started",
                "subscription_renewed",
                "subscription_cancelled");
        all.from(Origin.PURCHASES);
        all.days(
                "purchase_interval_mean_days",
                "Mean time between consecutive purchases; absent below two",
                "avg(since_purchase_days)",
                "purchase");
        all.days(
                "purchase_interval_std_days",
                "Standard deviation (sample) of that time; absent below three purchases",
                "stddev_samp(since_purchase_days)",
                "purchase");
        all.from(Origin.EVENTS);
    }

    /** When and with what a user is active. */
    private static void habits(Definitions all) {
        all.share(
                "weekend_activity_ratio",
                "Share of events on Saturday or Sunday",
                "count(*) FILTER (WHERE weekday >= 5)::float8 / count(*)");
        all.top(
                "dias_semana_preferidos",
                "Up to three days of the week with most events, most first, such as 5,6,0; 0 = Monday",
                "left(array_to_string(array_agg(weekday ORDER BY n DESC, weekday) FILTER (WHERE %s), ','), 5)"
                        .formatted(Tally.WEEKDAY.rows()),
                List.of());
        all.top(
                "horarios_atividade",
                "Time of day with most events: madrugada 0 to 6, manha 6 to 12, tarde 12 to 18, noite 18 to 24 o'clock UTC",
                Tally.DAY_PART.most(),
                List.of("madrugada", "manha", "tarde", "noite"));
        all.from(Origin.DAYS);
        all.add(
                "activity_regularity",
                "1 ÷ (1 + coefficient of variation of the days between active days); absent below three active days",
                "ratio",
                "ratio",
                0.0,
                1.0,
                "CASE WHEN count(gap) >= 2 THEN 1 / (1 + stddev_samp(gap) / avg(gap)) END");
        all.from(Origin.EVENTS);
        all.diversity(
                "behavioral_diversity_score",
                "Shannon entropy of the types of events",
                Tally.EVENT_TYPE);
        all.top(
                "favorite_category",
                "Category (data.category) with most events; absent without one",
                Tally.CATEGORY.most(),
                List.of());
        all.diversity(
                "category_diversity",
                "Shannon entropy of the categories (data.category); absent without one",
                Tally.CATEGORY);
        all.top(
                "preferred_channel",
                "Channel (data.channel) with most events; absent without one",
                Tally.CHANNEL.most(),
                List.of());
        all.count(
                "active_days_30d",
                "Days with an event, in the last 30 days",
                "days",
                "count(DISTINCT day) FILTER (WHERE age_days <= 30)");
        all.share(
                "engagement_score",
                "Share of the last 30 days with an event",
                "least(count(DISTINCT day) FILTER (WHERE age_days <= 30) / 30.0, 1)");
        all.from(Origin.SESSIONS);
        all.add(
                "events_per_session",
                "Mean number of events of a session",
                "events",
                "ratio",
                0.0,
                null,
                "count(*)::float8 / (count(DISTINCT session_id) + count(*) FILTER (WHERE begins_session))");
        all.from(Origin.EVENTS);
    }

    private static void money(Definitions all) {
        all.count("total_transactions", "Events with an amount", "transactions", "count(money)");
        all.amount(
                "deposit_amount",
                "Amounts of deposits, summed",
                "coalesce(sum(money) FILTER (WHERE event_type = 'deposit'), 0)",
                "deposit");
        all.amount(
                "withdrawal_amount",
                "Amounts of withdrawals, summed",
                "coalesce(sum(money) FILTER (WHERE event_type = 'withdrawal'), 0)",
                "withdrawal");
        all.add(
                "balance_ratio",
                "Deposits less withdrawals, of both together; absent without either",
                "ratio",
                "ratio",
                -1.0,
                1.0,
                "sum(CASE event_type WHEN 'deposit' THEN money WHEN 'withdrawal' THEN -money END)"
                        + " / nullif(sum(money) FILTER (WHERE event_type IN ('deposit', 'withdrawal')), 0)",
                "deposit",
                "withdrawal");
        all.add(
                "ticket_volatility",
                "Coefficient of variation of the amounts of purchases; absent below two, or when they are 0",
                "ratio",
                "ratio",
                0.0,
                null,
                variation(PURCHASE),
                "purchase");
    }

    private static void gaming(Definitions all) {
        all.ofType("bets", "bet_placed");
        all.amount(
                "bet_amount",
                "Stakes, summed",
                "coalesce(sum(money) FILTER (WHERE " + BET + "), 0)",
                "bet_placed");
        all.add(
                "bet_volatility",
                "Coefficient of variation of the stakes; absent below two bets, or when they are 0",
                "ratio",
                "ratio",
                0.0,
                null,
                variation(BET),
                "bet_placed");
        all.add(
                "frequencia_jogo",
                "Bets a week since the first, at least one week; absent without a bet",
                "bets a week",
                "ratio",
                0.0,
                null,
                "nullif(count(*) FILTER (WHERE %1$s), 0) / greatest(max(age_days) FILTER (WHERE %1$s) / 7, 1)"
                        .formatted(BET),
                "bet_placed");
        all.top(
                "favorite_game_type",
                "Kind of game with most events (data.game_type); absent without one of these",
                Tally.GAME_TYPE.most(),
                List.of("crash", "cassino", "esportes", "poker", "slots"));
        all.diversity(
                "game_diversity_score",
                "Shannon entropy of the kinds of games; absent without one",
                Tally.GAME_TYPE);
    }

    /** How a period compares with the one before it. */
    private static void trends(Definitions all) {
        for (int days : new int[] {7, 30, 90}) {
            var now = "count(*) FILTER (WHERE age_days <= %d)".formatted(days);
            var both = "count(*) FILTER (WHERE age_days <= %d)".formatted(2 * days);
            all.add(
                    "events_trend_" + days + "d",
                    "Events of the last %1$d days less those of the %1$d days before, of both; absent without any"
                            .formatted(days),
                    "ratio",
                    "ratio",
                    -1.0,
                    1.0,
                    "(2 * %1$s - %2$s)::float8 / nullif(%2$s, 0)".formatted(now, both));
        }
        for (int days : new int[] {7, 30, 90}) {
            var sum = "coalesce(sum(money) FILTER (WHERE " + PURCHASE + " AND age_days <= %d), 0)";
            var now = sum.formatted(days);
            var both = sum.formatted(2 * days);
            all.add(
                    "revenue_trend_" + days + "d",
                    "Revenue of the last %1$d days less that of the %1$d days before, of both; absent without any"
                            .formatted(days),
                    "ratio",
                    "ratio",
                    -1.0,
                    1.0,
                    "(2 * %1$s - %2$s) / nullif(%2$s, 0)".formatted(now, both),
                    "purchase");
        }
    }

    private static void optIns(Definitions all) {
        for (var name : new String[] {"opt_in_games", "opt_in_promotions"}) {
            all.flag(
                    name,
                    "The last word on %s among the traits of identify, 1 or 0; absent without one"
                            .formatted(name),
                    "(array_agg(%1$s ORDER BY occurred_at DESC, id DESC) FILTER (WHERE %1$s IS NOT NULL))[1]"
                            .formatted(name),
                    "identify");
        }
    }

    /** What models of repeated purchases count, each in its own way. */
    private static void repeats(Definitions all) {
        all.count(
                REPEAT_PURCHASES,
                "Days with a purchase after the first such day",
                "days",
                "greatest(count(DISTINCT day) FILTER (WHERE " + PURCHASE + ") - 1, 0)",
                "purchase");
        all.weeks(
                AGE_AT_LAST_PURCHASE,
                "From the day of the first purchase to that of the last; absent without one",
                "(max(day) FILTER (WHERE %1$s) - min(day) FILTER (WHERE %1$s)) / 7.0"
                        .formatted(PURCHASE));
        all.weeks(
                CUSTOMER_AGE,
                "From the day of the first purchase to the last full moment; absent without one",
                "(max(today) - min(day) FILTER (WHERE %s)) / 7.0".formatted(PURCHASE));
        all.from(Origin.PURCHASES);
        all.amount(
                REPEAT_VALUE,
                "Mean revenue of a day with a purchase after the first such day; absent without one",
                "sum(money) FILTER (WHERE %1$s AND day > first_purchase_day)::float8 / nullif(count(DISTINCT day) FILTER (WHERE %1$s) - 1, 0)"
                        .formatted(PURCHASE),
                "purchase");
        all.from(Origin.EVENTS);
    }

    /** Each user beside all others; the boundaries are those of the last batch run. */
    private static void scores(Definitions all) {
        for (int parts : new int[] {4, 5}) {
            var suffix = parts == 4 ? "" : "_5";
            all.score(
                    "recency_score" + suffix,
                    "Recency beside that of all buyers, %d the most recent; absent without a purchase"
                            .formatted(parts),
                    "%d less the boundaries that the full days of recency_days are above"
                            .formatted(parts),
                    parts);
            all.score(
                    "frequency_score" + suffix,
                    "Days with a purchase beside those of all buyers; absent without a purchase",
                    "1 plus the boundaries that frequency_days is above",
                    parts);
            all.score(
                    "monetary_score" + suffix,
                    "Revenue beside that of all buyers; absent without a purchase",
                    "1 plus the boundaries that monetary is above",
                    parts);
        }
        all.compared(
                "rfm_segment",
                "Segment of the scores of 1 to 5; absent without a purchase",
                "of recency_score_5 and frequency_score_5; see RfmSegment",
                "name",
                Feature.CATEGORY,
                null,
                null,
                Arrays.stream(RfmSegment.values()).map(RfmSegment::wireName).toList());
        all.compared(
                "ticket_medio_categoria",
                "Mean amount of a purchase beside that of all buyers, a third each; absent without a purchase",
                "of avg_ticket, parted at the thirds of all buyers",
                "name",
                Feature.CATEGORY,
                null,
                null,
                List.of("baixo", "medio", "alto"));
        all.compared(
                "ticket_category",
                "The same in English",
                "of avg_ticket, parted at the thirds of all buyers",
                "name",
                Feature.CATEGORY,
                null,
                null,
                List.of("low", "medium", "high"));
    }

    private static void lifetime(Definitions all) {
        all.compared(
                "expected_purchases_90d",
                "Days with a purchase that are expected in the next 90 days; absent without a purchase or a model",
                "BG/NBD, conditional expectation",
                "days",
                "amount",
                0.0,
                null,
                List.of());
        all.compared(
                LIFETIME_VALUE,
                "Revenue expected in the next 365 days; absent without a purchase or a model",
                "BG/NBD expected purchases × Gamma-Gamma expected value",
                "currency",
                "amount",
                0.0,
                null,
                List.of());
        all.compared(
                "customer_lifetime_value_score",
                "Share of buyers whose lifetime value is at most this user's, in steps of .01",
                "rank of customer_lifetime_value among the percentiles of all buyers",
                "ratio",
                "ratio",
                0.0,
                1.0,
                List.of());
        all.compared(
                "churn_risk_score",
                "Probability that a buyer has stopped buying; absent without a purchase or a model",
                "1 − P(alive), BG/NBD",
                "ratio",
                "ratio",
                0.0,
                1.0,
                List.of());
    }

    private static String variation(String type) {
        return "stddev_samp(money) FILTER (WHERE %1$s) / nullif(avg(money) FILTER (WHERE %1$s), 0)"
                .formatted(type);
    }

    /** What is tallied, in the order of the columns of the grouping. */
    enum Tally {
        EVENT_TYPE,
        CATEGORY,
        GAME_TYPE,
        CHANNEL,
        WEEKDAY,
        DAY_PART;

        String column() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        /** GROUPING of rows that are grouped by this column alone: every other column's bit is set. */
        int grouping() {
            int columns = values().length;
            return (1 << columns) - 1 - (1 << (columns - 1 - ordinal()));
        }

        /** The rows that say how often each value is there. */
        String rows() {
            return "g = %d AND %s IS NOT NULL".formatted(grouping(), column());
        }

        private String most() {
            return "(array_agg(%1$s ORDER BY n DESC, %1$s :binary) FILTER (WHERE %2$s))[1]"
                    .formatted(column(), rows());
        }

        /** H = ln N − Σ n ln n ÷ N (Shannon 1948), in nats. */
        private String entropy() {
            return "abs(ln(sum(n) FILTER (WHERE %1$s)) - sum(n * ln(n)) FILTER (WHERE %1$s) / sum(n) FILTER (WHERE %1$s))"
                    .formatted(rows());
        }
    }

    /** Gathers definitions. */
    private static final class Definitions {

        private final List<Feature> features = new ArrayList<>();
        private int version;
        private Origin origin = Origin.EVENTS;

        /** What those that follow are computed from, where nothing else says so. */
        void from(Origin next) {
            origin = next;
        }

        void days(String name, String meaning, String sql, String... events) {
            add(name, meaning, "days", "duration", 0.0, null, sql, events);
        }

        void weeks(String name, String meaning, String sql) {
            add(name, meaning, "weeks", "duration", 0.0, null, sql, "purchase");
        }

        void count(String name, String meaning, String unit, String sql, String... events) {
            add(name, meaning, unit, "count", 0.0, null, sql, events);
        }

        void ofType(String name, String type) {
            count(
                    name,
                    "Events of type " + type,
                    "events",
                    "count(*) FILTER (WHERE event_type = '" + type + "')",
                    type);
        }

        void amount(String name, String meaning, String sql, String... events) {
            add(name, meaning, "currency", "amount", 0.0, null, sql, events);
        }

        void share(String name, String meaning, String sql) {
            add(name, meaning, "ratio", "ratio", 0.0, 1.0, sql);
        }

        void flag(String name, String meaning, String sql, String... events) {
            add(name, meaning, "0 or 1", "flag", 0.0, 1.0, sql, events);
        }

        void add(
                String name,
                String meaning,
                String unit,
                String type,
                @Nullable Double min,
                @Nullable Double max,
                String sql,
                String... events) {
            features.add(
                    new Feature(
                            name,
                            meaning,
                            sql,
                            unit,
                            type,
                            min,
                            max,
                            List.of(),
                            List.of(events),
                            version,
                            true,
                            origin));
        }

        void tally(
                String name,
                String meaning,
                String unit,
                String type,
                @Nullable Double min,
                @Nullable Double max,
                String sql) {
            features.add(
                    new Feature(
                            name,
                            meaning,
                            sql,
                            unit,
                            type,
                            min,
                            max,
                            List.of(),
                            List.of(),
                            version,
                            true,
                            Origin.TALLIES));
        }

        void diversity(String name, String meaning, Tally tally) {
            tally(name, meaning, "nats", "score", 0.0, null, tally.entropy());
        }

        void top(String name, String meaning, String sql, List<String> values) {
            features.add(
                    new Feature(
                            name,
                            meaning,
                            sql,
                            "name",
                            Feature.CATEGORY,
                            null,
                            null,
                            values,
                            List.of(),
                            version,
                            false,
                            Origin.TALLIES));
        }

        void score(String name, String meaning, String formula, int parts) {
            compared(name, meaning, formula, "points", "score", 1.0, (double) parts, List.of());
        }

        void compared(
                String name,
                String meaning,
                String formula,
                String unit,
                String type,
                @Nullable Double min,
                @Nullable Double max,
                List<String> values) {
            features.add(
                    new Feature(
                            name,
                            meaning,
                            formula,
                            unit,
                            type,
                            min,
                            max,
                            values,
                            List.of(),
                            version,
                            false,
                            Origin.POPULATION));
        }
    }
}
