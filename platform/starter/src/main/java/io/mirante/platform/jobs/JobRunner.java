package io.mirante.platform.jobs;

import io.mirante.contracts.Json;
import io.mirante.platform.web.ProblemHandler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.http.HttpStatus;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;
import tools.jackson.databind.JsonNode;

/**
 * Takes jobs one by one, at most two at a time, and runs each on a virtual thread while renewing its lease. A job that
 * breaks is tried three times, starts of workers that died among them; a worker that dies leaves a lease that runs out, and another starts the job again, up to five times,
 * since it may be the job that they die of. A worker that stops gives its jobs back. A job that goes on later waits in the queue, not
 * here.
 */
final class JobRunner implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(JobRunner.class);
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration RENEW = Duration.ofSeconds(5);
    private static final Duration DATABASE = Duration.ofSeconds(10);
    private static final Duration STOP = Duration.ofSeconds(5);
    private static final int TRIES = 3;
    private static final int STARTS = 5;
    private static final int AT_ONCE = 2;

    private final Jobs jobs;
    private final Map<String, JobHandler> handlers;
    private final String worker;
    private final Path files;
    private final Semaphore free = new Semaphore(AT_ONCE);
    private volatile boolean running;
    private ScheduledExecutorService timer = Executors.newScheduledThreadPool(0);

    JobRunner(Jobs jobs, List<JobHandler> handlers, String worker, Path files) {
        this.jobs = jobs;
        this.handlers =
                handlers.stream().collect(Collectors.toMap(JobHandler::kind, Function.identity()));
        this.worker = worker;
        this.files = files;
    }

    @Override
    public void start() {
        running = true;
        timer =
                Executors.newScheduledThreadPool(
                        1, Thread.ofPlatform().daemon().name("jobs-", 0).factory());
        if (!handlers.isEmpty()) {
            var unused =
                    timer.scheduleWithFixedDelay(
                            this::takeQuietly, 500, 500, TimeUnit.MILLISECONDS);
            jobs.onSubmitted(this::takeSoon);
        }
    }

    @Override
    public void stop() {
        running = false;
        timer.shutdownNow();
        try {
            if (!free.tryAcquire(AT_ONCE, STOP.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("a job does not stop; it is started again when its lease has run out");
            } else {
                free.release(AT_ONCE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** When the transaction that stores a job is over, as a rule. */
    private void takeSoon() {
        try {
            var unused = timer.schedule(this::takeQuietly, 30, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("stopping: another worker takes the job");
        }
    }

    private void takeQuietly() {
        try {
            while (running && free.tryAcquire()) {
                var taken =
                        jobs.take(worker + " " + UUID.randomUUID(), handlers.keySet(), LEASE)
                                .block(DATABASE);
                if (taken == null) {
                    free.release();
                    return;
                }
                Thread.ofVirtual()
                        .name("job-" + taken.job().id())
                        .start(() -> runAndRelease(taken));
            }
        } catch (RuntimeException e) {
            free.release();
            LOG.warn("cannot take a job, trying again: {}", e.getMessage());
        }
    }

    private void runAndRelease(Jobs.Taken taken) {
        try {
            run(taken);
        } finally {
            free.release();
        }
    }

    private void run(Jobs.Taken taken) {
        var job = taken.job();
        if (taken.attempts() > STARTS) {
            end(
                    taken,
                    "failed",
                    null,
                    null,
                    problem(
                            job,
                            "internal-error",
                            "it was started "
                                    + STARTS
                                    + " times, and each time its worker died before the end"));
            return;
        }
        var state = new State();
        ScheduledFuture<?> renewal;
        try {
            renewal =
                    timer.scheduleWithFixedDelay(
                            () -> renew(taken, state), 0, RENEW.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // Taken in the moment of the stop.
            giveBack(taken);
            return;
        }
        try {
            var handler = handlers.get(job.kind());
            if (handler == null) {
                throw new IllegalStateException("no handler for " + job.kind());
            }
            var context =
                    new JobContext(
                            job.id(),
                            job.tenantId(),
                            job.payload(),
                            files.resolve(job.id()),
                            (progress, detail) -> {
                                state.progress = progress;
                                state.detail = detail;
                            },
                            () -> state.cancelled || !running);
            // What it was at says nothing any more: its result does.
            end(taken, "completed", "", handler.run(context), null);
        } catch (CancellationException e) {
            if (state.cancelled) {
                end(taken, "cancelled", state.detail, null, null);
            } else {
                giveBack(taken);
            }
        } catch (JobAgainException e) {
            again(taken, state, e);
        } catch (JobFailedException e) {
            end(
                    taken,
                    "failed",
                    state.detail,
                    null,
                    problem(job, e.kind(), String.valueOf(e.getMessage())));
        } catch (Exception e) {
            failed(taken, state, e);
        } finally {
            renewal.cancel(false);
        }
    }

    private void giveBack(Jobs.Taken taken) {
        try {
            jobs.giveBack(taken).block(DATABASE);
        } catch (RuntimeException e) {
            LOG.warn(
                    "cannot give job {} back; its lease runs out: {}",
                    taken.job().id(),
                    e.getMessage());
        }
    }

    private void failed(Jobs.Taken taken, State state, Exception e) {
        var job = taken.job();
        LOG.atError()
                .setCause(e)
                .addKeyValue("tenant_id", job.tenantId())
                .log("job {} ({}) broke", job.id(), job.kind());
        try {
            if (taken.attempts() < TRIES) {
                jobs.retryLater(taken, Duration.ofSeconds(2L << taken.attempts())).block(DATABASE);
            } else {
                end(
                        taken,
                        "failed",
                        state.detail,
                        null,
                        problem(
                                job,
                                "internal-error",
                                "the job broke, at start %d of at most %d; the log has it under its id"
                                        .formatted(taken.attempts(), TRIES)));
            }
        } catch (RuntimeException database) {
            LOG.warn(
                    "cannot record the failure of job {}; its lease runs out: {}",
                    job.id(),
                    database.getMessage());
        }
    }

    private void again(Jobs.Taken taken, State state, JobAgainException later) {
        jobs.again(taken, later.after(), state.progress, later.detail())
                .retryWhen(Retry.backoff(5, Duration.ofMillis(300)))
                .block(DATABASE.multipliedBy(3));
    }

    private void end(
            Jobs.Taken taken,
            String status,
            @Nullable String detail,
            @Nullable JsonNode result,
            @Nullable JsonNode error) {
        jobs.end(taken, status, detail, result, error)
                .retryWhen(Retry.backoff(5, Duration.ofMillis(300)))
                .block(DATABASE.multipliedBy(3));
    }

    private void renew(Jobs.Taken taken, State state) {
        try {
            Boolean cancel =
                    jobs.renew(taken, LEASE, state.progress, state.detail)
                            .onErrorResume(e -> Mono.just(false))
                            .block(DATABASE);
            // empty: the lease is another's by now, so this run must stop; what it says at its end
            // changes nothing
            state.cancelled = state.cancelled || cancel == null || cancel;
        } catch (RuntimeException e) {
            LOG.warn("cannot renew the lease of job {}: {}", taken.job().id(), e.getMessage());
        }
    }

    private static JsonNode problem(Job job, String kind, String detail) {
        return Json.mapper()
                .valueToTree(
                        ProblemHandler.body(
                                HttpStatus.UNPROCESSABLE_CONTENT,
                                kind,
                                detail,
                                "/api/v1/jobs/" + job.id(),
                                job.id()));
    }

    private static final class State {
        private volatile double progress;
        private volatile String detail = "";
        private volatile boolean cancelled;
    }
}
