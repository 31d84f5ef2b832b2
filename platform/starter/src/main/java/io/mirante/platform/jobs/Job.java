package io.mirante.platform.jobs;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Long work, as {@code GET /api/v1/jobs/{id}} shows it.
 *
 * @param id {@code <service>_<uuidv7>}
 * @param status pending, running, completed, failed or cancelled
 * @param progress [0, 1]
 * @param detail what it is at, or was when it failed or was cancelled; empty when it is completed, null when it has said nothing
 * @param error a problem detail, when failed
 */
public record Job(
        String id,
        @JsonIgnore String tenantId,
        String kind,
        JsonNode payload,
        String status,
        double progress,
        @Nullable String detail,
        Instant scheduledAt,
        Instant createdAt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        @Nullable JsonNode result,
        @Nullable JsonNode error) {}
