package io.mirante.etl.quality;

import io.mirante.contracts.gateway.QualityThresholds;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * From when a check passes, by the check's name.
 *
 * @param byCheck in the order of the checks: shares in [0, 1], {@code freshness} in hours, {@code statistical_distribution} as
 *     population stability index (0.25 is commonly called a major shift), {@code anomalies} as robust z-score, see {@link Anomalies}
 */
public record Thresholds(Map<String, Double> byCheck) {

    private static final double MAX_HOURS = 87_600;
    private static final double MAX_DRIFT = 10;
    private static final double MAX_Z = 1_000;
    private static final String ANOMALIES = "anomalies";

    /** The product's own. */
    public static final Thresholds DEFAULT = new Thresholds(defaults());

    private static Map<String, Double> defaults() {
        var all = new LinkedHashMap<String, Double>();
        all.put("completeness", 0.95);
        all.put("primary_key_integrity", 1.0);
        all.put("freshness", 24.0);
        all.put("duplicates", 0.01);
        all.put("outliers", 0.05);
        all.put("data_types", 0.99);
        all.put("business_rules", 0.99);
        all.put("value_ranges", 0.99);
        all.put("statistical_distribution", 0.25);
        all.put("feature_correlation", 0.95);
        all.put("ml_readiness", 0.9);
        all.put(ANOMALIES, 3.5);
        return all;
    }

    public Thresholds {
        byCheck = Collections.unmodifiableMap(new LinkedHashMap<>(byCheck));
    }

    /** Of the check of that name. */
    double of(String check) {
        return Objects.requireNonNull(byCheck.get(check), check);
    }

    /** From which robust z-score on a run's figure is an anomaly. */
    public double anomalies() {
        return of(ANOMALIES);
    }

    /** With others in place of some; see {@link #refusal}. */
    public Thresholds with(Map<String, Double> others) {
        var all = new LinkedHashMap<>(byCheck);
        all.putAll(others);
        return new Thresholds(all);
    }

    /** With what a tenant's settings say. */
    public Thresholds with(QualityThresholds tenant) {
        var others = new LinkedHashMap<String, Double>();
        put(others, "completeness", tenant.completeness());
        put(others, "outliers", tenant.outliers());
        put(others, "duplicates", tenant.duplicates());
        put(
                others,
                "freshness",
                tenant.freshnessHours() == null ? null : tenant.freshnessHours().doubleValue());
        return with(others);
    }

    private static void put(Map<String, Double> others, String check, @Nullable Double value) {
        if (value != null) {
            others.put(check, value);
        }
    }

    /** Why a check can not have a threshold; empty = it can. */
    public static Optional<String> refusal(String check, double value) {
        if (!DEFAULT.byCheck.containsKey(check)) {
            return Optional.of(
                    "there is no check %s; there are %s"
                            .formatted(check, String.join(", ", DEFAULT.byCheck.keySet())));
        }
        double most =
                switch (check) {
                    case "freshness" -> MAX_HOURS;
                    case "statistical_distribution" -> MAX_DRIFT;
                    case ANOMALIES -> MAX_Z;
                    default -> 1;
                };
        return value >= 0 && value <= most
                ? Optional.empty()
                : Optional.of("the threshold of %s must be from 0 to %.0f".formatted(check, most));
    }
}
