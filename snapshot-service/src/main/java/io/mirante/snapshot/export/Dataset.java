package io.mirante.snapshot.export;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Set;

/** What can be had as a file. A bean; thread-safe. */
interface Dataset {

    /** A condition on rows. */
    enum Filter {
        USER_IDS("user_ids"),
        EVENT_TYPES("event_types"),
        TIMES("start_time");

        private final String field;

        Filter(String field) {
            this.field = field;
        }

        /** In a request's {@code filters}. */
        String field() {
            return field;
        }
    }

    /** In requests. */
    String name();

    /** Those that its rows can be asked by. */
    Set<Filter> filters();

    /**
     * Writes all rows that are wanted; blocks.
     *
     * @param file begun and finished here
     * @param pulse called again and again; what it throws ends the work
     */
    void write(String tenant, Export.Wanted wanted, ExportFile file, Runnable pulse)
            throws SQLException, IOException;
}
