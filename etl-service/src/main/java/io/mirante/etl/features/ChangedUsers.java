package io.mirante.etl.features;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Notes whose features have to be computed again. Thread-safe. */
@Component
public final class ChangedUsers {

    /** Marks taken at once. */
    private static final int MOST_MARKS = 20_000;

    ChangedUsers() {}

    /** A known user has a new event in the log. */
    public record Change(String tenantId, String userId, long personNo, Instant occurredAt) {}

    private record Key(String tenantId, String userId) {}

    /**
     * Numbers of users whose features were computed after a moment; those of the two minutes before it are among them, which is longer
     * than a transaction that computes may take.
     */
    public static Mono<Long[]> since(String tenant, Instant moment, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT person_no FROM user_feature_state
                        WHERE tenant_id = $1 AND revision > 0 AND computed_at > $2::timestamptz - interval '2 minutes'\
                        """)
                .bind(0, tenant)
                .bind(1, moment)
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .all()
                .collectList()
                .map(numbers -> numbers.toArray(Long[]::new));
    }

    /**
     * Marks users in the transaction that stores their events. A user is due as soon as the log's as_of has passed the
     * earliest event that is not counted yet. Locks nothing.
     */
    public Mono<Void> mark(List<Change> changes, DatabaseClient db) {
        if (changes.isEmpty()) {
            return Mono.empty();
        }
        Map<Key, Change> earliest = new LinkedHashMap<>();
        for (var change : changes) {
            earliest.merge(
                    new Key(change.tenantId(), change.userId()),
                    change,
                    (a, b) -> a.occurredAt().isAfter(b.occurredAt()) ? b : a);
        }
        var marks = List.copyOf(earliest.values());
        return db.sql(
                        """
                        INSERT INTO user_mark (tenant_id, user_id, person_no, occurred_at)
                        SELECT * FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::timestamptz[])\
                        """)
                .bind(0, marks.stream().map(Change::tenantId).toArray(String[]::new))
                .bind(1, marks.stream().map(Change::userId).toArray(String[]::new))
                .bind(2, marks.stream().map(Change::personNo).toArray(Long[]::new))
                .bind(3, marks.stream().map(Change::occurredAt).toArray(Instant[]::new))
                .then();
    }

    /**
     * Has marked users of all tenants computed again; answers whether there may be more marks. What is marked
     * before is due after. One transaction at a time takes marks, users in the order in which others lock them.
     */
    static Mono<Boolean> collect(DatabaseClient db) {
        return db.sql("SELECT pg_advisory_xact_lock(hashtextextended('etl.user_mark', 0))")
                .then()
                .then(
                        db.sql(
                                        """
                                        WITH taken AS (
                                            DELETE FROM user_mark WHERE ctid = ANY(ARRAY(SELECT ctid FROM user_mark LIMIT %d))
                                            RETURNING tenant_id, user_id, person_no, occurred_at
                                        ), due AS (
                                            INSERT INTO user_feature_state (tenant_id, user_id, person_no, due_at)
                                            SELECT tenant_id, user_id, max(person_no), min(occurred_at) FROM taken
                                            GROUP BY tenant_id, user_id
                                            ORDER BY tenant_id COLLATE "C", user_id COLLATE "C"
                                            ON CONFLICT (tenant_id, user_id) DO UPDATE SET
                                                due_at = least(user_feature_state.due_at, excluded.due_at),
                                                changes = user_feature_state.changes + 1
                                        )
                                        SELECT count(*) FROM taken\
                                        """
                                                .formatted(MOST_MARKS))
                                .map(row ->
                                        Objects.requireNonNull(row.get(0, Long.class))
                                                == MOST_MARKS)
                                .one());
    }
}
