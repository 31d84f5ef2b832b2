package io.mirante.platform.messaging;

import io.r2dbc.spi.Readable;
import java.util.List;
import java.util.function.Function;

/**
 * State that is published: rows whose {@code revision} is above their {@code published_revision}.
 *
 * @param table the state's table; has the key columns, {@code revision} and {@code published_revision}
 * @param keyColumns all of type text; together the primary key
 * @param select reads rows to publish, at most some thousands, with the key columns and {@code revision} among its
 *     columns, ordered by key
 * @param message the row as a record; its key must be the same for the same row
 */
public record Publication(
        String table,
        List<String> keyColumns,
        String select,
        Function<Readable, Outgoing> message,
        Retelling retelling) {

    /** What becomes of rows that were published to a topic that is lost. */
    public enum Retelling {
        /** They are state: whoever comes later has to learn it, so they are published again. */
        AGAIN,
        /** They were told to those who listened then. */
        NEVER
    }

    public Publication(
            String table,
            List<String> keyColumns,
            String select,
            Function<Readable, Outgoing> message) {
        this(table, keyColumns, select, message, Retelling.AGAIN);
    }

    public Publication {
        keyColumns = List.copyOf(keyColumns);
        if (keyColumns.isEmpty()) {
            throw new IllegalArgumentException("keyColumns must name at least one column");
        }
    }

    /**
     * The revision of a row that changes: above the one it has, and not below the time in milliseconds since 1970. So it is above all that
     * an older database, restored since, has published before it was lost, and that readers hold.
     *
     * @param revision the column, an SQL expression; {@code 0} for a new row
     */
    public static String raised(String revision) {
        return "greatest(%s + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)"
                .formatted(revision);
    }
}
