package io.mirante.gateway.limits;

import io.mirante.gateway.keys.Principal;
import org.jspecify.annotations.Nullable;

/**
 * What became of a key: somebody's, nobody's, asked too often, or not to be known now.
 *
 * @param principal who may pass; null when nobody may
 * @param late set when the limit is used up
 * @param unknowable the keys cannot be looked up at the moment
 */
public record Admission(@Nullable Principal principal, @Nullable Verdict late, boolean unknowable) {

    /** No such key. */
    public static final Admission NOBODY = new Admission(null, null, false);

    /** The keys cannot be looked up at the moment. */
    public static final Admission UNKNOWABLE = new Admission(null, null, true);

    public static Admission of(Principal principal) {
        return new Admission(principal, null, false);
    }

    public static Admission late(Verdict verdict) {
        return new Admission(null, verdict, false);
    }
}
