package io.mirante.segmentation.profile;

import java.util.List;
import java.util.stream.Stream;

/**
 * Where days of users, or of visitors, are kept in one generation, and how a poll adds to them: by arrays of tenants,
 * persons and days, and those of the columns.
 */
record DayTables(Table days, Table events, Table sessions, Table purchases) {

    /**
     * A table with a row per tenant, person, day and perhaps more.
     *
     * @param person column of the person's id
     * @param key column of the key besides those; empty = none
     * @param values the other columns
     */
    record Table(String name, String person, String key, List<String> values) {
        /** The primary key's columns. */
        String keys() {
            return "tenant_id, " + person + ", day" + (key.isEmpty() ? "" : ", " + key);
        }

        /** All columns, those of the key first. */
        String columns() {
            return String.join(", ", Stream.concat(Stream.of(keys()), values.stream()).toList());
        }
    }

    static DayTables ofUsers(String generation) {
        return of(
                generation, "user_id", "user_day", "event_count", "client_session", "purchase_day");
    }

    static DayTables ofVisitors(String generation) {
        return of(
                generation,
                "anonymous_id",
                "visitor_day",
                "visitor_event_count",
                "visitor_session",
                "visitor_purchase_day");
    }

    private static DayTables of(
            String generation,
            String person,
            String days,
            String events,
            String sessions,
            String purchases) {
        return new DayTables(
                new Table(
                        generation + days,
                        person,
                        "",
                        List.of("first_seen_at", "last_seen_at", "engagement", "visits")),
                new Table(
                        generation + events,
                        person,
                        "event_type",
                        List.of("events", "received_from")),
                new Table(generation + sessions, person, "session_id", List.of()),
                new Table(generation + purchases, person, "currency", List.of("orders", "amount")));
    }

    List<Table> all() {
        return List.of(days, events, sessions, purchases);
    }

    String addDays() {
        return """
        INSERT INTO %s AS d (%s)
        SELECT t, p, y, f, l, e, v::tstzmultirange
        FROM UNNEST($1::text[], $2::text[], $3::date[], $4::timestamptz[], $5::timestamptz[], $6::bigint[],
                    $7::text[]) AS n(t, p, y, f, l, e, v)
        ON CONFLICT (%s) DO UPDATE
        SET first_seen_at = least(d.first_seen_at, excluded.first_seen_at),
            last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at),
            engagement = d.engagement + excluded.engagement,
            visits = d.visits + excluded.visits\
        """
                .formatted(days.name(), days.columns(), days.keys());
    }

    String addEvents() {
        return """
        INSERT INTO %s AS c (%s)
        SELECT * FROM UNNEST($1::text[], $2::text[], $3::date[], $4::text[], $5::bigint[], $6::timestamptz[])
        ON CONFLICT (%s) DO UPDATE
        SET events = c.events + excluded.events,
            received_from = least(c.received_from, excluded.received_from)\
        """
                .formatted(events.name(), events.columns(), events.keys());
    }

    String addSessions() {
        return """
        INSERT INTO %s (%s) SELECT * FROM UNNEST($1::text[], $2::text[], $3::date[], $4::text[])
        ON CONFLICT DO NOTHING\
        """
                .formatted(sessions.name(), sessions.columns());
    }

    String addPurchases() {
        return """
        INSERT INTO %s AS d (%s)
        SELECT * FROM UNNEST($1::text[], $2::text[], $3::date[], $4::text[], $5::bigint[], $6::numeric[])
        ON CONFLICT (%s) DO UPDATE
        SET orders = d.orders + excluded.orders, amount = d.amount + excluded.amount\
        """
                .formatted(purchases.name(), purchases.columns(), purchases.keys());
    }
}
