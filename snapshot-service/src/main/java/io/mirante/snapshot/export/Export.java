package io.mirante.snapshot.export;

import io.mirante.platform.web.TimeRange;
import java.util.List;

/**
 * A file that was asked for, checked.
 *
 * @param dataset its name
 */
record Export(ExportFormat format, String dataset, Wanted wanted) {

    /**
     * Which rows.
     *
     * @param userIds of these; empty = of all, and of nobody
     * @param eventTypes canonical; empty = all
     */
    record Wanted(List<String> userIds, List<String> eventTypes, TimeRange range) {

        Wanted {
            userIds = List.copyOf(userIds);
            eventTypes = List.copyOf(eventTypes);
        }

        boolean ofUser(String id) {
            return userIds.isEmpty() || userIds.contains(id);
        }
    }

    /** What the file is called. */
    String fileName() {
        return dataset + "." + format.wireName();
    }
}
