package io.mirante.etl.features;

import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The one query that computes features, for users of today as for training sets of the past: never looks at an event of
 * its moment or later, by the event's own time; a visitor's events are a user's when a merge says so that had occurred
 * before the moment. One row per known user with at least one event before.
 */
public final class FeatureQuery {

    private static final String TEXT =
            """
            WITH event AS (
                SELECT person_no, user_id, id, event_type, session_id, occurred_at, score,
                    CASE WHEN currency IS NULL OR currency = :currency THEN amount END AS money,
                    extract(epoch FROM :as_of - occurred_at)::float8 / 86400 AS age_days,
                    CASE WHEN event_type = 'purchase' THEN extract(epoch FROM occurred_at - lag(occurred_at)
                        OVER (PARTITION BY person_no, event_type = 'purchase' ORDER BY occurred_at))::float8 / 86400
                        END AS since_purchase_days,
                    session_id IS NULL AND coalesce(occurred_at - lag(occurred_at)
                        OVER (PARTITION BY person_no, session_id IS NULL ORDER BY occurred_at)
                        > interval '30 minutes', true) AS begins_session
                FROM (:events) e
                WHERE occurred_at < :as_of
            )
            SELECT person_no, max(user_id) AS user_id,
                :features
            FROM event GROUP BY person_no HAVING max(user_id) IS NOT NULL\
            """;

    private static final String COLUMNS =
            "e.user_id, e.id, e.event_type, e.session_id, e.occurred_at, e.score, e.amount, e.currency";

    private static final String OF_ALL =
            """
            SELECT coalesce(m.user_no, e.person_no) AS person_no, %s
            FROM analytics_event e LEFT JOIN person_merge m
                ON m.tenant_id = :tenant AND m.person_no = e.person_no AND m.state = 'merged' AND m.occurred_at < :as_of
            WHERE e.tenant_id = :tenant AND (e.user_id IS NOT NULL OR m.user_no IS NOT NULL)\
            """
                    .formatted(COLUMNS);

    private static final String OF_SOME =
            """
            SELECT w.user_no AS person_no, %s
            FROM (SELECT no AS user_no, no AS person_no FROM UNNEST(:persons) AS u(no)
                  UNION ALL
                  SELECT user_no, person_no FROM person_merge
                  WHERE tenant_id = :tenant AND user_no = ANY(:persons) AND state = 'merged' AND occurred_at < :as_of) w
            JOIN analytics_event e ON e.tenant_id = :tenant AND e.person_no = w.person_no\
            """
                    .formatted(COLUMNS);

    private FeatureQuery() {}

    /**
     * The query's text. Columns: person_no, user_id, then every feature of {@link FeatureCatalog}, float8, null = absent.
     *
     * @param tenant expression, such as {@code $1}, of type text
     * @param asOf of type timestamptz
     * @param currency of type text
     * @param persons array of users' numbers (bigint[]); null = all users
     */
    public static String sql(
            String tenant, String asOf, String currency, @Nullable String persons) {
        return TEXT.replace(":events", persons == null ? OF_ALL : OF_SOME)
                .replace(":tenant", tenant)
                .replace(":as_of", asOf)
                .replace(":currency", currency)
                .replace(":persons", String.valueOf(persons))
                .replace(
                        ":features",
                        FeatureCatalog.all().stream()
                                .map(f -> "(%s)::float8 AS %s".formatted(f.sql(), f.name()))
                                .collect(Collectors.joining(",\n    ")));
    }
}
