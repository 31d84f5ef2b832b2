package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.locks.LockSupport;

/**
 * Reads a tenant's loaded features all the time, and remembers what it saw: which runs' rows are there, how many, with how many
 * transactions, and which runs say that they have loaded; each look is one statement. Goes on when the database is back.
 */
final class FeatureReader implements AutoCloseable {
    private static final long PAUSE = Duration.ofMillis(15).toNanos();
    private static final String LOOK =
            """
            SELECT concat(
                (SELECT string_agg(format('%s: %s users, %s transactions', execution_id, users, transactions), '; '
                        ORDER BY execution_id)
                 FROM (SELECT execution_id, count(*) AS users, sum(total_transactions)::bigint AS transactions
                       FROM ml_features.user_features WHERE tenant_id = ? GROUP BY 1) r),
                ' | ',
                (SELECT string_agg(execution_id, ', ' ORDER BY loaded_at) FROM etl.etl_run
                 WHERE tenant_id = ? AND loaded_at IS NOT NULL AND rolled_back_at IS NULL))
            """;

    /** What {@link #LAST_LOAD} shows when the last load is there with all of its rows, and no row is of none. */
    static final String WHOLE = "whole";

    /** Looks at the last load of streaming runs, whose rows are never all that there is. */
    static final String LAST_LOAD =
            """
            WITH loads AS (
                SELECT execution_id, loaded, loaded_at FROM etl.etl_run WHERE tenant_id = ? AND loaded_at IS NOT NULL),
            rows AS (
                SELECT execution_id, count(*) AS users FROM ml_features.user_features WHERE tenant_id = ? GROUP BY 1)
            SELECT coalesce(
                (SELECT format('%s has %s users of %s', execution_id, coalesce(users, 0), loaded)
                 FROM (SELECT * FROM loads ORDER BY loaded_at DESC LIMIT 1) l LEFT JOIN rows USING (execution_id)
                 WHERE users IS DISTINCT FROM loaded),
                (SELECT min(format('%s is not loaded', execution_id)) FROM rows
                 WHERE execution_id NOT IN (SELECT execution_id FROM loads)),
                'whole')
            """;

    private final MeshUnderTest mesh;
    private final String tenant;
    private final String look;
    private final Set<String> seen = new ConcurrentSkipListSet<>();
    private final Thread thread;
    private volatile boolean going = true;

    FeatureReader(MeshUnderTest mesh, String tenant) {
        this(mesh, tenant, LOOK);
    }

    /** @param look a query of one text, with the tenant as both of its parameters */
    FeatureReader(MeshUnderTest mesh, String tenant, String look) {
        this.mesh = mesh;
        this.tenant = tenant;
        this.look = look;
        this.thread = Thread.ofVirtual().name("reader-" + tenant).start(this::read);
    }

    /** What is there when one run's rows are all that there is. */
    static String state(String execution, long users, long transactions, String loaded) {
        return "%s: %d users, %d transactions | %s"
                .formatted(execution, users, transactions, loaded);
    }

    /** What is there now. */
    static String look(MeshUnderTest mesh, String tenant) {
        try (Connection database = mesh.database();
                PreparedStatement query = database.prepareStatement(LOOK)) {
            return look(query, tenant);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static String look(PreparedStatement query, String tenant) throws SQLException {
        query.setString(1, tenant);
        query.setString(2, tenant);
        try (var rows = query.executeQuery()) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** Ends; whatever was seen has to be among these. */
    void sawOnly(String... states) {
        close();
        assertThat(seen).as("what a reader saw of %s", tenant).isNotEmpty().isSubsetOf(states);
    }

    private void read() {
        while (going) {
            try (Connection database = mesh.database();
                    PreparedStatement query = database.prepareStatement(look)) {
                while (going) {
                    seen.add(look(query, tenant));
                    LockSupport.parkNanos(PAUSE);
                }
            } catch (SQLException e) {
                // the database is away
                LockSupport.parkNanos(PAUSE);
            }
        }
    }

    @Override
    public void close() {
        going = false;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
