package io.mirante.ingestion.intake;

import org.jspecify.annotations.Nullable;

/**
 * One event or reading of a request after its check.
 *
 * @param id what the answer calls it by: the event's id, made or given, or the device; null when it named none that can
 *     be used
 */
public record Checked(@Nullable String id, Item item) {}
