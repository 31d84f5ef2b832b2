package io.mirante.snapshot.export;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.JobController;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.headers.Header;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.ExampleObject;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.ContentDisposition;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** {@code POST /api/v1/export}: a data set as a file, at once or by a job. */
@RestController
class ExportController implements DisposableBean {

    private static final int AT_ONCE = 2;
    private static final int WAITING = 20;
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final int CHUNK = 1 << 16;

    private final Exports exports;
    private final Jobs jobs;
    private final Scheduler threads =
            Schedulers.newBoundedElastic(AT_ONCE, WAITING / AT_ONCE, "export");

    ExportController(Exports exports, Jobs jobs) {
        this.exports = exports;
        this.jobs = jobs;
    }

    @PostMapping("/api/v1/export")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "A data set as a file: CSV, JSON, NDJSON or Parquet",
            description =
                    "dataset is events (the default), features, clusters, predictions, snapshots or alerts. The file is made, then sent;"
                            + " x-as-of says up to when events are in it. With async a job makes it, and result.files names what to"
                            + " download. Rows have no order. In CSV a text that begins with =, +, -, @, tab or a line's end gets an"
                            + " apostrophe before it.")
    @ApiResponse(
            responseCode = "200",
            description = "The file",
            headers = {
                @Header(
                        name = "x-as-of",
                        description = "every event accepted before it is counted",
                        schema = @Schema(type = "string", format = "date-time")),
                @Header(
                        name = "x-rows",
                        description = "rows of the file",
                        schema = @Schema(type = "integer", format = "int64"))
            },
            content = {
                @Content(
                        mediaType = "text/csv",
                        schema = @Schema(type = "string"),
                        examples =
                                @ExampleObject(
                                        "event_id,event_type,timestamp\ne-1,page_view,2026-11-02T10:00:00.000000Z\n")),
                @Content(
                        mediaType = "application/x-ndjson",
                        schema = @Schema(type = "string", format = "binary"))
            })
    @ApiResponse(
            responseCode = "202",
            description = "A job makes the file",
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON_VALUE,
                            schema = @Schema(implementation = JobController.JobAccepted.class)))
    Mono<ResponseEntity<Flux<DataBuffer>>> export(
            Caller caller, @RequestBody ExportRequest request) {
        var export = request.toExport(exports.datasets());
        if (request.isAsynchronous()) {
            return jobs.submit(caller.tenant(), ExportJob.KIND, Json.mapper().valueToTree(request))
                    .map(JobController::accepted)
                    .map(ExportController::answer);
        }
        return made(caller.tenant(), export).map(written -> answer(export, written));
    }

    /** A caller who does not wait any more ends the work. */
    private Mono<Exports.Written> made(String tenant, Export export) {
        return Mono.defer(() -> {
            var gone = new AtomicBoolean();
            return Mono.fromCallable(
                            () -> {
                                var target = Files.createTempFile("mirante-export-", null);
                                return exports.write(tenant, export, target, () -> goOn(gone));
                            })
                    .subscribeOn(threads)
                    .doOnCancel(() -> gone.set(true))
                    .doOnDiscard(Exports.Written.class, written -> delete(written.file()))
                    .onErrorMap(
                            RejectedExecutionException.class,
                            e ->
                                    ProblemException.unavailable(
                                            "too many files are being made; try again, or with async",
                                            SOON));
        });
    }

    private static void goOn(AtomicBoolean gone) {
        if (gone.get()) {
            throw new CancellationException("nobody waits for the file");
        }
    }

    private static ResponseEntity<Flux<DataBuffer>> answer(
            ResponseEntity<JobController.JobAccepted> accepted) {
        return ResponseEntity.status(accepted.getStatusCode())
                .headers(accepted.getHeaders())
                .contentType(MediaType.APPLICATION_JSON)
                .body(
                        Flux.just(
                                DefaultDataBufferFactory.sharedInstance.wrap(
                                        Json.mapper().writeValueAsBytes(accepted.getBody()))));
    }

    private static ResponseEntity<Flux<DataBuffer>> answer(Export export, Exports.Written written) {
        Flux<DataBuffer> body =
                Flux.using(
                        written::file,
                        file ->
                                DataBufferUtils.read(
                                        file, DefaultDataBufferFactory.sharedInstance, CHUNK),
                        ExportController::delete);
        return ResponseEntity.ok()
                .contentType(export.format().mediaType())
                .header(
                        HttpHeaders.CONTENT_DISPOSITION,
                        ContentDisposition.attachment()
                                .filename(export.fileName())
                                .build()
                                .toString())
                .header("x-as-of", written.asOf().toString())
                .header("x-rows", Long.toString(written.rows()))
                .body(body);
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void destroy() {
        threads.dispose();
    }
}
