package io.mirante.etl.features;

import java.time.Duration;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/** Whether more raw events wait than a poll takes: who can wait leaves the processors to the log then. Thread-safe. */
@Component
public final class LogBacklog {

    /** After a full poll, the next one tells. */
    private static final long LATELY = Duration.ofSeconds(1).toNanos();

    private final int fullPoll;
    private volatile long fullAt = System.nanoTime() - 2 * LATELY;

    LogBacklog(
            @Value(
                            "${spring.cloud.stream.kafka.bindings.storeRawEvents-in-0.consumer.configuration.max.poll.records}")
                    int fullPoll) {
        this.fullPoll = fullPoll;
    }

    /** A poll of so many records came. */
    public void polled(int records) {
        if (records >= fullPoll) {
            fullAt = System.nanoTime();
        }
    }

    /** Whether a poll was full within the last second. */
    boolean isThere() {
        return System.nanoTime() - fullAt < LATELY;
    }
}
