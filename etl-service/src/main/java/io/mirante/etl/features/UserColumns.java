package io.mirante.etl.features;

import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.duckdb.DuckDBAppender;
import org.jspecify.annotations.Nullable;

/** Features of some users in columns, 8 bytes each. Different users may be set by different threads. */
final class UserColumns {

    private final List<String> ids;
    private final Map<String, Column> columns = new LinkedHashMap<>();

    /** Without a value. */
    UserColumns(List<String> ids, List<Feature> features) {
        this.ids = ids;
        for (var feature : features) {
            columns.put(
                    feature.name(),
                    feature.isText() ? new Texts(ids.size()) : new Numbers(ids.size()));
        }
    }

    /** A feature of all of them. */
    sealed interface Column {
        /** Double or String; null = absent. */
        @Nullable Object get(int user);

        void set(int user, @Nullable Object value);

        void append(int user, DuckDBAppender row) throws SQLException;
    }

    private record Numbers(double[] values) implements Column {

        Numbers(int users) {
            this(new double[users]);
        }

        @Override
        public @Nullable Object get(int user) {
            return Double.isNaN(values[user]) ? null : (Object) values[user];
        }

        @Override
        public void set(int user, @Nullable Object value) {
            values[user] = value instanceof Double number ? number : Double.NaN;
        }

        @Override
        public void append(int user, DuckDBAppender row) throws SQLException {
            if (Double.isNaN(values[user])) {
                row.appendNull();
            } else {
                row.append(values[user]);
            }
        }
    }

    private record Texts(@Nullable String[] values) implements Column {

        Texts(int users) {
            this(new @Nullable String[users]);
        }

        @Override
        public @Nullable Object get(int user) {
            return values[user];
        }

        @Override
        public void set(int user, @Nullable Object value) {
            values[user] = value instanceof String text ? text : null;
        }

        @Override
        public void append(int user, DuckDBAppender row) throws SQLException {
            row.append(values[user]);
        }
    }

    int size() {
        return ids.size();
    }

    String id(int user) {
        return ids.get(user);
    }

    /** Null where there is none of that name. */
    @Nullable Column column(String name) {
        return columns.get(name);
    }

    /**
     * Sets all of a user's features.
     *
     * @param values Double or String, by name; one that is absent has no entry
     */
    void set(int user, Map<String, Object> values) {
        columns.forEach((name, column) -> column.set(user, values.get(name)));
    }
}
