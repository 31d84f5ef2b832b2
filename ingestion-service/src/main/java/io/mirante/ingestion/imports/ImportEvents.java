package io.mirante.ingestion.imports;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.Json;
import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.events.EventItems;
import io.mirante.ingestion.intake.EventLimits;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.PatientIntake;
import io.mirante.ingestion.intake.Status;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Original;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * Takes a file line by line through the same check as every other way in, a thousand lines at a time. Each thousand is
 * stored by Kafka, then counted in the checkpoint, so a job that runs again goes on there: what it repeats has the same ids,
 * and nothing is counted twice. read = accepted + duplicates + rejected.
 */
@Component
final class ImportEvents implements JobHandler {

    static final String KIND = "import";

    private static final int AT_ONCE = 1_000;

    /** How long Kafka may be away before the run breaks off and the job is tried again. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /** How long to wait for more of the tenant's events per second. */
    private static final Duration LIMIT_PAUSE = Duration.ofMillis(200);

    private final Uploads uploads;
    private final EventItems items;
    private final Rejections rejections;
    private final PatientIntake intake;
    private final EventLimits tenantLimits;
    private final IngestionSettings settings;
    private final ImportSettings limits;
    private final Clock clock;

    ImportEvents(
            Uploads uploads,
            EventItems items,
            Rejections rejections,
            EventLimits tenantLimits,
            EventLog log,
            MeterRegistry meters,
            IngestionSettings settings,
            ImportSettings limits,
            Clock clock) {
        this.uploads = uploads;
        this.items = items;
        this.rejections = rejections;
        this.intake = new PatientIntake(new Intake(log, meters, "mirante.ingestion.imported"));
        this.tenantLimits = tenantLimits;
        this.settings = settings;
        this.limits = limits;
        this.clock = clock;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) throws Exception {
        var order = Json.mapper().treeToValue(context.payload(), ImportOrder.class);
        var upload = uploads.find(order.upload());
        if (!Files.exists(upload)) {
            throw new JobFailedException(
                    "upload-missing",
                    "the uploaded file is not on this replica or was removed; replicas need one folder"
                            + " MIRANTE_FILES; send the file again");
        }
        try {
            var result = take(context, order, upload);
            Files.deleteIfExists(upload);
            return result;
        } catch (JobFailedException | CancellationException e) {
            Files.deleteIfExists(upload);
            throw e;
        }
    }

    private JsonNode take(JobContext context, ImportOrder order, Path upload) throws Exception {
        var checkpointFile = context.file("checkpoint.json");
        var done = Checkpoint.of(checkpointFile);
        var seen = new SeenIds(context.file("ids"));
        try (var file = open(order, upload, context.tenant());
                var report = new Report(context.file(Report.NAME), done.reportBytes())) {
            file.skipTo(done.place());
            while (true) {
                double before = file.progress();
                var chunk = chunk(file);
                if (chunk.isEmpty()) {
                    break;
                }
                pay(context, chunk.size(), before, done);
                done =
                        store(
                                context.tenant(),
                                order,
                                file.format(),
                                chunk,
                                seen,
                                report,
                                done,
                                file.place());
                done.write(checkpointFile);
                context.progress(
                        file.progress(),
                        "%d lines read, %d rejected".formatted(done.read(), done.rejected()));
            }
        } catch (java.util.zip.ZipException | java.io.EOFException e) {
            throw new JobFailedException(
                    "malformed-file", "the file cannot be unpacked: " + e.getMessage());
        }
        seen.delete();
        return result(context, done);
    }

    /** Waits until the tenant's events per second have paid for a chunk; requests come first. */
    private void pay(JobContext context, int lines, double progress, Checkpoint done) {
        int open = lines;
        while (true) {
            var paid = tenantLimits.takeSpare(context.tenant(), open).block(PATIENCE);
            open -= paid == null ? 0 : paid;
            if (open == 0) {
                return;
            }
            context.progress(
                    progress,
                    "%d lines read, %d rejected; held to the tenant's events per second"
                            .formatted(done.read(), done.rejected()));
            var unused = Mono.delay(LIMIT_PAUSE).block();
        }
    }

