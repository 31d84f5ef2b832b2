package io.mirante.etl.quality;

import io.mirante.contracts.Json;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What a rule may say: columns, constants, comparisons, {@code AND OR NOT}, {@code CASE}, {@code BETWEEN}, {@code IN},
 * {@code IS NULL}, {@code LIKE}, arithmetic and a few functions. DuckDB's own parser says what a text is, so that nothing
 * gets by in a form that was not thought of.
 */
final class Expressions {
    private static final int MAX_LENGTH = 500;
    private static final Set<String> CLASSES =
            Set.of(
                    "CONSTANT",
                    "COLUMN_REF",
                    "COMPARISON",
                    "CONJUNCTION",
                    "OPERATOR",
                    "CAST",
                    "CASE",
                    "BETWEEN",
                    "FUNCTION");
    private static final Set<String> FUNCTIONS =
            Set.of(
                    "+",
                    "-",
                    "*",
                    "/",
                    "//",
                    "%",
                    "~~",
                    "!~~",
                    "~~*",
                    "!~~*",
                    "abs",
                    "round",
                    "floor",
                    "ceil",
                    "lower",
                    "upper",
                    "trim",
                    "length",
                    "starts_with",
                    "contains",
                    "regexp_matches",
                    "year",
                    "month",
                    "day",
                    "hour",
                    "dayofweek");

    private Expressions() {}

    /**
     * What is wrong with an expression; null = nothing.
     *
     * @param columns it may name
     */
    static @Nullable String refusal(Connection duckdb, String expression, Set<String> columns)
            throws SQLException {
        if (expression.length() > MAX_LENGTH) {
            return "must have at most %d characters".formatted(MAX_LENGTH);
        }
        JsonNode parsed;
        try (var query = duckdb.prepareStatement("SELECT json_serialize_sql(?::varchar)")) {
            query.setString(1, "SELECT (" + expression + ")");
            var rows = query.executeQuery();
            rows.next();
            parsed = Json.mapper().readTree(rows.getString(1));
        }
        if (parsed.path("error").asBoolean()) {
            return parsed.path("error_message").asString("is not an expression");
        }
        var statements = parsed.path("statements");
        var node = statements.path(0).path("node");
        var selected = node.path("select_list");
        if (statements.size() != 1
                || selected.size() != 1
                || !node.path("type").asString("").equals("SELECT_NODE")
                || !node.path("from_table").path("type").asString("").equals("EMPTY")
                || !node.path("where_clause").isNull()) {
            return "must be one expression of the row's columns";
        }
        return refusal(selected.path(0), columns);
    }

    private static @Nullable String refusal(JsonNode node, Set<String> columns) {
        var kind = node.path("class").asString("");
        if (node.isObject() && node.has("class")) {
            if (!CLASSES.contains(kind)) {
                return "must not contain " + kind.toLowerCase(Locale.ROOT);
            }
            if (kind.equals("FUNCTION")) {
                var name = node.path("function_name").asString("");
                if (!FUNCTIONS.contains(name)) {
                    return "must not call " + name;
                }
            }
            if (kind.equals("COLUMN_REF")) {
                var names = node.path("column_names");
                var name = names.path(names.size() - 1).asString("");
                if (names.size() != 1 || !columns.contains(name)) {
                    return "names the column %s, which the table does not have".formatted(name);
                }
            }
        }
        for (var child : node) {
            var refusal = refusal(child, columns);
            if (refusal != null) {
                return refusal;
            }
        }
        return null;
    }
}
