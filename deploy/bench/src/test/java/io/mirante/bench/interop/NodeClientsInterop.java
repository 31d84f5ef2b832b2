package io.mirante.bench.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.bench.client.MeshClient;
import io.mirante.bench.endtoend.MeshUnderTest;
import io.mirante.bench.endtoend.RunningMesh;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/**
 * Other people's clients from npm ({@code deploy/interop}) against one running mesh. Not part of {@code ./mesh test}: run
 * by {@code ./mesh test --interop}, the only run that needs Node.
 */
@ExtendWith(RunningMesh.class)
class NodeClientsInterop {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Path FOLDER = MeshUnderTest.checkout().resolve("deploy/interop");
    private static final List<String> SERVICES =
            List.of(
                    "gateway",
                    "ingestion",
                    "etl",
                    "segmentation",
                    "churn",
                    "industry40",
                    "snapshot",
                    "alert");

    @BeforeAll
    static void install() throws IOException, InterruptedException {
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline");
    }

    @Test
    void segmentsLibraryMakesItsSixCalls(MeshUnderTest mesh)
            throws IOException, InterruptedException {
        segment(mesh.url(), "interop-calls", "calls");
        try (MeshClient client = mesh.client()) {
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        JsonNode user = client.get("/api/v1/users/interop-calls").body();
                        JsonNode types = user.path("events").path("by_type");
                        for (String type :
                                List.of(
                                        "identify",
                                        "purchase",
                                        "product_view",
                                        "song_played",
                                        "page_view",
                                        "screen_view",
                                        "group",
                                        "alias")) {
                            assertThat(types.path(type).asInt(0)).as(type).isEqualTo(1);
                        }
                        assertThat(user.path("events").path("total").asInt(0)).isEqualTo(8);
                        assertThat(user.path("traits").path("plan").asString("")).isEqualTo("gold");
                        assertThat(user.path("traits").has("employees")).isFalse();
                        assertThat(MeshClient.decimal(user.path("revenue").path("total")))
                                .isEqualByComparingTo("35.14");
                        assertThat(client.get("/api/v1/events/rejected?reason=contract").text())
                                .contains("bad-interop-calls");
                    });
        }
    }

    @Test
    void segmentsLibraryFlushesAThousandEvents(MeshUnderTest mesh)
            throws IOException, InterruptedException {
        segment(mesh.url(), "interop-many", "many");
        countsSongs(mesh, "interop-many", 1000);
    }

    @Test
    void segmentsLibraryIsToldToWaitAndNothingIsLostOrCountedTwice(MeshUnderTest mesh)
            throws IOException, InterruptedException {
        var moods =
                List.of(
                        FickleDoor.Mood.TOO_MANY,
                        FickleDoor.Mood.UNAVAILABLE,
                        FickleDoor.Mood.LOST);
        try (var door = new FickleDoor(mesh.url(), moods)) {
            segment(door.url(), "interop-retried", "retried");
            assertThat(door.answered()).contains(429, 503, 200);
            assertThat(door.answered().stream().filter(status -> status != 200)).hasSize(3);
        }
        countsSongs(mesh, "interop-retried", 50);
    }

    @Test
    void kafkajsWritesToTheTopicOfItsTenant(MeshUnderTest mesh)
            throws IOException, InterruptedException {
        String brokers = "127.0.0.1:" + mesh.part("kafka").path("port").asInt(0);
        run("node", "kafka.mjs", brokers, "demo", "interop-kafka");
        try (MeshClient client = mesh.client()) {
            await().atMost(SOON)
                    .untilAsserted(() -> {
                        JsonNode user = client.get("/api/v1/users/interop-kafka").body();
                        assertThat(MeshClient.decimal(user.path("revenue").path("total")))
                                .isEqualByComparingTo("35");
                        assertThat(user.path("events").path("by_type").path("purchase").asInt(0))
                                .isEqualTo(3);
                        assertThat(user.path("events").path("by_type").path("login").asInt(0))
                                .isEqualTo(1);
                        List<JsonNode> rejected =
                                client.all("/api/v1/events/rejected").stream()
                                        .filter(e -> e.path("source").asString("").equals("/kafka"))
                                        .toList();
                        assertThat(rejected)
                                .extracting(e -> e.path("reason").asString(""))
                                .containsExactlyInAnyOrder(
                                        "malformed",
                                        "malformed",
                                        "malformed",
                                        "identity",
                                        "contract");
                    });
            assertThat(client.get("/docs/asyncapi").body().path("asyncapi").asString(""))
                    .isEqualTo("3.0.0");
        }
    }

    @Test
    void everyServicesOpenApiPassesSpectral(MeshUnderTest mesh)
            throws IOException, InterruptedException {
        Path folder = Files.createDirectories(FOLDER.resolve("target"));
        try (MeshClient client = mesh.client()) {
            for (String service : SERVICES) {
                int port = mesh.part(service).path("port").asInt(0);
                try (MeshClient direct =
                        new MeshClient(URI.create("http://127.0.0.1:" + port), "none")) {
                    Files.writeString(
                            folder.resolve(service + ".json"),
                            direct.get("/v3/api-docs").required("OpenAPI of " + service).text());
                }
            }
        }
        run(
                "npx",
                "--no-install",
                "spectral",
                "lint",
                "--ruleset",
                "spectral.yaml",
                "--fail-severity",
                "error",
                "target/*.json");
    }

    private static void countsSongs(MeshUnderTest mesh, String user, int expected) {
        try (MeshClient client = mesh.client()) {
            await().atMost(SOON)
                    .untilAsserted(() ->
                            assertThat(
                                            client.get("/api/v1/users/" + user)
                                                    .body()
                                                    .path("events")
                                                    .path("by_type")
                                                    .path("song_played")
                                                    .asInt(0))
                                    .isEqualTo(expected));
        }
    }

    private static void segment(URI host, String user, String what)
            throws IOException, InterruptedException {
        run("node", "segment.mjs", host.toString(), "dev-key-123", user, what);
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("interop", ".out");
        Process process;
        try {
            process =
                    new ProcessBuilder(command)
                            .directory(FOLDER.toFile())
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
        } catch (IOException e) {
            throw new AssertionError(
                    "./mesh test --interop needs Node 20 or later and npm on the PATH: "
                            + e.getMessage());
        }
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        String text = Files.readString(output);
        Files.delete(output);
        assertThat(process.isAlive()).as("still running: " + text).isFalse();
        assertThat(process.exitValue()).as(String.join(" ", command) + "\n" + text).isZero();
        return text;
    }
}
