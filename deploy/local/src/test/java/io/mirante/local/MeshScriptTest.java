package io.mirante.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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
    void withAFolderOfDataTheTestsOnItAreSelectedToo() throws Exception {
        assertThat(mesh(Map.of(), "test").output())
                .contains("arguments: -B -T 2 -Pwhole verify\n")
                .doesNotContain("MIRANTE_DATA=");

        Path data = Files.createDirectory(folder.resolve("data"));
        for (String given : List.of("data", data.toString())) {
            assertThat(mesh(Map.of("MIRANTE_DATA", given), "test").output())
                    .contains("-Dmirante.tests.excluded=fault\n")
                    .contains("MIRANTE_DATA=" + data + "\n");
        }
        Result missing = mesh(Map.of("MIRANTE_DATA", "date"), "test");
        assertThat(missing.code()).isEqualTo(1);
        assertThat(missing.output())
                .isEqualTo("mesh: MIRANTE_DATA is no folder: " + folder.resolve("date") + "\n");
    }

    @Test
    void faultsAreBoundedAndTheRareOnesAreForLongRuns() throws Exception {
        assertThat(mesh(Map.of("CI", ""), "faults").output())
                .contains(
                        "arguments: -B -Pwhole verify -Dmirante.tests.included=fault -Dmirante.tests.excluded=rare"
                                + " -Dmirante.fault.runs=10\n");
        assertThat(mesh(Map.of("CI", "true"), "faults", "--runs", "20").output())
                .contains("--fail-at-end")
                .contains("-Dmirante.tests.excluded= -Dmirante.fault.runs=20\n");
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

    /** A version that no JDK of this machine has: only the ones laid out here can be found. */
    @Test
    void findsAJdkThatIsNewEnoughAndPrefersTheOneThatIsSet() throws Exception {
        needJdk99();
        Path set = jdk("set", "99.0.1");
        Path onPath = jdk("on-path", "100-ea");
        Path installed = jdk(".sdkman/candidates/java/99-tem", "99");
        Path old = jdk("old", "1.8.0_402");
        Path withoutCompiler = jdk("without-compiler", "99");
        Files.delete(withoutCompiler.resolve("bin/javac"));
        Path asked = jdk("asked", "99");
        Files.delete(asked.resolve("release"));
        Files.writeString(
                asked.resolve("bin/java"),
                "#!/bin/sh\necho '    java.specification.version = 99' >&2\n");
        Path links = Files.createDirectory(folder.resolve("links"));
        Files.createSymbolicLink(links.resolve("java"), onPath.resolve("bin/java"));
        String path = links + ":" + System.getenv("PATH");

        assertThat(jdkFound(Map.of("JAVA_HOME", set.toString(), "PATH", path)))
                .isEqualTo(set.toString());
        for (String unfit : new String[] {"" + old, "" + withoutCompiler, "/no/such/folder", ""}) {
            assertThat(jdkFound(Map.of("JAVA_HOME", unfit, "PATH", path)))
                    .as(unfit)
                    .isEqualTo(onPath.toString());
            assertThat(jdkFound(Map.of("JAVA_HOME", unfit)))
                    .as(unfit)
                    .isEqualTo(installed.toString());
        }
        assertThat(jdkFound(Map.of("JAVA_HOME", asked.toString()))).isEqualTo(asked.toString());
    }

    @Test
    void saysWhichJdkIsMissingAndWhereToGetIt() throws Exception {
        needJdk99();
        Path old = jdk("old", "98.0.2");
        Result result = mesh(Map.of("JAVA_HOME", old.toString(), "HOME", "" + folder), "test");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.output())
                .startsWith("mesh: no JDK 99 or newer found.")
                .contains("https://adoptium.net", "java 99-tem", "openjdk-99-jdk", "openjdk@99")
                .endsWith("or set JAVA_HOME to it.\n")
                .doesNotContain("arguments: ");
        assertThat(mesh(Map.of("JAVA_HOME", "", "HOME", "" + folder), "help").code()).isZero();
    }

    @Test
    void writesUtf8WhereNoLocaleIsSet() throws Exception {
        Path java = jdk("set", "25").resolve("bin/java");
        Files.writeString(java, "#!/bin/sh\necho \"$@\"\n");
        Files.createDirectories(folder.resolve("deploy/local/target"));
        Files.writeString(folder.resolve("deploy/local/target/classpath.txt"), "none.jar");
        var settings = new TreeMap<String, String>();
        settings.put("JAVA_HOME", java.getParent().getParent().toString());
        for (String name : List.of("LC_ALL", "LC_CTYPE", "LANG")) {
            settings.put(name, "");
        }
        String encoding = "-Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8";
        assertThat(mesh(settings, "status").output()).contains(encoding);
        settings.put("LANG", "POSIX");
        assertThat(mesh(settings, "status").output()).contains(encoding);
        settings.put("LC_ALL", "pt_BR.ISO-8859-1");
        assertThat(mesh(settings, "status").output())
                .contains("io.mirante.local.Mesh status")
                .doesNotContain("encoding=");
    }

    private void needJdk99() throws IOException {
        Path script = folder.resolve("mesh");
        String text = Files.readString(script);
        assertThat(text).containsOnlyOnce("need=25\n");
        Files.writeString(script, text.replace("need=25\n", "need=99\n"));
    }

    private Path jdk(String name, String version) throws IOException {
        Path jdk = folder.resolve(name);
        Files.createDirectories(jdk.resolve("bin"));
        for (String program : new String[] {"java", "javac"}) {
            Path file = Files.writeString(jdk.resolve("bin").resolve(program), "#!/bin/sh\n");
            assertThat(file.toFile().setExecutable(true)).isTrue();
        }
        Files.writeString(
                jdk.resolve("release"),
                "IMPLEMENTOR=\"Someone\"\nJAVA_VERSION=\"%s\"\n".formatted(version));
        return jdk.toRealPath();
    }

    private String jdkFound(Map<String, String> more) throws IOException, InterruptedException {
        var environment = new TreeMap<>(more);
        environment.put("HOME", folder.toRealPath().toString());
        return mesh(environment, "test")
                .output()
                .lines()
                .filter(line -> line.startsWith("JAVA_HOME="))
                .findFirst()
                .orElseThrow()
                .substring("JAVA_HOME=".length());
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
        builder.directory(folder.toFile());
        builder.environment().keySet().removeAll(List.of("MIRANTE_DATA", "CI"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(more);
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        return new Result(process.waitFor(), output);
    }
}
