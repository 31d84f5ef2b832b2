package io.mirante.etl.runs;

import io.mirante.etl.EtlSettings;
import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.remote.Credentials;
import io.mirante.etl.remote.FetchFailedException;
import io.mirante.etl.remote.Fetched;
import io.mirante.etl.remote.GuardedSockets;
import io.mirante.etl.remote.PostgresPlace;
import io.mirante.etl.remote.PostgresRows;
import io.mirante.etl.remote.S3Objects;
import io.mirante.etl.remote.S3Place;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.outbound.Destinations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import org.springframework.util.FileSystemUtils;
import reactor.core.publisher.Mono;

/** Brings a source's rows into files of this machine, where they stay until the run is completed. Thread-safe. */
@Component
final class SourceFetch {

    /** Of what was fetched, in the job's scratch. */
    static final String FOLDER = "fetched";

    private static final Duration SERVER_LATER = Duration.ofSeconds(5);

    private final SourceFiles uploads;
    private final SourceSecrets secrets;
    private final S3Objects objects;
    private final PostgresRows rows;

    SourceFetch(SourceFiles uploads, SourceSecrets secrets, EtlSettings settings) {
        this.uploads = uploads;
        this.secrets = secrets;
        long maxBytes = settings.maxSourceSize().toBytes();
        this.objects =
                new S3Objects(
                        new Destinations(settings.sourceAllowedHosts(), GuardedSockets.SETTING),
                        maxBytes);
        this.rows = new PostgresRows(settings.sourceAllowedHosts(), maxBytes, statement(settings));
    }

    /** PostgreSQL ends a statement itself, soon after nobody waits for it any more. */
    private static Duration statement(EtlSettings settings) {
        var step = settings.steps().fetch().plus(SERVER_LATER);
        return step.compareTo(settings.sourceTimeout()) < 0 ? step : settings.sourceTimeout();
    }

    /**
     * Files with a source's rows.
     *
     * @param at when they were fetched; of an upload: now
     */
    record Input(Source source, Fetched fetched, Instant at) {

        List<Path> files() {
            return fetched.files();
        }

        FileFormat format() {
            return fetched.format();
        }

        /** Has the next run read on from here, and notes where it began for the way back. */
        Mono<Void> advance(DatabaseClient db, String tenant, String executionId) {
            var watermark = fetched.watermark();
            return watermark == null
                    ? Mono.empty()
                    : Sources.advance(db, tenant, source, watermark)
                            .then(
                                    Runs.advanced(
                                            db,
                                            tenant,
                                            executionId,
                                            source.watermarkValue(),
                                            watermark));
        }
    }

    /**
     * Brings them, unless an earlier attempt of the run did so whole. Micro-batches also read what earlier runs have read.
     *
     * @throws JobFailedException when that is not possible; the message is for the source's owner
     */
    Input fetch(Source source, Run run, JobContext context) throws IOException, JobFailedException {
        var upload = source.file();
        return upload == null
                ? fetched(source, run, context)
                : new Input(
                        source,
                        new Fetched(List.of(uploaded(source, upload)), format(source), null),
                        Instant.now());
    }

    /** Removes what was fetched. */
    static void forget(JobContext context) throws IOException {
        FileSystemUtils.deleteRecursively(folder(context));
    }

    private static Path folder(JobContext context) throws IOException {
        return context.scratch(FOLDER);
    }

    private Path uploaded(Source source, String upload) throws JobFailedException {
        var file = uploads.find(upload);
        if (!Files.exists(file)) {
            throw new JobFailedException(
                    "source-gone",
                    "the source %s is gone; upload it again".formatted(source.name()));
        }
        return file;
    }

    /**
     * What changes whenever the source has something new; empty while it has nothing.
     *
     * @throws JobFailedException when that cannot be told; the message is for the source's owner
     */
    Optional<String> position(Source source, JobContext context) throws JobFailedException {
        var credentials = credentials(source, context.tenant());
        try {
            return switch (Objects.requireNonNull(source.place())) {
                case S3Place place ->
                        objects.position(place, credentials, what -> context.progress(0, what));
                case PostgresPlace place -> rows.position(place, credentials);
            };
        } catch (FetchFailedException e) {
            throw new JobFailedException("unreadable-source", String.valueOf(e.getMessage()));
        }
    }

    private Input fetched(Source source, Run run, JobContext context)
            throws IOException, JobFailedException {
        var folder = folder(context);
        var after = run.partOf() == null ? source.watermarkValue() : null;
        // Of the source as it was named last, and from where on.
        var key =
                "%s: %s of %s after %s"
                        .formatted(run.executionId(), source.name(), source.createdAt(), after);
        var earlier = FetchedFiles.find(folder, key);
        if (earlier != null) {
            return new Input(source, earlier.fetched(), earlier.at());
        }
        boolean complete = false;
        try {
            FileSystemUtils.deleteRecursively(folder);
            Files.createDirectory(folder);
            var fetched = fetch(source, after, context, folder);
            var at = Instant.now();
            FetchedFiles.complete(folder, key, fetched, at);
            complete = true;
            return new Input(source, fetched, at);
        } catch (FetchFailedException e) {
            throw new JobFailedException("unreadable-source", String.valueOf(e.getMessage()));
        } finally {
            if (!complete) {
                FileSystemUtils.deleteRecursively(folder);
            }
        }
    }

    private Fetched fetch(Source source, @Nullable String after, JobContext context, Path folder)
            throws IOException, JobFailedException, FetchFailedException {
        var credentials = credentials(source, context.tenant());
        Consumer<String> progress = what -> context.progress(0, what);
        return switch (Objects.requireNonNull(source.place())) {
            case S3Place place ->
                    objects.fetch(place, format(source), credentials, folder, progress);
            case PostgresPlace place -> rows.fetch(place, after, credentials, folder, progress);
        };
    }

    private Credentials credentials(Source source, String tenant) throws JobFailedException {
        return secrets.open(tenant, source.name(), Objects.requireNonNull(source.credentials()))
                .orElseThrow(() ->
                        new JobFailedException(
                                "no-master-key",
                                "the credentials of %s cannot be opened: MIRANTE_MASTER_KEY_FILE is not the key that sealed them; create the source again"
                                        .formatted(source.name())));
    }

    private static FileFormat format(Source source) {
        return FileFormat.of(Objects.requireNonNull(source.format())).orElseThrow();
    }
}
