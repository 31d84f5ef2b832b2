package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.gateway.PersonErased;
import io.mirante.etl.RawRecords;
import io.mirante.etl.features.FeatureCatalog;
import io.mirante.platform.jobs.JobAgainException;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

/** Runs that make feature sets and load them. */
@MeshTest
class BatchRunsIT {

    private static final Duration SOON = Duration.ofMinutes(1);
    private static final String HEADER =
            "transaction_id,user_id,amount,transaction_type,status,created_at\n";

    @Autowired TenantDatabase database;
    @Autowired Mesh mesh;
    @Autowired StreamDatabase stream;
    @Autowired MeterRegistry meters;
    @Autowired RunSource runSource;
    @Autowired StreamSource streamSource;

    @TempDir Path folder;

    @Test
    void transactionsBecomeFeaturesAndTheLoadCanBeTakenBack() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload(
                "bets",
                "bets.csv",
                HEADER
                        + """
                        t1,ana,100.00,deposito,completed,2026-11-18T10:00:00Z
                        t2,ana,20.00,bet,completed,2026-11-19T10:00:00Z
                        t3,ana,30.00,bet,completed,2026-11-20T22:00:00Z
                        t4,ana,999.00,bet,failed,2026-11-20T23:00:00Z
                        t7,%s,1.00,bet,ok,2026-11-20T23:00:00Z
                        t5,bob,5.00,purchase,,2026-11-10T10:00:00Z
                        t5,bob,5.00,purchase,,2026-11-10T10:00:00Z
                        t6,,5.00,purchase,,2026-11-10T10:00:00Z
                        """
                                .formatted("x".repeat(401)),
                null);
        var run =
                client.finished(
                        """
                        {"mode": "batch", "source": "bets", "execution_id": "first",
                         "reference_time": "2026-11-21T00:00:00Z"}\
                        """);
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(run.path("load").path("strategy").asString()).isEqualTo("merge");
        assertThat(run.path("records_extracted").asInt()).isEqualTo(8);
        assertThat(run.path("records_cleaned").asInt()).isEqualTo(6);
        assertThat(run.path("records_transformed").asInt()).isEqualTo(2);
        assertThat(run.path("records_loaded").asInt()).isEqualTo(2);
        assertThat(run.path("records_refused").asInt()).isZero();
        var ana = row(tenant, "ana");
        assertThat(ana)
                .containsEntry("total_transactions", 3.0)
                .containsEntry("deposit_amount", 100.0)
                .containsEntry("balance_ratio", 1.0)
                .containsEntry("bets", 2.0)
                .containsEntry("bet_amount", 50.0)
                .containsEntry("horarios_atividade", "manha")
                .containsEntry("execution_id", "first");
        assertThat(row(tenant, "bob")).containsEntry("monetary", 5.0).containsEntry("orders", 1.0);
        assertThat(
                        meters.counter("mirante.etl.runs", "mode", "batch", "status", "completed")
                                .count())
                .isPositive();
        assertThat(meters.counter("mirante.etl.run.rows", "stage", "loaded").count())
                .isGreaterThanOrEqualTo(2);
        var report = client.get("/api/v1/etl/runs/first/report", 200);
        assertThat(report.path("features").path("checks")).hasSize(11);
        assertThat(report.path("features").path("rows").asInt()).isEqualTo(2);
        assertThat(report.path("rows_without_event").asInt())
                .as("the one that failed, and the one whose user is no id")
                .isEqualTo(2);

        client.upload(
                "bets", "bets.csv", HEADER + "t7,ana,7.00,bet,ok,2026-11-20T10:00:00Z\n", null);
        var second = client.finished(of("second", "merge"));
        assertThat(second.path("records_loaded").asInt()).isOne();
        assertThat(row(tenant, "ana")).containsEntry("bet_amount", 7.0);
        assertThat(users(tenant)).containsExactlyInAnyOrder("ana", "bob");

