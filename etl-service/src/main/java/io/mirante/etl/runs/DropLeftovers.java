package io.mirante.etl.runs;

import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.lifecycle.Periodic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import org.springframework.util.FileSystemUtils;

/** Drops what attempts of runs fetched and left for the next one, after two days: nobody resumed them. */
@Component
final class DropLeftovers extends Periodic {

    private static final Logger LOG = LoggerFactory.getLogger(DropLeftovers.class);

    /** Longer than all steps of an attempt may take. */
    private static final Duration KEPT = Duration.ofDays(2);

    private static final Path PLACE = Path.of(JobContext.SCRATCH, SourceFetch.FOLDER);

    private final Path jobs;
    private final Clock clock;

    DropLeftovers(@Value("${mirante.files}") Path files, Clock clock) {
        super("old-fetched-files", Duration.ofMinutes(1), Duration.ofHours(1));
        this.jobs = files.resolve("jobs");
        this.clock = clock;
    }

    @Override
    protected void turn() {
        try {
            long dropped = drop(clock.instant().minus(KEPT));
            if (dropped > 0) {
                LOG.info("dropped what {} runs fetched and nobody resumed", dropped);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    long drop(Instant before) throws IOException {
        if (!Files.isDirectory(jobs)) {
            return 0;
        }
        long dropped = 0;
        try (var found =
                Files.find(
                        jobs,
                        3,
                        (path, attributes) ->
                                path.endsWith(PLACE)
                                        && attributes
                                                .lastModifiedTime()
                                                .toInstant()
                                                .isBefore(before))) {
            for (var path : found.toList()) {
                dropped += FileSystemUtils.deleteRecursively(path) ? 1 : 0;
            }
        }
        return dropped;
    }
}
