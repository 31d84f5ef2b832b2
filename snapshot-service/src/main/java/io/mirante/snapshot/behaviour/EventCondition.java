package io.mirante.snapshot.behaviour;

import io.mirante.contracts.Json;
import java.math.BigDecimal;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What an event must be.
 *
 * @param type canonical event type
 * @param value empty = every event of the type; else its main property, for {@code page_view} a prefix when it ends in {@code *}
 * @param filters all must hold
 */
record EventCondition(String type, String value, List<Filter> filters) {

    EventCondition {
        filters = List.copyOf(filters);
    }

    /** Whether its filters hold. */
    boolean matches(JsonNode data) {
        return filters.stream().allMatch(filter -> filter.matches(data));
    }

    /**
     * All but the filters, in SQL that PostgreSQL and DuckDB read alike.
     *
     * @param arguments gets those of the expression; the first is {@code $1}
     */
    String sql(List<String> arguments) {
        var is = "event_type = " + placeholder(type, arguments);
        if (value.isEmpty()) {
            return is;
        }
        boolean prefix = type.equals("page_view") && value.endsWith("*");
        return is
                + " AND "
                + (prefix
                        ? "starts_with(main_property, %s)"
                                .formatted(
                                        placeholder(
                                                value.substring(0, value.length() - 1), arguments))
                        : "main_property = " + placeholder(value, arguments));
    }

    private static String placeholder(String text, List<String> arguments) {
        arguments.add(text);
        return "$" + arguments.size();
    }

    /**
     * A condition on one value of the data.
     *
     * @param operator one of the eight of the contract
     * @param value null only for {@code exists}
     */
    record Filter(Property property, String operator, @Nullable JsonNode value) {

        /** A property that is not there satisfies only {@code neq}, and {@code exists} of false. */
        boolean matches(JsonNode data) {
            var text = property.text(data);
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
    }

    /**
     * A value of the data.
     *
     * @param path names from the data down
     */
    record Property(List<String> path) {
        private static final Pattern FORM = Pattern.compile("data(\\.[^.\\x00]{1,200}){1,10}");
        private static final Pattern INDEX = Pattern.compile("[0-9]{1,6}");

        Property {
            path = List.copyOf(path);
        }

        /** The property that {@code data.…} names; null when the text names none. */
        static @Nullable Property find(String text) {
            if (!FORM.matcher(text).matches()) {
                return null;
            }
            var path = List.of(text.split("\\."));
            return new Property(path.subList(1, path.size()));
        }

        /** The value as text, of a list or an object its JSON; null when there is none. */
        @Nullable String text(JsonNode data) {
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
}
