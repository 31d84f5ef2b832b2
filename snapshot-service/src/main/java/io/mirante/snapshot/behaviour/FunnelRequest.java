package io.mirante.snapshot.behaviour;

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

/**
 * A funnel as a client sends it, and as it is kept.
 *
 * @param window ISO 8601 duration in weeks, days, hours, minutes or seconds; {@code P14D} when missing
 * @param startTime only events from it on; null = from the first
 * @param endTime only events before it; null = all
 * @param order {@code sequential}, the default: in the order of the steps, others may lie between; {@code strict}: no other event of
 *     the person may lie between; {@code any}: in any order
 * @param breakdown by which value of the event that a path begins with groups are formed; null = none
 * @param exclusions events that must not lie between steps; at most 10
 */
record FunnelRequest(
        @Nullable String funnelName,
        @Nullable Instant startTime,
        @Nullable Instant endTime,
        @Nullable String window,
        @Nullable String order,
        @Nullable Breakdown breakdown,
        @Nullable List<@Nullable Exclusion> exclusions,
        @Nullable List<@Nullable Step> steps) {

    private static final Duration DEFAULT_WINDOW = Duration.ofDays(14);
    private static final Duration MAX_WINDOW = Duration.ofDays(3660);
    private static final Pattern WEEKS = Pattern.compile("P(\\d{1,3})W");
    private static final Set<String> COLUMNS = Set.of("country", "device");

    record Step(
            @Nullable String name,
            @Nullable String conditionType,
            @Nullable String conditionValue,
            @Nullable List<@Nullable FilterRequest> filters) {}

    /**
     * Events that must not lie between steps.
     *
     * @param fromStep the step, counted from 1, after which they must not lie; the first when missing
     * @param toStep the step before which they must not lie; the last when missing
     */
    record Exclusion(
            @Nullable String conditionType,
            @Nullable String conditionValue,
            @Nullable List<@Nullable FilterRequest> filters,
            @Nullable Integer fromStep,
            @Nullable Integer toStep) {}

    /**
     * What groups are formed by.
     *
     * @param property {@code data.} and names from there down, joined by dots, or {@code country} or {@code device}
     */
    record Breakdown(@Nullable String property) {}

    /**
     * The funnel it describes.
     *
     * @throws ProblemException 400 that names every field that is wrong
     */
    Funnel toFunnel() {
        var errors = new ArrayList<FieldError>();
        var wanted =
                Funnel.Order.find(order == null ? "sequential" : order)
                        .orElseGet(() -> {
                            errors.add(
                                    new FieldError(
                                            "/order",
                                            "unknown_value",
                                            "order must be sequential, strict or any"));
                            return Funnel.Order.SEQUENTIAL;
                        });
        var duration = window == null ? DEFAULT_WINDOW : duration(window, errors);
        var checked = steps(errors);
        var excluded = exclusions(wanted, Math.max(1, checked.size()), errors);
        var broken = breakdown == null ? null : breakdown(breakdown, errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new Funnel(
                funnelName == null ? "Funnel" : funnelName,
                TimeRange.ofBody(startTime, endTime),
                duration,
                wanted,
                checked,
                excluded,
                broken);
    }

    /** An ISO 8601 duration of a window. */
    static Duration duration(String window, List<FieldError> errors) {
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
        if (given == null || given.isEmpty() || given.size() > Funnel.MAX_STEPS) {
            errors.add(
                    new FieldError(
                            "/steps",
                            given == null || given.isEmpty() ? "required" : "too_many",
                            "steps must be a list of 1 to %d steps, %d were given"
                                    .formatted(
                                            Funnel.MAX_STEPS, given == null ? 0 : given.size())));
            return List.of();
        }
        var checked = new ArrayList<Funnel.Step>();
        for (int i = 0; i < given.size(); i++) {
            var step = given.get(i);
            var at = "/steps/" + i;
            if (step == null) {
                errors.add(new FieldError(at, "required", at + " must be an object"));
                continue;
            }
            var condition =
                    FilterRequest.condition(
                            step.conditionType(),
                            step.conditionValue(),
                            step.filters(),
                            at,
                            "condition_",
                            errors);
            var name = step.name();
            checked.add(
                    new Funnel.Step(
                            name == null || name.isBlank() ? condition.type() : name, condition));
        }
        return checked;
    }

    private List<Funnel.Exclusion> exclusions(
            Funnel.Order order, int last, List<FieldError> errors) {
        var given = exclusions;
        if (given == null) {
            return List.of();
        }
        if (given.size() > Funnel.MAX_EXCLUSIONS) {
            errors.add(
                    new FieldError(
                            "/exclusions",
                            "too_many",
                            "exclusions may hold at most %d conditions, %d were given"
                                    .formatted(Funnel.MAX_EXCLUSIONS, given.size())));
            return List.of();
        }
        var checked = new ArrayList<Funnel.Exclusion>();
        for (int i = 0; i < given.size(); i++) {
            var exclusion = given.get(i);
            var at = "/exclusions/" + i;
            if (exclusion == null) {
                errors.add(new FieldError(at, "required", at + " must be an object"));
                continue;
            }
            var condition =
                    FilterRequest.condition(
                            exclusion.conditionType(),
                            exclusion.conditionValue(),
                            exclusion.filters(),
                            at,
                            "condition_",
                            errors);
            int from = step(exclusion.fromStep(), 1, order, at + "/from_step", last, errors);
            int to = step(exclusion.toStep(), last, order, at + "/to_step", last, errors);
            if (from >= to && (exclusion.fromStep() != null || exclusion.toStep() != null)) {
                errors.add(
                        new FieldError(
                                at + "/to_step",
                                "out_of_range",
                                "%s/to_step must be after from_step, was %d after %d"
                                        .formatted(at, to, from)));
            }
            checked.add(new Funnel.Exclusion(condition, from, to));
        }
        return checked;
    }

    /** The step given, or otherwise that which stands for none. */
    private static int step(
            @Nullable Integer step,
            int otherwise,
            Funnel.Order order,
            String at,
            int last,
            List<FieldError> errors) {
        if (step == null) {
            return otherwise;
        }
        if (order == Funnel.Order.ANY) {
            errors.add(
                    new FieldError(
                            at,
                            "not_applicable",
                            at
                                    + " has no meaning where steps come in any order; leave it out, or ask with order sequential"));
        } else if (!(step >= 1 && step <= last)) {
            errors.add(
                    new FieldError(
                            at,
                            "out_of_range",
                            "%s must be from 1 to %d, was %d".formatted(at, last, step)));
        } else {
            return step;
        }
        return otherwise;
    }

    private static Funnel.@Nullable Breakdown breakdown(
            Breakdown breakdown, List<FieldError> errors) {
        var property = breakdown.property() == null ? "" : breakdown.property();
        if (COLUMNS.contains(property)) {
            return new Funnel.Breakdown(property, null);
        }
        var path = EventCondition.Property.find(property);
        if (path == null) {
            errors.add(
                    new FieldError(
                            "/breakdown/property",
                            "invalid",
                            "/breakdown/property must be country, device or a path into the data, such as data.plan"));
            return null;
        }
        return new Funnel.Breakdown(null, path);
    }
}
