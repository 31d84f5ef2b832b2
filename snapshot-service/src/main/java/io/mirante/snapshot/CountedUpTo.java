package io.mirante.snapshot;

import io.mirante.platform.messaging.AsOf;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Up to when every accepted event is counted here. Thread-safe. */
@Component
public final class CountedUpTo implements SmartLifecycle {

    /** The consumer of clean events: its function, and the name of its positions. */
    public static final String CONSUMER = "countCleanEvents";

    private static final Logger LOG = LoggerFactory.getLogger(CountedUpTo.class);
    private static final long PERIOD_MILLIS = 500;

    private final AsOf asOf;
    private volatile Instant lately = Instant.EPOCH;
    private volatile @org.jspecify.annotations.Nullable ScheduledExecutorService timer;

    CountedUpTo(AsOf asOf) {
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
    public void start() {
        var started =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("counted-up-to").factory());
        timer = started;
        var unused =
                started.scheduleWithFixedDelay(
                        this::refresh, 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        var running = timer;
        timer = null;
        if (running != null) {
            running.shutdownNow();
        }
    }

    @Override
    public boolean isRunning() {
        return timer != null;
    }

    private void refresh() {
        try {
            lately = asOf.of(CONSUMER).blockOptional(Duration.ofSeconds(10)).orElse(lately);
        } catch (RuntimeException e) {
            LOG.debug("as_of stays at {}: {}", lately, e.getMessage());
        }
    }
}
