package io.mirante.snapshot.behaviour;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.mirante.contracts.events.EventTypes;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.TimeRange;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.NullNode;

/**
 * A funnel as a client sends it, and as it is kept.
 *
 * @param window ISO 8601 duration in weeks, days, hours, minutes or seconds; {@code P14D} when missing
 * @param startTime only events from it on; null = from the first
 * @param endTime only events before it; null = all
 */
record FunnelRequest(
        @Nullable String funnelName,
        @Nullable Instant startTime,
        @Nullable Instant endTime,
        @Nullable String window,
        @Nullable String order,
        @Nullable JsonNode breakdown,
        @Nullable List<JsonNode> exclusions,
        @Nullable List<@Nullable Step> steps) {

    private static final Duration DEFAULT_WINDOW = Duration.ofDays(14);
    private static final Duration MAX_WINDOW = Duration.ofDays(3660);
    private static final Pattern WEEKS = Pattern.compile("P(\\d{1,3})W");
    private static final Set<String> OPERATORS =
            Set.of("eq", "neq", "gt", "gte", "lt", "lte", "contains", "exists");
    private static final int MAX_FILTERS = 10;
    private static final int MAX_SCALE = 400;

    record Step(
            @Nullable String name,
            @Nullable String conditionType,
            @Nullable String conditionValue,
            @Nullable List<@Nullable Filter> filters) {}

    record Filter(
            @Nullable String property,
            @Nullable String operator,
            @JsonProperty("value") @Nullable JsonNode value) {}

    /**
     * The funnel it describes.
     *
     * @throws ProblemException 400 that names every field that is wrong, 422 for what is not offered yet
     */
    Funnel toFunnel() {
        var errors = new ArrayList<FieldError>();
        var wanted = order == null ? "sequential" : order;
        if (!Set.of("sequential", "strict", "any").contains(wanted)) {
            errors.add(
                    new FieldError(
                            "/order", "unknown_value", "order must be sequential, strict or any"));
        }
        var duration = duration(errors);
        var checked = steps(errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        if (!wanted.equals("sequential")) {
            throw ProblemException.impossible(
                    "not-offered-yet",
                    "order %s is not offered yet; sequential is".formatted(wanted));
        }
        if (breakdown != null && !breakdown.isNull()) {
            throw ProblemException.impossible(
                    "not-offered-yet", "breakdown is not offered yet; send null");
        }
        if (exclusions != null && !exclusions.isEmpty()) {
            throw ProblemException.impossible(
                    "not-offered-yet", "exclusions are not offered yet; send an empty list");
        }
        return new Funnel(
                funnelName == null ? "Funnel" : funnelName,
                TimeRange.ofBody(startTime, endTime),
                duration,
                checked);
    }

    private Duration duration(List<FieldError> errors) {
        if (window == null) {
            return DEFAULT_WINDOW;
        }
        try {
            var weeks = WEEKS.matcher(window);
            var duration =
                    weeks.matches()
                            ? Duration.ofDays(7L * Integer.parseInt(weeks.group(1)))
                            : Duration.parse(window);
            if (!duration.isNegative() && duration.compareTo(MAX_WINDOW) <= 0) {
                return duration;
            }
        } catch (DateTimeException | ArithmeticException e) {
            // the same answer as for one out of range
        }
        errors.add(
                new FieldError(
                        "/window",
                        "not_a_duration",
                        "window must be an ISO 8601 duration of 0 to 3660 days, such as P14D or PT30M"));
        return DEFAULT_WINDOW;
    }

    private List<Funnel.Step> steps(List<FieldError> errors) {
        var given = steps;
        if (given == null || given.isEmpty() || given.size() > FunnelPaths.MAX_STEPS) {
            errors.add(
                    new FieldError(
                            "/steps",
                            given == null || given.isEmpty() ? "required" : "too_many",
                            "steps must be a list of 1 to %d steps, %d were given"
                                    .formatted(
                                            FunnelPaths.MAX_STEPS,
                                            given == null ? 0 : given.size())));
            return List.of();
        }
        var checked = new ArrayList<Funnel.Step>();
        for (int i = 0; i < given.size(); i++) {
            checked.add(step(given.get(i), i, errors));
        }
        return checked;
    }

    private static Funnel.Step step(@Nullable Step step, int index, List<FieldError> errors) {
        var at = "/steps/" + index;
        if (step == null) {
            errors.add(new FieldError(at, "required", at + " must be an object"));
            return new Funnel.Step("", "", "", List.of());
        }
        var type =
                step.conditionType() == null ? "" : EventTypes.canonicalName(step.conditionType());
        if (type.isEmpty()) {
            errors.add(
                    new FieldError(
                            at + "/condition_type",
                            "required",
                            at + "/condition_type must name an event type"));
        }
        var value = step.conditionValue() == null ? "" : step.conditionValue();
        refuseNul(value, at + "/condition_value", errors);
        refuseNul(type, at + "/condition_type", errors);
        var name = step.name();
        return new Funnel.Step(
                name == null || name.isBlank() ? type : name,
                type,
                value,
                filters(step.filters(), at + "/filters", errors));
    }

    private static List<Funnel.Filter> filters(
            @Nullable List<@Nullable Filter> filters, String at, List<FieldError> errors) {
        if (filters == null) {
            return List.of();
        }
        if (filters.size() > MAX_FILTERS) {
            errors.add(
                    new FieldError(
                            at, "too_many", at + " may hold at most " + MAX_FILTERS + " filters"));
            return List.of();
        }
        var checked = new ArrayList<Funnel.Filter>();
        for (int i = 0; i < filters.size(); i++) {
            var filter = filter(filters.get(i), at + "/" + i, errors);
            if (filter != null) {
                checked.add(filter);
            }
        }
        return checked;
    }

    private static Funnel.@Nullable Filter filter(
            @Nullable Filter filter, String at, List<FieldError> errors) {
        if (filter == null) {
            errors.add(new FieldError(at, "required", at + " must be an object"));
            return null;
        }
        int before = errors.size();
        var property = filter.property();
        if (property == null || !property.matches("data(\\.[^.\\x00]{1,200}){1,10}")) {
            errors.add(
                    new FieldError(
                            at + "/property",
                            "invalid",
                            at + "/property must be a path into the data, such as data.amount"));
        }
        var operator = filter.operator();
        if (operator == null || !OPERATORS.contains(operator)) {
            errors.add(
                    new FieldError(
                            at + "/operator",
                            "unknown_value",
                            at
                                    + "/operator must be one of eq, neq, gt, gte, lt, lte, contains, exists"));
        }
        if (property == null || operator == null || errors.size() > before) {
            return null;
        }
        var given = filter.value();
        var value = given == null ? NullNode.getInstance() : given;
        var problem = problem(operator, value);
        if (problem != null) {
            errors.add(new FieldError(at + "/value", "wrong_type", at + "/value " + problem));
            return null;
        }
        if (value.isString()) {
            refuseNul(value.stringValue(), at + "/value", errors);
        }
        var path = List.of(property.split("\\."));
        return new Funnel.Filter(
                path.subList(1, path.size()), operator, value.isNull() ? null : value);
    }

    /** What is wrong with the value an operator gets; null when nothing is. */
    private static @Nullable String problem(String operator, JsonNode value) {
        return switch (operator) {
            case "exists" ->
                    value.isNull() || value.isBoolean() ? null : "must be true, false or left out";
            case "contains" -> value.isString() ? null : "must be a text";
            case "eq", "neq" ->
                    value.isString() || value.isBoolean() || number(value)
                            ? null
                            : "must be a text, a number or a truth value";
            default -> number(value) ? null : "must be a number";
        };
    }

    /** A number, or text that is one, as amounts may be given. */
    private static boolean number(JsonNode value) {
        return (value.isNumber() && Math.abs((long) value.decimalValue().scale()) <= MAX_SCALE)
                || (value.isString() && DecimalText.isDecimal(value.stringValue()));
    }

    private static void refuseNul(String text, String at, List<FieldError> errors) {
        if (text.indexOf('\0') >= 0) {
            errors.add(new FieldError(at, "invalid", at + " must not hold NUL"));
        }
    }
}
