package io.mirante.bench.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoOptionsTest {

    @Test
    void everyOptionIsRead() {
        DemoOptions options =
                DemoOptions.parse(
                        List.of(
                                "--once",
                                "--seed",
                                "3",
                                "--people",
                                "300",
                                "--weeks",
                                "8",
                                "--from",
                                "data",
                                "--url",
                                "http://127.0.0.1:4000",
                                "--key",
                                "k",
                                "--timeout",
                                "60",
                                "--live",
                                "6"));

        assertThat(options.once()).isTrue();
        assertThat(options.seed()).isEqualTo(3);
        assertThat(options.people()).isEqualTo(300);
        assertThat(options.weeks()).isEqualTo(8);
        assertThat(options.from()).isEqualTo(Path.of("data"));
        assertThat(options.url()).hasToString("http://127.0.0.1:4000");
        assertThat(options.key()).isEqualTo("k");
        assertThat(options.patience()).hasSeconds(60);
        assertThat(options.live()).hasSeconds(6);
    }

    @Test
    void theKeyIsTheGivenOneElseTheLocalMeshsFirst() {
        LocalMesh local =
                new LocalMesh(Path.of("."), Map.of("PORT", "4000", "API_KEYS", " , first ,second"));
        LocalMesh plain = new LocalMesh(Path.of("."), Map.of("API_KEYS", ""));
        URI elsewhere = URI.create("http://elsewhere:4000");

        DemoOptions none = DemoOptions.parse(List.of());
        assertThat(local.keyFor(local.url(), none.key())).isEqualTo("first");
        assertThat(plain.keyFor(plain.url(), none.key())).isEqualTo("dev-key-123");
        assertThat(local.keyFor(elsewhere, none.key())).isEqualTo("dev-key-123");
        DemoOptions given = DemoOptions.parse(List.of("--key", "k"));
        assertThat(local.keyFor(local.url(), given.key())).isEqualTo("k");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--wat",
                "--seed",
                "--seed x",
                "--people 99",
                "--weeks 5",
                "--timeout 9",
                "--live 4"
            })
    void aBadOptionIsNamedAndEndsWithTwo(String line) {
        String option = line.split(" ")[0];
        assertThatThrownBy(() -> DemoOptions.parse(List.of(line.split(" "))))
                .hasMessageContaining(option);

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(
                        Demo.run(
                                List.of(line.split(" ")),
                                new PrintStream(out, true, StandardCharsets.UTF_8)))
                .isEqualTo(2);
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("mesh demo: ")
                .contains(option)
                .contains("usage");
    }
}
