package io.mirante.industry40.twin;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.Instant;
import tools.jackson.databind.JsonNode;

/**
 * A device's twin.
 *
 * @param reported by metric: {@code {"value", "at"}}
 * @param desired by metric: what is wanted
 * @param delta what is wanted and not reported (yet)
 * @param revision rises with every change; the ETag
 */
record Twin(
        String deviceId,
        String deviceType,
        JsonNode reported,
        JsonNode desired,
        JsonNode delta,
        Instant reportedAt,
        long revision,
        Instant asOf) {

    @JsonIgnore
    String etag() {
        return "\"" + revision + "\"";
    }
}
