package io.mirante.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MeshSettingsTest {
    private static final Path CHECKOUT = Path.of("/checkout");

    @Test
    void defaultsToPort3000AndAFolderInTheCheckout() {
        MeshSettings settings = MeshSettings.from(Map.of(), CHECKOUT);
        assertThat(settings.gatewayPort()).isEqualTo(3000);
        assertThat(settings.home()).isEqualTo(Path.of("/checkout/.mesh"));
        assertThat(settings.host()).isEqualTo("127.0.0.1");
        assertThat(settings.ports()).isEmpty();
        assertThat(settings.allTiers()).isFalse();
        assertThat(settings.aot()).isTrue();
        assertThat(settings.apiKey()).isEqualTo("dev-key-123");
        assertThat(settings.tenant()).isEqualTo("demo");
        assertThat(settings.jvmFlags()).isEmpty();
    }

    @Test
    void readsWhatTheEnvironmentSays() {
        MeshSettings settings =
                MeshSettings.from(
                        Map.of(
                                "PORT", "65535",
                                "ETL_PORT", "1",
                                "KAFKA_PORT", " 9092 ",
                                "POSTGRES_PORT", "",
                                "MIRANTE_HOME", "/elsewhere",
                                "MESH_ALL_TIERS", "1",
                                "MESH_AOT", "off"),
                        CHECKOUT);
        assertThat(settings.gatewayPort()).isEqualTo(65_535);
        assertThat(settings.ports()).isEqualTo(Map.of("etl", 1, "kafka", 9092));
        assertThat(settings.home()).isEqualTo(Path.of("/elsewhere"));
        assertThat(settings.allTiers()).isTrue();
        assertThat(settings.aot()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"one, one", "'one,two', one", "' , it''s , two', it's", "' ,, ', dev-key-123"})
    void takesTheFirstKeyThatIsNotBlank(String keys, String first) {
        assertThat(MeshSettings.from(Map.of("API_KEYS", keys), CHECKOUT).apiKey()).isEqualTo(first);
    }

    @Test
    void handsMoreFlagsToTheServices() {
        var settings = MeshSettings.from(Map.of("MESH_JVM_FLAGS", " -Xlog:gc  -Da=b "), CHECKOUT);
        assertThat(Jvm.flags(settings, ServiceName.ETL)).endsWith("-Xlog:gc", "-Da=b");
    }

    @ParameterizedTest
    @CsvSource({
        "PORT, 0",
        "PORT, 65536",
        "PORT, http",
        "ETL_PORT, -1",
        "KAFKA_PORT, 1.5",
        "MESH_AOT, maybe",
        "MESH_PARALLEL, 0",
        "MESH_SERVICES, elt",
        "MESH_START_TIMEOUT_SECONDS, 0"
    })
    void refusesWhatIsOutOfRangeByName(String name, String value) {
        assertThatThrownBy(() -> MeshSettings.from(Map.of(name, value), CHECKOUT))
                .isInstanceOf(MeshException.class)
                .hasMessageStartingWith(name)
                .hasMessageContaining(value);
    }
}
