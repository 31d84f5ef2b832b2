package io.mirante.snapshot.behaviour;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.mirante.contracts.events.EventTypes;
import io.mirante.platform.web.FieldError;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.NullNode;

/**
 * A condition on an event's data as a client sends it, and the check of whole conditions.
 *
 * @param property {@code data.} and names from there down, joined by dots
 * @param operator {@code eq}, {@code neq}, {@code gt}, {@code gte}, {@code lt}, {@code lte}, {@code contains} or {@code exists}
 */
record FilterRequest(
        @Nullable String property,
        @Nullable String operator,
        @JsonProperty("value") @Nullable JsonNode value) {

    private static final Set<String> OPERATORS =
            Set.of("eq", "neq", "gt", "gte", "lt", "lte", "contains", "exists");
    private static final int MAX_FILTERS = 10;
    private static final int MAX_SCALE = 400;

    /**
     * A condition, checked.
     *
     * @param at pointer of the object that holds it
     * @param prefix of its fields' names {@code type} and {@code value}
     * @param errors gets what is wrong
     */
    static EventCondition condition(
            @Nullable String type,
            @Nullable String value,
            @Nullable List<@Nullable FilterRequest> filters,
            String at,
            String prefix,
            List<FieldError> errors) {
        var typeAt = at + "/" + prefix + "type";
        var canonical = type == null ? "" : EventTypes.canonicalName(type);
        if (canonical.isEmpty()) {
            errors.add(new FieldError(typeAt, "required", typeAt + " must name an event type"));
        }
        var main = value == null ? "" : value;
        refuseNul(main, at + "/" + prefix + "value", errors);
        refuseNul(canonical, typeAt, errors);
        return new EventCondition(canonical, main, filters(filters, at + "/filters", errors));
    }

    private static List<EventCondition.Filter> filters(
            @Nullable List<@Nullable FilterRequest> filters, String at, List<FieldError> errors) {
        if (filters == null) {
            return List.of();
        }
        if (filters.size() > MAX_FILTERS) {
            errors.add(
                    new FieldError(
                            at, "too_many", at + " may hold at most " + MAX_FILTERS + " filters"));
            return List.of();
        }
        var checked = new ArrayList<EventCondition.Filter>();
        for (int i = 0; i < filters.size(); i++) {
            var filter = filters.get(i);
            var pointer = at + "/" + i;
            if (filter == null) {
                errors.add(new FieldError(pointer, "required", pointer + " must be an object"));
                continue;
            }
            var found = filter.check(pointer, errors);
            if (found != null) {
                checked.add(found);
            }
        }
        return checked;
    }

    private EventCondition.@Nullable Filter check(String at, List<FieldError> errors) {
        var path = property == null ? null : EventCondition.Property.find(property);
        if (path == null) {
            errors.add(
                    new FieldError(
                            at + "/property",
                            "invalid",
                            at + "/property must be a path into the data, such as data.amount"));
        }
        var comparison = operator != null && OPERATORS.contains(operator) ? operator : null;
        if (comparison == null) {
            errors.add(
                    new FieldError(
                            at + "/operator",
                            "unknown_value",
                            at
                                    + "/operator must be one of eq, neq, gt, gte, lt, lte, contains, exists"));
        }
        if (path == null || comparison == null) {
            return null;
        }
        var wanted = value == null ? NullNode.getInstance() : value;
        var problem = problem(comparison, wanted);
        if (problem != null) {
            errors.add(new FieldError(at + "/value", "wrong_type", at + "/value " + problem));
            return null;
        }
        if (wanted.isString()) {
            refuseNul(wanted.stringValue(), at + "/value", errors);
        }
        return new EventCondition.Filter(path, comparison, wanted.isNull() ? null : wanted);
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
