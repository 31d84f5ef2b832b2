package io.mirante.ingestion.imports;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("fault")
class ImportMemoryIT {

    private static final long BYTES = 220L * 1024 * 1024;

    @TempDir Path folder;

    @Test
    void aFileSeveralTimesTheHeapIsImportedInConstantMemory()
            throws IOException, InterruptedException {
        var file = folder.resolve("large.ndjson");
        long lines = 0;
        try (var out = Files.newBufferedWriter(file)) {
            var filler = "x".repeat(300);
            for (long written = 0; written < BYTES; lines++) {
                var line =
                        lines % 1000 == 999
                                ? "{\"event_id\": \"bad-%d\"}\n".formatted(lines)
                                : """
                                {"event_id": "e-%d", "user_id": "u-%d", "event_type": "large", "payload": {"filler": "%s"}}
                                """
                                        .formatted(lines, lines % 1000, filler);
                out.write(line);
                written += line.length();
            }
        }
        assertThat(Files.size(file)).isGreaterThan(BYTES);

        var process =
                new ProcessBuilder(command(file))
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("out").toFile())
                        .start();
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue())
                .as(new String(Files.readAllBytes(folder.resolve("out")), StandardCharsets.UTF_8))
                .isZero();
        var result = Json.mapper().readTree(Files.readAllBytes(folder.resolve("result.json")));
        assertThat(result.path("read").longValue()).isEqualTo(lines);
        assertThat(result.path("rejected").longValue()).isEqualTo(lines / 1000);
        assertThat(result.path("accepted").longValue()).isEqualTo(lines - lines / 1000);
    }

    private List<String> command(Path file) {
        var command = new ArrayList<String>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(
                List.of(
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty(
                                "surefire.test.class.path", System.getProperty("java.class.path")),
                        SmallHeapImport.class.getName(),
                        folder.toString(),
                        file.toString()));
        return command;
    }
}
