package io.mirante.gateway.keys;

import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import org.jspecify.annotations.Nullable;

/** Whose things an administrator may touch: scope {@code admin} the own tenant's, {@code platform} everybody's. */
public final class Reach {

    private Reach() {}

    /** Whether the caller may act on every tenant. */
    public static boolean everywhere(Caller caller) {
        return caller.scopes().contains("platform");
    }

    /**
     * The tenant to act on.
     *
     * @param asked null = the caller's own
     * @throws ProblemException 404 for another's, as if it were not there
     */
    public static String tenant(Caller caller, @Nullable String asked) {
        if (asked == null || asked.equals(caller.tenant())) {
            return caller.tenant();
        }
        if (!everywhere(caller)) {
            throw ProblemException.notFound("tenant " + asked);
        }
        return asked;
    }
}
