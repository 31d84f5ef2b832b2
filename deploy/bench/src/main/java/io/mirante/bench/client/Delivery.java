package io.mirante.bench.client;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What became of everything that was sent: sent = accepted + rejected.
 *
 * @param sent distinct places in the stream; a retry is no second sending
 * @param accepted acknowledged by the mesh, repeats of an id included
 * @param rejectedIds of events the mesh refused, in no order
 * @param retries requests that had to be repeated because a part of the mesh was busy or down
 * @param lastAcceptedAt when the last acknowledgement came
 */
public record Delivery(
        long sent,
        long accepted,
        List<String> rejectedIds,
        long retries,
        Instant lastAcceptedAt,
        Duration took) {

    public long rejected() {
        return rejectedIds.size();
    }

    public double perSecond() {
        return sent / Math.max(0.001, took.toMillis() / 1000.0);
    }
}
