package io.mirante.platform.rebuild;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.jobs.RemoteJobs;
import io.mirante.platform.web.TimeRange;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * The work of a job that makes a range of days anew from etl's log, while the old rows are shown and go on counting, and
 * swaps them in one transaction. Run again after a crash it goes on where it was. While etl is away it waits. Blocks.
 */
public final class RebuildRange {

    private static final Duration DATABASE = Duration.ofSeconds(60);
    private static final Duration LONG = Duration.ofMinutes(30);

    private final RebuildRows rows;
    private final Jobs jobs;
    private final RemoteJobs etl;

    RebuildRange(RebuildRows rows, Jobs jobs, RemoteJobs etl) {
        this.rows = rows;
        this.jobs = jobs;
        this.etl = etl;
    }

    /**
     * Does it, for the range {@code start_time} to {@code end_time} of the job's payload, each of which may be missing.
     *
     * @return what the swap changed
     */
    public JsonNode run(JobContext context) throws JobFailedException {
        var asked =
                TimeRange.ofBody(
                        time(context.payload(), "start_time"), time(context.payload(), "end_time"));
        var rebuild = rows.begin(context.tenant(), context.jobId(), asked).block(DATABASE);
        if (rebuild == null) {
            throw new JobFailedException(
                    "rebuild-running",
                    "another rebuild of the tenant is under way; wait for it or cancel it");
        }
        try {
            return run(rebuild, context);
        } catch (JobFailedException e) {
            done(rows.discard(rebuild));
            throw e;
        } catch (CancellationException e) {
            var cancelled = jobs.cancelRequested(context.tenant(), context.jobId());
            if (Boolean.TRUE.equals(cancelled.block(DATABASE))) {
                done(rows.discard(rebuild));
            }
            throw e;
        }
    }

    private JsonNode run(Rebuild rebuild, JobContext context) throws JobFailedException {
        var result = rebuild.result();
        if (result == null) {
            if (rebuild.state().equals(RebuildRows.CLEARING)) {
                context.progress(0, "clearing");
                refuse(rows.refusalToBegin(rebuild).block(DATABASE));
                done(rows.clear(rebuild, RebuildRows.CLEARING));
                done(rows.move(rebuild, RebuildRows.CLEARING, RebuildRows.RUNNING));
            }
            awaitReplay(rebuild, context.part("replay", 0.05, 0.85));
            context.progress(0.9, "swapping");
            var outcome = Objects.requireNonNull(rows.swap(rebuild).block(LONG));
            refuse(outcome.refusal());
            result = Objects.requireNonNull(outcome.result());
        }
        done(rows.end(rebuild));
        return result;
    }

    /** Until the second generation holds everything that was replayed. */
    private void awaitReplay(Rebuild rebuild, JobContext context) throws JobFailedException {
        var body = Json.mapper().createObjectNode();
        body.put("rebuild_id", rebuild.id());
        body.put("start_time", rebuild.range().start().toString());
        body.put("end_time", rebuild.range().end().toString());
        var unused =
                etl.await(
                        "/api/v1/etl/replays",
                        body,
                        context,
                        job ->
                                Objects.requireNonNull(rows.partsEnded(rebuild).block(DATABASE))
                                        == Topics.EVENTS_REPLAY.partitions());
    }

    private static void refuse(@Nullable String why) throws JobFailedException {
        if (why != null) {
            throw new JobFailedException("rebuild-refused", why);
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
