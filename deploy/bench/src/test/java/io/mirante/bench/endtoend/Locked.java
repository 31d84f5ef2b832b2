package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/** What of a tenant the test locks, so that a service waits for it, until this is closed. */
final class Locked implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(20);

    private final Oracle oracle;
    private final Connection database;
    private final String query;
    private final String tenant;
    private final long pid;

    /** @param query that locks what it finds */
    Locked(MeshUnderTest mesh, String query, String tenant) {
        this.oracle = new Oracle(mesh);
        this.query = query;
        this.tenant = tenant;
        try {
            database = mesh.database();
            try (var statement = database.createStatement();
                    var rows = statement.executeQuery("SELECT pg_backend_pid()")) {
                rows.next();
                pid = rows.getLong(1);
            }
            database.setAutoCommit(false);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** @param condition of a run {@code r} */
    static Locked run(MeshUnderTest mesh, FeatureRuns runs, String condition) {
        return new Locked(
                mesh,
                "SELECT 1 FROM etl.etl_run r WHERE tenant_id = ? AND " + condition + " FOR UPDATE",
                runs.tenant());
    }

    /** Waits until there is something, and locks it. */
    void take() {
        try (var statement = database.prepareStatement(query)) {
            statement.setString(1, tenant);
            await("something to lock: " + query)
                    .atMost(FeatureRuns.LIMIT)
                    .pollInSameThread()
                    .pollDelay(Duration.ZERO)
                    .pollInterval(POLL)
                    .until(() -> {
                        try (var rows = statement.executeQuery()) {
                            if (rows.next()) {
                                return true;
                            }
                        }
                        database.rollback();
                        return false;
                    });
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until somebody waits for it; answers its connection's process. */
    long awaitWaiting() {
        return await("somebody waits for " + query)
                .atMost(FeatureRuns.LIMIT)
                .pollInterval(POLL)
                .until(
                        () ->
                                oracle.number(
                                        "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE %d = ANY (pg_blocking_pids(pid))"
                                                .formatted(pid)),
                        waiting -> waiting > 0);
    }

    void terminate(long waiting) {
        assertThat(oracle.number("SELECT pg_terminate_backend(%d)::int".formatted(waiting)))
                .isOne();
    }

    @Override
    public void close() {
        try {
            database.close();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
