package io.mirante.etl.quality;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How rows of a table say what users did. Each part but the time is an expression over the row's columns, of which a column's name is the
 * simplest, or {@code =text} for a constant; see {@link Expressions}.
 *
 * @param user who
 * @param time when: the name of a column of type timestamp
 * @param type what, such as {@code =purchase}; names of other systems for what Mirante has a name for are translated
 * @param amount how much
 * @param order of which order a row is a line; the lines of one user's order are one event, at the first's time and with the
 *     sum of their amounts; null = each row is an event
 * @param where which rows say something; null = all. A row for which it is not true is counted and left out
 */
public record EventMapping(
        String user,
        String time,
        String type,
        @Nullable String amount,
        @Nullable String currency,
        @Nullable String session,
        @Nullable String category,
        @Nullable String gameType,
        @Nullable String channel,
        @Nullable String order,
        @Nullable String where) {

    /** Of a table of transactions. One that did not succeed moved no money. */
    static final EventMapping TRANSACTIONS =
            new EventMapping(
                    "user_id",
                    "created_at",
                    "transaction_type",
                    "amount",
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    "status IS NULL OR lower(status) NOT IN ('failed', 'failure', 'error', 'rejected', 'declined', 'refused',"
                            + " 'denied', 'cancelled', 'canceled', 'pending', 'processing', 'reversed', 'expired')");

    /** Its parts that are expressions and given, by the name of the field. */
    public Map<String, String> parts() {
        var parts = new LinkedHashMap<String, String>();
        put(parts, "user", user);
        put(parts, "type", type);
        put(parts, "amount", amount);
        put(parts, "currency", currency);
        put(parts, "session", session);
        put(parts, "category", category);
        put(parts, "game_type", gameType);
        put(parts, "channel", channel);
        put(parts, "order", order);
        put(parts, "where", where);
        return parts;
    }

    private static void put(Map<String, String> parts, String name, @Nullable String expression) {
        if (expression != null) {
            parts.put(name, expression);
        }
    }

    /** The expression as SQL. */
    static String sql(@Nullable String part) {
        if (part == null) {
            return "NULL";
        }
        return part.startsWith("=") ? Sql.text(part.substring(1)) : "(" + part + ")";
    }
}
