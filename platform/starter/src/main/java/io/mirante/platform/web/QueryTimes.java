package io.mirante.platform.web;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;

/** Times in a query string. */
public final class QueryTimes {

    private QueryTimes() {}

    /**
     * Reads a parameter.
     *
     * @param name such as {@code start_time}
     * @return null when it is not there or empty
     * @throws ProblemException 400 with code {@code invalid_time} when it is no RFC 3339 time
     */
    public static @Nullable Instant of(String name, @Nullable String text) {
        return text == null || text.isEmpty() ? null : required(name, text);
    }

    /**
     * Reads a parameter that must be there.
     *
     * @throws ProblemException 400 with code {@code invalid_time} when it is no RFC 3339 time
     */
    public static Instant required(String name, String text) {
        try {
            // A plus sign that was not escaped arrives as a blank.
            return OffsetDateTime.parse(text.replace(' ', '+')).toInstant();
        } catch (DateTimeException e) {
            throw ProblemException.malformed(
                    "?" + name,
                    "invalid_time",
                    name + " must be an RFC 3339 time, such as 2026-11-20T10:00:00Z");
        }
    }
}
