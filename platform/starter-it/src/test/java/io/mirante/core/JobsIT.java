package io.mirante.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.Job;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobFailedException;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.jobs.Jobs;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import tools.jackson.databind.JsonNode;

/** Long work: done, failed with a reason, tried again, cancelled, taken over from a worker that died. */
@MeshTest
@Import(JobsIT.Handlers.class)
class JobsIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Map<String, AtomicInteger> RUNS = new ConcurrentHashMap<>();
    private static final CountDownLatch HELD = new CountDownLatch(1);
    private static final CountDownLatch FIRST = new CountDownLatch(1);
    private static final CountDownLatch SECOND = new CountDownLatch(1);

    @Autowired Mesh mesh;
    @Autowired Jobs jobs;

    @Autowired
    @Qualifier("jobRunner")
    SmartLifecycle runner;

    private Job submit(String tenant, String what) {
        return Objects.requireNonNull(
                jobs.submit(tenant, "work", Json.mapper().createObjectNode().put("what", what))
                        .block());
    }

    private Job ended(String tenant, String id) {
        await().atMost(SOON)
                .until(() ->
                        !java.util.Set.of("pending", "running")
                                .contains(show(tenant, id).status()));
        return show(tenant, id);
    }

    private Job show(String tenant, String id) {
        return Objects.requireNonNull(jobs.find(tenant, id).block());
    }

    @Test
    void aJobEndsWithItsResultAndItsFileIsDownloadedByItsTenantAlone() {
        var tenant = mesh.newTenant();
        var id = submit(tenant, "file").id();
        assertThat(id).startsWith("alert_");
        var job = ended(tenant, id);
        assertThat(job.status()).isEqualTo("completed");
        assertThat(job.progress()).isEqualTo(1);
        assertThat(job.detail()).as("of what it was at").isEmpty();
        assertThat(Objects.requireNonNull(job.result()).get("answer").asInt()).isEqualTo(42);
        var file = "/api/v1/jobs/" + id + "/files/answer.txt";
        mesh.client(tenant)
                .get()
                .uri(file)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(String.class)
                .isEqualTo("42");
        mesh.client(mesh.newTenant()).get().uri(file).exchange().expectStatus().isNotFound();
        mesh.client(mesh.newTenant())
                .get()
                .uri("/api/v1/jobs/" + id)
                .exchange()
                .expectStatus()
                .isNotFound();
        mesh.client(tenant)
                .get()
                .uri("/api/v1/jobs/" + id + "/files/..%2F..%2Fjwks.json")
                .exchange()
                .expectStatus()
                .is4xxClientError();
    }

    @Test
    void aJobThatCannotBeDoneSaysWhyAndIsNotTriedAgain() {
        var tenant = mesh.newTenant();
        var job = ended(tenant, submit(tenant, "impossible").id());
        assertThat(job.status()).isEqualTo("failed");
        assertThat(Objects.requireNonNull(job.error()).get("detail").stringValue())
                .isEqualTo("there are too few");
        assertThat(job.detail()).isEqualTo("counting again");
        assertThat(RUNS.get(job.id())).hasValue(1);
    }

    @Test
    void aJobThatBreaksIsTriedAgain() {
        var tenant = mesh.newTenant();
        var job = ended(tenant, submit(tenant, "breaks-once").id());
        assertThat(job.status()).isEqualTo("completed");
        assertThat(RUNS.get(job.id())).hasValue(2);
    }

    @Test
    void aRunningJobIsCancelledAtItsNextReport() {
        var tenant = mesh.newTenant();
        var id = submit(tenant, "long").id();
        await().atMost(SOON).until(() -> show(tenant, id).status().equals("running"));
        mesh.client(tenant).delete().uri("/api/v1/jobs/" + id).exchange().expectStatus().isOk();
        assertThat(ended(tenant, id).status()).isEqualTo("cancelled");
        mesh.client(tenant)
                .delete()
                .uri("/api/v1/jobs/" + id)
                .exchange()
                .expectStatus()
                .isEqualTo(409);
    }

    @Test
    void aWorkersDeathLeavesALeaseThatRunsOut() throws Exception {
        var tenant = mesh.newTenant();
        var id = submit(tenant, "held").id();
        await().atMost(SOON).until(() -> RUNS.containsKey(id));
        // As a crashed worker leaves it: running, under a name that never comes back.
        execute(
                "UPDATE job SET lease_owner = 'dead', lease_until = now() - interval '1 second' WHERE id = '%s'",
                id);
        await().atMost(SOON).until(() -> RUNS.get(id).get() == 2);
        HELD.countDown();
        assertThat(ended(tenant, id).status()).isEqualTo("completed");
    }

    @Test
    void aWorkerThatTakesItsLostJobAgainEndsItOnce() throws Exception {
        var tenant = mesh.newTenant();
        var id = submit(tenant, "held-twice").id();
        await().atMost(SOON).until(() -> RUNS.containsKey(id));
        await().atMost(SOON)
                .until(() -> {
                    // Again and again, since it may be renewed; of the first taking alone.
                    execute(
                            "UPDATE job SET lease_until = now() - interval '1 second' WHERE id = '%s' AND attempts = 1",
                            id);
                    return RUNS.get(id).get() == 2;
                });
        FIRST.countDown();
        // Two run at once, so that this one begins when the run that lost its lease has ended.
        ended(tenant, submit(tenant, "file").id());
        SECOND.countDown();
        var job = ended(tenant, id);
        assertThat(job.status()).isEqualTo("completed");
        assertThat(Objects.requireNonNull(job.result()).get("answer").asInt()).isEqualTo(2);
    }

    @Test
    void aJobThatItsWorkersDieOfIsGivenUp() throws Exception {
        var tenant = mesh.newTenant();
        // As its workers left it: one that was submitted, this process would take at once.
        var id = "alert_" + UUID.randomUUID();
        execute(
                "INSERT INTO job (id, tenant_id, kind, payload, status, attempts, lease_owner, lease_until) VALUES ('%s', '"
                        + tenant
                        + "', 'work', '{\"what\": \"held-back\"}', 'running', 5, 'dead', now() - interval '1 second')",
                id);
        var job = ended(tenant, id);
        assertThat(job.status()).isEqualTo("failed");
        assertThat(Objects.requireNonNull(job.error()).get("detail").stringValue())
                .isEqualTo("it was started 5 times, and each time its worker died before the end");
        assertThat(RUNS).doesNotContainKey(id);
    }

    @Test
    void aWorkerThatStopsGivesItsJobsBack() throws Exception {
        var tenant = mesh.newTenant();
        var id = submit(tenant, "long").id();
        await().atMost(SOON).until(() -> RUNS.containsKey(id));
        runner.stop();
        try {
            assertThat(show(tenant, id).status()).isEqualTo("pending");
            try (var owner = mesh.jdbc();
                    var statement = owner.createStatement();
                    var row =
                            statement.executeQuery(
                                    "SELECT attempts FROM job WHERE id = '" + id + "'")) {
                assertThat(row.next()).isTrue();
                assertThat(row.getInt(1)).as("begun, not tried").isEqualTo(1);
            }
        } finally {
            runner.start();
        }
        await().atMost(SOON).until(() -> RUNS.get(id).get() == 2);
        mesh.client(tenant).delete().uri("/api/v1/jobs/" + id).exchange().expectStatus().isOk();
        assertThat(ended(tenant, id).status()).isEqualTo("cancelled");
    }

    private void execute(String sql, String id) throws SQLException {
        try (var owner = mesh.jdbc();
                var statement = owner.createStatement()) {
            statement.execute(sql.formatted(id));
        }
    }

    @TestConfiguration(proxyBeanMethods = false)
    static class Handlers {

        @Bean
        JobHandler work() {
            return new JobHandler() {
                @Override
                public String kind() {
                    return "work";
                }

                @Override
                public JsonNode run(JobContext context) throws Exception {
                    int run =
                            RUNS.computeIfAbsent(context.jobId(), id -> new AtomicInteger())
                                    .incrementAndGet();
                    var result = Json.mapper().createObjectNode().put("answer", 42);
                    switch (context.payload().get("what").stringValue()) {
                        case "file" -> {
                            context.progress(0.5, "writing");
                            Files.writeString(context.file("answer.txt"), "42");
                        }
                        case "impossible" -> {
                            context.progress(0.5, "counting");
                            context.progress(0.5, "counting again");
                            throw new JobFailedException("too-few", "there are too few");
                        }
                        case "breaks-once" -> {
                            if (run == 1) {
                                throw new IllegalStateException("broke, as told");
                            }
                        }
                        case "held-twice" -> {
                            await(run == 1 ? FIRST : SECOND);
                            return Json.mapper().createObjectNode().put("answer", run);
                        }
                        case "held" -> await(HELD);
                        default -> {
                            for (int i = 0; i < 3_000; i++) {
                                context.progress(0.5, "still at it");
                                if (new CountDownLatch(1).await(10, TimeUnit.MILLISECONDS)) {
                                    break;
                                }
                            }
                        }
                    }
                    return result;
                }

                private static void await(CountDownLatch latch) throws InterruptedException {
                    if (!latch.await(60, TimeUnit.SECONDS)) {
                        throw new IllegalStateException("nobody let go");
                    }
                }
            };
        }
    }
}
