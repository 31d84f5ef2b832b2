package io.mirante.contracts.etl;

import java.time.Instant;

/**
 * The number of a person's id within a tenant, given once and never again. On {@code mirante.identities}, in the same Kafka
 * transaction as the person's first clean event.
 *
 * @param kind {@code user} or {@code anonymous}: which kind of id it is
 */
public record PersonNumbered(
        String tenantId, String kind, String id, long personNo, Instant numberedAt)
        implements PersonRecord {

    /** Value of the header {@code ce_type}, which tells it from a {@link PersonMerge}. */
    public static final String TYPE = "person_numbered";

    public PersonNumbered {
        if (!(personNo >= 1)) {
            throw new IllegalArgumentException("personNo must be 1 or more, was " + personNo);
        }
    }
}
