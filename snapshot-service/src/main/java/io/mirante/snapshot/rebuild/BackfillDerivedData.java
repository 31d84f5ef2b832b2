package io.mirante.snapshot.rebuild;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.jobs.RemoteJobs;
import io.mirante.platform.rebuild.RebuildRange;
import io.mirante.platform.security.TokenMinter;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The job {@code backfill}: everything that services keep of a range of days, made anew from etl's log, one service after the
 * other. segmentation-service comes first, since it may refuse what snapshot-service can do: then nothing was changed.
 */
@Component
final class BackfillDerivedData implements JobHandler {

    static final String KIND = "backfill";

    private static final String PATH = "/api/v1/segmentation/rebuilds";

    private static final Duration DATABASE = Duration.ofSeconds(60);

    private final RebuildRange rebuild;
    private final Jobs jobs;
    private final RemoteJobs segmentation;

    BackfillDerivedData(
            RebuildRange rebuild,
            Jobs jobs,
            @Value("${mirante.snapshot.segmentation-url}") String url,
            TokenMinter tokens) {
        this.rebuild = rebuild;
        this.jobs = jobs;
        this.segmentation = new RemoteJobs("segmentation-service", url, "snapshot-service", tokens);
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws JobFailedException {
        var result = Json.mapper().createObjectNode();
        result.set("segmentation", rebuildSegmentation(context.part("profiles", 0, 0.5)));
        result.set("snapshot", rebuildSnapshots(context.part("snapshots", 0.5, 1)));
        return result;
    }

    private JsonNode rebuildSegmentation(JobContext context) throws JobFailedException {
        var body = (ObjectNode) context.payload().deepCopy();
        body.put("asked_by", context.jobId());
        try {
            return segmentation
                    .await(
                            PATH,
                            body,
                            context,
                            job -> job.path("status").asString("").equals("completed"))
                    .path("result");
        } catch (CancellationException e) {
            var cancelled = jobs.cancelRequested(context.tenant(), context.jobId());
            if (Boolean.TRUE.equals(cancelled.block(DATABASE))) {
                segmentation.cancel(context.tenant(), PATH, body);
            }
            throw e;
        }
    }

    private JsonNode rebuildSnapshots(JobContext context) throws JobFailedException {
        try {
            return rebuild.run(context);
        } catch (JobFailedException e) {
            throw new JobFailedException(
                    e.kind(),
                    "segmentation-service is done, snapshot-service is not: " + e.getMessage());
        }
    }
}
