package io.mirante.etl.features;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * All features, in the order of their columns. A changed definition is a new {@link #VERSION}.
 *
 * <p>Days are days of UTC; ages are fractions of days of 86,400 seconds. A purchase of amount 0 is a purchase.
 */
public final class FeatureCatalog {

    /** Version of the definitions. */
    public static final int VERSION = 1;

    private static final String PURCHASE = "event_type = 'purchase'";
    private static final String DAY = "(occurred_at AT TIME ZONE 'UTC')::date";

    private static final List<Feature> FEATURES = features();

    private FeatureCatalog() {}

    /** Every feature. */
    public static List<Feature> all() {
        return FEATURES;
    }

    private static List<Feature> features() {
        var all = new ArrayList<Feature>();
        all.add(
                days(
                        "recency_days",
                        "Since the last purchase; absent without one",
                        "min(age_days) FILTER (WHERE " + PURCHASE + ")"));
        all.add(days("days_since_last_event", "Since the last event of any type", "min(age_days)"));
        all.add(days("tenure_days", "Since the first event of any type", "max(age_days)"));
        all.add(
                days(
                        "days_since_signup",
                        "Since the first sign_up; absent without one",
                        "max(age_days) FILTER (WHERE event_type = 'sign_up')"));
        all.add(
                count(
                        "frequency_days",
                        "Days with a purchase",
                        "days",
                        "count(DISTINCT " + DAY + ") FILTER (WHERE " + PURCHASE + ")"));
        all.add(
                count(
                        "orders",
                        "Purchases",
                        "purchases",
                        "count(*) FILTER (WHERE " + PURCHASE + ")"));
        all.add(
                amount(
                        "monetary",
                        "Amounts of purchases, summed",
                        "coalesce(sum(money) FILTER (WHERE " + PURCHASE + "), 0)"));
        all.add(
                amount(
                        "avg_ticket",
                        "Mean amount of a purchase; absent without one",
                        "avg(money) FILTER (WHERE " + PURCHASE + ")"));
        all.add(
                amount(
                        "max_ticket",
                        "Largest amount of a purchase; absent without one",
                        "max(money) FILTER (WHERE " + PURCHASE + ")"));
        all.add(count("events_total", "Events of any type", "events", "count(*)"));
        all.add(
                count(
                        "sessions_total",
                        "Sessions: by session_id; events without one belong to a session that ends after 30 minutes without an event",
                        "sessions",
                        "count(DISTINCT session_id) + count(*) FILTER (WHERE begins_session)"));
        all.add(count("active_days", "Days with an event", "days", "count(DISTINCT " + DAY + ")"));
        for (int days : new int[] {7, 30, 90}) {
            all.add(
                    count(
                            "events_" + days + "d",
                            "Events in the last " + days + " days",
                            "events",
                            "count(*) FILTER (WHERE age_days <= " + days + ")"));
        }
        for (int days : new int[] {7, 30, 90}) {
            all.add(
                    count(
                            "purchases_" + days + "d",
                            "Purchases in the last " + days + " days",
                            "purchases",
                            "count(*) FILTER (WHERE "
                                    + PURCHASE
                                    + " AND age_days <= "
                                    + days
                                    + ")"));
        }
        for (int days : new int[] {7, 30, 90}) {
            all.add(
                    amount(
                            "revenue_" + days + "d",
                            "Amounts of purchases in the last " + days + " days",
                            "coalesce(sum(money) FILTER (WHERE "
                                    + PURCHASE
                                    + " AND age_days <= "
                                    + days
                                    + "), 0)"));
        }
        all.add(ofType("page_views", "page_view"));
        all.add(ofType("product_views", "product_view"));
        all.add(ofType("add_to_carts", "add_to_cart"));
        all.add(ofType("checkouts", "checkout_started"));
        all.add(ofType("searches", "search"));
        all.add(ofType("refunds", "refund"));
        all.add(
                amount(
                        "refunded_amount",
                        "Amounts of refunds, summed",
                        "coalesce(sum(money) FILTER (WHERE event_type = 'refund'), 0)"));
        all.add(ofType("tickets", "ticket.created"));
        all.add(
                new Feature(
                        "csat_avg",
                        "Mean satisfaction score given; absent without one",
                        "points",
                        "ratio",
                        1,
                        "avg(score)"));
        all.add(
                new Feature(
                        "subscribed",
                        "1 when the last word on a subscription was started or renewed, else 0",
                        "0 or 1",
                        "flag",
                        1,
                        "CASE WHEN (array_agg(event_type ORDER BY occurred_at DESC, id DESC) FILTER (WHERE event_type IN"
                                + " ('subscription_started', 'subscription_renewed', 'subscription_cancelled')))[1]"
                                + " <> 'subscription_cancelled' THEN 1 ELSE 0 END"));
        all.add(
                days(
                        "purchase_interval_mean_days",
                        "Mean time between consecutive purchases; absent below two",
                        "avg(since_purchase_days)"));
        all.add(
                days(
                        "purchase_interval_std_days",
                        "Standard deviation (sample) of that time; absent below three purchases",
                        "stddev_samp(since_purchase_days)"));
        all.add(
                new Feature(
                        "weekend_ratio",
                        "Share of events on Saturday or Sunday",
                        "ratio",
                        "ratio",
                        1,
                        "count(*) FILTER (WHERE extract(isodow FROM occurred_at AT TIME ZONE 'UTC') >= 6)::float8 /"
                                + " count(*)"));
        return List.copyOf(all);
    }

    private static Feature days(String name, String meaning, String sql) {
        return new Feature(name, meaning, "days", "duration", 1, sql);
    }

    private static Feature count(String name, String meaning, String unit, String sql) {
        return new Feature(name, meaning, unit, "count", 1, sql);
    }

    private static Feature amount(String name, String meaning, String sql) {
        return new Feature(name, meaning, "currency", "amount", 1, sql);
    }

    private static Feature ofType(String name, String type) {
        return count(
                name,
                "Events of type %s".formatted(type.toLowerCase(Locale.ROOT)),
                "events",
                "count(*) FILTER (WHERE event_type = '" + type + "')");
    }
}