    private ImportedFile open(ImportOrder order, Path upload, String tenant)
            throws JobFailedException {
        var given = order.mapping();
        var mapping = given == null ? Mapping.NONE : Mapping.of(given, new ArrayList<>());
        try {
            return new ImportedFile(
                    upload,
                    order.file(),
                    tenant,
                    order.source(),
                    mapping,
                    limits.maxUnpackedSize().toBytes());
        } catch (IllegalArgumentException | IOException e) {
            throw new JobFailedException("malformed-file", String.valueOf(e.getMessage()));
        }
    }

    private static List<ImportedFile.Read> chunk(ImportedFile file) throws IOException {
        var chunk = new ArrayList<ImportedFile.Read>(AT_ONCE);
        long bytes = 0;
        while (chunk.size() < AT_ONCE && bytes < 8L * 1024 * 1024) {
            long before = file.place().offset();
            var read = file.next();
            if (read == null) {
                break;
            }
            chunk.add(read);
            bytes += file.place().offset() - before;
        }
        return chunk;
    }

    private Checkpoint store(
            String tenant,
            ImportOrder order,
            ImportedFile.Format format,
            List<ImportedFile.Read> chunk,
            SeenIds seen,
            Report report,
            Checkpoint before,
            Lines.Place place)
            throws IOException {
        var rules =
                new EventValidator.Rules(
                        false,
                        true,
                        settings.maxEventBytes(),
                        clock.instant(),
                        "/import/" + order.source());
        var checked = new ArrayList<Item>(chunk.size());
        for (var read : chunk) {
            checked.add(check(tenant, read, rules, () -> original(order, format, read)));
        }
        var settled = intake.settleAll(checked).block(PATIENCE);
        if (settled == null) {
            throw new IllegalStateException("no outcome of " + chunk.size() + " lines");
        }
        long accepted = 0;
        long duplicates = 0;
        long rejected = 0;
        for (int i = 0; i < chunk.size(); i++) {
            var read = chunk.get(i);
            if (settled.get(i).status() == Status.REJECTED) {
                rejected++;
                report.add(new Report.Entry(read.line(), read.eventId(), settled.get(i).errors()));
            } else if (repeats(read, seen)) {
                duplicates++;
            } else {
                accepted++;
            }
        }
        return new Checkpoint(
                place,
                before.read() + chunk.size(),
                before.accepted() + accepted,
                before.duplicates() + duplicates,
                before.rejected() + rejected,
                report.bytes());
    }

    private static Original original(
            ImportOrder order, ImportedFile.Format format, ImportedFile.Read read) {
        return Original.of(
                ImportRetranslation.FORM,
                ImportRetranslation.kept(format, read, order.mapping()),
                read.event());
    }

    private Item check(
            String tenant,
            ImportedFile.Read read,
            EventValidator.Rules rules,
            Supplier<Original> original) {
        return read.faults().isEmpty()
                ? items.check(tenant, read.event(), rules, original).item()
                : rejections.of(
                        tenant,
                        read.eventId(),
                        null,
                        reason(read.faults()),
                        read.faults(),
                        rules.source(),
                        rules.receivedAt(),
                        original.get());
    }

    private static Reason reason(List<FieldError> faults) {
        return faults.getFirst().code().equals("malformed") ? Reason.MALFORMED : Reason.CONTRACT;
    }

    private static boolean repeats(ImportedFile.Read read, SeenIds seen) throws IOException {
        @Nullable String id = read.eventId();
        return read.given() && id != null && seen.repeats(id, read.line());
    }

    private static JsonNode result(JobContext context, Checkpoint done) {
        return Json.mapper()
                .createObjectNode()
                .put("read", done.read())
                .put("accepted", done.accepted())
                .put("duplicates", done.duplicates())
                .put("rejected", done.rejected())
                .put(
                        "report_url",
                        done.rejected() == 0
                                ? null
                                : "/api/v1/jobs/" + context.jobId() + "/files/" + Report.NAME);
    }
}
