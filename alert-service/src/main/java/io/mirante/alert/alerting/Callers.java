package io.mirante.alert.alerting;

import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/** Who may ask for alerts, and by which ids. */
final class Callers {

    private static final Pattern ID = Pattern.compile("(rule|alert)_[0-9a-f-]{36}");

    private Callers() {}

    /**
     * The tenant of a caller who sees all of it.
     *
     * @throws ProblemException 403 when the caller is limited to org units: rules and alerts are the tenant's as a whole
     */
    static String tenant(Caller caller) {
        if (!caller.orgUnits().isEmpty()) {
            throw ProblemException.of(
                    HttpStatus.FORBIDDEN,
                    "org-unit-limited",
                    "alerts are for callers who see all org units");
        }
        return caller.tenant();
    }

    /** Whether a text can be an id at all. */
    static boolean isId(String text) {
        return ID.matcher(text).matches();
    }

    /**
     * The position a list goes on after; empty = from the beginning.
     *
     * @throws ProblemException 400 when it is none of ours
     */
    static String after(@Nullable String cursor) {
        if (cursor == null) {
            return "";
        }
        if (!isId(cursor)) {
            throw ProblemException.malformed(
                    "?cursor", "invalid", "cursor must be the next_cursor of an earlier answer");
        }
        return cursor;
    }
}
