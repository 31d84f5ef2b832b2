package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.etl.quality.ColumnType;
import io.mirante.etl.quality.EventMapping;
import io.mirante.etl.quality.TableShape;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectReader;

/** A {@link TableShape} as callers write it. */
final class ShapeText {
    private static final int MAX_COLUMNS = 500;
    private static final int MAX_RULES = 50;
    private static final int MAX_VALUES = 1_000;
    private static final ObjectReader READER =
            Json.mapper()
                    .readerFor(Given.class)
                    .with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    private ShapeText() {}

    private record Given(
            @Nullable List<GivenColumn> columns,
            @Nullable List<String> key,
            @Nullable String time,
            @Nullable String label,
            @Nullable List<GivenRule> rules,
            @Nullable Boolean dropEqualRows,
            @Nullable GivenEvents events) {}

    private record GivenEvents(
            @Nullable String user,
            @Nullable String time,
            @Nullable String type,
            @Nullable String amount,
            @Nullable String currency,
            @Nullable String session,
            @Nullable String category,
            @Nullable String gameType,
            @Nullable String channel,
            @Nullable String order,
            @Nullable String where) {}

    private record GivenColumn(
            @Nullable String name,
            @Nullable String type,
            @Nullable Boolean required,
            @Nullable Double min,
            @Nullable Double max,
            @Nullable List<String> values,
            @Nullable String references,
            @Nullable String unit) {}

    private record GivenRule(@Nullable String name, @Nullable String expression) {}

    /**
     * Reads one.
     *
     * @return null when nothing was given
     * @throws ProblemException 400 with every field that is wrong; whether the file has these columns is seen when it is read
     */
    static @Nullable TableShape read(@Nullable String text) {
        if (text == null || text.isBlank()) {
            return null;
        }
        Given given;
        try {
            given = READER.readValue(text);
        } catch (JacksonException e) {
            throw ProblemException.malformed(
                    "/shape", "invalid_json", "shape must be JSON: " + Json.reason(e));
        }
        var errors = new ArrayList<FieldError>();
        var columns = columns(given, errors);
        var rules = rules(given, errors);
        var events = events(given, columns, errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new TableShape(
                columns,
                Objects.requireNonNullElse(given.key(), List.of()),
                given.time(),
                given.label(),
                rules,
                Boolean.TRUE.equals(given.dropEqualRows()),
                events);
    }

    private static @Nullable EventMapping events(
            Given given, List<TableShape.Column> columns, List<FieldError> errors) {
        var parts = given.events();
        if (parts == null) {
            return null;
        }
        var user = required("user", "the column that says who", parts.user(), errors);
        var time = required("time", "the column that says when", parts.time(), errors);
        var type = required("type", "a column, or a type such as =purchase", parts.type(), errors);
        if (!time.isEmpty()
                && columns.stream()
                        .noneMatch(column ->
                                column.name().equals(time)
                                        && column.type() == ColumnType.TIMESTAMP)) {
            errors.add(
                    new FieldError(
                            "/shape/events/time",
                            "invalid",
                            "time must be one of the described columns, of type timestamp"));
        }
        return new EventMapping(
                user,
                time,
                type,
                parts.amount(),
                parts.currency(),
                parts.session(),
                parts.category(),
                parts.gameType(),
                parts.channel(),
                parts.order(),
                parts.where());
    }

    private static String required(
            String name, String what, @Nullable String given, List<FieldError> errors) {
        if (given == null || given.isBlank()) {
            errors.add(
                    new FieldError(
                            "/shape/events/" + name,
                            "required",
                            "events need %s: %s".formatted(name, what)));
            return "";
        }
        return given;
    }

    private static List<TableShape.Column> columns(Given given, List<FieldError> errors) {
        var all = Objects.requireNonNullElse(given.columns(), List.<GivenColumn>of());
        if (all.isEmpty() || all.size() > MAX_COLUMNS) {
            errors.add(
                    new FieldError(
                            "/shape/columns",
                            "out_of_range",
                            "columns must hold 1 to %d columns".formatted(MAX_COLUMNS)));
        }
        var columns = new ArrayList<TableShape.Column>();
        var names = new HashSet<String>();
        for (int i = 0; i < all.size(); i++) {
            var column = all.get(i);
            var at = "/shape/columns/" + i;
            var name = Objects.requireNonNullElse(column.name(), "");
            if (name.isBlank() || !names.add(name)) {
                errors.add(
                        new FieldError(
                                at + "/name", "invalid", "a column needs a name of its own"));
            }
            var type = ColumnType.of(Objects.requireNonNullElse(column.type(), "text"));
            if (type.isEmpty()) {
                errors.add(
                        new FieldError(
                                at + "/type",
                                "unknown",
                                "type must be text, integer, number, boolean or timestamp"));
            }
            boolean numeric =
                    type.filter(t -> t == ColumnType.INTEGER || t == ColumnType.NUMBER).isPresent();
            if ((column.min() != null || column.max() != null) && !numeric) {
                errors.add(
                        new FieldError(
                                at + "/min", "invalid", "min and max are for columns of numbers"));
            }
            var values = Objects.requireNonNullElse(column.values(), List.<String>of());
            if (values.size() > MAX_VALUES) {
                errors.add(
                        new FieldError(
                                at + "/values",
                                "out_of_range",
                                "values must hold at most " + MAX_VALUES));
            }
            var unit = column.unit();
            var refusal =
                    unit == null
                            ? null
                            : numeric
                                    ? TableShape.Column.unitRefusal(unit)
                                    : "a unit is for columns of numbers";
            if (refusal != null) {
                errors.add(new FieldError(at + "/unit", "invalid", refusal));
            }
            columns.add(
                    new TableShape.Column(
                            name,
                            type.orElse(ColumnType.TEXT),
                            Boolean.TRUE.equals(column.required()),
                            column.min(),
                            column.max(),
                            values,
                            column.references(),
                            unit));
        }
        return columns;
    }

    private static List<TableShape.Rule> rules(Given given, List<FieldError> errors) {
        var all = Objects.requireNonNullElse(given.rules(), List.<GivenRule>of());
        if (all.size() > MAX_RULES) {
            errors.add(
                    new FieldError(
                            "/shape/rules",
                            "out_of_range",
                            "at most %d rules".formatted(MAX_RULES)));
        }
        var rules = new ArrayList<TableShape.Rule>();
        for (int i = 0; i < all.size(); i++) {
            var name = Objects.requireNonNullElse(all.get(i).name(), "");
            var expression = Objects.requireNonNullElse(all.get(i).expression(), "");
            if (name.isBlank() || expression.isBlank()) {
                errors.add(
                        new FieldError(
                                "/shape/rules/" + i,
                                "required",
                                "a rule needs a name and an expression, such as amount > 0"));
            }
            rules.add(new TableShape.Rule(name, expression));
        }
        return rules;
    }
}
