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

    private final MeshUnderTest mesh;
    private final String tenant;
    private final Set<String> seen = new ConcurrentSkipListSet<>();
    private final Thread thread;
    private volatile boolean going = true;

    FeatureReader(MeshUnderTest mesh, String tenant) {
        this.mesh = mesh;
        this.tenant = tenant;
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
                    PreparedStatement query = database.prepareStatement(LOOK)) {
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
