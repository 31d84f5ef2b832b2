package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.demo.DemoRun;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** The built mesh as a user has it: started by the launcher, spoken to through the gateway. */
@ExtendWith(RunningMesh.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WholeMeshIT {
    private static final Duration SOON = Duration.ofMinutes(2);

    /** Each service once; two at a time, of which neither is the other's only client. */
    private static final List<List<String>> VICTIMS =
            List.of(
                    List.of("gateway", "churn"),
                    List.of("ingestion", "alert"),
                    List.of("etl", "industry40"),
                    List.of("snapshot", "segmentation"));

    @Test
    @Order(1)
    void anEventIsVisibleEverywhereAWhileAfterItWasAccepted(MeshUnderTest mesh) {
        try (MeshClient client = mesh.client()) {
            Instant day = Instant.now().truncatedTo(ChronoUnit.DAYS);
            BigDecimal before = revenue(client, day);
            Answer accepted =
                    client.post(
                            "/api/v1/events",
                            Map.of("event", purchase("whole-path-1", "ana", "12.34")));

            assertThat(accepted.status()).as(accepted.text()).isEqualTo(202);
            assertThat(accepted.body().path("status").asString("")).isEqualTo("accepted");
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        assertThat(revenue(client, day).subtract(before))
                                .isEqualByComparingTo("12.34");
                        JsonNode user = client.get("/api/v1/users/ana").body();
                        assertThat(user.path("revenue").path("total").asString(""))
                                .isEqualTo("12.34");
                        JsonNode rfm = client.segment("ana", null).body().path("rfm");
                        assertThat(rfm.path("frequency").asInt(0)).isEqualTo(1);
                    });

            client.post("/api/v1/events", Map.of("event", purchase("whole-path-1", "ana", "12.34")))
                    .required("the same again");
            client.post("/api/v1/events", Map.of("event", purchase("whole-path-2", "ana", "1.00")))
                    .required("another");
            client.post("/api/v1/events", Map.of("event", purchase("whole-path-1", "ana", "9.99")))
                    .required("another under an id that is taken");
            client.post("/api/v1/events", Map.of("event", purchase("whole-path-3", "ana", "nine")));
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        assertThat(revenue(client, day).subtract(before))
                                .isEqualByComparingTo("13.34");
                        JsonNode first = trace(client, "whole-path-1");
                        assertThat(first.path("status").asString("")).isEqualTo("counted");
                        assertThat(first.path("stored").path("user_id").asString(""))
                                .isEqualTo("ana");
                        assertThat(first.path("duplicates").asInt(-1)).isEqualTo(1);
                        assertThat(first.path("conflicts").asInt(-1)).isEqualTo(1);
                        assertThat(first.path("rejections").findValuesAsString("reason"))
                                .containsExactly("id_conflict");
                        assertThat(first.path("windows").findValuesAsString("granularity"))
                                .contains("hourly", "daily");
                        assertThat(first.path("unanswered").isEmpty()).as("%s", first).isTrue();
                        JsonNode third = trace(client, "whole-path-3");
                        assertThat(third.path("status").asString("")).isEqualTo("rejected");
                        assertThat(third.path("rejections").findValuesAsString("reason"))
                                .containsExactly("contract");
                    });
            problem(client.get("/api/v1/events/whole-path-4/trace"), 404);
        }
    }

    private static JsonNode trace(MeshClient client, String event) {
        Answer answer = client.get("/api/v1/events/" + event + "/trace");
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        return answer.body();
    }

    @Test
    @Order(2)
    void theReadmesCommandsWork(MeshUnderTest mesh) {
        List<String> commands = new ArrayList<>();
        for (String page : List.of("README.md", "README.pt-BR.md", "docs/api.md")) {
            Path file = MeshUnderTest.checkout().resolve(page);
            assertThat(file).exists();
            commands.addAll(ReadmeCommands.of(file));
        }
        assertThat(commands).hasSizeGreaterThan(5);
        for (String command : new java.util.LinkedHashSet<>(commands)) {
            String here = command.replace("127.0.0.1:3000", "127.0.0.1:" + mesh.url().getPort());
            MeshUnderTest.Ended ended = shell("set -e\n" + here);
            assertThat(ended.code()).as(here + "\n" + ended.output()).isZero();
        }
    }

    @Test
    @Order(3)
    void badInputGetsAClearErrorAndItsNeighboursAreStored(MeshUnderTest mesh) {
        try (MeshClient client = mesh.client();
                MeshClient stranger = new MeshClient(mesh.url(), "no-such-key")) {
            problem(raw(client, "/api/v1/events", "{\"event\": {"), 400);
            problem(raw(client, "/api/v1/events", "{\"evnt\": {}}"), 400);
            problem(raw(client, "/api/v1/events", "{\"event\": {\"user_id\": \"bad-1\"}}"), 400);
            Answer wrongType =
                    raw(
                            client,
                            "/api/v1/events",
                            "{\"event\": {\"user_id\": \"bad-1\", \"event_type\": {\"type\": \"Purchase\", \"data\":"
                                    + " {\"amount\": \"twelve\"}}}}");
            problem(wrongType, 400);
            assertThat(wrongType.text()).contains("amount");
            String large = "x".repeat(1 << 20);
            problem(
                    raw(
                            client,
                            "/api/v1/events",
                            "{\"event\": {\"user_id\": \"bad-1\", \"event_type\": {\"type\": \"PageView\", \"data\":"
                                    + " {\"url\": \"/\", \"note\": \""
                                    + large
                                    + "\"}}}}"),
                    413);
            problem(stranger.get("/api/v1/analytics/overview"), 401);
            problem(client.get("/api/v1/nothing-here"), 404);

            Answer batch =
                    client.post(
                            "/api/v1/events/batch",
                            Map.of(
                                    "events",
                                    List.of(
                                            purchase("neighbour-1", "bia", "10.00"),
                                            purchase("neighbour-bad", "bia", "twelve"),
                                            Map.of("event_id", "neighbour-none", "user_id", "bia"),
                                            purchase("neighbour-2", "bia", "5.00"))));
            assertThat(batch.status()).as(batch.text()).isEqualTo(207);
            assertThat(batch.body().path("accepted").asInt(0)).isEqualTo(2);
            assertThat(batch.body().path("rejected").asInt(0)).isEqualTo(2);
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        JsonNode user = client.get("/api/v1/users/bia").body();
                        assertThat(user.path("revenue").path("total").asString(""))
                                .isEqualTo("15.00");
                        assertThat(client.get("/api/v1/events/rejected?limit=500").text())
                                .contains("neighbour-bad")
                                .contains("neighbour-none");
                    });
        }
    }

    @Test
    @Order(4)
    void aTakenPortIsOneClearLine(MeshUnderTest mesh) throws IOException {
        try (ServerSocket taken = new ServerSocket(0)) {
            String port = Integer.toString(taken.getLocalPort());
            MeshUnderTest.Ended ended =
                    mesh.launcher(
                            List.of("up", "--detach"),
                            Map.of(
                                    "PORT",
                                    port,
                                    "MIRANTE_HOME",
                                    mesh.home().resolveSibling("taken-port").toString()));
            assertThat(ended.code()).isEqualTo(1);
            assertThat(ended.output()).contains(port);
            assertThat(ended.output().lines().filter(line -> line.startsWith("mesh: "))).hasSize(1);
            assertThat(ended.output()).doesNotContain("\tat ");
        }
    }

    @Test
    @Order(5)
    void theDemoProducesWhatItShould(MeshUnderTest mesh) {
        DemoRun run =
                DemoRun.of(
                        mesh, List.of("--once", "--people", "300", "--weeks", "8", "--live", "6"));

        assertThat(run.code()).as(run.output()).isZero();
        assertThat(run.output()).contains("checks passed").doesNotContain("FAIL");
    }

    @Test
    @Order(6)
    @Tag("realdata")
    void realPurchasesComeBackExactlyForEveryCustomer(MeshUnderTest mesh) {
        DemoRun run = DemoRun.of(mesh, List.of("--once", "--from", System.getenv("MIRANTE_DATA")));

        assertThat(run.code()).as(run.output()).isZero();
        assertThat(run.output())
                .contains("purchases in daily snapshots: 69,659")
                .contains("revenue in daily snapshots, USD: 2500315.63")
                .contains("customers in the overview: 23,570")
                .contains("customers as a recount of the file has them: 23,570");
    }

    @Test
    @Order(7)
    void eachServiceKilledUnderLoadLosesNothingAndCountsNothingTwice(MeshUnderTest mesh)
            throws Exception {
        AtomicBoolean going = new AtomicBoolean(true);
        AtomicReference<Throwable> trouble = new AtomicReference<>();
        try (Ledger ledger = new Ledger(mesh.home().resolveSibling("ledger.txt"));
                MeshClient client = mesh.client()) {
            Thread load = Thread.ofVirtual().start(() -> sendUntil(going, client, ledger, trouble));
            for (List<String> services : VICTIMS) {
                int sent = ledger.possible().size();
                await().atMost(SOON).until(() -> ledger.possible().size() > sent + 100);
                services.forEach(mesh::kill);
                mesh.up();
                int back = ledger.acknowledged().size();
                await().atMost(SOON).until(() -> ledger.acknowledged().size() > back + 100);
            }
            going.set(false);
            load.join();
            assertThat(trouble.get()).isNull();

            Instant quiet = Instant.now();
            await().atMost(Duration.ofMinutes(2))
                    .untilAsserted(() -> {
                        JsonNode overview = client.overview(quiet.minus(1, ChronoUnit.DAYS), quiet);
                        assertThat(MeshClient.asOf(overview)).isAfter(quiet);
                    });
            Set<String> stored = storedIds(mesh, "kill-");
            assertThat(stored).as("I1: acknowledged is stored").containsAll(ledger.acknowledged());
            assertThat(ledger.possible()).as("I2: stored was sent").containsAll(stored);
            assertThat(ledger.refused())
                    .as("I6: refused is not stored")
                    .noneMatch(stored::contains);
            assertThat(rows(mesh, "kill-")).as("I3: one row per id").isEqualTo(stored.size());
            assertThat(Oracle.windowsThatDiffer(mesh))
                    .as("I4: windows are a recount of the log")
                    .isEmpty();
        }
    }

    @Test
    @Order(8)
    void downAndUpAgainFindsTheData(MeshUnderTest mesh) {
        String before;
        try (MeshClient client = mesh.client()) {
            before = client.get("/api/v1/users/bia").body().path("revenue").toString();
        }
        mesh.down();
        mesh.up();
        try (MeshClient client = mesh.client()) {
            assertThat(client.get("/api/v1/users/bia").body().path("revenue").toString())
                    .isEqualTo(before);
            client.post(
                            "/api/v1/events",
                            Map.of("event", purchase("after-restart", "caio", "3.00")))
                    .required("an event after the restart");
            await().atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(
                                            client.get("/api/v1/users/caio")
                                                    .body()
                                                    .path("revenue")
                                                    .path("total")
                                                    .asString(""))
                                    .isEqualTo("3.00"));
        }
    }

    private static void sendUntil(
            AtomicBoolean going,
            MeshClient client,
            Ledger ledger,
            AtomicReference<Throwable> trouble) {
        try {
            for (int batch = 0; going.get(); batch++) {
                int number = batch;
                List<Map<String, Object>> events =
                        IntStream.range(0, 20)
                                .mapToObj(i ->
                                        purchase(
                                                "kill-" + number + "-" + i,
                                                "kill-user-" + (number * 7 + i) % 50,
                                                "1.25"))
                                .toList();
                List<String> ids =
                        events.stream().map(event -> (String) event.get("event_id")).toList();
                byte[] body =
                        tools.jackson.databind.json.JsonMapper.shared()
                                .writeValueAsBytes(Map.of("events", events));
                boolean acknowledged = false;
                while (!acknowledged) {
                    acknowledged = attempt(client, body, ids, ledger);
                }
            }
        } catch (RuntimeException | AssertionError e) {
            trouble.set(e);
        }
    }

    /** One attempt, written into the ledger; true when nothing of it has to be sent again. */
    private static boolean attempt(
            MeshClient client, byte[] body, List<String> ids, Ledger ledger) {
        Answer answer;
        try {
            answer = client.exchange("POST", "/api/v1/events/batch", body, false);
        } catch (UncheckedIOException e) {
            ledger.write(ids, 'U');
            pause();
            return false;
        }
        if (answer.status() == 200) {
            ledger.write(ids, 'A');
            pause();
            return true;
        }
        if (answer.status() == 207) {
            Set<String> open = new HashSet<>();
            answer.body()
                    .path("results")
                    .forEach(result -> open.add(result.path("event_id").asString("")));
            ledger.write(ids.stream().filter(id -> !open.contains(id)).toList(), 'A');
            ledger.write(ids.stream().filter(open::contains).toList(), 'U');
            pause();
            return open.isEmpty();
        }
        if (answer.status() >= 500) {
            ledger.write(ids, 'U');
            pause();
            return false;
        }
        throw new AssertionError("unexpected answer to good events: " + answer.summary());
    }

    /** Paces the load; no condition waits on it. */
    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(40);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Set<String> storedIds(MeshUnderTest mesh, String prefix) throws SQLException {
        Set<String> ids = new HashSet<>();
        try (Connection database = mesh.database();
                Statement statement = database.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT id FROM etl.analytics_event WHERE id LIKE '"
                                        + prefix
                                        + "%'")) {
            while (rows.next()) {
                ids.add(rows.getString(1));
            }
        }
        return ids;
    }

    private static long rows(MeshUnderTest mesh, String prefix) throws SQLException {
        try (Connection database = mesh.database();
                Statement statement = database.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT count(*) FROM etl.analytics_event WHERE id LIKE '"
                                        + prefix
                                        + "%'")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private static BigDecimal revenue(MeshClient client, Instant day) {
        BigDecimal revenue = BigDecimal.ZERO;
        for (JsonNode window :
                client.snapshots("commerce", "daily", day, day.plus(1, ChronoUnit.DAYS))) {
            revenue = revenue.add(MeshClient.decimal(window.path("metrics").path("revenue")));
        }
        return revenue;
    }

    private static Map<String, Object> purchase(String id, String user, String amount) {
        return Map.of(
                "event_id",
                id,
                "user_id",
                user,
                "event_type",
                Map.of("type", "Purchase", "data", Map.of("amount", amount, "currency", "USD")));
    }

    private static Answer raw(MeshClient client, String path, String body) {
        return client.exchange("POST", path, body.getBytes(StandardCharsets.UTF_8), false);
    }

    private static void problem(Answer answer, int status) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(status);
        assertThat(answer.body().path("status").asInt(0)).as(answer.text()).isEqualTo(status);
        assertThat(answer.body().path("type").asString("")).isNotEmpty();
        assertThat(answer.body().path("title").asString("")).isNotEmpty();
        assertThat(answer.text()).doesNotContain("Exception").doesNotContain("\tat ");
    }

    private static MeshUnderTest.Ended shell(String script) {
        try {
            Path output = Files.createTempFile("readme", ".out");
            Process process =
                    new ProcessBuilder("bash", "-c", script)
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
            if (!process.waitFor(90, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return fail("no end after 90 s: " + script);
            }
            String text = Files.readString(output);
            Files.delete(output);
            return new MeshUnderTest.Ended(process.exitValue(), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
