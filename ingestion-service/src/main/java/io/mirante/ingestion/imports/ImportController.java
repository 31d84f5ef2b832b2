package io.mirante.ingestion.imports;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.FieldError;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.codec.multipart.FilePartEvent;
import org.springframework.http.codec.multipart.FormPartEvent;
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
        var form = new Form();
        return parts.windowUntil(PartEvent::isLast)
                .concatMap(part ->
                        part.switchOnFirst((first, events) -> {
                            var event = first.get();
                            return event == null ? events.then() : take(form, event, events);
                        }))
                .then(Mono.defer(() -> submit(caller, form)))
                .onErrorResume(e -> form.discard().then(Mono.error(e)));
    }

    /** The parts of the body as they come. Not thread-safe: they come one after the other. */
    private static final class Form {
        private final TreeMap<String, String> fields = new TreeMap<>();
        private @Nullable Path upload;
        private String fileName = "";

        Mono<Void> discard() {
            var path = upload;
            return path == null
                    ? Mono.empty()
                    : Mono.fromCallable(() -> Files.deleteIfExists(path)).onErrorComplete().then();
        }
    }

    private Mono<Void> take(Form form, PartEvent first, Flux<PartEvent> events) {
        if (first instanceof FormPartEvent field) {
            form.fields.put(field.name(), field.value());
            return events.then();
        }
        if (!(first instanceof FilePartEvent file) || !file.name().equals("file")) {
            return events.doOnNext(e -> DataBufferUtils.release(e.content()))
                    .then(
                            Mono.error(() ->
                                    ProblemException.malformed(
                                            "/" + first.name(),
                                            "unknown_field",
                                            "the parts are file, source and mapping")));
        }
        try {
            var path = uploads.create();
            form.upload = path;
            form.fileName = file.filename();
            return DataBufferUtils.write(bounded(events.map(PartEvent::content)), path);
        } catch (IOException e) {
            return events.doOnNext(event -> DataBufferUtils.release(event.content()))
                    .then(Mono.error(e));
        }
    }

    private Flux<DataBuffer> bounded(Flux<DataBuffer> content) {
        var read = new AtomicLong();
        long limit = settings.maxFileSize().toBytes();
        return content.handle((buffer, sink) -> {
            if (read.addAndGet(buffer.readableByteCount()) > limit) {
                DataBufferUtils.release(buffer);
                sink.error(
                        ProblemException.tooLarge(
                                "the file is larger than %d bytes; import it in parts, or packed"
                                        .formatted(limit)));
            } else {
                sink.next(buffer);
            }
        });
    }

    private Mono<ResponseEntity<JobController.JobAccepted>> submit(Caller caller, Form form) {
        var upload = form.upload;
        if (upload == null) {
            return Mono.error(
                    ProblemException.malformed(
                            "/file", "required", "the part file is required, with its file name"));
        }
        try {
            var order = order(form, upload);
            return jobs.submit(caller.tenant(), ImportEvents.KIND, Json.mapper().valueToTree(order))
                    .map(JobController::accepted);
        } catch (IOException e) {
            return Mono.error(e);
        }
    }

    private static ImportOrder order(Form form, Path upload) throws IOException {
        for (var name : form.fields.keySet()) {
            if (!Set.of("source", "mapping").contains(name)) {
                throw ProblemException.malformed(
                        "/" + name, "unknown_field", "the parts are file, source and mapping");
            }
        }
        long bytes = Files.size(upload);
        if (bytes == 0) {
            throw ProblemException.malformed("/file", "required", "the file is empty");
        }
        var source = form.fields.getOrDefault("source", form.fileName).strip();
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
                upload.getFileName().toString(),
                form.fileName,
                source,
                bytes,
                mapping(form.fields.get("mapping")));
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
        var errors = new ArrayList<FieldError>();
        Mapping.of(mapping, errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(
                    errors.stream()
                            .map(e ->
                                    new io.mirante.platform.web.FieldError(
                                            "/mapping" + e.pointer(), e.code(), e.message()))
                            .toList());
        }
        return mapping;
    }
}
