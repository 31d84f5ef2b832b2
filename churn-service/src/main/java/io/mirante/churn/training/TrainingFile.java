package io.mirante.churn.training;

import io.mirante.churn.model.TrainingTable;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A training set as etl writes it: Parquet with {@code user_id}, {@code as_of}, {@code label}, and a column per feature
 * (NULL = missing). Read with DuckDB on the caller's thread.
 */
final class TrainingFile {

    private static final Set<String> NO_FEATURES =
            Set.of("user_id", "as_of", "label", "tenant_id", "person_no", "version", "revision");

    private TrainingFile() {}

    /** Rows in the order of date and user, whatever the file's order, so that the same set has the same hash. */
    static TrainingTable read(Path parquet) throws SQLException {
        var file = "'" + parquet.toString().replace("'", "''") + "'";
        try (var duckdb = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duckdb.createStatement()) {
            statement.execute("SET threads = 1");
            statement.execute("SET memory_limit = '256MB'");
            statement.execute("SET TimeZone = 'UTC'");
            var features = new TreeSet<String>();
            try (var columns =
                    statement.executeQuery("DESCRIBE SELECT * FROM read_parquet(" + file + ")")) {
                while (columns.next()) {
                    var name = columns.getString("column_name");
                    if (!NO_FEATURES.contains(name)) {
                        features.add(name);
                    }
                }
            }
            return rows(statement, file, List.copyOf(features));
        }
    }

    private static TrainingTable rows(
            java.sql.Statement statement, String file, List<String> features) throws SQLException {
        var select =
                new StringBuilder("SELECT user_id, epoch_ms(as_of::TIMESTAMPTZ), label::INTEGER");
        for (var feature : features) {
            select.append(", \"").append(feature.replace("\"", "\"\"")).append("\"::DOUBLE");
        }
        select.append(" FROM read_parquet(")
                .append(file)
                .append(") WHERE label IS NOT NULL ORDER BY as_of, user_id");
        var rows = new ArrayList<float[]>();
        var labels = new ArrayList<Integer>();
        var users = new ArrayList<String>();
        var asOf = new ArrayList<Instant>();
        try (var result = statement.executeQuery(select.toString())) {
            while (result.next()) {
                users.add(result.getString(1));
                asOf.add(Instant.ofEpochMilli(result.getLong(2)));
                labels.add(result.getInt(3));
                var row = new float[features.size()];
                for (int f = 0; f < row.length; f++) {
                    double value = result.getDouble(4 + f);
                    row[f] = result.wasNull() ? Float.NaN : (float) value;
                }
                rows.add(row);
            }
        }
        var known = new float[labels.size()];
        for (int i = 0; i < known.length; i++) {
            known[i] = labels.get(i) > 0 ? 1 : 0;
        }
        return new TrainingTable(features, rows, known, users, asOf);
    }
}
