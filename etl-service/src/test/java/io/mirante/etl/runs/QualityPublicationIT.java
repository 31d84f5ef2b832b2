package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** Each end of a run is a message on {@code mirante.quality}. */
@MeshTest
class QualityPublicationIT {

    private static final Duration SOON = Duration.ofMinutes(1);
    private static final String HEADER =
            "transaction_id,user_id,amount,transaction_type,status,created_at\n";
    private static final String TIME = "\"reference_time\":\"2026-11-20T12:00:00Z\"";

    @Autowired Mesh mesh;
    @Autowired MeterRegistry meters;

    @Test
    void aCompletedRunTellsItsFiguresAndNothingThatItRead() {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + row(1) + row(1) + row(2), null);
        var run =
                client.finished(
                        "{\"mode\":\"batch\",\"source\":\"bets\",\"execution_id\":\"one\",%s}"
                                .formatted(TIME));
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");

        var record = records(tenant, 1).getFirst();
        assertThat(new String(record.key(), StandardCharsets.UTF_8)).isEqualTo(tenant);
        assertThat(header(record, CloudHeaders.ID)).isEqualTo("one@1");
        assertThat(header(record, CloudHeaders.TYPE)).isEqualTo(RunEnded.TYPE);
        var ended = ended(record);
        assertThat(ended.status()).isEqualTo(RunEnded.COMPLETED);
        assertThat(ended.mode()).isEqualTo("batch");
        assertThat(ended.source()).isEqualTo("bets");
        assertThat(ended.gate()).isEqualTo("pass");
        assertThat(ended.recordsExtracted()).isEqualTo(3);
        assertThat(ended.recordsCleaned()).isEqualTo(2);
        assertThat(ended.recordsTransformed()).isEqualTo(1);
        assertThat(ended.recordsLoaded()).isEqualTo(1);
        assertThat(ended.error()).isNull();
        assertThat(ended.durationSeconds()).isPositive();
        assertThat(ended.transformed()).isNotNull();
        assertThat(ended.transformed().score())
                .isEqualTo(run.path("data_quality_score").asDouble());
        assertThat(ended.features()).isNotNull();
        assertThat(ended.failedChecks())
                .filteredOn(check -> check.name().equals("primary_key_integrity"))
                .singleElement()
                .isEqualTo(
                        new RunEnded.FailedCheck(
                                "raw",
                                "primary_key_integrity",
                                "critical",
                                "fail",
                                1,
                                ended.failedChecks().getFirst().value(),
                                1));
        assertThat(new String(record.value(), StandardCharsets.UTF_8))
                .doesNotContain("somebody", "key t1");
    }

    @Test
    void aRunThatFailsTellsWhyWithoutQuotingTheSource() {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", "x,y\n1,2\n", "{\"columns\": [{\"name\": \"who\"}]}");
        client.finished(
                "{\"mode\":\"validate_only\",\"source\":\"bets\",\"execution_id\":\"bad\"}");
        var ended = ended(records(tenant, 1).getFirst());
        assertThat(ended.status()).isEqualTo(RunEnded.FAILED);
        assertThat(ended.error()).isEqualTo("the file has no column who; it has x, y");
        assertThat(ended.gate()).isNull();
        assertThat(ended.transformed()).isNull();
        assertThat(ended.failedChecks()).isEmpty();
        assertThat(QualityPublication.withoutValues("can't read \"O'Brien\"")).isEqualTo("can…");
        assertThat(QualityPublication.withoutValues("invalid input: \"ana@x\" near 'b o b'"))
                .isEqualTo("invalid input: …");
    }

    @Test
    void aRunWhoseJobIsGivenUpHasFailedAndOneThatIsCancelledTellsNothing() throws Exception {
        var tenant = mesh.newTenant();
        for (var status : List.of("cancelled", "failed")) {
            execute(
                    """
                    INSERT INTO job (id, tenant_id, kind, payload, scheduled_at)
                    VALUES ('etl_%2$s_%1$s', '%1$s', 'etl_run', '{}', now() + interval '1 hour');
                    INSERT INTO etl_run (tenant_id, execution_id, job_id, mode, source, strict, error)
                    VALUES ('%1$s', '%2$s', 'etl_%2$s_%1$s', 'batch', 'bets', false, 'broke');
                    UPDATE job SET status = '%2$s' WHERE id = 'etl_%2$s_%1$s'\
                    """
                            .formatted(tenant, status));
        }
        var ended = ended(records(tenant, 1).getFirst());
        assertThat(ended.executionId()).isEqualTo("failed");
        assertThat(ended.status()).isEqualTo(RunEnded.FAILED);
        assertThat(ended.error()).isEqualTo("broke");
        assertThat(records(tenant, 1)).hasSize(1);
    }

    @Test
    void aRunThatIsResumedTellsBothEndsAndNotTheTimeBetweenThem() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + row(1) + row(1) + row(2), null);
        var first =
                client.finished(
                        "{\"mode\":\"batch\",\"source\":\"bets\",\"strict\":true,\"execution_id\":\"strict\",%s}"
                                .formatted(TIME));
        assertThat(first.path("error").asString()).contains("raw.primary_key_integrity");
        records(tenant, 1);
        client.client()
                .put()
                .uri("/api/v1/quality/thresholds")
                .header("Content-Type", "application/json")
                .bodyValue("{\"own\":{\"primary_key_integrity\":0.1}}")
                .exchange()
                .expectStatus()
                .isOk();

        execute(
                "UPDATE etl_run SET started_at = started_at - interval '1 hour', finished_at = finished_at - interval '1 hour' WHERE tenant_id = '%s'"
                        .formatted(tenant));
        client.post("/api/v1/etl/runs/strict/resume", "", 202);
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(
                                        client.get("/api/v1/etl/runs/strict", 200)
                                                .path("status")
                                                .asString())
                                .isEqualTo("completed"));
        var run = client.get("/api/v1/etl/runs/strict", 200);
        assertThat(run.path("records_loaded").asInt()).isOne();
        assertThat(run.path("error").isNull()).isTrue();
        assertThat(run.path("duration_seconds").asDouble()).isBetween(0.0, 600.0);
        assertThat(ended(records(tenant, 2).getLast()).durationSeconds()).isBetween(0.0, 600.0);
        assertThat(records(tenant, 2).stream().map(QualityPublicationIT::ended))
                .extracting(RunEnded::revision, RunEnded::status, RunEnded::gate)
                .containsExactly(
                        Tuple.tuple(1L, "failed", "fail"), Tuple.tuple(2L, "completed", "pass"));
    }

    @Test
    void figuresFarFromPastRunsAreAnomaliesEverywhere() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        var table = new StringBuilder(HEADER);
        for (int i = 0; i < 100; i++) {
            table.append(row(i));
        }
        client.upload("bets", "bets.csv", table.toString(), null);
        var first = of("usual");
        assertThat(client.finished(first).path("anomalies")).isEmpty();
        execute(
                """
                INSERT INTO etl_run (tenant_id, execution_id, mode, source, strict, status, started_at, finished_at, extracted,
                    kept, score, grade, gate, report)
                SELECT tenant_id, 'past-' || n, mode, source, strict, status, started_at, finished_at, extracted, kept, score,
                    grade, gate, report FROM etl_run, generate_series(1, 7) AS n
                WHERE tenant_id = '%s' AND execution_id = 'usual'\
                """
                        .formatted(tenant));
        assertThat(client.finished(of("again")).path("anomalies")).isEmpty();

        double before = meters.counter("mirante.etl.run.anomalies", "metric", "rows").count();
        client.upload("bets", "bets.csv", HEADER + row(1) + row(2), null);
        var run = client.finished(of("small"));
        assertThat(run.path("status").asString()).isEqualTo("completed");
        var anomaly = run.path("anomalies").path(0);
        assertThat(anomaly.path("metric").asString()).isEqualTo("rows");
        assertThat(anomaly.path("value").asDouble()).isEqualTo(2);
        assertThat(anomaly.path("median").asDouble()).isEqualTo(100);
        assertThat(anomaly.path("z").asDouble()).isEqualTo(-19.6);
        assertThat(anomaly.path("runs").asInt()).isEqualTo(9);
        assertThat(client.get("/api/v1/etl/runs/small/report", 200).path("anomalies"))
                .isEqualTo(run.path("anomalies"));
        assertThat(client.get("/api/v1/quality", 200).path("items").path(0).path("anomalies"))
                .isEqualTo(run.path("anomalies"));
        var page =
                client.client()
                        .get()
                        .uri("/api/v1/etl/runs/small/report")
                        .header("Accept", "text/html")
                        .exchange()
                        .expectBody(String.class)
                        .returnResult()
                        .getResponseBody();
        assertThat(page).contains("Far from past runs").contains("<td>-19.60</td>");
        var told = records(tenant, 3).stream().map(QualityPublicationIT::ended).toList();
        assertThat(told)
                .filteredOn(ended -> !ended.anomalies().isEmpty())
                .singleElement()
                .satisfies(ended -> {
                    assertThat(ended.executionId()).isEqualTo("small");
                    assertThat(ended.anomalies())
                            .contains(new RunEnded.Anomaly("rows", 2, 100, -19.6, 9));
                });
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(
                                        meters.counter(
                                                        "mirante.etl.run.anomalies",
                                                        "metric",
                                                        "rows")
                                                .count())
                                .isEqualTo(before + 1));

        // From a threshold that is higher, it is none.
        client.client()
                .put()
                .uri("/api/v1/quality/thresholds")
                .header("Content-Type", "application/json")
                .bodyValue("{\"own\":{\"anomalies\":20}}")
                .exchange()
                .expectStatus()
                .isOk();
        assertThat(client.finished(of("small-again")).path("anomalies")).isEmpty();
    }

    private static String of(String id) {
        return "{\"mode\":\"validate_only\",\"source\":\"bets\",\"execution_id\":\"%s\",%s}"
                .formatted(id, TIME);
    }

    private static String row(int i) {
        return "t%d,somebody,10.50,deposit,completed,2026-11-20T10:00:00Z\n".formatted(i);
    }

    private List<ConsumerRecord<byte[], byte[]>> records(String tenant, int least) {
        return await().atMost(SOON)
                .until(
                        () ->
                                mesh.read(Topics.QUALITY.name()).stream()
                                        .filter(r -> ended(r).tenantId().equals(tenant))
                                        .toList(),
                        found -> found.size() >= least);
    }

    private static RunEnded ended(ConsumerRecord<byte[], byte[]> record) {
        return Json.mapper().readValue(record.value(), RunEnded.class);
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    private void execute(String sql) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
