package io.mirante.etl.quality;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a table is to look like.
 *
 * @param columns those that are looked at; others are kept as text
 * @param key columns that together are given once; empty = rows have no key
 * @param time column that says when a row came to be
 * @param label column that is to be predicted
 * @param rules what holds for every row
 * @param dropEqualRows whether rows that are equal in all columns are dropped though they have no key
 * @param events how its rows say what users did; null = they do not
 */
public record TableShape(
        List<Column> columns,
        List<String> key,
        @Nullable String time,
        @Nullable String label,
        List<Rule> rules,
        boolean dropEqualRows,
        @Nullable EventMapping events) {

    /** A table of transactions needs no description. */
    static final Set<String> TRANSACTION_COLUMNS =
            Set.of(
                    "transaction_id",
                    "user_id",
                    "amount",
                    "transaction_type",
                    "status",
                    "created_at");

    static final TableShape TRANSACTIONS =
            new TableShape(
                    List.of(
                            Column.required("transaction_id", ColumnType.TEXT),
                            Column.required("user_id", ColumnType.TEXT),
                            Column.required("amount", ColumnType.NUMBER),
                            Column.of("transaction_type", ColumnType.TEXT),
                            Column.of("status", ColumnType.TEXT),
                            Column.required("created_at", ColumnType.TIMESTAMP)),
                    List.of("transaction_id"),
                    "created_at",
                    null,
                    List.of(),
                    false,
                    EventMapping.TRANSACTIONS);

    /**
     * A column.
     *
     * @param required whether a row without a value is rejected
     * @param min least value that is possible; of numbers
     * @param max largest value that is possible; of numbers
     * @param values all that are possible; empty = any
     * @param references column of the same table whose values these are
     * @param unit that its numbers are kept in, see {@link Units}; values may be given in others of the kind
     */
    public record Column(
            String name,
            ColumnType type,
            boolean required,
            @Nullable Double min,
            @Nullable Double max,
            List<String> values,
            @Nullable String references,
            @Nullable String unit) {

        public Column {
            values = List.copyOf(values);
        }

        /** One whose values have no unit. */
        public Column(
                String name,
                ColumnType type,
                boolean required,
                @Nullable Double min,
                @Nullable Double max,
                List<String> values,
                @Nullable String references) {
            this(name, type, required, min, max, values, references, null);
        }

        /** Why a column can not be kept in a unit; null = it can. */
        public static @Nullable String unitRefusal(String unit) {
            return Units.refusal(unit);
        }

        /** One that may be missing. */
        public static Column of(String name, ColumnType type) {
            return new Column(name, type, false, null, null, List.of(), null);
        }

        /** One that each row has to have. */
        public static Column required(String name, ColumnType type) {
            return new Column(name, type, true, null, null, List.of(), null);
        }

        boolean hasRange() {
            return min != null || max != null || !values.isEmpty();
        }
    }

    /**
     * What holds for every row.
     *
     * @param name what it is called in reports
     * @param expression of the columns, see {@link Expressions}; a row for which it is false breaks the rule
     */
    public record Rule(String name, String expression) {}

    /** Of a table that does not say what users did. */
    public TableShape(
            List<Column> columns,
            List<String> key,
            @Nullable String time,
            @Nullable String label,
            List<Rule> rules,
            boolean dropEqualRows) {
        this(columns, key, time, label, rules, dropEqualRows, null);
    }

    public TableShape {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
        rules = List.copyOf(rules);
    }

    Optional<Column> column(String name) {
        return columns.stream().filter(column -> column.name().equals(name)).findFirst();
    }

    List<Column> numeric() {
        return columns.stream()
                .filter(column -> column.type().isNumeric() && !key.contains(column.name()))
                .toList();
    }
}
