package io.mirante.platform.messaging;

import java.time.Duration;
import java.time.Instant;

/**
 * A record that is passed over as dead.
 *
 * @param timestamp the record's time in Kafka
 * @param headers as they came: nothing in them was checked
 * @param reason code of the dead letter
 * @param retries how often it was tried again, 0 when it could not be parsed
 * @param took from its poll until now
 */
public record DeadRecord(
        Position position,
        Instant timestamp,
        Headers headers,
        String reason,
        int retries,
        Duration took) {}
