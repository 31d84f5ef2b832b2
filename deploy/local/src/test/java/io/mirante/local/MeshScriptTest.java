package io.mirante.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script {@code mesh}, with a stand-in for Maven that prints its arguments and its environment. */
final class MeshScriptTest {
    @TempDir Path folder;

    private record Result(int code, String output) {}

    @BeforeEach
    void layOut() throws IOException {
        Files.copy(Path.of("../../mesh"), folder.resolve("mesh"));
        maven("echo \"arguments: $*\"; env");
    }

    @Test
    void readsAnEnvFileAsPeopleWriteIt() throws Exception {
        env(
                """
                \uFEFFS_FIRST=1
                # S_NOT=1
                  # S_NOT=1

                S_WINDOWS=windows\r
                S_QUOTED="two  words "\r
                S_SINGLE='a # b' # comment
                export S_EXPORTED = exported   # comment
                S_HASH=a#b
                S_URL=postgresql://u:p@h/db?x=y&z=1
                S_LITERAL=$HOME`id` it's
                S_EMPTY=
                S_NOTHING=   # only a comment
                S_TAKEN=from the file
                S_LAST=last\
                """);
        Result result = mesh(Map.of("S_TAKEN", "from the environment"), "test");
        assertThat(result.code()).isZero();
        assertThat(result.output().lines().filter(line -> line.startsWith("S_")))
                .containsExactlyInAnyOrder(
                        "S_FIRST=1",
                        "S_WINDOWS=windows",
                        "S_QUOTED=two  words ",
                        "S_SINGLE=a # b",
                        "S_EXPORTED=exported",
                        "S_HASH=a#b",
                        "S_URL=postgresql://u:p@h/db?x=y&z=1",
                        "S_LITERAL=$HOME`id` it's",
                        "S_TAKEN=from the environment",
                        "S_LAST=last");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hidden",
                "1KEY=hidden",
                "A-B=hidden",
                "S_OPEN=\"hidden",
                "S_HALF='hidden'x"
            })
    void refusesALineThatIsNoSetting(String line) throws Exception {
        env("# first\n" + line + "\n");
        Result result = mesh(Map.of(), "test");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.output().lines()).hasSize(1);
        assertThat(result.output())
                .startsWith("mesh: line 2 of " + folder.resolve(".env"))
                .doesNotContain("hidden");
    }

    @Test
    void saysWhereTheCoverageReportIsAndWhetherItWasWritten() throws Exception {
        Path report = folder.resolve("deploy/bench/target/coverage/index.html");
        Files.createDirectories(report.resolveSibling(""));
        Files.writeString(report, "of an earlier run");
        Result failed = mesh(Map.of(), "test", "--coverage");
        assertThat(failed.output()).contains("-Pcoverage").contains("no coverage report");

        maven("touch " + report + "; exit 3");
        Result written = mesh(Map.of(), "test", "--coverage");
        assertThat(written.output()).endsWith("Coverage of all modules: " + report + "\n");
        assertThat(written.code()).isEqualTo(3);
    }

    private void maven(String script) throws IOException {
        Path maven = folder.resolve("mvnw");
        Files.writeString(maven, "#!/bin/sh\n" + script + "\n");
        assertThat(maven.toFile().setExecutable(true)).isTrue();
    }

    private void env(String content) throws IOException {
        Files.writeString(folder.resolve(".env"), content);
    }

    private Result mesh(Map<String, String> more, String... arguments)
            throws IOException, InterruptedException {
        var builder = new ProcessBuilder("bash", folder.resolve("mesh").toString());
        builder.command().addAll(List.of(arguments));
        builder.environment().remove("MIRANTE_DATA");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(more);
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        return new Result(process.waitFor(), output);
    }
}
