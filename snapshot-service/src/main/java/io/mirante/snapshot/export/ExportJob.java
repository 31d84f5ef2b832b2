package io.mirante.snapshot.export;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.web.ProblemException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/** The job {@code export}: a file to be downloaded later. */
@Component
final class ExportJob implements JobHandler {

    static final String KIND = "export";

    private final Exports exports;

    ExportJob(Exports exports) {
        this.exports = exports;
    }

    @Override
    public String kind() {
        return KIND;
    }

    /** The file is under its name when it is whole. */
    @Override
    public JsonNode run(JobContext context) throws IOException, SQLException, JobFailedException {
        var export =
                Json.mapper()
                        .treeToValue(context.payload(), ExportRequest.class)
                        .toExport(exports.datasets());
        var scratch = context.scratch(export.fileName());
        try {
            var written =
                    exports.write(
                            context.tenant(),
                            export,
                            scratch,
                            () -> context.progress(0.1, "writing " + export.fileName()));
            var file = context.file(export.fileName());
            Files.move(scratch, file, StandardCopyOption.REPLACE_EXISTING);
            var result = Json.mapper().createObjectNode();
            result.put("dataset", export.dataset());
            result.put("format", export.format().wireName());
            result.put("rows", written.rows());
            result.put("bytes", Files.size(file));
            result.put("as_of", written.asOf().toString());
            result.putArray("files").add(export.fileName());
            return result;
        } catch (ProblemException e) {
            throw new JobFailedException("source-unavailable", String.valueOf(e.getMessage()));
        }
    }
}
