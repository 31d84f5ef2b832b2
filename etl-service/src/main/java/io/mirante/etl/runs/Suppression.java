package io.mirante.etl.runs;

import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Keeps erased persons out of what runs load and report. An erasure first commits the person, and then removes what runs hold, for which
 * it waits for loads under way. So a load sees the person, or is over when the rows are removed.
 */
public final class Suppression {

    private Suppression() {}

    /** Waits for loads and roll-backs of the tenant, and keeps others waiting until the caller's transaction ends. */
    public static Mono<Void> holdLoads(DatabaseClient db, String tenant) {
        return db.sql("SELECT pg_advisory_xact_lock(hashtextextended('etl.load ' || $1, 0))")
                .bind(0, tenant)
                .then();
    }

    /**
     * Hashes of those whom a run may have read and must not store: whoever was erased since it began, and, as long as files are still to be
     * rewritten, before.
     */
    static Mono<Set<String>> erasedSince(DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        """
                        SELECT e.user_hash FROM person_erasure e JOIN etl_run r ON r.tenant_id = e.tenant_id
                        WHERE e.tenant_id = $1 AND r.execution_id = $2
                            AND (e.user_id IS NOT NULL OR e.finished_at >= r.started_at)\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .all()
                .collect(Collectors.toUnmodifiableSet());
    }
}
