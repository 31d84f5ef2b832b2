package io.mirante.bench.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a reader of either language may copy is the same. */
final class ReadmeCommandsTest {

    @ParameterizedTest
    @ValueSource(strings = {"bash", "sh"})
    void bothLanguagesHaveTheSameCommandsInTheSameOrder(String language) {
        Path checkout = MeshUnderTest.checkout();
        var english = ReadmeCommands.blocks(checkout.resolve("README.md"), language);
        assertThat(english).hasSizeGreaterThan(3);
        assertThat(ReadmeCommands.blocks(checkout.resolve("README.pt-BR.md"), language))
                .isEqualTo(english);
    }
}
