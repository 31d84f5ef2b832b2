package io.mirante.bench.analytics;

import io.mirante.bench.client.MeshException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A tenant's lake as snapshot-service would have written it, of a shop's events: a file a day, sorted by person and time. The same
 * numbers give the same events. Used by one thread.
 */
final class GeneratedLake implements AutoCloseable {
    private final Path folder;
    private final String tenant;
    private final Connection duckdb;
    private long bytes;

    GeneratedLake(Path folder, String tenant) {
        this.folder = folder;
        this.tenant = tenant;
        try {
            this.duckdb = DriverManager.getConnection("jdbc:duckdb:");
            execute("SET threads = " + Runtime.getRuntime().availableProcessors());
            execute("SET TimeZone = 'UTC'");
            execute("SET memory_limit = '2GB'");
        } catch (SQLException e) {
            throw new MeshException("DuckDB: " + e.getMessage(), e);
        }
    }

    /**
     * Writes the files and their manifest. A person has 20 events, on the average; one in fifty is much busier than the others.
     *
     * @param sql runs a statement in the mesh's database
     */
    void write(LocalDate first, int days, int events, Consumer<String> sql) throws IOException {
        sql.accept(
                "INSERT INTO snapshot.lake_tenant (tenant_id) VALUES ('%s') ON CONFLICT DO NOTHING"
                        .formatted(tenant));
        int persons = events / 20;
        for (int day = 0; day < days; day++) {
            LocalDate date = first.plusDays(day);
            String file = "%s/%s/%s.parquet".formatted(tenant, date, UUID.randomUUID());
            Path path = folder.resolve(file);
            Files.createDirectories(path.resolveSibling(""));
            long from = (long) events * day / days;
            long to = (long) events * (day + 1) / days;
            execute(
                    """
                    COPY (
                        SELECT person_no,
                            TIMESTAMPTZ '%3$s 00:00:00Z' + to_microseconds((hash(i * 11) %% 86400000000)::bigint) AS occurred_at,
                            'ev-' || lpad(to_hex(hash(i)), 16, '0') || to_hex(i) AS event_id, event_type,
                            CASE event_type WHEN 'page_view' THEN '/products/' || (hash(i * 5) %% 1000)
                                WHEN 'search' THEN 'shoes ' || (hash(i * 5) %% 50) ELSE 'p-' || (hash(i * 5) %% 1000) END AS main_property,
                            'sess-' || (hash(person_no * 3 + i %% 7) %% 100000000) AS session_id,
                            'user-' || lpad(person_no::varchar, 8, '0') AS user_id, NULL::varchar AS anonymous_id,
                            ['BR', 'BR', 'BR', 'US', 'PT', 'AR'][1 + (hash(person_no) %% 6)::int] AS country,
                            ['Mobile', 'Mobile', 'Desktop'][1 + (hash(person_no * 7) %% 3)::int] AS device,
                            CASE WHEN event_type = 'purchase'
                                THEN '{"amount":"' || (hash(i * 17) %% 20000 / 100.0) || '","currency":"BRL","items":' || (1 + hash(i) %% 4) || '}'
                                ELSE '{"url":"/products/' || (hash(i * 5) %% 1000) || '","duration_ms":' || (hash(i) %% 30000) || '}' END::JSON AS data,
                            TIMESTAMPTZ '%3$s 00:00:00Z' + to_microseconds((hash(i * 11) %% 86400000000 + 500000)::bigint) AS received_at
                        FROM (SELECT i, 1 + (CASE WHEN hash(i * 29) %% 5 = 0 THEN hash(i * 23) %% (%4$d // 50) ELSE hash(i * 23) %% %4$d END)::bigint
                                AS person_no,
                                CASE WHEN k < 55 THEN 'page_view' WHEN k < 75 THEN 'product_view' WHEN k < 85 THEN 'search'
                                    WHEN k < 93 THEN 'add_to_cart' WHEN k < 97 THEN 'checkout_started' ELSE 'purchase' END AS event_type
                            FROM (SELECT i, hash(i * 41) %% 100 AS k FROM range(%1$d, %2$d) t(i)) k) e
                        ORDER BY person_no, occurred_at, event_id)
                    TO '%5$s' (FORMAT parquet, COMPRESSION zstd, KV_METADATA {mirante_format: '1'})\
                    """
                            .formatted(from, to, date, persons, path));
            bytes += Files.size(path);
            sql.accept(
                    """
                    INSERT INTO snapshot.lake_file (tenant_id, file, day, rows, min_occurred_at, max_occurred_at, min_received_at,
                        max_received_at, bytes, sha256, format)
                    VALUES ('%1$s', '%2$s', '%3$s', %4$d, '%3$s 00:00:00Z', '%3$s 23:59:59.999999Z', '%3$s 00:00:00Z',
                        '%3$s 23:59:59.999999Z'::timestamptz + interval '1 second', %5$d, 'not counted', 1)\
                    """
                            .formatted(tenant, file, date, to - from, Files.size(path)));
        }
        sql.accept(
                "UPDATE snapshot.lake_tenant SET revision = revision + 1 WHERE tenant_id = '%s'"
                        .formatted(tenant));
    }

