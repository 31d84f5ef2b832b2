package io.mirante.platform.messaging;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One record of a poll, parsed.
 *
 * @param source where the event first stood, when a service passed it on; else null
 * @param timestamp the record's time in Kafka
 */
public record Received<E>(
        E value, Position position, @Nullable Position source, Instant timestamp, Headers headers) {

    /** The same record with another value. */
    Received<E> with(E other) {
        return new Received<>(other, position, source, timestamp, headers);
    }
}
