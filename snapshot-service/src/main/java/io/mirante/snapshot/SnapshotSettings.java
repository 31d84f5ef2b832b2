package io.mirante.snapshot;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of snapshot-service.
 *
 * @param liveBuffer frames kept for a slow reader of the live feed before some are dropped, 1 to 100,000
 */
@ConfigurationProperties("mirante.snapshot")
public record SnapshotSettings(@DefaultValue("1000") int liveBuffer) {

    public SnapshotSettings {
        if (!(liveBuffer >= 1 && liveBuffer <= 100_000)) {
            throw new IllegalArgumentException(
                    "mirante.snapshot.live-buffer must be from 1 to 100000, was " + liveBuffer);
        }
    }
}
