package io.mirante.platform.lifecycle;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Does something again and again on one thread of its own, from the service's start to its stop. A turn that fails is told in the
 * log, once a minute at most while it goes on failing, and the next one comes after the pause as ever.
 */
public abstract class Periodic implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(Periodic.class);
    private static final long QUIET = TimeUnit.MINUTES.toNanos(1);

    private final String name;
    private final Duration first;
    private final Duration pause;
    private volatile @Nullable ScheduledThreadPoolExecutor thread;

    /** Failures since the last turn that worked, and when the log was told of one; of the turns' thread alone. */
    private long failures;

    private long toldAt;

    /**
     * @param name of the thread and in the log, such as {@code old-backups}
     * @param first pause before the first turn; may be zero
     * @param pause between the end of a turn and the beginning of the next; more than zero
     */
    protected Periodic(String name, Duration first, Duration pause) {
        this.name = name;
        this.first = first;
        this.pause = pause;
    }

    /** What is to be done each time; may block, and is interrupted when the service stops. */
    protected abstract void turn();

    @Override
    public final void start() {
        var started =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().daemon().name(name).factory());
        thread = started;
        var unused =
                started.scheduleWithFixedDelay(
                        this::safely, first.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public final void stop() {
        var stopped = thread;
        thread = null;
        if (stopped != null) {
            stopped.shutdownNow();
        }
    }

    @Override
    public final boolean isRunning() {
        return thread != null;
    }

    private void safely() {
        try {
            turn();
            if (failures > 0) {
                LOG.info("{}: works again after {} failed turns", name, failures);
                failures = 0;
            }
        } catch (RuntimeException | Error e) {
            if (isRunning()) {
                tell(e);
            }
        }
    }

    private void tell(Throwable e) {
        if (failures++ == 0 || System.nanoTime() - toldAt > QUIET) {
            toldAt = System.nanoTime();
            LOG.warn("{}: failed, and is tried again in {}: {}", name, pause, e.toString());
        }
    }
}
