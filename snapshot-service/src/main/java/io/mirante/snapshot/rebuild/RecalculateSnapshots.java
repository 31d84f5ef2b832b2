package io.mirante.snapshot.rebuild;

import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.rebuild.RebuildRange;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/** The job {@code snapshot_recalc}: windows, counted events and persons of a range of days. */
@Component
final class RecalculateSnapshots implements JobHandler {

    static final String KIND = "snapshot_recalc";

    private final RebuildRange rebuild;

    RecalculateSnapshots(RebuildRange rebuild) {
        this.rebuild = rebuild;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws JobFailedException {
        return rebuild.run(context);
    }
}
