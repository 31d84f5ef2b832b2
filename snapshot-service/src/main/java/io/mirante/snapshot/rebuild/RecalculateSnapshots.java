package io.mirante.snapshot.rebuild;

import io.mirante.contracts.Topics;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.snapshot.TimeRange;
import io.mirante.snapshot.rebuild.SecondGeneration.Rebuild;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * The job {@code snapshot_recalc}: windows, counted events and persons of a range of days, made anew from etl's log while
 * the old ones are shown and go on counting, and swapped in one transaction. Run again after a crash it goes on where it
 * was. While etl is away it waits.
 */
@Component
final class RecalculateSnapshots implements JobHandler {

    static final String KIND = "snapshot_recalc";

    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration DATABASE = Duration.ofSeconds(60);
    private static final Duration LONG = Duration.ofMinutes(30);

    private final SecondGeneration second;
    private final EtlReplays etl;

    RecalculateSnapshots(SecondGeneration second, EtlReplays etl) {
        this.second = second;
        this.etl = etl;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws JobFailedException {
        var asked =
                TimeRange.ofBody(
                        time(context.payload(), "start_time"), time(context.payload(), "end_time"));
        var rebuild = second.begin(context.tenant(), context.jobId(), asked).block(DATABASE);
        if (rebuild == null) {
            throw new JobFailedException(
                    "rebuild-running",
                    "another rebuild of the tenant is under way; wait for it or cancel it");
        }
        try {
            return run(rebuild, context);
        } catch (JobFailedException e) {
            done(second.discard(rebuild));
            throw e;
        } catch (CancellationException e) {
            if (Boolean.TRUE.equals(second.cancelled(rebuild).block(DATABASE))) {
                done(second.discard(rebuild));
            }
            throw e;
        }
    }

    private JsonNode run(Rebuild rebuild, JobContext context) throws JobFailedException {
        var result = rebuild.result();
        if (result == null) {
            if (rebuild.state().equals(SecondGeneration.CLEARING)) {
                context.progress(0, "clearing");
                done(second.clear(rebuild, SecondGeneration.CLEARING));
                done(second.move(rebuild, SecondGeneration.CLEARING, SecondGeneration.RUNNING));
            }
            awaitReplay(rebuild, context);
            context.progress(0.9, "swapping");
            var outcome = Objects.requireNonNull(second.swap(rebuild).block(LONG));
            result = outcome.result();
            if (result == null) {
                throw new JobFailedException("rebuild-refused", String.valueOf(outcome.refusal()));
            }
        }
        done(second.end(rebuild));
        return result;
    }

    /** Until the second generation holds everything that was replayed. */
    private void awaitReplay(Rebuild rebuild, JobContext context) throws JobFailedException {
        String job = null;
        var replay = "asking etl for a replay";
        double progress = 0;
        while (true) {
            long ended = Objects.requireNonNull(second.partsEnded(rebuild).block(DATABASE));
            if (ended == Topics.EVENTS_REPLAY.partitions()) {
                return;
            }
            context.progress(0.05 + 0.8 * progress, replay);
            try {
                if (job == null) {
                    job =
                            etl.begin(rebuild.tenantId(), rebuild.id(), rebuild.range())
                                    .block(DATABASE);
                } else {
                    var state =
                            Objects.requireNonNull(
                                    etl.job(rebuild.tenantId(), job).block(DATABASE));
                    requireAlive(job, state);
                    progress = state.path("progress").asDouble(0);
                    replay = "etl replays: " + state.path("detail").asString("");
                }
            } catch (RuntimeException e) {
                replay = "waiting for etl: " + e.getMessage();
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    private static void requireAlive(String job, JsonNode state) throws JobFailedException {
        var status = state.path("status").asString("");
        if (status.equals("failed") || status.equals("cancelled")) {
            throw new JobFailedException(
                    "replay-failed",
                    "etl's replay %s ended as %s: %s"
                            .formatted(
                                    job,
                                    status,
                                    state.path("error")
                                            .path("detail")
                                            .asString("no reason given")));
        }
    }

    private static void done(Mono<Void> step) {
        step.block(LONG);
    }

    private static @Nullable Instant time(JsonNode payload, String name) {
        var text = payload.path(name).asString("");
        return text.isEmpty() ? null : Instant.parse(text);
    }
}
