package io.mirante.etl.features;

import io.mirante.etl.features.Feature.Origin;
import io.mirante.etl.features.FeatureCatalog.Tally;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The one query that computes what a user's own events give, for users of today as for training sets of the past, in
 * PostgreSQL: never looks at an event of its moment or later, by the event's own time; a visitor's events are a
 * user's when a merge says so that had occurred before the moment. One row per known user with at least one event before.
 */
public final class FeatureQuery {

    private static final String TEXT =
            """
            WITH event AS (
                SELECT person_no, user_id, id, event_type, session_id, occurred_at, score, category, channel,
                    opt_in_games, opt_in_promotions,
                    CASE game_type WHEN 'casino' THEN 'cassino' WHEN 'cassino' THEN 'cassino' WHEN 'crash' THEN 'crash'
                        WHEN 'sport' THEN 'esportes' WHEN 'sports' THEN 'esportes' WHEN 'esportes' THEN 'esportes'
                        WHEN 'poker' THEN 'poker' WHEN 'slot' THEN 'slots' WHEN 'slots' THEN 'slots' END AS game_type,
                    CASE WHEN currency IS NULL OR currency = :currency THEN amount END AS money,
                    extract(epoch FROM :as_of - occurred_at)::float8 / 86400 AS age_days,
                    ((:as_of - interval '1 microsecond') AT TIME ZONE 'UTC')::date AS today,
                    (occurred_at AT TIME ZONE 'UTC')::date AS day,
                    extract(isodow FROM occurred_at AT TIME ZONE 'UTC')::int - 1 AS weekday,
                    CASE floor(extract(hour FROM occurred_at AT TIME ZONE 'UTC') / 6)
                        WHEN 0 THEN 'madrugada' WHEN 1 THEN 'manha' WHEN 2 THEN 'tarde' ELSE 'noite' END AS day_part
                FROM (:events) e
                WHERE occurred_at < :as_of
            ), sessions AS (
                SELECT person_no,
                    :of_sessions
                FROM (SELECT person_no, session_id, session_id IS NULL AND coalesce(occurred_at - lag(occurred_at)
                        OVER (PARTITION BY person_no, session_id IS NULL ORDER BY occurred_at)
                        > interval '30 minutes', true) AS begins_session FROM event) s
                GROUP BY person_no
            ), purchases AS (
                SELECT person_no,
                    :of_purchases
                FROM (SELECT person_no, event_type, money, day,
                        extract(epoch FROM occurred_at - lag(occurred_at) OVER w)::float8 / 86400 AS since_purchase_days,
                        first_value(day) OVER w AS first_purchase_day
                    FROM event WHERE event_type = 'purchase' WINDOW w AS (PARTITION BY person_no ORDER BY occurred_at)) p
                GROUP BY person_no
            ), days AS (
                SELECT person_no,
                    :of_days
                FROM (SELECT person_no, (day - lag(day) OVER (PARTITION BY person_no ORDER BY day))::float8 AS gap
                    FROM (SELECT DISTINCT person_no, day FROM event) d) g
                GROUP BY person_no
            ), tally AS (
                SELECT person_no, :tallied, count(*)::float8 AS n, grouping(:tallied) AS g
                FROM event GROUP BY GROUPING SETS (:sets)
            ), habits AS (
                SELECT person_no,
                    :of_tallies
                FROM tally GROUP BY person_no
            ), sums AS (
                SELECT person_no, max(user_id) AS user_id,
                    :of_events
                FROM event GROUP BY person_no HAVING max(user_id) IS NOT NULL
            )
            SELECT person_no, user_id, :names FROM sums JOIN habits USING (person_no) JOIN sessions USING (person_no)
                JOIN days USING (person_no) LEFT JOIN purchases USING (person_no)\
            """;

    /** What the query reads of an event. */
    static final List<String> COLUMNS =
            List.of(
                    "user_id",
                    "id",
                    "event_type",
                    "session_id",
                    "occurred_at",
                    "score",
                    "amount",
                    "currency",
                    "category",
                    "game_type",
                    "channel",
                    "opt_in_games",
                    "opt_in_promotions");

    private static final int LONGEST_NAME = 100;

