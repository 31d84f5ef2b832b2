package io.mirante.snapshot;

import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.messaging.AsOf;
import java.time.Duration;
import java.time.Instant;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Up to when every accepted event is counted here. Thread-safe. */
@Component
public final class CountedUpTo extends Periodic {

    /** The consumer of clean events: its function, and the name of its positions. */
    public static final String CONSUMER = "countCleanEvents";

    private static final Duration PERIOD = Duration.ofMillis(500);
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final AsOf asOf;
    private volatile Instant lately = Instant.EPOCH;

    CountedUpTo(AsOf asOf) {
        super("counted-up-to", Duration.ZERO, PERIOD);
        this.asOf = asOf;
    }

    /** At this moment; ask before reading what it describes. */
    public Mono<Instant> now() {
        return asOf.of(CONSUMER);
    }

    /**
     * As it was half a second ago or so, without asking the database: for whoever then writes in a transaction, and so
     * builds on all that was counted before.
     */
    public Instant lately() {
        return lately;
    }

    @Override
    protected void turn() {
        lately = asOf.of(CONSUMER).blockOptional(LIMIT).orElse(lately);
    }
}
