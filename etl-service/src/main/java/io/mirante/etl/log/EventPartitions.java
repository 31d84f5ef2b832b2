package io.mirante.etl.log;

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

/**
 * Makes the event log's partitions for the months to come, at start and every day. Should it fail, rows go to the default
 * partition: nothing is refused.
 */
@Component
@CrossTenant("partitions hold all tenants")
final class EventPartitions implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(EventPartitions.class);
    private static final int MONTHS_AHEAD = 2;
    private static final Duration LIMIT = Duration.ofSeconds(70);

    private final StreamDatabase stream;
    private ScheduledExecutorService thread = Executors.newScheduledThreadPool(0);
    private volatile boolean running;

    EventPartitions(StreamDatabase stream) {
        this.stream = stream;
    }

    @Override
    public void start() {
        running = true;
        thread =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("event-partitions").factory());
        var unused = thread.scheduleWithFixedDelay(this::create, 0, 1, TimeUnit.DAYS);
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

    private void create() {
        try {
            Integer made =
                    stream.client()
                            .sql("SELECT create_event_partitions($1)")
                            .bind(0, MONTHS_AHEAD)
                            .map(row -> row.get(0, Integer.class))
                            .one()
                            .block(LIMIT);
            if (made != null && made > 0) {
                LOG.info("made {} partitions of the event log", made);
            }
        } catch (RuntimeException e) {
            if (running) {
                LOG.warn("cannot make partitions of the event log today: {}", e.getMessage());
            }
        }
    }
}
