package io.mirante.platform.rebuild;

import io.mirante.platform.web.TimeRange;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A rebuild as it stands.
 *
 * @param id that of its job
 * @param measures what it counts with, of {@link SecondGeneration#measures}
 * @param result what the swap changed; null before it
 */
public record Rebuild(
        String tenantId,
        String id,
        TimeRange range,
        String measures,
        String state,
        @Nullable JsonNode result) {}
