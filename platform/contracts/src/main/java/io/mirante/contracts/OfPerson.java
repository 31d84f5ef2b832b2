package io.mirante.contracts;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A message about one person, of which another form without the person exists. What an erased person left in topics is
 * read in that form.
 *
 * @param <T> the message's own type
 */
public interface OfPerson<T> {

    String tenantId();

    /** The known user; null when it names none. */
    @Nullable String userId();

    /** The person's number; 0 when it has none. */
    default long personNo() {
        return 0;
    }

    /** What it says was known by then: an erasure at this time or later covers it. */
    Instant knownAt();

    /** The same without anything that leads to the person; null when nothing is left of it. */
    @Nullable T withoutPerson();
}
