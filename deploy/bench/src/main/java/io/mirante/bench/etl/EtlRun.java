package io.mirante.bench.etl;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.demo.LocalMesh;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The sub-command {@code etl}. Follows the job, which has the progress and the problem, and ends when the run is decided.
 */
public final class EtlRun {
    private static final int COMPLETED = 0;
    private static final int FAILED = 1;
    private static final int REFUSED = 2;
    private static final int NOT_RUNNING = 3;

    private static final Set<String> OVER = Set.of("completed", "failed", "cancelled");
    private static final Duration LOOK_EVERY = Duration.ofMillis(500);

    private final RunOptions options;
    private final MeshClient mesh;
    private final PrintStream out;
    private final RunProgress progress;
    private final Duration lookEvery;
    private final CountDownLatch left = new CountDownLatch(1);

    private EtlRun(
            RunOptions options,
            MeshClient mesh,
            PrintStream out,
            RunProgress progress,
            Duration lookEvery) {
        this.options = options;
        this.mesh = mesh;
        this.out = out;
        this.progress = progress;
        this.lookEvery = lookEvery;
    }

    /**
     * Starts a run and follows it to its end.
     *
     * @return exit code: 0 completed, 1 it failed, was cancelled, or its gate failed, 2 the command line is wrong or the mesh refused it,
     *     and nothing was started, 3 the mesh does not run, or stopped while the run was followed
     */
    public static int run(List<String> arguments, PrintStream out) {
        var console = System.console();
        boolean terminal =
                console != null && console.isTerminal() && !"dumb".equals(System.getenv("TERM"));
        return run(arguments, out, LocalMesh.here(), terminal, LOOK_EVERY);
    }

    static int run(
            List<String> arguments,
            PrintStream out,
            LocalMesh local,
            boolean terminal,
            Duration lookEvery) {
        RunOptions options;
        try {
            if (arguments.isEmpty() || !arguments.getFirst().equals("run")) {
                throw new IllegalArgumentException("etl takes run");
            }
            options = RunOptions.parse(arguments.subList(1, arguments.size()));
        } catch (IllegalArgumentException e) {
            out.println("mesh etl: " + e.getMessage());
            out.print(RunOptions.USAGE);
            return REFUSED;
        }
        URI url = options.url() == null ? local.url() : options.url();
        var progress = new RunProgress(out, terminal, Clock.systemUTC());
        try (var mesh = new MeshClient(url, local.keyFor(url, options.key()))) {
            return new EtlRun(options, mesh, out, progress, lookEvery).run();
        }
    }

    private int run() {
        try {
            // A part of the mesh may be starting; the calls below have patience with that.
            mesh.exchange("GET", "/health/ready", null, false);
        } catch (UncheckedIOException e) {
            out.println("mesh etl: no mesh answers at " + mesh.base() + "; ./mesh up starts it");
            return NOT_RUNNING;
        }
        try {
            Answer started =
                    options.resume()
                            ? mesh.post(
                                    "/api/v1/etl/runs/" + options.executionId() + "/resume",
                                    Map.of())
                            : mesh.post("/api/v1/etl/runs", options.request());
            String job = started.body().path("job_id").asString("");
            return started.status() == 202 && !job.isEmpty() ? follow(job) : refused(started);
        } catch (MeshException e) {
            out.println("mesh etl: " + e.getMessage());
            out.println("If it was started, the run goes on when the mesh is back. " + again());
            return NOT_RUNNING;
        }
    }

    private int follow(String job) {
        out.println("run " + options.executionId() + ", job " + job);
        var goodbye = new Thread(() -> leave(job), "leave");
        Runtime.getRuntime().addShutdownHook(goodbye);
        try {
            JsonNode ended = ended(job);
            if (ended == null) {
                return FAILED;
            }
            progress.end();
            return verdict(ended);
        } finally {
            if (left.getCount() > 0) {
                try {
                    Runtime.getRuntime().removeShutdownHook(goodbye);
                } catch (IllegalStateException e) {
                    // Told to end just now: the hook has the last word.
                }
            }
        }
    }