    private static final String OF_LOG =
            """
            e.user_id, e.id, e.event_type, e.session_id, e.occurred_at, e.score, e.amount, e.currency,
            left(e.payload #>> '{data,category}', :longest) AS category,
            CASE WHEN e.event_type IN ('bet_placed', 'bet_settled') THEN lower(e.payload #>> '{data,game_type}') END AS game_type,
            left(e.payload #>> '{data,channel}', :longest) AS channel,
            CASE WHEN e.event_type = 'identify' THEN CASE lower(e.payload #>> '{data,traits,opt_in_games}')
                WHEN 'true' THEN 1 WHEN 'false' THEN 0 END END AS opt_in_games,
            CASE WHEN e.event_type = 'identify' THEN CASE lower(e.payload #>> '{data,traits,opt_in_promotions}')
                WHEN 'true' THEN 1 WHEN 'false' THEN 0 END END AS opt_in_promotions\
            """
                    .replace(":longest", String.valueOf(LONGEST_NAME));

    private static final String OF_ALL =
            """
            SELECT coalesce(m.user_no, e.person_no) AS person_no, %s
            FROM analytics_event e LEFT JOIN person_merge m
                ON m.tenant_id = :tenant AND m.person_no = e.person_no AND m.state = 'merged' AND m.occurred_at < :as_of
            WHERE e.tenant_id = :tenant AND (e.user_id IS NOT NULL OR m.user_no IS NOT NULL)\
            """
                    .formatted(OF_LOG);

    private static final String OF_SOME =
            """
            SELECT w.user_no AS person_no, %s
            FROM (SELECT no AS user_no, no AS person_no FROM UNNEST(:persons) AS u(no)
                  UNION ALL
                  SELECT user_no, person_no FROM person_merge
                  WHERE tenant_id = :tenant AND user_no = ANY(:persons) AND state = 'merged' AND occurred_at < :as_of) w
            JOIN analytics_event e ON e.tenant_id = :tenant AND e.person_no = w.person_no\
            """
                    .formatted(OF_LOG);

    private FeatureQuery() {}

    /**
     * The query's text for PostgreSQL. Columns: person_no, user_id, then every feature of {@link FeatureCatalog} that the user's
     * own events give, in its order, float8 or text, null = absent.
     *
     * @param tenant expression, such as {@code $1}, of type text
     * @param asOf of type timestamptz
     * @param currency of type text
     * @param persons array of users' numbers (bigint[]); null = all users
     */
    public static String sql(
            String tenant, String asOf, String currency, @Nullable String persons) {
        return text(persons == null ? OF_ALL : OF_SOME, computed())
                .replace(":tenant", tenant)
                .replace(":as_of", asOf)
                .replace(":currency", currency)
                .replace(":persons", String.valueOf(persons));
    }

    /**
     * The events of users as the query reads them: person_no, then {@link #COLUMNS}.
     *
     * @param tenant expression, such as {@code $1}, of type text
     * @param asOf of type timestamptz: later events and merges are left out
     * @param persons array of users' numbers (bigint[]); null = all users
     */
    static String events(String tenant, String asOf, @Nullable String persons) {
        return ((persons == null ? OF_ALL : OF_SOME) + " AND e.occurred_at < :as_of")
                .replace(":tenant", tenant)
                .replace(":as_of", asOf)
                .replace(":persons", String.valueOf(persons));
    }

    /** Those it computes, in the order of its columns. */
    static List<Feature> computed() {
        return FeatureCatalog.all().stream()
                .filter(feature -> feature.origin() != Origin.POPULATION)
                .toList();
    }

    private static String text(String events, List<Feature> features) {
        return TEXT.replace(":events", events)
                .replace(
                        ":tallied",
                        Arrays.stream(Tally.values())
                                .map(Tally::column)
                                .collect(Collectors.joining(", ")))
                .replace(
                        ":sets",
                        Arrays.stream(Tally.values())
                                .map(tally -> "(person_no, %s)".formatted(tally.column()))
                                .collect(Collectors.joining(", ")))
                .replace(":of_sessions", columns(features.stream(), Origin.SESSIONS))
                .replace(":of_purchases", columns(features.stream(), Origin.PURCHASES))
                .replace(":of_days", columns(features.stream(), Origin.DAYS))
                .replace(":of_tallies", columns(features.stream(), Origin.TALLIES))
                .replace(":of_events", columns(features.stream(), Origin.EVENTS))
                .replace(
                        ":names",
                        features.stream().map(Feature::name).collect(Collectors.joining(", ")))
                .replace(":binary", "COLLATE \"C\"");
    }

    private static String columns(Stream<Feature> features, Origin origin) {
        return features.filter(feature -> feature.origin() == origin)
                .map(feature ->
                        feature.isText()
                                ? "%s AS %s".formatted(feature.formula(), feature.name())
                                : "(%s)::float8 AS %s".formatted(feature.formula(), feature.name()))
                .collect(Collectors.joining(",\n    "));
    }
}
