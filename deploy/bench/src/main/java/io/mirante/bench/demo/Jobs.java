package io.mirante.bench.demo;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import tools.jackson.databind.JsonNode;

/** Starts jobs and waits for their end. */
final class Jobs {
    private static final Set<String> OVER = Set.of("completed", "failed", "cancelled");

    private final MeshClient mesh;
    private final Screen screen;
    private final Duration patience;

    Jobs(MeshClient mesh, Screen screen, Duration patience) {
        this.mesh = mesh;
        this.screen = screen;
        this.patience = patience;
    }

    /**
     * Starts a job and waits for it.
     *
     * @return the job's {@code result}
     * @throws MeshException when it was refused, failed, or did not end in time
     */
    JsonNode run(String what, String path, Object request) {
        Answer started = mesh.post(path, request).required(what);
        String id = started.body().path("job_id").asString("");
        if (started.status() != 202 || id.isEmpty()) {
            throw new MeshException(what + " was no job: " + started.summary());
        }
        AtomicReference<String> state = new AtomicReference<>("pending");
        Optional<JsonNode> ended =
                screen.await(
                        what,
                        patience,
                        () -> {
                            JsonNode job = mesh.job(id);
                            String status = job.path("status").asString("");
                            state.set(
                                    status
                                            + " "
                                            + Math.round(job.path("progress").asDouble(0) * 100)
                                            + " %");
                            return OVER.contains(status) ? Optional.of(job) : Optional.empty();
                        },
                        state::get);
        JsonNode job =
                ended.orElseThrow(() ->
                        new MeshException(
                                "%s: job %s still %s after %d s"
                                        .formatted(what, id, state.get(), patience.toSeconds())));
        if (!job.path("status").asString("").equals("completed")) {
            throw new MeshException(
                    what
                            + ": job "
                            + id
                            + " "
                            + job.path("status").asString("")
                            + ": "
                            + job.path("error"));
        }
        return job.path("result");
    }
}