    /** Of all files. */
    long bytes() {
        return bytes;
    }

    /** Probe L6; seconds. */
    double read(List<String> types) {
        long begin = System.nanoTime();
        execute("SELECT bit_xor(hash(person_no, micros, step)) FROM (" + select(types) + ")");
        return (System.nanoTime() - begin) / 1e9;
    }

    private String select(List<String> types) {
        return "SELECT person_no, epoch_us(occurred_at) AS micros, CASE event_type %s END AS step FROM read_parquet('%s/%s/*/*.parquet') WHERE event_type IN (%s)"
                .formatted(
                        IntStream.range(0, types.size())
                                .mapToObj(i -> "WHEN '%s' THEN %d".formatted(types.get(i), i))
                                .collect(Collectors.joining(" ")),
                        folder,
                        tenant,
                        types.stream().map(t -> "'" + t + "'").collect(Collectors.joining(", ")));
    }

    /** How many persons reached each step, by keeping for each number of steps the latest start that has reached it. */
    List<Long> funnel(List<String> types, int windowDays) {
        long window = TimeUnit.DAYS.toMicros(windowDays);
        long[] users = new long[types.size()];
        try (var statement = duckdb.createStatement();
                var rows =
                        statement.executeQuery(
                                select(types) + " ORDER BY person_no, occurred_at, event_id")) {
            long person = -1;
            long[] starts = new long[types.size()];
            while (rows.next()) {
                if (rows.getLong(1) != person) {
                    tally(starts, users);
                    Arrays.fill(starts, Long.MIN_VALUE);
                    person = rows.getLong(1);
                }
                long at = rows.getLong(2);
                int step = rows.getInt(3);
                if (step == 0) {
                    starts[0] = at;
                } else if (starts[step - 1] != Long.MIN_VALUE && at - starts[step - 1] <= window) {
                    starts[step] = Math.max(starts[step], starts[step - 1]);
                }
            }
            if (person >= 0) {
                tally(starts, users);
            }
        } catch (SQLException e) {
            throw new MeshException("DuckDB: " + e.getMessage(), e);
        }
        return Arrays.stream(users).boxed().toList();
    }

    /** A step that was ever reached has a start: starts only move on. */
    private static void tally(long[] starts, long[] users) {
        for (int i = 0; i < users.length && starts[i] > 0; i++) {
            users[i]++;
        }
    }

    private void execute(String sql) {
        try (var statement = duckdb.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new MeshException("DuckDB: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            duckdb.close();
        } catch (SQLException e) {
            throw new MeshException("DuckDB: " + e.getMessage(), e);
        }
    }
}
