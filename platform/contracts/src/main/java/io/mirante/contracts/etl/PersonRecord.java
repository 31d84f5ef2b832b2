package io.mirante.contracts.etl;

/** What stands on {@code mirante.identities}; the header {@code ce_type} tells which it is. */
public sealed interface PersonRecord permits PersonNumbered, PersonMerge {

    String tenantId();
}
