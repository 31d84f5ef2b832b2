package io.mirante.platform.jobs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.JsonNode;

/** What a job's handler gets to work with. Used by the one thread that runs the job. */
public final class JobContext {

    /** Name of the folder in a job's folder that holds nothing for download. */
    public static final String SCRATCH = "scratch";

    private final String jobId;
    private final String tenant;
    private final JsonNode payload;
    private final Path folder;
    private final BiConsumer<Double, String> report;
    private final BooleanSupplier cancelled;

    /** For the runner, and for tests of a handler alone. */
    public JobContext(
            String jobId,
            String tenant,
            JsonNode payload,
            Path folder,
            BiConsumer<Double, String> report,
            BooleanSupplier cancelled) {
        this.jobId = jobId;
        this.tenant = tenant;
        this.payload = payload;
        this.folder = folder;
        this.report = report;
        this.cancelled = cancelled;
    }

    public String jobId() {
        return jobId;
    }

    public String tenant() {
        return tenant;
    }

    public JsonNode payload() {
        return payload;
    }

    /**
     * Says how far it is.
     *
     * @param progress [0, 1]
     * @throws CancellationException when the caller cancelled the job: let it through
     */
    public void progress(double progress, String detail) {
        if (cancelled.getAsBoolean()) {
            throw new CancellationException("cancelled");
        }
        report.accept(Math.clamp(progress, 0, 1), detail);
    }

    /**
     * For a part of the work.
     *
     * @param name that details of the part begin with
     * @param from the job's progress at the part's beginning, [0, 1]
     * @param to and at its end
     */
    public JobContext part(String name, double from, double to) {
        return new JobContext(
                jobId,
                tenant,
                payload,
                folder,
                (progress, detail) ->
                        report.accept(from + (to - from) * progress, name + ": " + detail),
                cancelled);
    }

    /**
     * A file of the job's, downloaded later as {@code /api/v1/jobs/{id}/files/{name}}. A job that runs again finds what
     * it left.
     *
     * @param name letters, digits, dot, dash, underscore
     */
    public Path file(String name) throws IOException {
        if (!name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}")) {
            throw new IllegalArgumentException("file name must be plain, was " + name);
        }
        Files.createDirectories(folder);
        return folder.resolve(name);
    }

    /**
     * A file or folder for the time of the work, not for download; the handler deletes it. An erasure leaves it alone while the job runs,
     * and removes what is left of it afterwards.
     *
     * @param name as of {@link #file}
     */
    public Path scratch(String name) throws IOException {
        var file = file(name);
        var scratch = folder.resolve(SCRATCH);
        Files.createDirectories(scratch);
        return scratch.resolve(file.getFileName());
    }

    /** Takes over what a job of the tenant that has ended left in its scratch, if anything, unless this job has some of its own. */
    public void takeOver(String endedJob) throws IOException {
        var left = folder.resolveSibling(endedJob).resolve(SCRATCH);
        var scratch = folder.resolve(SCRATCH);
        if (Files.isDirectory(left) && !Files.exists(scratch)) {
            Files.createDirectories(folder);
            try {
                Files.move(left, scratch);
            } catch (NoSuchFileException e) {
                // Another job was first.
            }
        }
    }
}
