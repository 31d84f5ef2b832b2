package io.mirante.ingestion.intake;

import org.jspecify.annotations.Nullable;

/**
 * Answer to an event that came alone, whatever its form.
 *
 * @param eventId the id it has from now on
 */
public record AcceptedEvent(@Nullable String eventId, Status status) {}
