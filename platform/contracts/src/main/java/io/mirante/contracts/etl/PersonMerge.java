package io.mirante.contracts.etl;

import io.mirante.contracts.OfPerson;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A row of the ledger of merged persons: whether a person goes by a known user, since when and why. On {@code
 * mirante.identities}, key tenant + {@code merge} + merge id. Events keep the number of their own id for ever; whoever
 * wants people instead of ids looks the number up here.
 *
 * <p>Revisions rise over all rows of one {@code personNo}: of those that are not {@code refused} the highest says by whom
 * the person goes, if by anybody.
 *
 * @param mergeId unique within the tenant, the same for the same two numbers
 * @param state {@code merged}, {@code undone}, or {@code refused}: then the two were never one
 * @param reason of a refusal: {@code two_known_people} or {@code too_many_ids}; else null
 * @param rule what joined them: {@code identify} or {@code alias}
 * @param kind of the id that goes by the user: {@code anonymous}; {@code user} only where refused
 * @param id the id that goes by the user
 * @param personNo its own number
 * @param userNo the user's number
 * @param eventId the event that said so
 * @param occurredAt that event's own time; before it the two are apart in questions about the past
 * @param undoneBy who undid it, as in the audit log
 */
public record PersonMerge(
        String tenantId,
        String mergeId,
        String state,
        @Nullable String reason,
        String rule,
        String kind,
        String id,
        long personNo,
        String userId,
        long userNo,
        String eventId,
        Instant occurredAt,
        Instant recordedAt,
        @Nullable Instant undoneAt,
        @Nullable String undoneBy,
        long revision)
        implements PersonRecord, OfPerson<PersonMerge> {

    /** Value of the header {@code ce_type}, which tells it from a {@link PersonNumbered}. */
    public static final String TYPE = "person_merge";

    public static final String MERGED = "merged";
    public static final String REFUSED = "refused";
    public static final String UNDONE = "undone";

    @Override
    public Instant knownAt() {
        return recordedAt;
    }

    @Override
    public @Nullable PersonMerge withoutPerson() {
        return null;
    }

    public PersonMerge {
        if (!(personNo >= 1 && userNo >= 1)) {
            throw new IllegalArgumentException(
                    "personNo and userNo must be 1 or more, were %d and %d"
                            .formatted(personNo, userNo));
        }
        if (!(revision >= 1)) {
            throw new IllegalArgumentException("revision must be 1 or more, was " + revision);
        }
    }
}
