package io.mirante.gateway.keys;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.stereotype.Component;

/** Collects when keys and people were last seen and writes it now and then, so that no request waits. Thread-safe. */
@Component
final class LastUse implements DisposableBean {

    private static final Logger LOG = LoggerFactory.getLogger(LastUse.class);
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private final ApiKeys keys;
    private final Clock clock;
    private final Map<String, Instant> seen = new ConcurrentHashMap<>();
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("last-use").factory());

    LastUse(ApiKeys keys, Clock clock, KeySettings settings) {
        this.keys = keys;
        this.clock = clock;
        long every = settings.lastUseEvery().toMillis();
        var unused =
                thread.scheduleWithFixedDelay(this::write, every, every, TimeUnit.MILLISECONDS);
    }

    void used(String keyId) {
        seen.put(keyId, clock.instant());
    }

    private void write() {
        var now = Map.copyOf(seen);
        if (now.isEmpty()) {
            return;
        }
        try {
            keys.seen(now).block(LIMIT);
            now.forEach(seen::remove);
        } catch (RuntimeException e) {
            LOG.warn("the last use of keys cannot be written: {}", e.getMessage());
        }
    }

    @Override
    public void destroy() {
        thread.shutdown();
        write();
    }
}
