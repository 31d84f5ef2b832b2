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
        Function<Readable, Outgoing> message) {

    public Publication {
        keyColumns = List.copyOf(keyColumns);
        if (keyColumns.isEmpty()) {
            throw new IllegalArgumentException("keyColumns must name at least one column");
        }
    }
}
