package io.mirante.segmentation.clustering;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.JobController.JobAccepted;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code POST /api/v1/kpis/cluster}: starts a clustering. */
@RestController
class ClusterController {

    private static final int MOST_CLUSTERS = 50;
    private static final int K_MIN = 2;
    private static final int K_MAX = 8;
    private static final long SEED = 1;

    private final Jobs jobs;

    ClusterController(Jobs jobs) {
        this.jobs = jobs;
    }

    /**
     * What to make.
     *
     * @param k null = chosen by silhouette between kMin (2) and kMax (8)
     * @param features null = all
     * @param seed default 1
     */
    record ClusterRequest(
            @Nullable Integer k,
            @Nullable Integer kMin,
            @Nullable Integer kMax,
            @Nullable List<String> features,
            @Nullable Long seed) {}

    @PostMapping({"/api/v1/kpis/cluster", "/api/v1/kpis/clusterizar"})
    @PreAuthorize(Scopes.MANAGE)
    Mono<ResponseEntity<JobAccepted>> cluster(
            @RequestBody(required = false) @Nullable ClusterRequest body, Caller caller) {
        var request = body == null ? new ClusterRequest(null, null, null, null, null) : body;
        return jobs.submit(
                        caller.tenant(),
                        ClusterUsers.KIND,
                        Json.mapper().valueToTree(settings(request)))
                .map(JobController::accepted);
    }

    private static KMeansClustering.Settings settings(ClusterRequest request) {
        var errors = new ArrayList<FieldError>();
        Integer k = request.k();
        if (k != null && !(k >= 1 && k <= MOST_CLUSTERS)) {
            errors.add(outOfRange("/k", "k must be 1 to " + MOST_CLUSTERS + ", was " + k));
        }
        Integer givenMin = request.kMin();
        Integer givenMax = request.kMax();
        int kMin = givenMin == null ? K_MIN : givenMin;
        int kMax = givenMax == null ? Math.max(K_MAX, kMin) : givenMax;
        if (!(kMin >= 2 && kMin <= MOST_CLUSTERS)) {
            errors.add(
                    outOfRange("/k_min", "k_min must be 2 to " + MOST_CLUSTERS + ", was " + kMin));
        } else if (!(kMax >= kMin && kMax <= MOST_CLUSTERS)) {
            errors.add(
                    outOfRange(
                            "/k_max", "k_max must be k_min to " + MOST_CLUSTERS + ", was " + kMax));
        }
        var features = request.features();
        if (features != null && features.isEmpty()) {
            errors.add(outOfRange("/features", "features must name at least one, or be null"));
        }
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        Long seed = request.seed();
        return new KMeansClustering.Settings(k, kMin, kMax, features, seed == null ? SEED : seed);
    }

    private static FieldError outOfRange(String pointer, String message) {
        return new FieldError(pointer, "out_of_range", message);
    }
}
