package io.mirante.snapshot.windows;

import io.mirante.contracts.metrics.DerivedMetric;
import io.mirante.contracts.metrics.MetricCatalog;
import io.mirante.contracts.metrics.MetricEntry;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.TimeRange;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.util.MultiValueMap;

/**
 * What {@code GET /api/v1/snapshots} asks, read from its query.
 *
 * @param metrics names asked for; empty = every additive metric a window has
 * @param comparePrevious each window with the metrics of the one that lies the range's length before
 */
record SnapshotQuestion(
        String scope,
        Granularity granularity,
        TimeRange range,
        Map<String, String> dimensions,
        List<String> metrics,
        boolean comparePrevious) {

    private static final String DIMENSION = "dimension.";
    private static final Set<String> PARAMETERS =
            Set.of(
                    "scope",
                    "granularity",
                    "start_time",
                    "end_time",
                    "metrics",
                    "compare",
                    "limit",
                    "cursor");

    /**
     * Reads the query.
     *
     * @throws ProblemException 400 that names every parameter that is wrong
     */
    static SnapshotQuestion of(MultiValueMap<String, String> query) {
        var errors = new ArrayList<FieldError>();
        var scope = scope(query.getFirst("scope"), errors);
        var granularity = granularity(query.getFirst("granularity"), errors);
        var dimensions = new TreeMap<String, String>();
        for (var parameter : query.toSingleValueMap().entrySet()) {
            var name = parameter.getKey();
            if (name.startsWith(DIMENSION)) {
                dimension(scope, name.substring(DIMENSION.length()), parameter.getValue(), errors)
                        .ifPresent(d -> dimensions.put(d.getKey(), d.getValue()));
            } else if (!PARAMETERS.contains(name)) {
                errors.add(
                        new FieldError(
                                "?" + name,
                                "unknown_field",
                                "unknown parameter "
                                        + name
                                        + "; known are "
                                        + String.join(", ", new TreeSet<>(PARAMETERS))
                                        + " and dimension.<name>"));
            }
        }
        var metrics = metrics(scope, query.getFirst("metrics"), errors);
        var compare = query.getFirst("compare");
        if (compare != null && !compare.equals("previous")) {
            errors.add(
                    new FieldError(
                            "?compare",
                            "unknown_value",
                            "compare can only be previous, was " + compare));
        }
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        var range = TimeRange.ofQuery(query.getFirst("start_time"), query.getFirst("end_time"));
        if (compare != null
                && (range.start().equals(TimeRange.FIRST) || range.end().equals(TimeRange.LAST))) {
            throw ProblemException.malformed(
                    range.start().equals(TimeRange.FIRST) ? "?start_time" : "?end_time",
                    "required",
                    "compare=previous needs start_time and end_time");
        }
        var window = granularity == Granularity.HOURLY ? Duration.ofHours(1) : Duration.ofDays(1);
        if (compare != null
                && Duration.between(range.start(), range.end()).toMillis() % window.toMillis()
                        != 0) {
            throw ProblemException.malformed(
                    "?end_time",
                    "not_whole_windows",
                    "compare=previous needs a range of whole %s"
                            .formatted(granularity == Granularity.HOURLY ? "hours" : "days"));
        }
        return new SnapshotQuestion(
                scope, granularity, range, dimensions, metrics, compare != null);
    }

    private static String scope(@Nullable String scope, List<FieldError> errors) {
        if (scope == null || scope.isEmpty()) {
            errors.add(
                    new FieldError(
                            "?scope",
                            "required",
                            "scope is required; known are "
                                    + String.join(", ", MetricCatalog.scopes())));
            return "";
        }
        if (!MetricCatalog.scopes().contains(scope)) {
            errors.add(
                    new FieldError(
                            "?scope",
                            "unknown_value",
                            "unknown scope; known are "
                                    + String.join(", ", MetricCatalog.scopes())));
            return "";
        }
        return scope;
    }

    private static Granularity granularity(@Nullable String name, List<FieldError> errors) {
        if (name == null || name.isEmpty()) {
            return Granularity.HOURLY;
        }
        return Granularity.find(name)
                .orElseGet(() -> {
                    errors.add(
                            new FieldError(
                                    "?granularity",
                                    "unknown_value",
                                    "granularity must be hourly or daily"));
                    return Granularity.HOURLY;
                });
    }

    private static Optional<Map.Entry<String, String>> dimension(
            String scope, String name, @Nullable String value, List<FieldError> errors) {
        var known = MetricCatalog.dimensions(scope);
        if (!scope.isEmpty() && !known.contains(name)) {
            errors.add(
                    new FieldError(
                            "?" + DIMENSION + name,
                            "unknown_field",
                            "scope " + scope + " has the dimensions " + known));
            return Optional.empty();
        }
        if (value == null || value.indexOf('\0') >= 0) {
            errors.add(
                    new FieldError(
                            "?" + DIMENSION + name,
                            "invalid",
                            DIMENSION + name + " needs a value"));
            return Optional.empty();
        }
        return Optional.of(Map.entry(name, value));
    }

    private static List<String> metrics(
            String scope, @Nullable String names, List<FieldError> errors) {
        if (names == null || names.isBlank() || scope.isEmpty()) {
            return List.of();
        }
        var wanted = new ArrayList<String>();
        for (var name : names.split(",")) {
            var bare = name.strip();
            if (additive(scope, bare).isEmpty() && derived(scope, bare).isEmpty()) {
                errors.add(
                        new FieldError(
                                "?metrics",
                                "unknown_value",
                                "scope %s has no metric %s; see /api/v1/metrics/catalog"
                                        .formatted(scope, bare)));
            } else {
                wanted.add(bare);
            }
        }
        return wanted;
    }

    /**
     * A window's metrics as they are answered: counts, seconds, points and ratios as numbers, amounts of money as decimal
     * texts. One asked for that the window does not have is 0, a ratio without a denominator null.
     */
    Map<String, @Nullable Object> answer(Map<String, BigDecimal> additive) {
        var answer = new LinkedHashMap<String, @Nullable Object>();
        if (metrics.isEmpty()) {
            new TreeMap<>(additive)
                    .forEach((name, value) ->
                            answer.put(
                                    name,
                                    shown(
                                            value,
                                            additive(scope, name)
                                                    .map(MetricEntry::unit)
                                                    .orElse(""))));
        }
        for (var name : metrics) {
            var entry = additive(scope, name);
            if (entry.isPresent()) {
                answer.put(
                        name,
                        shown(additive.getOrDefault(name, BigDecimal.ZERO), entry.get().unit()));
            } else {
                var ratio = derived(scope, name).orElseThrow();
                var value =
                        ratio.compute(
                                additive.getOrDefault(ratio.numerator(), BigDecimal.ZERO),
                                additive.getOrDefault(ratio.denominator(), BigDecimal.ZERO));
                answer.put(name, value == null ? null : shown(value, ratio.unit()));
            }
        }
        return answer;
    }

    private static Object shown(BigDecimal value, String unit) {
        if (unit.equals("currency")) {
            return value.toPlainString();
        }
        var stripped = value.stripTrailingZeros();
        return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
    }

    private static Optional<MetricEntry> additive(String scope, String name) {
        return MetricCatalog.entries().stream()
                .filter(e -> e.scope().equals(scope) && e.name().equals(name))
                .findFirst();
    }

    private static Optional<DerivedMetric> derived(String scope, String name) {
        return MetricCatalog.derived().stream()
                .filter(e -> e.scope().equals(scope) && e.name().equals(name))
                .findFirst();
    }
}
