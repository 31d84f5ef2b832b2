package io.mirante.etl.remote;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a table or of a query.
 *
 * @param table {@code table} or {@code schema.table}, as PostgreSQL stores the names; null = query
 * @param query one SELECT statement; null = table
 * @param watermark column of which only values greater than the last run's are read; null = all rows each time
 * @param tls {@code verify-full}, {@code require} (encrypted, to whomever) or {@code disable}
 */
public record PostgresPlace(
        String host,
        int port,
        String database,
        @Nullable String table,
        @Nullable String query,
        @Nullable String watermark,
        String tls)
        implements Place {

    /** What {@link #tls} may be; the first is the default. */
    public static final List<String> TLS = List.of("verify-full", "require", "disable");

    /** What to read from, for a FROM clause. */
    String relation() {
        return table == null
                ? "(%s\n)".formatted(query)
                : Arrays.stream(table.split("\\.", -1))
                        .map(PostgresPlace::name)
                        .collect(Collectors.joining("."));
    }

    static String name(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    @Override
    public String toString() {
        return "PostgreSQL at %s:%d/%s".formatted(host, port, database);
    }
}
