package io.mirante.platform.web;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * {@code ?limit=} and {@code ?cursor=} of a list; a controller takes it as a parameter.
 *
 * @param limit 1 to 500, 50 by default
 * @param after the last item of the page before, as the list's own order names it; null for the first page
 */
public record Paging(int limit, @Nullable String after) {

    /** Items of a page when the caller does not say. */
    public static final int DEFAULT_LIMIT = 50;

    /** Most items of a page. */
    public static final int MAX_LIMIT = 500;

    /**
     * Reads the two query parameters.
     *
     * @throws ProblemException 400 when one is not valid
     */
    public static Paging of(@Nullable String limit, @Nullable String cursor) {
        return new Paging(limit(limit), cursor == null || cursor.isEmpty() ? null : decode(cursor));
    }

    private static int limit(@Nullable String text) {
        if (text == null || text.isEmpty()) {
            return DEFAULT_LIMIT;
        }
        try {
            int limit = Integer.parseInt(text);
            if (limit >= 1 && limit <= MAX_LIMIT) {
                return limit;
            }
        } catch (NumberFormatException e) {
            // falls through to the same answer as a number out of range
        }
        throw ProblemException.malformed(
                "?limit", "out_of_range", "limit must be a number from 1 to " + MAX_LIMIT);
    }

    /** A position as a cursor, as {@link #after} will get it back. */
    public static String encode(String position) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(position.getBytes(StandardCharsets.UTF_8));
    }

    private static String decode(String cursor) {
        try {
            return new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw ProblemException.malformed(
                    "?cursor", "invalid", "cursor must be the next_cursor of an earlier answer");
        }
    }
}
