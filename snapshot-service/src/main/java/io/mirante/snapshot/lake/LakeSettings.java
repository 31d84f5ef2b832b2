package io.mirante.snapshot.lake;

import java.nio.file.Path;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the lake.
 *
 * @param folder where its files are; the same for all replicas ({@code MIRANTE_LAKE_FOLDER})
 * @param flushAfter after which a tenant's new rows become files, also when they are few; 0 to 1 day ({@code MIRANTE_LAKE_FLUSH_AFTER})
 * @param flushRows most rows of a batch; so many become files at once; 1 to 1,000,000 ({@code MIRANTE_LAKE_FLUSH_ROWS})
 */
@ConfigurationProperties("mirante.lake")
public record LakeSettings(
        Path folder,
        @DefaultValue("10m") Duration flushAfter,
        @DefaultValue("100000") int flushRows) {

    private static final Duration MAX = Duration.ofDays(1);

    public LakeSettings {
        folder = folder.toAbsolutePath().normalize();
        if (!(!flushAfter.isNegative() && flushAfter.compareTo(MAX) <= 0)) {
            throw new IllegalArgumentException(
                    "mirante.lake.flush-after must be 0 to 24 hours, was " + flushAfter);
        }
        if (!(flushRows >= 1 && flushRows <= 1_000_000)) {
            throw new IllegalArgumentException(
                    "mirante.lake.flush-rows must be from 1 to 1000000, was " + flushRows);
        }
    }
}
