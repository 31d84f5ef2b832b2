package io.mirante.snapshot.behaviour;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.TimeRange;
import java.math.BigDecimal;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Totals of a time range from stored events. Thread-safe. */
@Component
final class Overview {

    /** How many keys each top list holds. */
    static final int TOP = 10;

    private static final String RANGE =
            " occurred_at >= $1::timestamptz AND occurred_at < $2::timestamptz";

    private static final String EVENTS =
            " FROM behaviour_event e" + MergedPersons.JOIN + " WHERE" + RANGE;

    /**
     * Merged persons are one. A session is the client's session_id of one person; a person's events without one make a new session after 30
     * minutes without such an event.
     */
    private static final String TOTALS =
            "WITH s AS (SELECT "
                    + MergedPersons.PERSON
                    + " AS person_no, session_id, count(*) AS events, sum("
                    + "CASE WHEN event_type = 'purchase' AND upper(coalesce(data ->> 'currency', $3)) = $3 THEN "
                    + DecimalText.toNumeric("data ->> 'amount'")
                    + " END) AS revenue"
                    + EVENTS
                    + " GROUP BY 1, 2), gaps AS (SELECT occurred_at - lag(occurred_at) OVER (PARTITION BY "
                    + MergedPersons.PERSON
                    + " ORDER BY occurred_at) AS gap"
                    + EVENTS
                    + " AND session_id IS NULL AND e.person_no > 0)"
                    + " SELECT coalesce(sum(events), 0)::bigint AS events,"
                    + " count(DISTINCT person_no) FILTER (WHERE person_no > 0) AS users,"
                    + " count(session_id) + (SELECT count(*) FROM gaps WHERE gap IS NULL OR gap >= interval '30"
                    + " minutes') AS sessions,"
                    + " (SELECT count(DISTINCT n.person_no) FROM (SELECT "
                    + MergedPersons.PERSON
                    + " AS person_no FROM person e"
                    + MergedPersons.JOIN
                    + " WHERE first_seen_at >= $1::timestamptz AND first_seen_at < $2::timestamptz) n"
                    + " WHERE NOT EXISTS (SELECT 1 FROM person p WHERE p.person_no = n.person_no AND p.first_seen_at <"
                    + " $1::timestamptz) AND NOT EXISTS (SELECT 1 FROM merged_person m JOIN person p USING (tenant_id,"
                    + " person_no) WHERE m.user_no = n.person_no AND p.first_seen_at < $1::timestamptz)) AS new_users,"
                    + " coalesce(sum(revenue), 0) AS revenue FROM s";

    private final TenantDatabase database;
    private final Tenants tenants;

    Overview(TenantDatabase database, Tenants tenants) {
        this.database = database;
        this.tenants = tenants;
    }

    /**
     * Totals.
     *
     * @param users persons with an event in the range
     * @param newUsers those whose first event ever lies in it
     * @param revenue amounts of purchases in the tenant's currency
     */
    record Totals(long events, long users, long sessions, long newUsers, BigDecimal revenue) {

        long returningUsers() {
            return users - newUsers;
        }
    }

    /** A key and how many events it has. */
    record Count(String key, long value) {}

    /** The most frequent keys, at most {@value #TOP} each. */
    record Top(
            List<Count> eventTypes,
            List<Count> pages,
            List<Count> countries,
            List<Count> devices) {}

    Mono<Totals> totals(String tenant, TimeRange range) {
        return database.one(
                tenant,
                db ->
                        in(range, db.sql(TOTALS))
                                .bind(2, tenants.settings(tenant).currency())
                                .map(row ->
                                        new Totals(
                                                number(row.get("events", Long.class)),
                                                number(row.get("users", Long.class)),
                                                number(row.get("sessions", Long.class)),
                                                number(row.get("new_users", Long.class)),
                                                Objects.requireNonNull(
                                                        row.get("revenue", BigDecimal.class))))
                                .one());
    }

    Mono<Top> top(String tenant, TimeRange range) {
        return database.many(
                        tenant,
                        db ->
                                Flux.concat(
                                        counts(db, range, "event_type", ""),
                                        counts(
                                                db,
                                                range,
                                                "main_property",
                                                " AND event_type = 'page_view'"),
                                        counts(db, range, "country", ""),
                                        counts(db, range, "device", "")))
                .collectList()
                .map(lists -> new Top(lists.get(0), lists.get(1), lists.get(2), lists.get(3)));
    }

    private static Mono<List<Count>> counts(
            DatabaseClient db, TimeRange range, String column, String condition) {
        return in(
                        range,
                        db.sql(
                                "SELECT %s, count(*) FROM behaviour_event WHERE %s AND %s IS NOT NULL%s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %d"
                                        .formatted(column, RANGE, column, condition, TOP)))
                .map(row ->
                        new Count(
                                Objects.requireNonNull(row.get(0, String.class)),
                                number(row.get(1, Long.class))))
                .all()
                .collectList();
    }

    private static DatabaseClient.GenericExecuteSpec in(
            TimeRange range, DatabaseClient.GenericExecuteSpec spec) {
        return spec.bind(0, range.start().toString()).bind(1, range.end().toString());
    }

    private static long number(@Nullable Long value) {
        return Objects.requireNonNull(value);
    }
}
