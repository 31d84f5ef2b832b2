package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.demo.DemoRun;
import io.mirante.contracts.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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
        Set<String> commands = commands("bash");
        assertThat(commands).hasSizeGreaterThan(5);
        commands.forEach(command -> output(mesh, command));
    }

    private static Set<String> commands(String language) {
        var commands = new LinkedHashSet<String>();
        for (String page : List.of("README.md", "README.pt-BR.md", "docs/api.md")) {
            Path file = MeshUnderTest.checkout().resolve(page);
            assertThat(file).exists();
            commands.addAll(ReadmeCommands.of(file, language));
        }
        return commands;
    }

    private static String output(MeshUnderTest mesh, String command) {
        String here = command.replace("127.0.0.1:3000", "127.0.0.1:" + mesh.url().getPort());
        MeshUnderTest.Ended ended = shell("set -e\n" + here);
        assertThat(ended.code()).as(here + "\n" + ended.output()).isZero();
        return ended.output();
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

    /** The problem names the request, and each service that it passed says so in its log, with the tenant. */
    @Test
    @Order(4)
    void aRequestIsFoundInTheLogsOfItsServicesByItsId(MeshUnderTest mesh) {
        String id;
        try (MeshClient client = mesh.client()) {
            Answer answer = client.get("/api/v1/users/nobody-of-that-name");
            problem(answer, 404);
            id = answer.body().path("request_id").asString("");
        }
        assertThat(id).isNotEmpty();
        for (String service : List.of("gateway", "segmentation")) {
            await().atMost(SOON)
                    .ignoreExceptions()
                    .untilAsserted(() -> {
                        List<JsonNode> lines = logged(mesh, service + "-service");
                        assertThat(lines)
                                .filteredOn(line -> line.path("request_id").asString("").equals(id))
                                .as("lines of %s about %s", service, id)
                                .isNotEmpty()
                                .allSatisfy(line -> {
                                    assertThat(line.path("tenant_id").asString(""))
                                            .isEqualTo("demo");
                                    assertThat(line.at("/service/name").asString(""))
                                            .isEqualTo(service + "-service");
                                    assertThat(line.toString()).doesNotContain("nobody-of");
                                });
                    });
        }
    }

    /** What the service itself wrote; a line that is being written is not whole yet. */
    private static List<JsonNode> logged(MeshUnderTest mesh, String module) throws IOException {
        try (Stream<String> lines =
                Files.lines(mesh.home().resolve("logs").resolve(module + ".log"))) {
            return lines.filter(line -> line.startsWith("{")).map(Json.mapper()::readTree).toList();
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
        // The demo leaves out what others sent before it; the import of docs/api.md is a job.
        try (MeshClient client = mesh.client()) {
            await().atMost(SOON).until(() -> client.get("/api/v1/users/user_003").status() == 200);
            new Oracle(mesh).awaitQuiet(client);
        }
        DemoRun run =
                DemoRun.of(
                        mesh, List.of("--once", "--people", "300", "--weeks", "8", "--live", "6"));

        assertThat(run.code()).as(run.output()).isZero();
        assertThat(run.output()).contains("checks passed").doesNotContain("FAIL");
    }

    @Test
    @Order(6)
    void theReadmesCommandsThatNeedTheDemoWorkAfterIt(MeshUnderTest mesh) {
        Set<String> commands = commands("sh");
        assertThat(commands)
                .anyMatch(command -> command.contains("/api/v1/predictions"))
                .anyMatch(command -> command.contains("/api/v1/predict "))
                .anyMatch(command -> command.contains("/api/v1/kpis"));
        for (String command : commands) {
            String output = output(mesh, command);
            if (command.contains("/predict")) {
                assertThat(output).contains("\"probability\"");
            }
        }
    }

    @Test
    @Order(7)
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
    @Order(8)
    @Tag("fault")
    void eachServiceKilledUnderLoadLosesNothingAndCountsNothingTwice(MeshUnderTest mesh) {
        long seed = System.currentTimeMillis();
        System.out.println("seed " + seed);
        try (Ledger ledger = new Ledger(mesh.home().resolveSibling("ledger.txt"));
                MeshClient client = mesh.client();
                LedgerLoad load =
                        new LedgerLoad(
                                ledger,
                                List.of(new LedgerLoad.Sender("demo", client)),
                                "whole-kill-",
                                seed,
                                true,
                                Duration.ofMillis(40))) {
            for (List<String> services : VICTIMS) {
                int sent = ledger.countAcknowledged();
                await().atMost(SOON).until(() -> ledger.countAcknowledged() > sent + 100);
                services.forEach(mesh::kill);
                mesh.up();
                int back = ledger.countAcknowledged();
                await().atMost(SOON).until(() -> ledger.countAcknowledged() > back + 100);
            }
            load.stop();
            Oracle oracle = new Oracle(mesh);
            oracle.awaitQuiet(client);
            oracle.check(ledger, "whole-kill-");
        }
    }

    @Test
    @Order(9)
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
