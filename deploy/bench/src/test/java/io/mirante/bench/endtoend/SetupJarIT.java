package io.mirante.bench.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The set-up step as it is shipped, on the database and the topics that the launcher made. */
@ExtendWith(RunningMesh.class)
class SetupJarIT {
    private static final Path JAR =
            MeshUnderTest.checkout().resolve("platform/setup/target/mirante-setup-run.jar");

    @Test
    void findsNothingLeftToDoInALocalMesh(MeshUnderTest mesh) throws Exception {
        mesh.up();
        Properties passwords = new Properties();
        try (var in = Files.newInputStream(mesh.home().resolve("keys/passwords.properties"))) {
            passwords.load(in);
        }
        Map<String, String> environment = new TreeMap<>();
        for (String role : passwords.stringPropertyNames()) {
            int end = role.lastIndexOf('_');
            if (end > 0) {
                environment.put(
                        (role.substring(0, end) + "_DB" + role.substring(end) + "_PASSWORD")
                                .toUpperCase(Locale.ROOT),
                        passwords.getProperty(role));
            }
        }
        environment.put(
                "DATABASE_URL",
                "postgresql://mirante:%s@127.0.0.1:%d/mirante"
                        .formatted(
                                passwords.getProperty("owner"),
                                mesh.part("postgres").path("port").asInt(0)));
        environment.put(
                "KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:" + mesh.part("kafka").path("port").asInt(0));

        ProcessBuilder builder =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-jar",
                                        JAR.toString()))
                        .redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);

        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output.lines().filter(line -> line.endsWith(" up to date")))
                .as(output)
                .hasSize(8);
        assertThat(output).contains("all there").endsWith("Set-up done.\n");
    }
}
