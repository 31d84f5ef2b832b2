package io.mirante.platform.erasure;

import io.mirante.contracts.Json;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.erasure.ErasePerson.Target;
import io.mirante.platform.persistence.StreamDatabase;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Removes what an erasure leaves for after its transaction, person by person, and then gives the whole answer. The work is a row of {@code
 * person_erasure} under a lease: one replica at a time does it, and one that dies leaves it to another. It is put off while jobs of the
 * tenant run that began before the erasure: what they read of the person may still come into their files.
 */
final class FinishErasures implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(FinishErasures.class);
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration RENEW = Duration.ofSeconds(5);
    private static final Duration DATABASE = Duration.ofSeconds(10);

    private final ErasePerson eraser;
    private final StreamDatabase stream;
    private final JobFiles files;
    private final String worker;
    private volatile boolean running;
    private ScheduledExecutorService threads = Executors.newScheduledThreadPool(0);

    FinishErasures(ErasePerson eraser, StreamDatabase stream, JobFiles files, String worker) {
        this.eraser = eraser;
        this.stream = stream;
        this.files = files;
        this.worker = worker;
    }

    @Override
    public void start() {
        running = true;
        threads =
                Executors.newScheduledThreadPool(
                        2, Thread.ofPlatform().daemon().name("erasures-", 0).factory());
        var unused =
                threads.scheduleWithFixedDelay(this::workQuietly, 500, 500, TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        running = false;
        threads.shutdownNow();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private record Unfinished(Target person, String userHash, String erasureId, Instant since) {}

    private void workQuietly() {
        try {
            while (running) {
                var next = take();
                if (next == null) {
                    return;
                }
                finish(next);
            }
        } catch (CancellationException e) {
            LOG.info("an erasure is left to another replica");
        } catch (Exception | Error e) {
            if (running) {
                LOG.warn("cannot finish an erasure, trying again: {}", e.toString());
            }
        }
    }

    private @Nullable Unfinished take() {
        return stream.client()
                .sql(
                        """
                        UPDATE person_erasure SET lease_owner = $1, lease_until = now() + $2 * interval '1 second',
                            finished_at = CASE WHEN lease_until IS NULL THEN clock_timestamp() ELSE finished_at END
                        WHERE (tenant_id, user_hash) = (
                            SELECT tenant_id, user_hash FROM person_erasure
                            WHERE user_id IS NOT NULL AND (lease_until IS NULL OR lease_until < now())
                            ORDER BY finished_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                        RETURNING tenant_id, user_hash, user_id, erasure_id, person_nos, finished_at\
                        """)
                .bind(0, worker)
                .bind(1, LEASE.toSeconds())
                .map(FinishErasures::read)
                .one()
                .block(DATABASE);
    }

    private static Unfinished read(Readable row) {
        return new Unfinished(
                new Target(
                        text(row, 0),
                        text(row, 2),
                        Arrays.asList(Objects.requireNonNull(row.get(4, Long[].class)))),
                text(row, 1),
                text(row, 3),
                Objects.requireNonNull(row.get(5, Instant.class)));
    }

    private void finish(Unfinished work) throws Exception {
        if (jobsRun(work)) {
            keep(work, RENEW);
            return;
        }
        var lost = new AtomicBoolean();
        var renewal =
                threads.scheduleWithFixedDelay(
                        () -> renew(work, lost),
                        RENEW.toMillis(),
                        RENEW.toMillis(),
                        TimeUnit.MILLISECONDS);
        try {
            var person =
                    new PersonFiles(
                            work.person().userId(),
                            () -> {
                                if (lost.get() || !running) {
                                    throw new CancellationException("not ours any more");
                                }
                            });
            done(
                    work,
                    eraser.eraseRest(work.person(), person)
                            .and(files.erase(endedJobs(work), person)));
        } finally {
            renewal.cancel(false);
        }
    }

    /**
     * A job that nobody works at (the erasure itself, at the gateway) has no lease; one that goes on later and is between two turns
     * has no attempt.
     */
    private boolean jobsRun(Unfinished work) {
        return Boolean.TRUE.equals(
                stream.client()
                        .sql(
                                """
                                SELECT EXISTS (SELECT 1 FROM job WHERE tenant_id = $1 AND started_at <= $2
                                    AND ((status = 'pending' AND attempts > 0)
                                        OR (status = 'running' AND lease_until IS NOT NULL)))\
                                """)
                        .bind(0, work.person().tenantId())
                        .bind(1, work.since())
                        .map(row -> Objects.requireNonNull(row.get(0, Boolean.class)))
                        .one()
                        .block(DATABASE));
    }

    private List<String> endedJobs(Unfinished work) {
        return Objects.requireNonNull(
                stream.client()
                        .sql(
                                """
                                SELECT id FROM job WHERE tenant_id = $1 AND status <> 'running'
                                    AND (status <> 'pending' OR (attempts = 0 AND started_at IS NOT NULL))\
                                """)
                        .bind(0, work.person().tenantId())
                        .map(row -> text(row, 0))
                        .all()
                        .collectList()
                        .block(DATABASE));
    }

    private void renew(Unfinished work, AtomicBoolean lost) {
        try {
            lost.compareAndSet(false, !keep(work, LEASE));
        } catch (RuntimeException e) {
            LOG.warn("cannot renew the lease of an erasure: {}", e.getMessage());
        }
    }

    private boolean keep(Unfinished work, Duration lease) {
        return Objects.equals(
                stream.client()
                        .sql(
                                """
                                UPDATE person_erasure SET lease_until = now() + $5 * interval '1 second'
                                WHERE tenant_id = $1 AND user_hash = $2 AND erasure_id = $3 AND lease_owner = $4\
                                """)
                        .bind(0, work.person().tenantId())
                        .bind(1, work.userHash())
                        .bind(2, work.erasureId())
                        .bind(3, worker)
                        .bind(4, lease.toSeconds())
                        .fetch()
                        .rowsUpdated()
                        .block(DATABASE),
                1L);
    }

    private void done(Unfinished work, Erased removed) {
        stream.client()
                .sql(
                        """
                        UPDATE person_erasure SET user_id = NULL, lease_owner = NULL, lease_until = NULL,
                            finished_at = clock_timestamp(), removed = removed || $5::jsonb, revision = revision + 1
                        WHERE tenant_id = $1 AND user_hash = $2 AND erasure_id = $3 AND lease_owner = $4\
                        """)
                .bind(0, work.person().tenantId())
                .bind(1, work.userHash())
                .bind(2, work.erasureId())
                .bind(3, worker)
                .bind(4, Json.mapper().writeValueAsString(removed.removed()))
                .then()
                .block(DATABASE);
        LOG.atInfo()
                .addKeyValue("tenant_id", work.person().tenantId())
                .log("finished erasure {}", work.erasureId());
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
