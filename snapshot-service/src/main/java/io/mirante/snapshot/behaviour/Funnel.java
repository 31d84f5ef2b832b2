package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.TimeRange;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
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

        Filter {
            path = List.copyOf(path);
        }
    }

    /** A statement and the values of its {@code $1}, {@code $2}, …. */
    record Sql(String text, List<Object> arguments) {}

    /**
     * Reads (person_no, µs, mask) of the events that can be a step, in the order of person and time; a merged person's
     * events are those of the user they go by. Bit i of the mask
     * says that the event can be step i + 1.
     *
     * @param afterPerson only persons with a higher number
     */
    Sql events(long afterPerson) {
        var arguments = new ArrayList<Object>();
        var mask = new ArrayList<String>();
        for (int i = 0; i < steps.size(); i++) {
            mask.add(
                    "CASE WHEN %s THEN %d ELSE 0 END"
                            .formatted(condition(steps.get(i), arguments), 1 << i));
        }
        arguments.add(steps.stream().map(Step::type).distinct().toArray(String[]::new));
        int types = arguments.size();
        arguments.add(afterPerson);
        arguments.add(range.start().toString());
        arguments.add(range.end().toString());
        var text =
                "SELECT person_no, (extract(epoch FROM occurred_at) * 1000000)::bigint AS micros, mask FROM"
                        + " (SELECT %s AS person_no, occurred_at, %s AS mask FROM behaviour_event e%s WHERE event_type = ANY($%d)"
                                .formatted(
                                        MergedPersons.PERSON,
                                        String.join(" | ", mask),
                                        MergedPersons.JOIN,
                                        types)
                        + " AND %s > $%d AND occurred_at >= $%d::timestamptz AND occurred_at < $%d::timestamptz)"
                                .formatted(MergedPersons.PERSON, types + 1, types + 2, types + 3)
                        + " e WHERE mask <> 0 ORDER BY person_no, occurred_at";
        return new Sql(text, arguments);
    }

    private static String condition(Step step, List<Object> arguments) {
        var conditions = new ArrayList<String>();
        conditions.add("event_type = " + placeholder(step.type(), arguments));
        if (!step.value().isEmpty()) {
            boolean prefix = step.type().equals("page_view") && step.value().endsWith("*");
            conditions.add(
                    prefix
                            ? "starts_with(main_property, %s)"
                                    .formatted(
                                            placeholder(
                                                    step.value()
                                                            .substring(
                                                                    0, step.value().length() - 1),
                                                    arguments))
                            : "main_property = " + placeholder(step.value(), arguments));
        }
        step.filters().forEach(f -> conditions.add(condition(f, arguments)));
        return conditions.stream().map(c -> "(" + c + ")").collect(Collectors.joining(" AND "));
    }

    /** Null counts as false in all of them; a property that is not there satisfies only {@code neq}. */
    private static String condition(Filter filter, List<Object> arguments) {
        var path = placeholder(filter.path().toArray(String[]::new), arguments) + "::text[]";
        var text = "(data #>> " + path + ")";
        var value = filter.value();
        if (filter.operator().equals("exists") || value == null) {
            boolean wanted = value == null || value.booleanValue();
            return text + (wanted ? " IS NOT NULL" : " IS NULL");
        }
        if (filter.operator().equals("contains")) {
            return "strpos(%s, %s) > 0"
                    .formatted(text, placeholder(value.stringValue(), arguments));
        }
        boolean equality = filter.operator().equals("eq") || filter.operator().equals("neq");
        var compared =
                equality && !value.isNumber()
                        ? "%s = %s".formatted(text, placeholder(value.asString(), arguments))
                        : "%s %s %s::numeric"
                                .formatted(
                                        DecimalText.toNumeric(text),
                                        comparison(filter.operator()),
                                        placeholder(decimal(value), arguments));
        return filter.operator().equals("neq") ? "(%s) IS NOT TRUE".formatted(compared) : compared;
    }

    private static String comparison(String operator) {
        return switch (operator) {
            case "gt" -> ">";
            case "gte" -> ">=";
            case "lt" -> "<";
            case "lte" -> "<=";
            default -> "=";
        };
    }

    private static String decimal(JsonNode value) {
        return value.isNumber()
                ? value.decimalValue().toString()
                : new BigDecimal(value.stringValue()).toString();
    }

    private static String placeholder(Object value, List<Object> arguments) {
        arguments.add(value);
        return "$" + arguments.size();
    }
}
