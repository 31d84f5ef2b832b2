package io.mirante.platform.erasure;

import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.erasure.ErasePerson.Target;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Takes a person out of the files that jobs of the tenant left for download on this replica: lines of text that name them
 * go; what is no text (Parquet) goes whole, since it can be made again.
 */
final class JobFiles {

    private final Path folder;

    JobFiles(Path folder) {
        this.folder = folder;
    }

    Mono<Erased> erase(Target person, DatabaseClient db) {
        if (person.userId().isEmpty()) {
            return Mono.just(Erased.NOTHING);
        }
        return db.sql("SELECT id FROM job WHERE tenant_id = $1")
                .bind(0, person.tenantId())
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .all()
                .collectList()
                .flatMap(jobs ->
                        Flux.fromIterable(jobs)
                                .map(job -> rewrite(folder.resolve(job), person.userId()))
                                .reduce(Erased.NOTHING, Erased::and)
                                .subscribeOn(Schedulers.boundedElastic()));
    }

    static Erased rewrite(Path job, String userId) {
        if (!Files.isDirectory(job)) {
            return Erased.NOTHING;
        }
        long rewritten = 0;
        long deleted = 0;
        try (var files = Files.list(job)) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                if (isText(file)) {
                    rewritten += PersonFiles.removeLines(file, userId) ? 1 : 0;
                } else {
                    deleted += Files.deleteIfExists(file) ? 1 : 0;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Erased(
                List.of(
                        new Removal("files of jobs", Removal.BLANKED, rewritten),
                        new Removal("files of jobs", Removal.DELETED, deleted)),
                List.of(),
                List.of());
    }

    private static boolean isText(Path file) {
        var name = file.getFileName().toString();
        return name.endsWith(".ndjson") || name.endsWith(".json") || name.endsWith(".csv");
    }
}
