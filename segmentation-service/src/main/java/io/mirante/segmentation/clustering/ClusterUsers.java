package io.mirante.segmentation.clustering;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.persistence.TenantDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/**
 * Clusters a tenant's users: reads their newest features, fits a model, puts it in force and gives everyone their place.
 * The model's id follows from the job's, so a job that runs again keeps one model.
 */
@Component
final class ClusterUsers implements JobHandler {

    static final String KIND = "clustering";

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int PAGE = 5_000;
    private static final int MOST_USERS = 500_000;

    private final TenantDatabase database;
    private final UserVectors vectors;
    private final ClusterModels models;
    private final AssignClusters assigning;

    ClusterUsers(
            TenantDatabase database,
            UserVectors vectors,
            ClusterModels models,
            AssignClusters assigning) {
        this.database = database;
        this.vectors = vectors;
        this.models = models;
        this.assigning = assigning;
    }

    /** The job's result. */
    record Outcome(
            String modelId,
            int k,
            @Nullable Double silhouette,
            Map<Integer, Double> tried,
            double inertia,
            int users,
            List<String> features,
            List<Cluster> clusters,
            List<String> warnings) {
        record Cluster(int cluster, String label, int users) {}
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws Exception {
        var settings =
                Json.mapper().treeToValue(context.payload(), KMeansClustering.Settings.class);
        var tenant = context.tenant();
        context.progress(0.05, "reading features");
        var users = read(tenant);
        context.progress(0.2, "clustering " + users.size() + " users");
        ClusterModel model;
        try {
            var id = "clm_" + context.jobId().substring(context.jobId().indexOf('_') + 1);
            model = KMeansClustering.fit(id, users, settings);
        } catch (KMeansClustering.ImpossibleException e) {
            throw new JobFailedException("clustering-impossible", String.valueOf(e.getMessage()));
        }
        context.progress(0.7, "assigning users");
        database.one(tenant, db -> models.putInForce(db, tenant, model)).block(LIMIT);
        int done = 0;
        while (true) {
            Integer some = database.one(tenant, db -> assigning.some(db, tenant)).block(LIMIT);
            if (some == null || some == 0) {
                break;
            }
            done += some;
            context.progress(
                    0.7 + 0.3 * Math.min(1, done / (double) users.size()),
                    done + " users assigned");
        }
        return Json.mapper().valueToTree(outcome(model));
    }

    private List<UserVector> read(String tenant) throws JobFailedException {
        var all = new ArrayList<UserVector>();
        String after = null;
        while (true) {
            var from = after;
            var page =
                    database.many(tenant, db -> vectors.list(db, tenant, from, PAGE))
                            .collectList()
                            .block(LIMIT);
            if (page == null || page.isEmpty()) {
                return all;
            }
            all.addAll(page);
            after = page.getLast().userId();
            if (all.size() > MOST_USERS) {
                throw new JobFailedException(
                        "too-many-users", "clustering takes at most " + MOST_USERS + " users");
            }
        }
    }

    private static Outcome outcome(ClusterModel model) {
        var clusters = new ArrayList<Outcome.Cluster>();
        for (int c = 0; c < model.k(); c++) {
            clusters.add(new Outcome.Cluster(c, model.labels().get(c), model.sizes().get(c)));
        }
        return new Outcome(
                model.id(),
                model.k(),
                model.silhouette(),
                model.tried(),
                model.inertia(),
                model.rows(),
                model.features(),
                clusters,
                model.warnings());
    }
}
