package io.mirante.etl.runs;

import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/** Drops backups of loads whose time is over, every hour; PostgreSQL's clock decides. */
@Component
@CrossTenant("backups of all tenants grow old")
final class DropOldBackups implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(DropOldBackups.class);
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private final StreamDatabase stream;
    private ScheduledExecutorService thread = Executors.newScheduledThreadPool(0);
    private volatile boolean running;

    DropOldBackups(StreamDatabase stream) {
        this.stream = stream;
    }

    @Override
    public void start() {
        running = true;
        thread =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("old-backups").factory());
        var unused = thread.scheduleWithFixedDelay(this::drop, 1, 60, TimeUnit.MINUTES);
    }

    @Override
    public void stop() {
        running = false;
        thread.shutdownNow();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private void drop() {
        try {
            Long rows = FeatureLoads.dropOldBackups(stream.client()).block(LIMIT);
            if (rows != null && rows > 0) {
                LOG.info("dropped {} rows of old backups", rows);
            }
        } catch (RuntimeException e) {
            if (running) {
                LOG.warn("cannot drop old backups this hour: {}", e.getMessage());
            }
        }
    }
}
