package io.mirante.snapshot;

import java.time.ZoneId;
import java.util.Currency;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of snapshot-service; zone and currency stand for every tenant until tenants have their own.
 *
 * @param zone whose hours and days the windows follow
 * @param currency ISO 4217; that of amounts which name none, and of the overview's revenue
 * @param liveBuffer frames kept for a slow reader of the live feed before some are dropped, 1 to 100,000
 */
@ConfigurationProperties("mirante.snapshot")
public record SnapshotSettings(
        @DefaultValue("UTC") ZoneId zone,
        @DefaultValue("USD") Currency currency,
        @DefaultValue("1000") int liveBuffer) {

    public SnapshotSettings {
        if (!(liveBuffer >= 1 && liveBuffer <= 100_000)) {
            throw new IllegalArgumentException(
                    "mirante.snapshot.live-buffer must be from 1 to 100000, was " + liveBuffer);
        }
    }
}
