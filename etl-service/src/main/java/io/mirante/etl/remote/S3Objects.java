package io.mirante.etl.remote;

import io.mirante.contracts.Sha256;
import io.mirante.etl.quality.FileFormat;
import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.outbound.RefusedAddressException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.FileTransformerConfiguration;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Fetches the objects of a prefix into files, {@value #AT_ONCE} at a time, each streamed. An answer that is cut or says that the server is
 * busy is asked for again, {@value #TRIES} times in all; an object is fetched whole or not at all.
 */
public final class S3Objects {

    private static final int TRIES = 3;
    private static final int AT_ONCE = 4;
    private static final int MAX_OBJECTS = 10_000;

    /** Markers and notes between them included. */
    private static final int MAX_LISTED = 100_000;

    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
    private static final long LOOK = 500;

    private final Destinations destinations;
    private final long maxBytes;

    /**
     * Objects that may be fetched.
     *
     * @param maxBytes of all objects of a prefix together
     */
    public S3Objects(Destinations destinations, long maxBytes) {
        this.destinations = destinations;
        this.maxBytes = maxBytes;
    }

    /**
     * Does it.
     *
     * @param folder an empty one
     * @param progress is told what is under way, now and then; may throw to end it
     */
    public Fetched fetch(
            S3Place place,
            FileFormat format,
            Credentials credentials,
            Path folder,
            Consumer<String> progress)
            throws FetchFailedException {
        try (var http = new GuardedHttp(destinations);
                var client = client(place, credentials, http)) {
            progress.accept("listing " + place);
            var objects =
                    wait(list(client, place), place, () -> progress.accept("listing " + place));
            check(objects, place);
            var done = new AtomicInteger();
            Look tell =
                    () -> {
                        // A server may send more than it has listed.
                        requireWithin(maxBytes, bytes(folder), place);
                        progress.accept(
                                "fetching %d of %d objects".formatted(done.get(), objects.size()));
                    };
            wait(fetchAll(client, place, objects, folder, done), place, tell);
            requireWithin(maxBytes, bytes(folder), place);
            return new Fetched(files(folder, objects.size()), format, null);
        }
    }

    /** What is done every {@value #LOOK} ms while something is waited for. */
    @FunctionalInterface
    private interface Look {
        void look() throws FetchFailedException;
    }

    private static long bytes(Path folder) {
        try (var files = Files.list(folder)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void requireWithin(long maxBytes, long bytes, S3Place place)
            throws FetchFailedException {
        if (bytes > maxBytes) {
            throw new FetchFailedException(
                    "the objects under %s have %d bytes, more than the %d of MAX_SOURCE_SIZE; choose a longer prefix"
                            .formatted(place, bytes, maxBytes),
                    null);
        }
    }

    /**
     * What tells the prefix's objects as they are from what they were or will be; empty when there is none.
     *
     * @param progress is told what is under way, now and then; may throw to end it
     */
    public Optional<String> position(
            S3Place place, Credentials credentials, Consumer<String> progress)
            throws FetchFailedException {
        try (var http = new GuardedHttp(destinations);
                var client = client(place, credentials, http)) {
            var objects =
                    wait(list(client, place), place, () -> progress.accept("listing " + place));
            return objects.isEmpty()
                    ? Optional.empty()
                    : Optional.of(
                            Sha256.hex(
                                    objects.stream()
                                            .map(object -> object.key() + "\n" + object.eTag())
                                            .sorted()
                                            .collect(Collectors.joining("\n"))
                                            .getBytes(StandardCharsets.UTF_8)));
        }
    }

    private static S3AsyncClient client(S3Place place, Credentials credentials, GuardedHttp http) {
        var builder =
                S3AsyncClient.builder()
                        .httpClient(http)
                        .region(Region.of(place.region()))
                        .credentialsProvider(
                                StaticCredentialsProvider.create(
                                        AwsBasicCredentials.create(
                                                credentials.name(), credentials.secret())))
                        .crossRegionAccessEnabled(false)
                        .disableS3ExpressSessionAuth(true)
                        .overrideConfiguration(c ->
                                c.retryStrategy(
                                                AwsRetryStrategy.standardRetryStrategy().toBuilder()
                                                        .maxAttempts(TRIES)
                                                        .backoffStrategy(pause())
                                                        .throttlingBackoffStrategy(pause())
                                                        .build())
                                        // Nothing of the machine's own settings for AWS.
                                        .defaultProfileFileSupplier(
                                                () -> ProfileFile.aggregator().build()));
        place.server().ifPresent(server -> builder.endpointOverride(server).forcePathStyle(true));
        return builder.build();
    }

    private static BackoffStrategy pause() {
        return BackoffStrategy.exponentialDelay(FIRST_PAUSE, LONGEST_PAUSE);
    }

    private static CompletableFuture<List<S3Object>> list(S3AsyncClient client, S3Place place) {
        var listed = new AtomicInteger();
        return Flux.from(
                        client.listObjectsV2Paginator(
                                        r -> r.bucket(place.bucket()).prefix(place.prefix()))
                                .contents())
                .<S3Object>handle((object, sink) -> {
                    if (listed.incrementAndGet() > MAX_LISTED) {
                        sink.error(
                                new FetchFailedException(
                                        "there are more than %d objects under %s; choose a longer prefix"
                                                .formatted(MAX_LISTED, place),
                                        null));
                    } else if (isData(object)) {
                        sink.next(object);
                    }
                })
                .take(MAX_OBJECTS + 1L)
                .collectList()
                .toFuture();
    }

    /** Neither a marker of a folder nor one of those notes that writers of data leave beside it, such as {@code _SUCCESS}. */
    private static boolean isData(S3Object object) {
        var name = object.key().substring(object.key().lastIndexOf('/') + 1);
        return object.size() > 0
                && !name.isEmpty()
                && !name.startsWith("_")
                && !name.startsWith(".");
    }

    private void check(List<S3Object> objects, S3Place place) throws FetchFailedException {
        if (objects.isEmpty()) {
            throw new FetchFailedException(
                    "there is no object with data under %s; see bucket and prefix".formatted(place),
                    null);
        }
        if (objects.size() > MAX_OBJECTS) {
            throw new FetchFailedException(
                    "there are more than %d objects under %s; choose a longer prefix"
                            .formatted(MAX_OBJECTS, place),
                    null);
        }
        requireWithin(maxBytes, objects.stream().mapToLong(S3Object::size).sum(), place);
    }

    private static CompletableFuture<Void> fetchAll(
            S3AsyncClient client,
            S3Place place,
            List<S3Object> objects,
            Path folder,
            AtomicInteger done) {
        return Flux.range(0, objects.size())
                .flatMap(
                        i ->
                                Mono.fromFuture(() ->
                                                fetch(
                                                        client,
                                                        place,
                                                        objects.get(i),
                                                        file(folder, i)))
                                        .doOnNext(unused -> done.incrementAndGet()),
                        AT_ONCE)
                .then()
                .toFuture();
    }

    /** Only as it was listed: else the limit would not hold, and an object could be of two versions. */
    private static CompletableFuture<?> fetch(
            S3AsyncClient client, S3Place place, S3Object object, Path file) {
        return client.getObject(
                r -> r.bucket(place.bucket()).key(object.key()).ifMatch(object.eTag()),
                AsyncResponseTransformer.toFile(
                        file, FileTransformerConfiguration.defaultCreateOrReplaceExisting()));
    }

    private static Path file(Path folder, int number) {
        return folder.resolve("object-%05d".formatted(number));
    }

    private static List<Path> files(Path folder, int count) {
        return IntStream.range(0, count).mapToObj(i -> file(folder, i)).toList();
    }

    private static <T> T wait(CompletableFuture<T> future, S3Place place, Look look)
            throws FetchFailedException {
        try {
            while (true) {
                try {
                    return future.get(LOOK, TimeUnit.MILLISECONDS);
                } catch (TimeoutException stillAtIt) {
                    look.look();
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof FetchFailedException refused) {
                throw refused;
            }
            throw new FetchFailedException(reason(e, place), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        } finally {
            future.cancel(true);
        }
    }

    private static String reason(Throwable error, S3Place place) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof RefusedAddressException refused) {
                return "%s cannot be read: %s".formatted(place, refused.getMessage());
            }
            if (cause instanceof S3Exception s3) {
                return "%s cannot be read: %s".formatted(place, reason(s3));
            }
        }
        Throwable last = error;
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            last = cause;
        }
        return "%s cannot be read after %d tries: %s"
                .formatted(
                        place,
                        TRIES,
                        Objects.requireNonNullElse(
                                last.getMessage(), last.getClass().getSimpleName()));
    }

    private static String reason(S3Exception error) {
        var details = error.awsErrorDetails();
        var code = details == null ? "" : Objects.requireNonNullElse(details.errorCode(), "");
        return switch (code) {
            case "NoSuchBucket" -> "there is no such bucket";
            case "InvalidAccessKeyId", "SignatureDoesNotMatch" ->
                    "the access key or the secret key is wrong (%s); create the source again with the right ones"
                            .formatted(code);
            case "AccessDenied" ->
                    "the access key may not list or read it (AccessDenied); grant s3:ListBucket and s3:GetObject";
            case "PreconditionFailed" -> "an object changed while it was being read; run it again";
            default ->
                    "the server answered %d%s after %d tries"
                            .formatted(
                                    error.statusCode(),
                                    code.isEmpty() ? "" : " (" + code + ")",
                                    TRIES);
        };
    }
}
