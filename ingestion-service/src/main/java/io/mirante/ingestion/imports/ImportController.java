package io.mirante.ingestion.imports;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FileForm;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.codec.multipart.PartEvent;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** {@code POST /api/v1/events/import}: stores the file as it comes, in constant memory, and starts the job that takes it. */
@RestController
class ImportController {

    private static final int MAX_SOURCE_LENGTH = 100;
    private static final Set<String> FIELDS = Set.of("source", "mapping");

    private final Uploads uploads;
    private final Jobs jobs;
    private final ImportSettings settings;

    ImportController(Uploads uploads, Jobs jobs, ImportSettings settings) {
        this.uploads = uploads;
        this.jobs = jobs;
        this.settings = settings;
    }

    @PostMapping(path = "/api/v1/events/import", consumes = MediaType.MULTIPART_FORM_DATA_VALUE)
    @PreAuthorize(Scopes.INGEST)
    @Operation(summary = "Import a file of events: CSV, NDJSON or Parquet, plain or gzip")
    Mono<ResponseEntity<JobController.JobAccepted>> start(
            Caller caller, @RequestBody Flux<PartEvent> parts) {
        return FileForm.receive(parts, FIELDS, uploads::create, settings.maxFileSize().toBytes())
                .flatMap(form ->
                        submit(caller, form)
                                .onErrorResume(e -> form.discard().then(Mono.error(e))));
    }

    private Mono<ResponseEntity<JobController.JobAccepted>> submit(Caller caller, FileForm form) {
        return Mono.fromCallable(() -> order(form))
                .flatMap(order ->
                        jobs.submit(
                                caller.tenant(),
                                ImportEvents.KIND,
                                Json.mapper().valueToTree(order)))
                .map(JobController::accepted);
    }

    private static ImportOrder order(FileForm form) throws IOException {
        var source = form.fields().getOrDefault("source", form.fileName()).strip();
        if (source.isEmpty()
                || source.length() > MAX_SOURCE_LENGTH
                || source.chars().anyMatch(Character::isISOControl)) {
            throw ProblemException.malformed(
                    "/source",
                    "invalid",
                    "source must have 1 to %d characters, none of them a control character"
                            .formatted(MAX_SOURCE_LENGTH));
        }
        return new ImportOrder(
                form.file().getFileName().toString(),
                form.fileName(),
                source,
                Files.size(form.file()),
                mapping(form.fields().get("mapping")));
    }

    private static @Nullable JsonNode mapping(@Nullable String given) {
        if (given == null || given.isBlank()) {
            return null;
        }
        JsonNode mapping;
        try {
            mapping = Json.mapper().readTree(given);
        } catch (JacksonException e) {
            throw ProblemException.malformed(
                    "/mapping", "invalid_json", "mapping must be JSON: " + Json.reason(e));
        }
        ImportRetranslation.requireMapping(mapping);
        return mapping;
    }
}
