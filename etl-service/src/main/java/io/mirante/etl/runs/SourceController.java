package io.mirante.etl.runs;

import io.mirante.etl.EtlSettings;
import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.remote.GuardedSockets;
import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.outbound.RefusedAddressException;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.FileForm;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.codec.multipart.PartEvent;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** {@code /api/v1/etl/sources}: what batch runs may read. */
@RestController
@RequestMapping("/api/v1/etl/sources")
class SourceController {

    private static final Duration LOOKUP = Duration.ofSeconds(5);
    private static final Set<String> FIELDS = Set.of("name", "format", "shape");

    private final SourceFiles files;
    private final TenantDatabase database;
    private final EtlSettings settings;
    private final SourceSecrets secrets;
    private final Destinations destinations;

    SourceController(
            SourceFiles files,
            TenantDatabase database,
            EtlSettings settings,
            SourceSecrets secrets) {
        this.files = files;
        this.database = database;
        this.settings = settings;
        this.secrets = secrets;
        this.destinations = new Destinations(settings.sourceAllowedHosts(), GuardedSockets.SETTING);
    }

    @PostMapping(consumes = MediaType.MULTIPART_FORM_DATA_VALUE)
    @ResponseStatus(HttpStatus.CREATED)
    @PreAuthorize(Scopes.ADMIN)
    @Operation(
            summary = "Upload a file as a source: CSV, NDJSON, JSON or Parquet, plain or gzip",
            description =
                    "Parts: file, name, format (else by the file's name) and shape, what its columns are. A source of the same"
                            + " name is replaced.")
    Mono<Source> upload(Caller caller, @RequestBody Flux<PartEvent> parts) {
        return FileForm.receive(parts, FIELDS, files::create, settings.maxSourceSize().toBytes())
                .flatMap(form ->
                        Mono.fromCallable(() -> source(form))
                                .flatMap(source ->
                                        database.one(
                                                        caller.tenant(),
                                                        db ->
                                                                Sources.put(
                                                                        db,
                                                                        caller.tenant(),
                                                                        source))
                                                .flatMap(this::remove)
                                                .thenReturn(source))
                                .onErrorResume(e -> form.discard().then(Mono.error(e))));
    }

    @PostMapping(consumes = MediaType.APPLICATION_JSON_VALUE)
    @ResponseStatus(HttpStatus.CREATED)
    @PreAuthorize(Scopes.ADMIN)
    @Operation(
            summary = "Name a source in S3 or PostgreSQL, with its credentials",
            description =
                    "kind s3: format, bucket, prefix, region or endpoint, access_key, secret_key. kind postgresql: host, port, database, user,"
                            + " password, table or query, watermark (a column; each run reads what is greater than before), tls. Both: name,"
                            + " shape. Credentials are stored encrypted and never shown. A source of the same name is replaced.")
    Mono<Source> name(Caller caller, @RequestBody SourceRequest request) {
        var valid = request.validated();
        return allowed(valid.target())
                .then(Mono.fromCallable(() -> sealed(valid, caller.tenant())))
                .flatMap(source ->
                        database.one(
                                        caller.tenant(),
                                        db -> Sources.put(db, caller.tenant(), source))
                                .flatMap(this::remove)
                                .thenReturn(source));
    }

    private Source sealed(SourceRequest.Valid valid, String tenant) {
        var source = valid.source();
        return new Source(
                source.name(),
                source.kind(),
                source.format(),
                null,
                null,
                null,
                source.place(),
                secrets.close(tenant, source.name(), valid.credentials()),
                null,
                source.shape(),
                source.createdAt());
    }

    /**
     * 422 when a host is known to lead to an address that may not be reached. A name that cannot be looked up now passes: the address is
     * checked again at every connect.
     */
    private Mono<Void> allowed(SourceRequest.@Nullable Target target) {
        if (target == null) {
            return Mono.empty();
        }
        return Mono.fromCallable(() -> destinations.resolve(target.host()))
                .subscribeOn(Schedulers.boundedElastic())
                .timeout(LOOKUP, Mono.empty())
                .onErrorMap(
                        RefusedAddressException.class,
                        e ->
                                ProblemException.impossible(
                                        "address-not-allowed",
                                        target.pointer() + ": " + e.getMessage()))
                .onErrorResume(UnknownHostException.class, e -> Mono.empty())
                .then();
    }

    @GetMapping
    @PreAuthorize(Scopes.ADMIN)
    Mono<Page<Source>> list(Caller caller, Paging paging) {
        return database.one(caller.tenant(), db -> Sources.list(db, caller.tenant(), paging));
    }

    @DeleteMapping("/{name}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @PreAuthorize(Scopes.ADMIN)
    @Operation(summary = "Forget a source and its file; what runs of it found stays")
    Mono<Void> delete(@PathVariable String name, Caller caller) {
        return database.one(caller.tenant(), db -> Sources.delete(db, caller.tenant(), name))
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("source " + name)))
                .flatMap(this::remove);
    }

    private Mono<Void> remove(String file) {
        return file.isEmpty()
                ? Mono.empty()
                : Mono.fromCallable(() -> files.delete(file)).onErrorComplete().then();
    }

    private static Source source(FileForm form) throws IOException {
        var errors = new ArrayList<FieldError>();
        var name = form.fields().getOrDefault("name", form.fileName()).strip();
        SourceRequest.nameError(name).ifPresent(errors::add);
        var format =
                FileFormat.of(
                        form.fields().getOrDefault("format", ending(form.fileName())).strip());
        if (format.isEmpty()) {
            errors.add(
                    new FieldError(
                            "/format",
                            "unknown",
                            "format must be csv, ndjson, json or parquet; the file's name does not say which"));
        }
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new Source(
                name,
                Source.UPLOAD,
                format.orElseThrow().label(),
                form.file().getFileName().toString(),
                form.fileName(),
                Files.size(form.file()),
                null,
                null,
                null,
                ShapeText.read(form.fields().get("shape")),
                Instant.now().truncatedTo(ChronoUnit.MICROS));
    }

    private static String ending(String fileName) {
        var plain = fileName.toLowerCase(Locale.ROOT).replaceFirst("\\.gz$", "");
        var ending = plain.substring(plain.lastIndexOf('.') + 1);
        return ending.equals("jsonl") ? FileFormat.NDJSON.label() : ending;
    }
}
