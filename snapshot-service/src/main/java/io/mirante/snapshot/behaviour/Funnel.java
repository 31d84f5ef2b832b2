package io.mirante.snapshot.behaviour;

import io.mirante.contracts.Json;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.lake.LakeReader;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A sequential funnel, checked.
 *
 * @param range events outside it are not looked at
 * @param window from the first step, its end included
 */
record Funnel(String name, TimeRange range, Duration window, List<Step> steps) {

    Funnel {
        steps = List.copyOf(steps);
    }

    /**
     * One step.
     *
     * @param type canonical event type
     * @param value empty = every event of the type; else its main property, for {@code page_view} a prefix when it ends
     *     in {@code *}
     * @param filters all must hold
     */
    record Step(String name, String type, String value, List<Filter> filters) {

        Step {
            filters = List.copyOf(filters);
        }
    }

    /**
     * A condition on one value of the data.
     *
     * @param path names from the data down
     * @param operator one of the eight of the contract
     * @param value null only for {@code exists}
     */
    record Filter(List<String> path, String operator, @Nullable JsonNode value) {
        private static final Pattern INDEX = Pattern.compile("[0-9]{1,6}");

        Filter {
            path = List.copyOf(path);
        }

        /** A property that is not there satisfies only {@code neq}, and {@code exists} of false. */
        boolean matches(JsonNode data) {
            var text = text(data);
            var wanted = value;
            if (operator.equals("exists") || wanted == null) {
                return (text != null) == (wanted == null || wanted.booleanValue());
            }
            return switch (operator) {
                case "contains" -> text != null && text.contains(wanted.stringValue());
                case "neq" -> text == null || !equal(text, wanted);
                case "eq" -> text != null && equal(text, wanted);
                default -> text != null && compares(text, wanted);
            };
        }

        private static boolean equal(String text, JsonNode wanted) {
            if (!wanted.isNumber()) {
                return text.equals(wanted.asString());
            }
            return DecimalText.isDecimal(text)
                    && new BigDecimal(text).compareTo(wanted.decimalValue()) == 0;
        }

        private boolean compares(String text, JsonNode wanted) {
            if (!DecimalText.isDecimal(text)) {
                return false;
            }
            int order = new BigDecimal(text).compareTo(decimal(wanted));
            return switch (operator) {
                case "gt" -> order > 0;
                case "gte" -> order >= 0;
                case "lt" -> order < 0;
                case "lte" -> order <= 0;
                default -> throw new IllegalStateException(operator);
            };
        }

        private static BigDecimal decimal(JsonNode value) {
            return value.isNumber() ? value.decimalValue() : new BigDecimal(value.stringValue());
        }

        /** The value at the path as text, of a list or an object its JSON; null when there is none. */
        private @Nullable String text(JsonNode data) {
            var at = data;
            for (var name : path) {
                at =
                        at.isArray() && INDEX.matcher(name).matches()
                                ? at.path(Integer.parseInt(name))
                                : at.path(name);
            }
            if (at.isMissingNode() || at.isNull()) {
                return null;
            }
            return at.isNumber()
                    ? at.decimalValue().toPlainString()
                    : at.isValueNode() ? at.asString() : Json.mapper().writeValueAsString(at);
        }
    }

    /** Every event that can be a step; bit i of the mask says that it can be step i + 1, as far as SQL can tell. */
    LakeReader.Scan scan() {
        var arguments = new ArrayList<String>();
        var mask = new ArrayList<String>();
        for (int i = 0; i < steps.size(); i++) {
            mask.add(
                    "CASE WHEN %s THEN %d ELSE 0 END"
                            .formatted(condition(steps.get(i), arguments), 1 << i));
        }
        return new LakeReader.Scan(
                range,
                steps.stream().map(Step::type).distinct().toList(),
                String.join(" | ", mask),
                arguments,
                hasFilters());
    }

    /** Whether steps look at the data of events. */
    boolean hasFilters() {
        return steps.stream().anyMatch(step -> !step.filters().isEmpty());
    }

    /**
     * Which steps an event can be.
     *
     * @param mask those it can be as far as {@link #scan} can tell
     */
    int matching(int mask, JsonNode data) {
        int matching = mask;
        for (int i = 0; i < steps.size(); i++) {
            if ((mask >> i & 1) != 0
                    && !steps.get(i).filters().stream().allMatch(f -> f.matches(data))) {
                matching &= ~(1 << i);
            }
        }
        return matching;
    }

    private static String condition(Step step, List<String> arguments) {
        var type = "event_type = " + placeholder(step.type(), arguments);
        if (step.value().isEmpty()) {
            return type;
        }
        boolean prefix = step.type().equals("page_view") && step.value().endsWith("*");
        return type
                + " AND "
                + (prefix
                        ? "starts_with(main_property, %s)"
                                .formatted(
                                        placeholder(
                                                step.value()
                                                        .substring(0, step.value().length() - 1),
                                                arguments))
                        : "main_property = " + placeholder(step.value(), arguments));
    }

    private static String placeholder(String value, List<String> arguments) {
        arguments.add(value);
        return "$" + arguments.size();
    }
}
