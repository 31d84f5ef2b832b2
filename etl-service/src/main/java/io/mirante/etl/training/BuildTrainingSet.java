package io.mirante.etl.training;

import io.mirante.contracts.Json;
import io.mirante.etl.features.FeatureCatalog;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobHandler;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/**
 * The job {@code training_set}: features of every user at each moment, and the label from what followed, as a Parquet
 * file with columns {@code as_of} (with time zone), {@code user_id}, the features (double, null = absent) and {@code label} (1 =
 * churned). Rows stream through; memory does not grow with their number. Run again it starts its file anew.
 */
@Component
final class BuildTrainingSet implements JobHandler {

    static final String KIND = "training_set";
    static final String FILE = "training.parquet";

    private static final int READ_AHEAD = 1_000;

    private final PastEvents past;

    BuildTrainingSet(PastEvents past) {
        this.past = past;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws IOException, SQLException {
        var request =
                Json.mapper().treeToValue(context.payload(), TrainingSetRequest.class).validated();
        long rows = 0;
        long positives = 0;
        try (var file = new ParquetFile(context.file(FILE))) {
            int done = 0;
            for (var moment : request.asOf()) {
                context.progress(0.9 * done++ / request.asOf().size(), "features as of " + moment);
                try (var users =
                        past.at(context.tenant(), moment, request.horizon()).toStream(READ_AHEAD)) {
                    for (var user : (Iterable<PastEvents.Row>) users::iterator) {
                        file.append(moment, user);
                        rows++;
                        positives += user.label();
                    }
                }
            }
            context.progress(0.9, "writing " + FILE);
            file.finish();
        }
        return result(request, rows, positives);
    }

    private static JsonNode result(TrainingSetRequest.Valid request, long rows, long positives) {
        var result = Json.mapper().createObjectNode();
        result.put("rows", rows);
        result.put("positives", positives);
        var moments = result.putArray("as_of");
        request.asOf().stream().map(Instant::toString).forEach(moments::add);
        result.put("version", FeatureCatalog.VERSION);
        var features = result.putArray("features");
        FeatureCatalog.training().forEach(f -> features.add(f.name()));
        result.putArray("files").add(FILE);
        return result;
    }
}
