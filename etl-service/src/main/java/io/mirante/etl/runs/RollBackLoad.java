package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.etl.features.Populations;
import io.mirante.platform.jobs.Job;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.ProblemException;
import java.time.Duration;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** The job {@code etl_rollback}: takes a load back, then has users compared again with whom they were before. May be done again. */
@Component
final class RollBackLoad implements JobHandler {

    private static final String KIND = "etl_rollback";
    private static final Duration LIMIT = Duration.ofMinutes(35);

    private final TenantDatabase database;

    RollBackLoad(TenantDatabase database) {
        this.database = database;
    }

    static Mono<Job> submit(Jobs jobs, DatabaseClient db, String tenant, String executionId) {
        return jobs.submit(db, tenant, KIND, named(executionId));
    }

    private static JsonNode named(String executionId) {
        return Json.mapper().createObjectNode().put(RunSource.EXECUTION_ID, executionId);
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws JobFailedException {
        var id = context.payload().path(RunSource.EXECUTION_ID).asString();
        context.progress(0, "taking the load back");
        try {
            database.one(context.tenant(), db -> FeatureLoads.rollBack(db, context.tenant(), id))
                    .block(LIMIT);
        } catch (ProblemException e) {
            throw new JobFailedException(e.kind(), String.valueOf(e.getMessage()));
        }
        Populations.compareAgain(database, context.tenant());
        return named(id);
    }
}
