package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.PersonErased;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.etl.RawRecords;
import io.mirante.etl.features.FeatureCatalog;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;

/** Erasures of persons while runs read, load and keep files. */
@MeshTest
class ErasureOfRunsIT {

    private static final Duration SOON = Duration.ofMinutes(1);
    private static final Instant AT = Instant.parse("2026-11-20T10:00:00Z");
    private static final String BETS =
            """
            transaction_id,user_id,amount,transaction_type,status,created_at
            t1,erase-me,3.00,bet,,2026-11-20T10:00:00Z
            t2,bob,3.00,bet,,2026-11-20T10:00:00Z
            """;
    private static final String LOAD_LOCK = "(hashtextextended('etl.load %s', 0))";

    @Autowired Mesh mesh;
    @Autowired TenantDatabase database;

    @Value("${mirante.files}")
    Path files;

    @TempDir Path folder;

    /** The file is a pipe: whoever opens it to read waits until somebody writes. */
    @Test
    void theLogAndRunsGoOnWhileAFileIsRewritten() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("a", "a.csv", BETS, null);
        client.upload("b", "b.csv", BETS, null);
        var file = upload(tenant, "a");
        var kept = Files.move(file, folder.resolve("kept"));
        assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor()).isZero();
        var pipe = folder.resolve("pipe");
        CompletableFuture<PersonErased> erasure;
        try {
            erasure = erase(tenant);
            await().atMost(SOON).until(() -> answers(tenant).stream().anyMatch(a -> !a.finished()));
            awaitTaken(tenant);

            mesh.send(RawRecords.raw(tenant, RawRecords.pageView("carl", AT)));
            await().atMost(SOON)
                    .until(() ->
                            texts("SELECT person_no FROM analytics_event", tenant).size() == 1);
            var run =
                    client.finished(
                            "{\"mode\": \"batch\", \"source\": \"b\", \"execution_id\": \"meanwhile\"}");

            assertThat(run.path("status").asString()).as(run.toString()).isEqualTo("completed");
            assertThat(Files.readString(upload(tenant, "b"))).contains("erase-me");
            assertThat(users(tenant)).containsExactly("bob");
            assertThat(client.get("/api/v1/etl/runs/meanwhile/report", 200).toString())
                    .doesNotContain("erase-me");
            assertThat(answers(tenant)).noneMatch(PersonErased::finished);
        } finally {
            Files.move(file, pipe);
            Files.move(kept, file);
            Files.writeString(pipe, "t,");
        }

        assertThat(erasure.join().removed())
                .contains(new Removal("files of sources", Removal.BLANKED, 2));
        assertThat(Files.readString(file)).contains("bob").doesNotContain("erase-me");
        assertThat(Files.readString(upload(tenant, "b")))
                .contains("bob")
                .doesNotContain("erase-me");
    }

    /** The load has looked who was erased, and commits after the erasure. */
    @ParameterizedTest
    @EnumSource(
            value = LoadStrategy.class,
            names = {"MERGE", "REPLACE"})
    void anErasureWaitsForALoadThatDidNotSeeIt(LoadStrategy strategy) throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", BETS, null);
        client.finished(batch("one", LoadStrategy.MERGE));
        CompletableFuture<PersonErased> erasure;
        try (var held = mesh.jdbc()) {
            beginLoadThatIsHeld(client, tenant, strategy, held);
            // else the erasure waits for the job, and never comes to the rows that the load has not
            // committed
            execute(
                    "UPDATE job SET started_at = now() + interval '1 day' WHERE tenant_id = '%s' AND status = 'running'"
                            .formatted(tenant));
            erasure = erase(tenant);
            await().atMost(SOON).until(() -> waitingForLoads(tenant) == 1);
            held.rollback();
        }

        var removed = erasure.join().removed();
        awaitEnd(client, "two");
        assertThat(removed)
                .contains(new Removal("ml_features.user_features_row", Removal.DELETED, 2));
        assertThat(users(tenant)).containsExactly("bob");
        assertThat(backups(tenant)).containsOnly("bob");
    }

    @Test
    void whoeverALoadRefusedIsErasedFromItsFile() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", BETS, null);
        client.finished(batch("one", LoadStrategy.MERGE));
        CompletableFuture<PersonErased> erasure;
        String job;
        try (var held = mesh.jdbc()) {
            job = beginLoadThatIsHeld(client, tenant, LoadStrategy.APPEND, held);
            erasure = erase(tenant);
            awaitTaken(tenant);
            held.rollback();
        }

        assertThat(erasure.join().removed())
                .contains(new Removal("files of jobs", Removal.BLANKED, 1));
        awaitEnd(client, "two");
        assertThat(files.resolve("jobs").resolve(job).resolve("refused.csv"))
                .hasContent("user_id\n\"bob\"\n");
        assertThat(users(tenant)).containsExactly("bob");
        assertThat(client.get("/api/v1/etl/runs/two/report", 200).toString())
                .doesNotContain("erase-me");
    }

    /** As after the restore of a backup that is older than the erasure: the gateway knows the hash alone by then. */
    @Test
    void whoIsKnownByHashAloneIsFoundAmongWhatRunsLoaded() throws Exception {
        var tenant = mesh.newTenant();
        var client = new RunClient(mesh, tenant);
        client.upload("bets", "bets.csv", BETS, null);
        client.finished(batch("one", LoadStrategy.MERGE));
        assertThat(users(tenant)).containsExactlyInAnyOrder("erase-me", "bob");

        mesh.erase(
                new PersonErasure(
                        tenant,
                        PersonErasure.hash(tenant, "erase-me"),
                        null,
                        "gateway_restored",
                        PersonErasure.REQUESTED,
                        AT,
                        null,
                        List.of(),
                        1));
        assertThat(users(tenant)).containsExactly("bob");
        assertThat(Files.readString(upload(tenant, "bets")))
                .contains("bob")
                .doesNotContain("erase-me");
    }

    @Test
    void anErrorThatQuotesThePersonLosesItsWords() throws Exception {
        var tenant = mesh.newTenant();
        for (var id : List.of("erase-me", "erase-me-not")) {
            execute(
                    """
                    INSERT INTO etl_run (tenant_id, execution_id, mode, source, strict, status, error)
                    VALUES ('%1$s', '%2$s', 'validate_only', 's', false, 'failed', 'no number: "%2$s"');
                    INSERT INTO job (id, tenant_id, kind, payload, status, error)
                    VALUES ('%1$s-%2$s', '%1$s', 'etl_run', '{}', 'failed', '{"status": 422, "detail": "no number: ''%2$s''"}')\
                    """
                            .formatted(tenant, id));
        }
        assertThat(mesh.erase(tenant, "erase-me").removed())
                .contains(
                        new Removal("errors of runs", Removal.BLANKED, 1),
                        new Removal("errors of jobs", Removal.BLANKED, 1));
        assertThat(texts("SELECT error FROM etl_run", tenant))
                .containsExactlyInAnyOrder(
                        "(it quoted a person who was erased)", "no number: \"erase-me-not\"");
        assertThat(texts("SELECT error ->> 'detail' FROM job", tenant))
                .containsExactlyInAnyOrder(
                        "(it quoted a person who was erased)", "no number: 'erase-me-not'");
    }

    /** What the job has read of the person may come into its file after the erasure. */
    @ParameterizedTest
    @ValueSource(strings = {"status = 'completed'", "status = 'pending', attempts = 0"})
    void anErasureIsPutOffWhileAJobRunsThatBeganBefore(String end) throws Exception {
        var tenant = mesh.newTenant();
        var job = "etl_" + tenant;
        execute(
                """
                INSERT INTO job (id, tenant_id, kind, payload, status, started_at, lease_owner, lease_until)
                VALUES ('%s', '%s', 'test', '{}', 'running', now(), 'other', now() + interval '1 hour')\
                """
                        .formatted(job, tenant));
        var erasure = erase(tenant);
        // a lease for the work itself is longer
        await().atMost(SOON)
                .until(() ->
                        texts(
                                        "SELECT lease_until < now() + interval '10 seconds' FROM person_erasure",
                                        tenant)
                                .contains("t"));
        var file = Files.createDirectories(files.resolve("jobs").resolve(job)).resolve("users.csv");
        Files.writeString(file, "user_id\nerase-me\nbob\n");
        execute("UPDATE job SET %s, lease_owner = NULL WHERE id = '%s'".formatted(end, job));

        assertThat(erasure.join().removed())
                .contains(new Removal("files of jobs", Removal.BLANKED, 1));
        assertThat(file).hasContent("user_id\nbob\n");
    }

    @ParameterizedTest
    @EnumSource(LoadStrategy.class)
    void aLoadThatIsLateSeesTheErasure(LoadStrategy strategy) throws Exception {
        var tenant = mesh.newTenant();
        mesh.erase(tenant, "erase-me");
        var file = withoutFeatures("erase-me", "bob");
        execute(
                """
                INSERT INTO etl_run (tenant_id, execution_id, mode, source, strict, started_at)
                SELECT tenant_id, v.id, 'batch', 'x', false, finished_at + v.later FROM person_erasure,
                    (VALUES ('before', interval '-1 second'), ('after', interval '1 second')) v(id, later)
                WHERE tenant_id = '%s'\
                """
                        .formatted(tenant));
        execute(
                """
                WITH load AS (INSERT INTO ml_features.user_features_load (tenant_id, execution_id) VALUES ('%1$s', 'earlier'))
                INSERT INTO ml_features.user_features_row (tenant_id, user_id, as_of, version, execution_id)
                SELECT '%1$s', id, now(), 2, 'earlier' FROM (VALUES ('erase-me'), ('bob')) v(id)\
                """
                        .formatted(tenant));

        assertThat(load(tenant, "before", strategy, file)).doesNotContain("erase-me");
        assertThat(
                        texts(
                                "SELECT user_id FROM ml_features.user_features",
                                tenant + "' AND execution_id = 'before"))
                .doesNotContain("erase-me");
        assertThat(backups(tenant)).doesNotContain("erase-me");

        execute(
                "DELETE FROM ml_features.user_features_row WHERE tenant_id = '%s'"
                        .formatted(tenant));
        load(tenant, "after", strategy, file);
        assertThat(users(tenant)).as("who came anew").containsExactlyInAnyOrder("erase-me", "bob");
    }

    /** A file for a binary COPY, as PostgreSQL describes it. */
    private Path withoutFeatures(String... users) throws IOException {
        var file = folder.resolve("features.copy");
        try (var out = new DataOutputStream(Files.newOutputStream(file))) {
            out.writeBytes("PGCOPY\n\u00ff\r\n\0");
            out.writeLong(0);
            for (var user : users) {
                out.writeShort(1 + FeatureCatalog.all().size());
                out.writeInt(user.length());
                out.writeBytes(user);
                for (int i = 0; i < FeatureCatalog.all().size(); i++) {
                    out.writeInt(-1);
                }
            }
            out.writeShort(-1);
        }
        return file;
    }

    @Test
    void whatAReplicaLeftThatDiedIsFinishedByAnotherOnceItsLeaseIsOver() throws Exception {
        var tenant = mesh.newTenant();
        new RunClient(mesh, tenant).upload("bets", "bets.csv", BETS, null);
        var file = upload(tenant, "bets");
        var rest = file.resolveSibling(file.getFileName() + ".erasing-1");
        Files.writeString(rest, "half of it");
        execute(
                """
                INSERT INTO person_erasure (tenant_id, user_hash, erasure_id, erased_at, removed, person_nos, user_id, finished_at,
                    lease_owner, lease_until)
                SELECT '%1$s', encode(sha256(convert_to('%1$s' || chr(10) || id, 'UTF8')), 'hex'), 'e-' || id, now(), '[]', '{}', id,
                    now() - age, 'other', lease_until
                FROM (VALUES ('erase-me', interval '1 hour', now() - interval '1 second'),
                    ('bob', interval '2 hours', now() + interval '1 hour')) v(id, age, lease_until)\
                """
                        .formatted(tenant));

        await().atMost(SOON)
                .until(() ->
                        answers(tenant).stream()
                                .anyMatch(a -> a.erasureId().equals("e-erase-me") && a.finished()));

        assertThat(rest).doesNotExist();
        assertThat(Files.readString(file)).contains("bob").doesNotContain("erase-me");
        assertThat(texts("SELECT coalesce(user_id, '') FROM person_erasure", tenant))
                .containsExactlyInAnyOrder("", "bob");
        execute("DELETE FROM person_erasure WHERE tenant_id = '%s'".formatted(tenant));
    }

    /** Begins the run {@code two}, and holds its load when all is done but the last rows; answers its job. */
    private String beginLoadThatIsHeld(
            RunClient client, String tenant, LoadStrategy strategy, Connection held)
            throws SQLException {
        var lock = LOAD_LOCK.formatted(tenant);
        execute(held, "SELECT pg_advisory_lock" + lock);
        var job =
                client.post("/api/v1/etl/runs", batch("two", strategy), 202)
                        .path("job_id")
                        .asString();
        await().atMost(SOON).until(() -> waitingForLoads(tenant) == 1);
        held.setAutoCommit(false);
        execute(
                held,
                "SELECT 1 FROM etl_run WHERE tenant_id = '%s' AND execution_id = 'two' FOR UPDATE"
                        .formatted(tenant));
        execute(held, "SELECT pg_advisory_unlock" + lock);
        await().atMost(SOON)
                .until(() ->
                        number(
                                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid' AND query LIKE 'UPDATE etl_run SET loaded%'")
                                == 1);
        return job;
    }

    private static String batch(String id, LoadStrategy strategy) {
        return """
        {"mode": "batch", "source": "bets", "execution_id": "%s", "load": {"strategy": "%s"}}\
        """
                .formatted(id, strategy.label());
    }

    private static void awaitEnd(RunClient client, String run) {
        await().atMost(SOON)
                .until(() ->
                        client.get("/api/v1/etl/runs/" + run, 200)
                                .path("status")
                                .asString()
                                .equals("completed"));
    }

    /** Answers who was refused. */
    private List<String> load(String tenant, String run, LoadStrategy strategy, Path csv) {
        var refused = new ArrayList<String>();
        var order = new FeatureLoads.Order(tenant, run, strategy, csv, AT, Duration.ofDays(1));
        database.one(tenant, db -> FeatureLoads.load(db, order, refused::add)).block();
        return refused;
    }

    private CompletableFuture<PersonErased> erase(String tenant) {
        return CompletableFuture.supplyAsync(() -> mesh.erase(tenant, "erase-me"));
    }

    private List<PersonErased> answers(String tenant) {
        return mesh.read(Topics.ERASURES_DONE.name()).stream()
                .map(r -> Json.mapper().readValue(r.value(), PersonErased.class))
                .filter(a -> a.tenantId().equals(tenant))
                .toList();
    }

    /** Somebody has taken up the rest of the erasure. */
    private void awaitTaken(String tenant) {
        await().atMost(SOON)
                .until(() ->
                        texts("SELECT lease_owner FROM person_erasure", tenant).stream()
                                .anyMatch(Objects::nonNull));
    }

    private Path upload(String tenant, String name) throws SQLException {
        var file =
                texts("SELECT file FROM etl_source", tenant + "' AND name = '" + name).getFirst();
        return files.resolve("sources").resolve(file);
    }

    private List<String> users(String tenant) throws SQLException {
        return texts("SELECT user_id FROM ml_features.user_features", tenant);
    }

    private List<String> backups(String tenant) throws SQLException {
        return texts(
                "SELECT user_id FROM (TABLE ml_features.user_features_row EXCEPT ALL TABLE ml_features.user_features) r",
                tenant);
    }

    private long waitingForLoads(String tenant) throws SQLException {
        return number(
                """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                    AND (classid::bigint << 32) | objid::bigint = hashtextextended('etl.load %s', 0)\
                """
                        .formatted(tenant));
    }

    private long number(String sql) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private List<String> texts(String sql, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "%s WHERE tenant_id = '%s'".formatted(sql, tenant))) {
            var texts = new ArrayList<String>();
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
            return texts;
        }
    }

    private void execute(String sql) throws SQLException {
        try (var connection = mesh.jdbc()) {
            execute(connection, sql);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
