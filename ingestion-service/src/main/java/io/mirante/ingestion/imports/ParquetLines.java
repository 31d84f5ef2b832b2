package io.mirante.ingestion.imports;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** The rows of a Parquet file as JSON objects, streamed by DuckDB with a bounded buffer. A row's number is its line. */
final class ParquetLines implements Lines {

    private final Path file;
    private final Connection connection;
    private final long rows;
    private Statement statement;
    private ResultSet result;
    private long row;

    ParquetLines(Path file) throws IOException {
        this.file = file;
        try {
            var settings = new Properties();
            settings.setProperty("jdbc_stream_results", "true");
            connection = DriverManager.getConnection("jdbc:duckdb:", settings);
            try (var setting = connection.createStatement()) {
                setting.execute("SET memory_limit = '256MB'");
                setting.execute("SET threads = 1");
                setting.execute("SET TimeZone = 'UTC'");
                try (var count = setting.executeQuery("SELECT count(*) FROM " + source())) {
                    count.next();
                    rows = count.getLong(1);
                }
            }
            statement = connection.createStatement();
            result = open(0);
        } catch (SQLException e) {
            throw unreadable(e);
        }
    }

    private String source() {
        return "read_parquet('" + file.toString().replace("'", "''") + "')";
    }

    private ResultSet open(long from) throws SQLException {
        return statement.executeQuery(
                "SELECT to_json(t)::VARCHAR FROM " + source() + " t OFFSET " + from);
    }

    @Override
    public void skipTo(Place place) throws IOException {
        try {
            result.close();
            row = place.offset();
            result = open(row);
        } catch (SQLException e) {
            throw unreadable(e);
        }
    }

    @Override
    public Place place() {
        return new Place(row, row);
    }

    @Override
    public double progress() {
        return rows == 0 ? 1 : (double) row / rows;
    }

    @Override
    public @Nullable Line next() throws IOException {
        try {
            if (!result.next()) {
                return null;
            }
            row++;
            return new Line(row, result.getString(1).getBytes(StandardCharsets.UTF_8), null);
        } catch (SQLException e) {
            throw unreadable(e);
        }
    }

    private static IOException unreadable(SQLException e) {
        return new IOException("the file is no Parquet that can be read: " + e.getMessage(), e);
    }

    @Override
    public void close() throws IOException {
        try (connection) {
            result.close();
            statement.close();
        } catch (SQLException e) {
            throw unreadable(e);
        }
    }
}