    /** The job once it is over; null when this command is told to end. */
    private @Nullable JsonNode ended(String id) {
        while (true) {
            JsonNode job = mesh.job(id);
            if (left.getCount() == 0) {
                return null;
            }
            progress.show(job);
            if (OVER.contains(job.path("status").asString(""))) {
                return job;
            }
            try {
                if (left.await(lookEvery.toMillis(), TimeUnit.MILLISECONDS)) {
                    return null;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MeshException("interrupted", e);
            }
        }
    }

    /** Ctrl-C ends the looking, not the run; but a streaming run ends by nothing else. */
    private void leave(String job) {
        boolean cancelled = options.mode().equals("streaming") && cancelled(job);
        left.countDown();
        progress.end();
        if (cancelled) {
            out.println("The run is cancelled; what it has loaded stays.");
            out.flush();
            return;
        }
        // A key that was given is not repeated: the screen may be a log that others read.
        out.println(
                "The run goes on. To cancel it: curl -X DELETE -H 'x-api-key: %s' '%s'"
                        .formatted(
                                options.key() == null ? mesh.key() : "KEY",
                                mesh.base().resolve("/api/v1/jobs/" + job)));
        out.println(again());
        out.flush();
    }

    private boolean cancelled(String job) {
        try {
            return mesh.exchange("DELETE", "/api/v1/jobs/" + job, null, false).status() < 300;
        } catch (UncheckedIOException | MeshException e) {
            return false;
        }
    }

    private String again() {
        return "To follow it, give the same command"
                + (options.resume() ? " again" : " with --execution-id " + options.executionId());
    }

    private int refused(Answer answer) {
        boolean down = answer.transientFailure() || answer.status() >= 500;
        out.println(
                "mesh etl: the mesh "
                        + (down ? "cannot run it now: " : "refused the run: ")
                        + answer.summary());
        for (JsonNode error : answer.body().path("errors")) {
            out.println(
                    "  "
                            + error.path("pointer").asString("")
                            + ": "
                            + error.path("message").asString(""));
        }
        return down ? NOT_RUNNING : REFUSED;
    }

    private int verdict(JsonNode job) {
        JsonNode run =
                mesh.get("/api/v1/etl/runs/" + options.executionId())
                        .required("run " + options.executionId())
                        .body();
        String status = job.path("status").asString("");
        String gate = run.path("gate").asString("");
        String stoppedBy =
                run.path("stopped_by")
                        .valueStream()
                        .map(JsonNode::asString)
                        .collect(Collectors.joining(", "));
        line("status", status);
        line("extracted", count(run, "records_extracted"));
        line("cleaned", count(run, "records_cleaned"));
        line("transformed", count(run, "records_transformed"));
        line("loaded", count(run, "records_loaded"));
        if (run.path("records_refused").asLong(0) > 0) {
            line("refused", count(run, "records_refused"));
        }
        line("score", number(run, "data_quality_score", "%.4f"));
        line("grade", run.path("grade").asString("-"));
        line("gate", gate.isEmpty() ? "-" : stoppedBy.isEmpty() ? gate : gate + ": " + stoppedBy);
        line("duration", number(run, "duration_seconds", "%.1f s"));
        String error = job.path("error").path("detail").asString(run.path("error").asString(""));
        if (!error.isEmpty()) {
            line("error", error);
        }
        return status.equals("completed") && gate.equals("pass") ? COMPLETED : FAILED;
    }

    private void line(String name, String value) {
        out.println("  %-12s %s".formatted(name, value));
    }

    private static String count(JsonNode run, String field) {
        JsonNode value = run.path(field);
        return value.isNumber() ? String.format(Locale.ROOT, "%,d", value.asLong()) : "-";
    }

    private static String number(JsonNode run, String field, String format) {
        JsonNode value = run.path(field);
        return value.isNumber() ? String.format(Locale.ROOT, format, value.asDouble()) : "-";
    }
}