        var refused = client.post("/api/v1/etl/runs/first/rollback", "", 409);
        assertThat(refused.path("detail").asString()).contains("second");
        var back = client.rolledBack("second");
        assertThat(back.path("rolled_back_at").isNull()).isFalse();
        assertThat(row(tenant, "ana")).isEqualTo(ana);
        client.rolledBack("second");
        client.rolledBack("first");
        assertThat(users(tenant)).isEmpty();
    }

    @Test
    void replaceLeavesOnlyWhatItBringsAndAppendRefusesWhomItKnows() throws Exception {
        var tenant = mesh.newTenant();
        var other = mesh.newTenant();
        for (var each : List.of(tenant, other)) {
            new RunClient(mesh, each)
                    .upload("bets", "bets.csv", HEADER + line("ana") + line("bob"), null);
            new RunClient(mesh, each).finished(of("one", "merge"));
        }
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + line("bob") + line("eva"), null);
        var appended = client.finished(of("two", "append"));
        assertThat(appended.path("records_loaded").asInt()).isOne();
        assertThat(appended.path("records_refused").asInt()).isOne();
        assertThat(row(tenant, "bob")).containsEntry("execution_id", "one");
        assertThat(
                        client.client()
                                .get()
                                .uri(
                                        "/api/v1/jobs/%s/files/refused.csv"
                                                .formatted(appended.path("job_id").asString()))
                                .exchange()
                                .expectStatus()
                                .isOk()
                                .expectBody(String.class)
                                .returnResult()
                                .getResponseBody())
                .isEqualTo("user_id\n\"bob\"\n");
        client.upload("bets", "bets.csv", HEADER + line("zoe"), null);
        client.finished(of("three", "replace"));
        assertThat(users(tenant)).containsExactly("zoe");
        assertThat(
                        database.many(
                                        tenant,
                                        db ->
                                                db.sql(
                                                                "SELECT user_id FROM ml_features.user_features")
                                                        .map(row ->
                                                                String.valueOf(
                                                                        row.get(0, String.class)))
                                                        .all())
                                .collectList()
                                .block())
                .as("a role sees its tenant's")
                .containsExactly("zoe");
        client.rolledBack("three");
        assertThat(users(tenant)).containsExactlyInAnyOrder("ana", "bob", "eva");
        assertThat(row(tenant, "eva")).containsEntry("execution_id", "two");
        assertThat(users(other)).containsExactlyInAnyOrder("ana", "bob");
    }

    @Test
    void aRunThatLoadedBeforeItsJobEndedLoadsAndReadsNothingAgain() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + line("ana") + line("bob"), null);
        var run = client.finished(of("one", "merge"));
        var context =
                new JobContext(
                        "again",
                        tenant,
                        RawRecords.json("{\"execution_id\": \"one\"}"),
                        folder,
                        (progress, detail) -> {},
                        () -> false);
        Files.writeString(context.scratch("run.duckdb"), "of a worker that was killed");
        Files.writeString(
                Files.createDirectory(context.scratch("run.duckdb.spill")).resolve("a"), "");
        Files.writeString(Files.createDirectory(context.scratch("fetched")).resolve("a"), "");
        var again = runSource.run(context);
        assertThat(again.path("records_loaded").asInt()).isEqualTo(2);
        assertThat(context.scratch("any").getParent())
                .as("disk space is given back")
                .isEmptyDirectory();
        assertThat(client.get("/api/v1/etl/runs/one", 200)).isEqualTo(run);
    }

    @Test
    void aStreamOfTheLogLoadsWhoeverChangedOnceWhateverBreaks() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        var at = Instant.parse("2026-11-01T00:00:00Z");
        var users = List.of("ana", "bob", "cy");
        var records = new ArrayList<Outgoing>();
        for (int i = 0; i < users.size(); i++) {
            records.add(
                    RawRecords.raw(
                            tenant, RawRecords.purchase(users.get(i), at.plusSeconds(i), "1.00")));
        }
        mesh.sendAll(records);
        current(tenant, 3);
        var accepted =
                client.post(
                        "/api/v1/etl/runs",
                        "{\"mode\": \"streaming\", \"source\": \"events\", \"execution_id\": \"s\", \"interval_seconds\": 3600}",
                        202);
        await().atMost(SOON).until(() -> row(tenant).equals("1 pending 3600"));
        assertThat(users(tenant)).containsExactlyInAnyOrderElementsOf(users);
        long population = client.get("/api/v1/etl/runs/s", 200).path("population").asLong();
        assertThat(population).isPositive();

        await().atMost(SOON)
                .until(() ->
                        count(
                                        "SELECT count(*) FROM user_feature_state WHERE population IS NOT NULL AND tenant_id = ?",
                                        tenant)
                                == 3);
        // Nothing of the first micro-batch is young enough to be loaded again.
        execute(
                "UPDATE user_feature_state SET as_of = as_of - interval '1 hour', computed_at = computed_at - interval '1 hour' WHERE tenant_id = ?",
                tenant);
        mesh.sendAll(
                List.of(
                        RawRecords.raw(
                                tenant, RawRecords.purchase("ana", at.plusSeconds(60), "2.00"))));
        current(tenant, 4);
        var payload = RawRecords.json("{\"execution_id\": \"s\"}");
        var job = accepted.path("job_id").asString();
        assertThatThrownBy(() ->
                        streamSource.run(
                                new JobContext(
                                        job,
                                        tenant,
                                        payload,
                                        folder,
                                        (progress, detail) -> {
                                            if (detail.equals("loading")) {
                                                throw new IllegalStateException("killed");
                                            }
                                        },
                                        () -> false)))
                .hasMessage("killed");
        assertThat(row(tenant, "ana")).containsEntry("execution_id", "s.1");
        for (int turn = 0; turn < 2; turn++) {
            assertThatThrownBy(() ->
                            streamSource.run(
                                    new JobContext(
                                            job,
                                            tenant,
                                            payload,
                                            folder,
                                            (progress, detail) -> {},
                                            () -> false)))
                    .isInstanceOf(JobAgainException.class);
        }
        assertThat(row(tenant, "ana"))
                .containsEntry("execution_id", turnOf(client))
                .containsEntry("orders", 2.0)
                .containsEntry("monetary", 3.0);
        assertThat(row(tenant, "bob")).containsEntry("execution_id", "s.1");
        var run = client.get("/api/v1/etl/runs/s", 200);
        assertThat(run.path("population").asLong()).as("as before").isEqualTo(population);
        assertThat(client.get("/api/v1/etl/runs/s.2", 200).path("records_loaded").asInt()).isOne();
        execute("UPDATE job SET status = 'cancelled' WHERE tenant_id = ?", tenant);
    }

    /** The last micro-batch: users of the minute before the one before are loaded again. */
    private static String turnOf(RunClient client) {
        return "s." + client.get("/api/v1/etl/runs/s", 200).path("micro_batches").asInt();
    }

    /** Live features count so many events. */
    private void current(String tenant, int events) {
        await().atMost(SOON)
                .until(() ->
                        count(
                                        "SELECT sum((features ->> 'events_total')::float8) FROM user_feature_values WHERE tenant_id = ?",
                                        tenant)
                                == events);
    }

    private int count(String query, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.prepareStatement(query)) {
            statement.setString(1, tenant);
            var row = statement.executeQuery();
            return row.next() ? row.getInt(1) : 0;
        }
    }

    /** Micro-batches of the run s, its job's status and interval. */
    private String row(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT r.micro_batches, j.status, r.interval_seconds FROM etl_run r JOIN job j ON j.id = r.job_id WHERE r.tenant_id = ? AND r.execution_id = 's'")) {
            query.setString(1, tenant);
            var row = query.executeQuery();
            row.next();
            return row.getString(1) + " " + row.getString(2) + " " + row.getString(3);
        }
    }

    private void execute(String update, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.prepareStatement(update)) {
            statement.setString(1, tenant);
            statement.executeUpdate();
        }
    }

    @Test
    void aReplaceThatHasNobodyToBringLeavesWhatIsThere() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + line("ana"), null);
        client.finished(of("one", "merge"));
        client.upload("bets", "bets.csv", HEADER + "t1,bob,1,bet,,yesterday\n", null);
        var run = client.finished(of("two", "replace"));
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("failed");
        assertThat(run.path("stopped_by").toString()).contains("no_user_to_replace_with");
        assertThat(users(tenant)).containsExactly("ana");
    }

    @Test
    void idsOfTheLogAreTakenAsTheyAre() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        var at = Instant.parse("2026-11-01T00:00:00Z");
        mesh.sendAll(
                List.of(
                        RawRecords.raw(tenant, RawRecords.purchase("ana", at, "1.00")),
                        RawRecords.raw(tenant, RawRecords.purchase("ana ", at, "2.00")),
                        RawRecords.raw(tenant, RawRecords.purchase("?", at, "3.00"))));
        for (var user : List.of("ana", "ana ", "?")) {
            await().atMost(SOON).until(() -> live(client, user).path("features").has("orders"));
        }
        var run = client.finished("{\"mode\": \"batch\", \"source\": \"events\"}");
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(users(tenant)).containsExactlyInAnyOrder("ana", "ana ", "?");
        await().atMost(SOON).until(() -> live(client, "?").path("population").asInt() == 1);
        client.rolledBack(run.path("execution_id").asString());
        await("compared with nobody again, without a new event")
                .atMost(SOON)
                .until(() -> live(client, "?").path("population").isNull());
    }

    @Test
    void aRunWhoseJobWasGivenUpOrCancelledHasEnded() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        for (var status : List.of("failed", "cancelled")) {
            execute(
                    "INSERT INTO job (id, tenant_id, kind, payload, scheduled_at) VALUES ('etl_%2$s_%1$s', '%1$s', 'etl_run', '{}', now() + interval '1 hour')"
                            .formatted(tenant, status));
            execute(
                    "INSERT INTO etl_run (tenant_id, execution_id, job_id, mode, source, strict) VALUES ('%1$s', '%2$s', 'etl_%2$s_%1$s', 'batch', 'bets', false)"
                            .formatted(tenant, status));
        }
        client.client()
                .delete()
                .uri("/api/v1/jobs/etl_cancelled_" + tenant)
                .exchange()
                .expectStatus()
                .is2xxSuccessful();
        stream.client()
                .sql("UPDATE job SET status = 'failed' WHERE id = $1")
                .bind(0, "etl_failed_" + tenant)
                .then()
                .block();
        for (var status : List.of("failed", "cancelled")) {
            assertThat(client.get("/api/v1/etl/runs/" + status, 200).path("status").asString())
                    .isEqualTo(status);
        }
    }

    @Test
    void aGateThatFailsLeavesWhatWasThere() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + line("ana"), null);
        client.finished(of("good", "merge"));
        client.upload(
                "bets",
                "bets.csv",
                HEADER + line("bob") + "t9,,1,bet,,2026-11-20T10:00:00Z\n",
                null);
        var run =
                client.finished(
                        """
                        {"mode": "batch", "source": "bets", "execution_id": "bad", "strict": true,
                         "load": {"strategy": "replace"}}\
                        """);
        assertThat(run.path("status").asString()).isEqualTo("failed");
        assertThat(run.path("gate").asString()).isEqualTo("fail");
        assertThat(run.path("error").asString()).contains("raw.completeness");
        assertThat(run.path("records_loaded").isNull()).isTrue();
        assertThat(users(tenant)).containsExactly("ana");
        assertThat(
                        client.get("/api/v1/etl/runs/bad/report", 200)
                                .path("features")
                                .path("rows")
                                .asInt())
                .isOne();
        client.post("/api/v1/etl/runs/bad/rollback", "", 409);
    }

    @Test
    void aLoadThatBreaksLeavesNothing() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + line("ana") + line("breaks"), null);
        execute(
                """
                CREATE FUNCTION public.refuse_breaks() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF new.user_id = 'breaks' THEN RAISE EXCEPTION 'no room'; END IF; RETURN new; END $$\
                """);
        execute(
                "CREATE TRIGGER breaks BEFORE INSERT ON ml_features.user_features_row FOR EACH ROW EXECUTE FUNCTION public.refuse_breaks()");
        try {
            client.post("/api/v1/etl/runs", of("broken", "merge"), 202);
            await().atMost(SOON)
                    .until(() ->
                            client.get("/api/v1/etl/runs/broken", 200)
                                    .path("error")
                                    .asString()
                                    .contains("tried three times"));
            assertThat(client.get("/api/v1/etl/runs/broken", 200).path("status").asString())
                    .as("it is tried again")
                    .isIn("pending", "running");
            assertThat(users(tenant)).isEmpty();
        } finally {
            execute("DROP TRIGGER breaks ON ml_features.user_features_row");
        }
        // tried again, now that there is room
        await().atMost(SOON)
                .until(() ->
                        client.get("/api/v1/etl/runs/broken", 200)
                                .path("status")
                                .asString()
                                .equals("completed"));
        assertThat(users(tenant)).containsExactlyInAnyOrder("ana", "breaks");
    }

    @Test
    void theEventLogGivesTheFeaturesThatLiveUsersHaveAndWhatTheyAreComparedWith() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        var records = new ArrayList<Outgoing>();
        var start = Instant.parse("2026-01-01T00:00:00Z");
        int users = 60;
        for (int user = 0; user < users; user++) {
            for (int i = 0; i <= user % 7; i++) {
                records.add(
                        RawRecords.raw(
                                tenant,
                                RawRecords.purchase(
                                        "u" + user,
                                        start.plus(Duration.ofDays(3L * user + 11L * i)),
                                        user + i + ".50")));
            }
            records.add(
                    RawRecords.raw(
                            tenant,
                            RawRecords.pageView("u" + user, start.plus(Duration.ofDays(user)))));
        }
        mesh.sendAll(records);
        await().atMost(SOON).until(() -> live(client, "u59").path("features").has("orders"));
        assertThat(live(client, "u59").path("population").isNull()).isTrue();

        var run = client.finished("{\"mode\": \"batch\", \"source\": \"events\"}");
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(run.path("records_extracted").asInt()).isEqualTo(records.size());
        assertThat(run.path("records_loaded").asInt()).isEqualTo(users);
        assertThat(run.path("population").asInt()).isOne();
        for (int user = 0; user < users; user++) {
            var name = "u" + user;
            await().atMost(SOON).until(() -> live(client, name).path("population").asInt() == 1);
            assertSame(name, live(client, name), row(tenant, name));
        }
        assertThat(row(tenant, "u59")).containsKeys("churn_risk_score", "rfm_segment");

        // events alone do not move what users are compared with
        mesh.sendAll(
                List.of(
                        RawRecords.raw(
                                tenant,
                                RawRecords.purchase(
                                        "u3", start.plus(Duration.ofDays(300)), "1e6"))));
        await().atMost(SOON)
                .until(() -> live(client, "u3").path("features").path("orders").asInt() == 5);
        assertThat(live(client, "u3").path("population").asInt()).isOne();
        var again = client.finished("{\"mode\": \"batch\", \"source\": \"events\"}");
        assertThat(again.path("population").asInt()).isEqualTo(2);
        await().atMost(SOON).until(() -> live(client, "u9").path("population").asInt() == 2);
    }

    @Test
    void rowsThatDoNotSayWhatUsersDidAreNotLoaded() {
        var client = new RunClient(mesh, mesh.newTenant());
        client.upload("plain", "plain.csv", "a,b\n1,2\n", null);
        var run = client.finished("{\"mode\": \"batch\", \"source\": \"plain\"}");
        assertThat(run.path("status").asString()).isEqualTo("failed");
        assertThat(run.path("error").asString()).contains("events");
    }

    @Test
    void aMappingSaysWhatOtherTablesMean() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload(
                "shop",
                "shop.csv",
                "customer,day,quantity,price\nana,2026-11-20,2,1.50\nana,2026-11-19,1,4\nbob,2026-11-19,0,4\n",
                """
                {"columns": [{"name": "customer", "required": true}, {"name": "day", "type": "timestamp", "required": true},
                  {"name": "quantity", "type": "integer"}, {"name": "price", "type": "number"}],
                 "events": {"user": "customer", "time": "day", "type": "=purchase", "amount": "quantity * price",
                  "where": "quantity > 0"}}\
                """);
        var run = client.finished("{\"mode\": \"batch\", \"source\": \"shop\"}");
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(users(tenant)).containsExactly("ana");
        assertThat(row(tenant, "ana")).containsEntry("monetary", 7.0);
    }

    @Test
    void aZeroInATextCostsItsNeighboursNothing() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload(
                "shop",
                "shop.csv",
                "customer,day,price,kind\nana,2026-11-20,2,b\0ok\nbob,2026-11-19,4,book\neva\0,2026-11-19,4,book\n",
                """
                {"columns": [{"name": "customer", "required": true}, {"name": "day", "type": "timestamp", "required": true},
                  {"name": "price", "type": "number"}, {"name": "kind"}],
                 "events": {"user": "customer", "time": "day", "type": "=purchase", "amount": "price", "category": "kind"}}\
                """);
        var run =
                client.finished(
                        "{\"mode\": \"batch\", \"source\": \"shop\", \"execution_id\": \"zero\"}");
        assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
        assertThat(users(tenant)).containsExactlyInAnyOrder("ana", "bob");
        assertThat(row(tenant, "ana")).containsEntry("favorite_category", "b\uFFFDok");
        assertThat(client.get("/api/v1/etl/runs/zero/report", 200).toString())
                .contains("eva\uFFFD");
    }

    @Test
    void theTableHasAColumnForEachFeature() throws Exception {
        var columns = new HashSet<String>();
        try (var connection = mesh.jdbc();
                var rows =
                        connection
                                .getMetaData()
                                .getColumns(null, "ml_features", "user_features", "%")) {
            while (rows.next()) {
                columns.add(rows.getString("COLUMN_NAME"));
            }
        }
        FeatureCatalog.all()
                .forEach(feature -> assertThat(columns.remove(feature.name())).isTrue());
        assertThat(columns)
                .containsExactlyInAnyOrder(
                        "tenant_id", "user_id", "as_of", "version", "execution_id", "updated_at");
    }

    @Test
    void anErasedPersonIsInNoLoadAndInNoBackup() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + line("ana") + line("bob"), null);
        client.finished(of("one", "merge"));
        client.finished(of("two", "merge"));
        var removed = mesh.erase(tenant, "ana").removed();
        assertThat(removed)
                .contains(
                        new PersonErased.Removal(
                                "ml_features.user_features_row", PersonErased.Removal.DELETED, 2),
                        new PersonErased.Removal(
                                "ml_features.user_features_replaced",
                                PersonErased.Removal.DELETED,
                                1));
        client.rolledBack("two");
        assertThat(users(tenant)).containsExactly("bob");
    }

    @Test
    void anOldBackupIsDroppedAndClosesTheWayBack() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", HEADER + line("ana") + line("bob"), null);
        client.finished(of("one", "merge"));
        client.upload("bets", "bets.csv", HEADER + line("ana"), null);
        client.finished(of("two", "merge"));
        dropBackup(tenant, "two");
        assertThat(client.post("/api/v1/etl/runs/two/rollback", "", 409).path("type").asString())
                .endsWith("backup-gone");
        assertThat(users(tenant)).containsExactlyInAnyOrder("ana", "bob");
        assertThat(stored(tenant)).containsExactlyInAnyOrder("one bob", "two ana");

        client.finished(of("three", "merge"));
        dropBackup(tenant, "three");
        assertThat(stored(tenant)).containsExactlyInAnyOrder("one bob", "three ana");
        assertThat(texts("SELECT execution_id FROM ml_features.user_features_load", tenant))
                .as("a load without a row goes")
                .containsExactlyInAnyOrder("one", "three");

        client.finished(of("four", "merge"));
        client.finished(of("five", "replace"));
        dropBackup(tenant, "five");
        assertThat(stored(tenant)).containsExactly("five ana");
        assertThat(users(tenant)).containsExactly("ana");
        assertThat(texts("SELECT user_id FROM ml_features.user_features_replaced", tenant))
                .isEmpty();
    }

    private void dropBackup(String tenant, String run) throws SQLException {
        execute(
                "UPDATE etl_run SET backup_until = now() - interval '1 second' WHERE tenant_id = '%s' AND execution_id = '%s'"
                        .formatted(tenant, run));
        while (FeatureLoads.dropOldBackup(stream.client()).block() != null) {
            // the next one
        }
    }

    private List<String> stored(String tenant) throws SQLException {
        return texts(
                "SELECT execution_id || ' ' || user_id FROM ml_features.user_features_row", tenant);
    }

    @Test
    void ofAStreamTheLastBackupsAreKept() throws Exception {
        var tenant = mesh.newTenant();
        execute(
                """
                INSERT INTO etl_run (tenant_id, execution_id, mode, source, strict, part_of, status, loaded_at, backup_until)
                SELECT '%s', 's.' || n, 'streaming', 'bets', false, CASE WHEN n < 100 THEN 's' END, 'completed',
                    now() + n * interval '1 second', now() + interval '1 day'
                FROM generate_series(1, 100) n WHERE n <= 12 OR n = 100\
                """
                        .formatted(tenant));
        database.one(tenant, db -> MicroBatches.keepLastBackups(db, tenant, "s")).block();
        assertThat(
                        database.many(
                                        tenant,
                                        db ->
                                                db.sql(
                                                                "SELECT execution_id FROM etl_run WHERE backup_until <= now()")
                                                        .map(row ->
                                                                String.valueOf(
                                                                        row.get(0, String.class)))
                                                        .all())
                                .collectList()
                                .block())
                .containsExactlyInAnyOrder("s.1", "s.2");
    }

    private static String of(String id, String strategy) {
        return """
        {"mode": "batch", "source": "bets", "execution_id": "%s", "load": {"strategy": "%s"}}\
        """
                .formatted(id, strategy);
    }

    private static String line(String user) {
        return "t-%1$s,%1$s,3.00,bet,,2026-11-20T10:00:00Z\n".formatted(user);
    }

    /** Ages grow between the two moments; everything else has to be the same. */
    private static void assertSame(String user, JsonNode live, Map<String, Object> loaded) {
        var features = live.path("features");
        var liveAt = Instant.parse(live.path("as_of").asString());
        var loadedAt = Objects.requireNonNull((Instant) loaded.get("as_of"));
        double apart = Duration.between(loadedAt, liveAt).toMillis() / 86_400e3;
        for (var feature : FeatureCatalog.all()) {
            var there = features.get(feature.name());
            var here = loaded.get(feature.name());
            if (here instanceof Double number) {
                double since =
                        feature.name().matches("recency_days|days_since_.*|tenure_days")
                                ? apart
                                : 0;
                assertThat(there).as("%s: %s", user, feature.name()).isNotNull();
                assertThat(there.asDouble())
                        .as("%s: %s", user, feature.name())
                        .isCloseTo(number + since, within(1e-6 + 1e-9 * Math.abs(number)));
            } else {
                assertThat(there == null ? null : there.asString())
                        .as("%s: %s", user, feature.name())
                        .isEqualTo(here);
            }
        }
    }

    private static JsonNode live(RunClient client, String user) {
        return Objects.requireNonNull(
                client.client()
                        .get()
                        .uri("/api/v1/features/{user}", user)
                        .exchange()
                        .expectBody(JsonNode.class)
                        .returnResult()
                        .getResponseBody());
    }

    private void execute(String sql) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private List<String> users(String tenant) throws SQLException {
        return texts("SELECT user_id FROM ml_features.user_features", tenant);
    }

    private List<String> texts(String select, String tenant) throws SQLException {
        var texts = new ArrayList<String>();
        try (var connection = mesh.jdbc();
                var query = connection.prepareStatement(select + " WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
        }
        return texts;
    }

    /** A row's values by column, those that are there. */
    private Map<String, Object> row(String tenant, String user) throws SQLException {
        var values = new HashMap<String, Object>();
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT * FROM ml_features.user_features WHERE tenant_id = ? AND user_id = ?")) {
            query.setString(1, tenant);
            query.setString(2, user);
            var rows = query.executeQuery();
            assertThat(rows.next()).as(user).isTrue();
            for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                @Nullable Object value = rows.getObject(i);
                if (value instanceof java.sql.Timestamp time) {
                    value = time.toInstant();
                }
                if (value != null) {
                    values.put(rows.getMetaData().getColumnName(i), value);
                }
            }
        }
        return values;
    }
}
