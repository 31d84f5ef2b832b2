package io.mirante.bench.client;

import java.time.Duration;
import tools.jackson.databind.JsonNode;

/**
 * What the gateway said.
 *
 * @param status HTTP status
 * @param body parsed JSON; a missing node when the body was empty or no JSON
 * @param text the body as text
 * @param retryAfter from the header of that name, zero without one
 * @param location from the header of that name, empty without one
 */
public record Answer(int status, JsonNode body, String text, Duration retryAfter, String location) {

    public boolean ok() {
        return status >= 200 && status < 300;
    }

    /** Whether the same request may be sent again later: the mesh is busy or a part of it is down. */
    public boolean transientFailure() {
        return status == 429 || status == 502 || status == 503 || status == 504;
    }

    /** One line for people. */
    public String summary() {
        String detail = body.path("detail").asString("");
        String title = body.path("title").asString("");
        String said = detail.isEmpty() ? title : detail;
        if (said.isEmpty()) {
            said = text.length() > 200 ? text.substring(0, 200) + "…" : text;
        }
        return status + (said.isEmpty() ? "" : " " + said.replace('\n', ' '));
    }

    /**
     * This answer.
     *
     * @throws MeshException when it is no success
     */
    public Answer required(String what) {
        if (!ok()) {
            throw new MeshException(what + ": the mesh answered " + summary());
        }
        return this;
    }
}
