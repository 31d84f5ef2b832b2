package io.mirante.etl.features;

import io.mirante.contracts.etl.RfmSegment;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Features that compare a user with a {@link Population}; the same for live users as in a batch. Stateless. */
final class DerivedFeatures {

    /** Features that it looks at. */
    static final List<String> INPUTS =
            List.of(
                    FeatureCatalog.RECENCY_DAYS,
                    FeatureCatalog.FREQUENCY_DAYS,
                    FeatureCatalog.MONETARY,
                    FeatureCatalog.AVG_TICKET,
                    FeatureCatalog.REPEAT_PURCHASES,
                    FeatureCatalog.AGE_AT_LAST_PURCHASE,
                    FeatureCatalog.CUSTOMER_AGE,
                    FeatureCatalog.REPEAT_VALUE);

    private static final double DAYS_A_WEEK = 7;
    private static final double QUARTER_DAYS = 90;
    private static final double YEAR_DAYS = 365;
    private static final double PERCENTILES = 100;

    private DerivedFeatures() {}

    /**
     * Adds what a population tells of a user.
     *
     * @param features by name, Double or String; those of a user's own events are there
     */
    static void add(Map<String, Object> features, Population population) {
        var recency = number(features, FeatureCatalog.RECENCY_DAYS);
        if (recency == null) {
            return;
        }
        double frequency = required(features, FeatureCatalog.FREQUENCY_DAYS);
        double monetary = required(features, FeatureCatalog.MONETARY);
        scores(features, "", population.quarters(), recency, frequency, monetary);
        scores(features, "_5", population.fifths(), recency, frequency, monetary);
        features.put(
                "rfm_segment",
                RfmSegment.of(
                                (int) required(features, "recency_score_5"),
                                (int) required(features, "frequency_score_5"))
                        .wireName());
        var ticket = number(features, FeatureCatalog.AVG_TICKET);
        if (ticket != null) {
            int third = above(ticket, population.tickets());
            features.put("ticket_medio_categoria", List.of("baixo", "medio", "alto").get(third));
            features.put("ticket_category", List.of("low", "medium", "high").get(third));
        }
        var lifetime = population.lifetime();
        if (lifetime != null) {
            var customer = customer(features);
            double value = lifetimeValue(lifetime, customer);
            features.put(
                    "expected_purchases_90d",
                    lifetime.expectedPurchases(QUARTER_DAYS / DAYS_A_WEEK, customer));
            features.put(FeatureCatalog.LIFETIME_VALUE, value);
            features.put(
                    "customer_lifetime_value_score", share(value, population.lifetimeValues()));
            features.put("churn_risk_score", 1 - lifetime.probabilityAlive(customer));
        }
    }

    private static void scores(
            Map<String, Object> features,
            String suffix,
            Population.Parts parts,
            double recency,
            double frequency,
            double monetary) {
        features.put(
                "recency_score" + suffix,
                (double)
                        (parts.recency().size() + 1 - above(Math.floor(recency), parts.recency())));
        features.put("frequency_score" + suffix, 1.0 + above(frequency, parts.frequency()));
        features.put("monetary_score" + suffix, 1.0 + above(monetary, parts.monetary()));
    }

    /** What is expected of a buyer within a year, in the tenant's currency. */
    static double lifetimeValue(Lifetime lifetime, Lifetime.Customer customer) {
        return lifetime.expectedPurchases(YEAR_DAYS / DAYS_A_WEEK, customer)
                * lifetime.expectedValue(customer);
    }

    private static Lifetime.Customer customer(Map<String, Object> features) {
        var value = number(features, FeatureCatalog.REPEAT_VALUE);
        return new Lifetime.Customer(
                required(features, FeatureCatalog.REPEAT_PURCHASES),
                required(features, FeatureCatalog.AGE_AT_LAST_PURCHASE),
                required(features, FeatureCatalog.CUSTOMER_AGE),
                value == null ? 0 : value);
    }

    /** Of buyers whose value is at most this, by the percentiles 1 to 99; above all of them 1. */
    private static double share(double value, List<Double> percentiles) {
        long reached = percentiles.stream().filter(percentile -> value >= percentile).count();
        return reached == percentiles.size() ? 1 : reached / PERCENTILES;
    }

    private static int above(double value, List<Double> boundaries) {
        int above = 0;
        for (var boundary : boundaries) {
            above += value > boundary ? 1 : 0;
        }
        return above;
    }

    private static double required(Map<String, Object> features, String name) {
        var value = number(features, name);
        if (value == null) {
            throw new IllegalStateException("a buyer has no " + name);
        }
        return value;
    }

    private static @Nullable Double number(Map<String, Object> features, String name) {
        return features.get(name) instanceof Double value ? value : null;
    }
}
