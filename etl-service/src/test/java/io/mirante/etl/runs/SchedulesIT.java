package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import reactor.core.publisher.Flux;
import tools.jackson.databind.JsonNode;

@MeshTest
class SchedulesIT {

    private static final Duration SOON = Duration.ofMinutes(1);
    private static final String TABLE =
            "transaction_id,user_id,amount,transaction_type,status,created_at\nt1,ana,3.00,bet,,2026-11-20T10:00:00Z\n";

    @Autowired Mesh mesh;
    @Autowired BeginScheduledRuns begin;

    @Test
    void aTimeThatHasComeGivesOneRunHoweverManyReplicasSeeIt() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", TABLE, null);
        var schedule =
                client.post(
                        "/api/v1/etl/schedules",
                        """
                        {"name": "nightly load", "cron": "30 2 * * *", "timezone": "America/Sao_Paulo", "mode": "batch",
                         "source": "bets"}\
                        """,
                        201);
        var next = Instant.parse(schedule.path("next_at").asString());
        assertThat(next).isAfter(Instant.now());
        assertThat(next.atZone(ZoneId.of("America/Sao_Paulo")).toLocalTime()).hasToString("02:30");

        due(tenant, "2026-11-20T05:30:00Z");
        Flux.range(0, 8).flatMap(i -> begin.begin(tenant, Instant.now())).blockLast();
        await().atMost(SOON)
                .until(() -> runs(client).path(0).path("status").asString().equals("completed"));
        assertThat(runs(client)).hasSize(1);
        var run = runs(client).path(0);
        var id = "run-nightly_load-%08x+2026-11-20T05:30:00Z".formatted("nightly load".hashCode());
        assertThat(run.path("execution_id").asString()).isEqualTo(id);
        assertThat(run.path("records_loaded").asInt()).isOne();
        var after = client.get("/api/v1/etl/schedules", 200).path("items").path(0);
        assertThat(after.path("last_execution_id").asString()).isEqualTo(id);
        assertThat(after.path("last_at").asString()).isEqualTo("2026-11-20T05:30:00Z");
        assertThat(Instant.parse(after.path("next_at").asString())).isAfter(Instant.now());
        assertThat(
                        new RunClient(mesh, mesh.newTenant())
                                .get("/api/v1/etl/schedules", 200)
                                .path("items"))
                .isEmpty();
    }

    @Test
    void aTimeAtWhichTheRunBeforeIsNotOverIsSkipped() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", TABLE, null);
        client.post(
                "/api/v1/etl/schedules",
                "{\"name\": \"often\", \"cron\": \"* * * * *\", \"mode\": \"validate_only\", \"source\": \"bets\"}",
                201);
        execute(
                "INSERT INTO etl_run (tenant_id, execution_id, mode, source, strict, status) VALUES ('%s', 'long', 'batch', 'bets', false, 'running')"
                        .formatted(tenant));
        execute(
                "UPDATE etl_schedule SET last_execution_id = 'long' WHERE tenant_id = '%s'"
                        .formatted(tenant));
        due(tenant, "2026-11-20T05:30:00Z");
        begin.begin(tenant, Instant.now()).block();
        var after = client.get("/api/v1/etl/schedules", 200).path("items").path(0);
        assertThat(after.path("skipped").asInt()).isPositive();
        assertThat(runs(client)).hasSize(1);
        client.client()
                .delete()
                .uri("/api/v1/etl/schedules/often")
                .exchange()
                .expectStatus()
                .isNoContent();
        client.client()
                .delete()
                .uri("/api/v1/etl/schedules/often")
                .exchange()
                .expectStatus()
                .isNotFound();
    }

    @Test
    void whatIsWrongIsNamed() {
        var client = new RunClient(mesh, mesh.newTenant());
        var problem =
                client.post(
                        "/api/v1/etl/schedules",
                        "{\"name\": \" \", \"cron\": \"every night\", \"timezone\": \"Mars/Olympus\", \"mode\": \"now\"}",
                        400);
        assertThat(problem.path("errors").valueStream().map(e -> e.path("pointer").asString()))
                .containsExactlyInAnyOrder("/name", "/cron", "/timezone", "/mode", "/source");
        for (var cron : List.of("0 0 3 * * *", "99 * * * *", "")) {
            assertThat(
                            client.post(
                                            "/api/v1/etl/schedules",
                                            """
                                            {"name": "a", "cron": "%s", "mode": "batch", "source": "events"}\
                                            """
                                                    .formatted(cron),
                                            400)
                                    .path("errors")
                                    .path(0)
                                    .path("pointer")
                                    .asString())
                    .isEqualTo("/cron");
        }
        assertThat(
                        client.post(
                                        "/api/v1/etl/schedules",
                                        "{\"name\": \"a\", \"cron\": \"0 3 * * *\", \"mode\": \"batch\", \"source\": \"none\"}",
                                        400)
                                .path("errors")
                                .path(0)
                                .path("pointer")
                                .asString())
                .isEqualTo("/source");
    }

    private static JsonNode runs(RunClient client) {
        return client.get("/api/v1/etl/runs", 200).path("items");
    }

    private void due(String tenant, String at) throws SQLException {
        execute(
                "UPDATE etl_schedule SET next_at = '%s' WHERE tenant_id = '%s'"
                        .formatted(at, tenant));
    }

    private void execute(String sql) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
