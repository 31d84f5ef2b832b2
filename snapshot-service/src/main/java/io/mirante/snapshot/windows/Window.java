package io.mirante.snapshot.windows;

import io.mirante.contracts.Json;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;

/**
 * One window of one tenant, scope and combination of dimensions. Ordered by its key, so that two replicas lock rows in
 * one order.
 *
 * @param start included, in whole seconds
 * @param end not included
 * @param dimensions JSON object of texts, sorted by name
 */
record Window(
        String tenant,
        String scope,
        Granularity granularity,
        Instant start,
        Instant end,
        String dimensions)
        implements Comparable<Window> {

    private static final Comparator<Window> BY_KEY =
            Comparator.comparing(Window::tenant)
                    .thenComparing(Window::scope)
                    .thenComparing(Window::granularity)
                    .thenComparing(Window::start)
                    .thenComparing(Window::dimensions);

    /** The text a combination of dimensions is stored and compared as. */
    static String text(Map<String, String> dimensions) {
        return Json.mapper().writeValueAsString(new TreeMap<>(dimensions));
    }

    @Override
    public int compareTo(Window other) {
        return BY_KEY.compare(this, other);
    }
}
