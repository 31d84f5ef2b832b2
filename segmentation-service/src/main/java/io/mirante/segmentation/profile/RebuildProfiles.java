package io.mirante.segmentation.profile;

import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.rebuild.RebuildRange;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/** The job {@code profile_rebuild}: what is kept of users and visitors in a range of days. */
@Component
final class RebuildProfiles implements JobHandler {

    static final String KIND = "profile_rebuild";

    private final RebuildRange rebuild;

    RebuildProfiles(RebuildRange rebuild) {
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
