package io.mirante.ingestion;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Limits of the way in.
 *
 * @param maxEventBytes largest event as compact UTF-8 JSON, 1 KiB to 1 MiB ({@code MAX_EVENT_BYTES})
 * @param maxBodyBytes largest body, packed and unpacked alike, 1 KiB to 64 MiB
 * @param maxBatchEvents most events or readings of one body, 1 or more
 * @param clockTolerance how far {@code sent_at} may lie from the time of receipt before {@code timestamp} is corrected by
 *     the difference, 0 or more ({@code CLOCK_TOLERANCE}). Below it, differences are the network's and would reorder
 *     events
 * @param acknowledgeWithin how long Kafka may take to acknowledge before the answer is 503 or {@code retry}; 200 ms to
 *     10 s. The answer may take 100 ms more, when the producer does not even know where to send
 */
@ConfigurationProperties("mirante.ingestion")
public record IngestionSettings(
        @DefaultValue("65536") int maxEventBytes,
        @DefaultValue("8388608") int maxBodyBytes,
        @DefaultValue("5000") int maxBatchEvents,
        @DefaultValue("15m") Duration clockTolerance,
        @DefaultValue("800ms") Duration acknowledgeWithin) {

    public IngestionSettings {
        require(
                "max-event-bytes (MAX_EVENT_BYTES)",
                "1024 to 1048576",
                maxEventBytes,
                maxEventBytes >= 1024 && maxEventBytes <= 1_048_576);
        require(
                "max-body-bytes",
                "1024 to 67108864",
                maxBodyBytes,
                maxBodyBytes >= 1024 && maxBodyBytes <= 67_108_864);
        require("max-batch-events", "1 or more", maxBatchEvents, maxBatchEvents >= 1);
        require(
                "clock-tolerance (CLOCK_TOLERANCE)",
                "0 or more",
                clockTolerance,
                !clockTolerance.isNegative());
        require(
                "acknowledge-within",
                "200 ms to 10 s",
                acknowledgeWithin,
                acknowledgeWithin.toMillis() >= 200 && acknowledgeWithin.toMillis() <= 10_000);
    }

    private static void require(String name, String range, Object value, boolean valid) {
        if (!valid) {
            throw new IllegalArgumentException(
                    "mirante.ingestion.%s must be %s, was %s".formatted(name, range, value));
        }
    }
}
