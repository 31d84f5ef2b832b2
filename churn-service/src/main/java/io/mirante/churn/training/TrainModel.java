package io.mirante.churn.training;

import io.mirante.churn.model.Metrics;
import io.mirante.churn.model.ModelTrainer;
import io.mirante.churn.model.TooFewRowsException;
import io.mirante.churn.model.TrainingTable;
import io.mirante.churn.registry.ModelEntry;
import io.mirante.churn.registry.Models;
import io.mirante.churn.scoring.FeatureVectors;
import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.persistence.TenantDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * Trains a churn model: chooses past dates, asks etl for a training set as of past dates, waits for it, fits and judges a model, keeps it,
 * and puts it in force when it is the first or at least as good as the one in force on the same held-out rows. The
 * model's id follows from the job's, so a job that runs again keeps one model.
 */
@Component
final class TrainModel implements JobHandler {

    static final String KIND = "churn_training";

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration ROUNDING = Duration.ofSeconds(1);
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(30);

    private final EtlClient etl;
    private final TenantDatabase database;
    private final FeatureVectors vectors;
    private final Models models;
    private final Jobs jobs;

    TrainModel(
            EtlClient etl,
            TenantDatabase database,
            FeatureVectors vectors,
            Models models,
            Jobs jobs) {
        this.etl = etl;
        this.database = database;
        this.vectors = vectors;
        this.models = models;
        this.jobs = jobs;
    }

    /** What to train on. */
    record Order(String label, String horizon, long seed) {}

    /** The job's result. */
    record Outcome(
            String modelId,
            int version,
            boolean promoted,
            Metrics metrics,
            double threshold,
            List<String> features,
            List<String> warnings) {}

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws Exception {
        var order = Json.mapper().treeToValue(context.payload(), Order.class);
        var horizon = Duration.parse(order.horizon());
        var table = trainingSet(context, order, horizon);
        context.progress(0.6, "fitting a model on " + table.size() + " rows");
        ModelTrainer.Trained trained;
        try {
            trained = ModelTrainer.train(table, order.label(), horizon, order.seed());
        } catch (TooFewRowsException e) {
            throw new JobFailedException("too-few-rows", String.valueOf(e.getMessage()));
        }
        context.progress(0.9, "keeping the model");
        return keep(context, table, horizon, order.seed(), trained);
    }

    private TrainingTable trainingSet(JobContext context, Order order, Duration horizon)
            throws JobFailedException, IOException, SQLException {
        var tenant = context.tenant();
        var range = database.one(tenant, db -> vectors.history(db, tenant)).block(LIMIT);
        if (range == null) {
            throw new JobFailedException(
                    "no-history",
                    "no features of any user are known yet, so there is nothing to learn from");
        }
        var dates = AsOfDates.between(range.first(), range.last().minus(ROUNDING), horizon);
        if (dates.isEmpty()) {
            throw new JobFailedException(
                    "history-too-short",
                    "the history from %s to %s is too short for a horizon of %s; send older events or choose a shorter horizon"
                            .formatted(range.first(), range.last(), order.horizon()));
        }
        var file = context.file("training.parquet");
        download(context, order, dates, file);
        try {
            return TrainingFile.read(file);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private void download(JobContext context, Order order, List<Instant> dates, Path file)
            throws JobFailedException {
        var tenant = context.tenant();
        var job = etl.start(tenant, dates, order.label(), order.horizon());
        var deadline = System.nanoTime() + LONGEST_WAIT.toNanos();
        while (true) {
            var state = etl.job(tenant, job);
            switch (state.path("status").asString("")) {
                case "completed" -> {
                    etl.download(tenant, job, "training.parquet", file);
                    return;
                }
                case "failed", "cancelled" ->
                        throw new JobFailedException(
                                "training-set-failed",
                                "etl's training set ended as %s: %s"
                                        .formatted(
                                                state.path("status").asString(""),
                                                state.path("error")
                                                        .path("detail")
                                                        .asString("no reason given")));
                default -> {
                    if (System.nanoTime() > deadline) {
                        throw new JobFailedException(
                                "training-set-late",
                                "etl's training set " + job + " did not end in " + LONGEST_WAIT);
                    }
                    context.progress(
                            0.1 + 0.45 * state.path("progress").asDouble(0),
                            "waiting for etl's training set");
                    Mono.delay(PAUSE).block();
                }
            }
        }
    }

    private JsonNode keep(
            JobContext context,
            TrainingTable table,
            Duration horizon,
            long seed,
            ModelTrainer.Trained trained)
            throws TooFewRowsException {
        var tenant = context.tenant();
        var id = "mdl_" + context.jobId().substring(context.jobId().indexOf('_') + 1);
        var warnings = new ArrayList<>(trained.manifest().warnings());
        var current = models.current(tenant).block(LIMIT);
        Integer version = models.keep(tenant, id, trained.model(), trained.manifest()).block(LIMIT);
        boolean better = current == null || current.id().equals(id);
        if (current != null && !better) {
            better = isAtLeastAsGood(trained, current, table, horizon, seed, warnings);
        }
        if (better) {
            models.promote(tenant, id).block(LIMIT);
            jobs.submit(tenant, "rescore", Json.mapper().createObjectNode().put("model_id", id))
                    .block(LIMIT);
        }
        return Json.mapper()
                .valueToTree(
                        new Outcome(
                                id,
                                version == null ? 0 : version,
                                better,
                                trained.manifest().metrics(),
                                trained.manifest().threshold(),
                                trained.manifest().features(),
                                warnings));
    }

    private static boolean isAtLeastAsGood(
            ModelTrainer.Trained trained,
            ModelEntry current,
            TrainingTable table,
            Duration horizon,
            long seed,
            List<String> warnings)
            throws TooFewRowsException {
        var heldOut = ModelTrainer.heldOut(table, horizon, seed);
        double old = ModelTrainer.judge(current.model(), heldOut, seed).rocAuc().value();
        double now = trained.manifest().metrics().rocAuc().value();
        if (now >= old) {
            return true;
        }
        warnings.add(
                "not put in force: on the same held-out rows ROC AUC is %.4f, that of the model in force (%s) %.4f"
                        .formatted(now, current.id(), old));
        return false;
    }
}
