package io.mirante.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** The script {@code mesh} with the launcher behind it, where no mesh runs. */
final class MeshCommandsTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir Path folder;

    private Path classPath;
    private Path logs;

    private record Result(int code, String out, String err) {}

    @BeforeEach
    void layOut() throws IOException {
        Files.copy(Path.of("../../mesh"), folder.resolve("mesh"));
        classPath = folder.resolve("deploy/local/target/classpath.txt");
        Files.createDirectories(classPath.resolveSibling(""));
        Files.writeString(classPath, System.getProperty("java.class.path"));
        logs = folder.resolve(".mesh/logs");
    }

    @Test
    void statusOfNoMeshIsDownWithExitCodeThreeAndLeavesNothing() throws Exception {
        Result table = mesh("status");
        assertThat(table.code()).isEqualTo(3);
        assertThat(table.out().lines())
                .hasSize(2 + 2 + ServiceName.all().size())
                .anyMatch(line -> line.matches("gateway +down .*"))
                .last()
                .isEqualTo("down   http://127.0.0.1:3000");

        Result json = mesh("status", "--json");
        assertThat(json.code()).isEqualTo(3);
        assertThat(Json.mapper().readTree(json.out()).get("state").asString()).isEqualTo("down");
        assertThat(folder.resolve(".mesh")).doesNotExist();
    }

    /** A script that reads the status gets nothing else, also where the launcher has to be built first. */
    @Test
    void buildingIsNoPartOfTheStatus() throws Exception {
        Path built = Files.move(classPath, folder.resolve("built"));
        Path maven = folder.resolve("mvnw");
        Files.writeString(
                maven,
                """
                #!/bin/sh
                echo '[INFO] Building Mirante local operation 0.1.0-SNAPSHOT    [1/1]'
                cp %s %s
                """
                        .formatted(built, classPath));
        assertThat(maven.toFile().setExecutable(true)).isTrue();

        Result result = mesh("status", "--json");
        assertThat(result.err()).contains("Building deploy/local").contains("local operation");
        JsonNode status = Json.mapper().readTree(result.out());
        assertThat(status.get("state").asString()).isEqualTo("down");
        assertThat(result.code()).isEqualTo(3);
    }

    @Test
    void logsShowsTheLastLinesOfAServiceOrAnotherPart() throws Exception {
        Files.createDirectories(logs);
        Files.writeString(
                logs.resolve("etl-service.log"),
                IntStream.rangeClosed(1, 250)
                        .mapToObj(number -> "line " + number + "\n")
                        .collect(Collectors.joining()));
        Files.writeString(logs.resolve("kafka.log"), "of Kafka\n");

        for (String name : List.of("etl", "etl-service")) {
            Result etl = mesh("logs", name);
            assertThat(etl.out()).startsWith("line 51\n").endsWith("line 250\n");
            assertThat(etl.code()).isZero();
        }
        assertThat(mesh("logs", "kafka").out()).isEqualTo("of Kafka\n");
    }

    @Test
    void logsNamesTheLogsThereAreWhenItHasNoSuch() throws Exception {
        assertThat(refused("logs", "etl")).isEqualTo("mesh: no log of etl; there are: none\n");
        Files.createDirectories(logs);
        Files.writeString(logs.resolve("kafka.log"), "");
        Files.writeString(logs.resolve("etl-service.log"), "");
        Files.writeString(folder.resolve(".mesh/secret.log"), "hidden");
        assertThat(refused("logs", "postgres"))
                .isEqualTo("mesh: no log of postgres; there are: etl-service, kafka\n");
        // The launcher has one too by now: the trace of that.
        assertThat(refused("logs", "../secret"))
                .isEqualTo("mesh: no log of ../secret; there are: etl-service, kafka, mesh\n");
    }

    @Test
    void logsFollowsUntilItIsEndedAndLeavesNoProcess() throws Exception {
        Files.createDirectories(logs);
        Path log = Files.writeString(logs.resolve("etl-service.log"), "before\n");
        Path out = folder.resolve("out");
        var started = new ArrayList<ProcessHandle>();
        Process process = start("logs", "etl", "-f").redirectOutput(out.toFile()).start();
        try {
            await().atMost(SOON).until(() -> Files.readString(out).equals("before\n"));
            Files.writeString(log, "after\n", StandardOpenOption.APPEND);
            await().atMost(SOON).until(() -> Files.readString(out).equals("before\nafter\n"));
            started.addAll(process.descendants().toList());
            assertThat(started).isNotEmpty();
            process.destroy();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            await().atMost(SOON).until(() -> started.stream().noneMatch(ProcessHandle::isAlive));
        } finally {
            started.forEach(ProcessHandle::destroy);
            process.destroy();
        }
    }

    /** None of these builds anything first: the stand-in for Maven is missing. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    status now          | unexpected argument now
                    status --jsn        | unknown option --jsn; known: --json
                    down --force        | unknown option --force
                    logs                | exactly one argument is needed, see ./mesh help
                    logs etl churn      | exactly one argument is needed, see ./mesh help
                    logs etl -n         | unknown option -n; known: -f, --follow
                    up --detatch        | up takes --detach and nothing else, not --detatch
                    up now              | up takes --detach and nothing else, not now
                    backup              | backup needs exactly one FILE
                    backup --all        | backup needs exactly one FILE
                    backup one two      | backup needs exactly one FILE
                    restore             | restore needs exactly one FILE
                    restore missing.zip | missing.zip is no file
                    test --fast         | unknown option of test: --fast
                    faults --runs       | --runs needs a number of 1 or more
                    faults --runs 0     | --runs needs a number of 1 or more
                    faults --fast       | unknown option of faults: --fast
                    """)
    void saysInOneLineWhatIsWrongWithArguments(String arguments, String message) throws Exception {
        assertThat(refused(arguments.split(" "))).isEqualTo("mesh: " + message + "\n");
    }

    /** One is what a run that failed ends with. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    etl                                                   | etl takes run, see ./mesh help
                    etl load                                              | etl takes run, see ./mesh help
                    etl run                                               | --mode is missing
                    etl run --mode batch                                  | --source is missing
                    etl run --mode stream --source a                      | --mode must be batch, streaming or validate_only, not stream
                    etl run --mode batch --source a --interval 60         | --interval is for --mode streaming, the one that goes on
                    etl run --mode batch --source                         | --source needs a value
                    etl run --source --strict                             | --source needs a value
                    etl run --mode batch --source a --strategy upsert     | --strategy must be merge, replace or append, not upsert
                    etl run --mode validate_only --source a --strategy merge | --strategy is for --mode batch; a streaming run merges
                    etl run --mode batch --source a --reference-time now  | --reference-time must be like 2026-11-20T12:00:00Z, not now
                    etl run --mode batch --source a --execution-id a/b    | --execution-id must have 1 to 200 letters, digits, dots, colons, dashes, plus signs or underscores, not a/b
                    etl run --mode batch --source a --url localhost:3000  | --url must be like http://127.0.0.1:3000, not localhost:3000
                    etl run --mode batch --source a --fast                | unknown option of etl run: --fast
                    etl run --resume                                      | --resume needs a value
                    etl run --resume a/b                                  | --resume must have 1 to 200 letters, digits, dots, colons, dashes, plus signs or underscores, not a/b
                    etl run --resume a --mode batch                       | --resume goes with --url and --key alone: the run is as it was begun
                    etl run --strict --resume a                           | --resume goes with --url and --key alone: the run is as it was begun
                    """)
    void wrongArgumentsOfARunAreTwo(String arguments, String message) throws Exception {
        Result result = mesh(arguments.split(" "));
        assertThat(result.err()).isEqualTo("mesh: " + message + "\n");
        assertThat(result.out()).isEmpty();
        assertThat(result.code()).isEqualTo(2);
    }

    /** The stand-in for the bench's classes: its main class is not there. What is built is told on standard error. */
    @Test
    void aRunNeedsTheBenchAlone() throws Exception {
        Path bench = folder.resolve("deploy/bench/target/classpath.txt");
        Path maven = folder.resolve("mvnw");
        Files.writeString(
                maven, "#!/bin/sh\nmkdir -p %s\ntouch %s\n".formatted(bench.getParent(), bench));
        assertThat(maven.toFile().setExecutable(true)).isTrue();
        Result result =
                mesh(
                        "etl",
                        "run",
                        "--mode",
                        "batch",
                        "--source",
                        "events",
                        "--strategy",
                        "replace",
                        "--strict",
                        "--reference-time",
                        "2026-11-20T12:00:00.5+01:00",
                        "--execution-id",
                        "scheduled__2026-11-20T00:00:00+00:00");
        assertThat(result.out()).isEmpty();
        assertThat(result.err())
                .startsWith("Building deploy/bench (")
                .contains("io.mirante.bench.Bench");
    }

    @Test
    void showsTheCommandsWhenItKnowsNoSuch() throws Exception {
        Result wrong = mesh("strat");
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.out()).isEmpty();
        assertThat(wrong.err())
                .startsWith("Usage: ./mesh COMMAND\n")
                .endsWith("mesh: unknown command: strat\n");
        for (String help : List.of("help", "-h", "--help")) {
            assertThat(mesh(help).out()).startsWith("Usage: ./mesh COMMAND\n");
        }
        assertThat(mesh().code()).isZero();
    }

    private String refused(String... arguments) throws IOException, InterruptedException {
        Result result = mesh(arguments);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        return result.err();
    }

    private Result mesh(String... arguments) throws IOException, InterruptedException {
        Path err = Files.createTempFile(folder, "err", "");
        Process process = start(arguments).redirectError(err.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        return new Result(process.waitFor(), out, Files.readString(err));
    }

    private ProcessBuilder start(String... arguments) {
        var builder = new ProcessBuilder("bash", folder.resolve("mesh").toString());
        builder.command().addAll(List.of(arguments));
        builder.environment()
                .keySet()
                .removeIf(name -> name.matches("(MIRANTE|MESH)_.*|PORT|.*_PORT"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        return builder;
    }
}
