package io.mirante.platform.erasure;

import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.erasure.PersonFiles.Csv;
import io.mirante.platform.erasure.PersonFiles.Outcome;
import io.mirante.platform.jobs.JobContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.springframework.util.FileSystemUtils;

/**
 * Takes a person out of the files that jobs left for download: rows of text that name them go; what is no text (Parquet) goes whole, since
 * it can be made again, and so does what a job that was killed left behind.
 */
final class JobFiles {

    private final Path folder;

    JobFiles(Path folder) {
        this.folder = folder;
    }

    /** Of jobs that have ended. */
    Erased erase(List<String> jobs, PersonFiles person) throws IOException {
        var erased = Erased.NOTHING;
        for (var job : jobs) {
            erased = erased.and(rewrite(folder.resolve(job), person));
        }
        return erased;
    }

    static Erased rewrite(Path job, PersonFiles person) throws IOException {
        if (!Files.isDirectory(job)) {
            return Erased.NOTHING;
        }
        FileSystemUtils.deleteRecursively(job.resolve(JobContext.SCRATCH));
        long rewritten = 0;
        long deleted = 0;
        try (var files = Files.list(job)) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                switch (rewriteFile(file, person)) {
                    case UNTOUCHED -> {}
                    case REWRITTEN -> rewritten++;
                    case DELETED -> deleted++;
                }
            }
        }
        return Erased.of(
                new Removal("files of jobs", Removal.BLANKED, rewritten),
                new Removal("files of jobs", Removal.DELETED, deleted));
    }

    private static Outcome rewriteFile(Path file, PersonFiles person) throws IOException {
        var name = file.getFileName().toString();
        boolean packed = name.endsWith(".gz");
        var plain = packed ? name.substring(0, name.length() - ".gz".length()) : name;
        return switch (plain.substring(plain.lastIndexOf('.') + 1)) {
            case "csv" -> person.csv(file, packed, Csv.COMMAS);
            case "ndjson" -> person.ndjson(file, packed);
            case "json" -> person.json(file, packed);
            default -> Files.deleteIfExists(file) ? Outcome.DELETED : Outcome.UNTOUCHED;
        };
    }
}
