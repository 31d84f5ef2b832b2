package io.mirante.etl.runs;

import io.mirante.etl.EtlSettings;
import io.mirante.etl.quality.Tables;
import io.mirante.etl.quality.UnreadableTableException;
import io.mirante.platform.jobs.JobFailedException;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ends a run's step that takes longer than it may: the thread that does it, which must be a virtual one, is interrupted, so that
 * whatever it waits for ends, a socket too; and so is the statement that DuckDB is at. One per attempt; steps one after the other.
 */
final class StepLimit {

    /** An interruption can fall between two statements. */
    private static final Duration AGAIN = Duration.ofMillis(200);

    private final EtlSettings.Steps limits;
    private volatile @Nullable Tables tables;

    StepLimit(EtlSettings.Steps limits) {
        this.limits = limits;
    }

    /** What takes time. */
    enum Step {
        FETCH,
        CHECK,
        FEATURES,
        CHECK_FEATURES,
        LOAD;

        String setting() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** A step took longer than it may. */
    static final class ExceededException extends RuntimeException {
        private static final long serialVersionUID = 1;

        ExceededException(Step step, Duration limit, Throwable cause) {
            super(
                    "the step %s took longer than the %s of mirante.etl.steps.%s, and is tried three times; give it more time or less to do"
                            .formatted(
                                    step.setting(),
                                    limit.toString().substring(2).toLowerCase(Locale.ROOT),
                                    step.setting()),
                    cause);
        }
    }

    /** A step. */
    interface Work<T> {
        T run() throws IOException, SQLException, UnreadableTableException, JobFailedException;
    }

    /** From here on statements on these tables are interrupted too. */
    void interrupts(Tables used) {
        tables = used;
    }

    /**
     * Does a step.
     *
     * @throws ExceededException when it was ended
     */
    <T> T within(Step step, Work<T> work)
            throws IOException, SQLException, UnreadableTableException, JobFailedException {
        var limit = limits.of(step.setting());
        var watch = new Watch(Thread.currentThread(), limit);
        try {
            return work.run();
        } catch (IOException
                | SQLException
                | UnreadableTableException
                | JobFailedException
                | RuntimeException e) {
            if (watch.end()) {
                throw new ExceededException(step, limit, e);
            }
            throw e;
        } finally {
            watch.end();
        }
    }

    private final class Watch {

        private final Thread worker;
        private final Duration limit;
        private final CountDownLatch ended = new CountDownLatch(1);
        private boolean fired;

        Watch(Thread worker, Duration limit) {
            this.worker = worker;
            this.limit = limit;
            Thread.ofVirtual().name("step-limit").start(this::watch);
        }

        private void watch() {
            try {
                boolean over = ended.await(limit.toMillis(), TimeUnit.MILLISECONDS);
                while (!over) {
                    fire();
                    over = ended.await(AGAIN.toMillis(), TimeUnit.MILLISECONDS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private synchronized void fire() {
            if (ended.getCount() == 0) {
                return;
            }
            fired = true;
            worker.interrupt();
            var used = tables;
            if (used != null) {
                used.interrupt();
            }
        }

        /** Whether the step was interrupted; from here on it is not. */
        synchronized boolean end() {
            ended.countDown();
            if (fired) {
                // What it was interrupted for is over.
                Thread.interrupted();
            }
            return fired;
        }
    }
}
