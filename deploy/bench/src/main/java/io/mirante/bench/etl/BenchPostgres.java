package io.mirante.bench.etl;

import io.mirante.bench.client.MeshException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** The mesh's database as its owner; probe L5. Used by one thread. */
public final class BenchPostgres implements AutoCloseable {
    private final Connection connection;

    public BenchPostgres(Path home, int port) {
        var passwords = new Properties();
        try (var file = Files.newBufferedReader(home.resolve("keys/passwords.properties"))) {
            passwords.load(file);
            this.connection =
                    DriverManager.getConnection(
                            "jdbc:postgresql://127.0.0.1:%d/mirante".formatted(port),
                            "mirante",
                            passwords.getProperty("owner"));
        } catch (IOException | SQLException e) {
            throw new MeshException("no way into the mesh's database: " + e.getMessage(), e);
        }
    }

    /** Runs a statement. */
    public void execute(String sql) {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new MeshException(sql + ": " + e.getMessage(), e);
        }
    }

    long count(String sql) {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new MeshException(sql + ": " + e.getMessage(), e);
        }
    }

    /**
     * Copies a query's rows to a file and from there into a table.
     *
     * @return seconds that the way in took
     */
    double copy(String query, Path file, String table) {
        try {
            CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
            try (OutputStream out = Files.newOutputStream(file)) {
                copy.copyOut("COPY (" + query + ") TO STDOUT", out);
            }
            execute("CHECKPOINT");
            long begin = System.nanoTime();
            try (InputStream in = Files.newInputStream(file)) {
                copy.copyIn("COPY " + table + " FROM STDIN", in, 1 << 18);
            }
            return (System.nanoTime() - begin) / 1e9;
        } catch (SQLException | IOException e) {
            throw new MeshException("COPY into " + table + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new MeshException("the database did not say good-bye: " + e.getMessage(), e);
        }
    }
}
