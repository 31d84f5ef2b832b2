package io.mirante.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PortsTest {
    private static final IntPredicate ALL_FREE = port -> true;
    private static final Ports NONE = new Ports(Map.of());

    private final MeshSettings settings = settings(Map.of());

    @Test
    void givesEveryPartAPortOfItsOwn() {
        Ports ports = Ports.choose(settings, NONE, Set.of(), ALL_FREE);
        assertThat(ports.service(ServiceName.GATEWAY)).isEqualTo(3000);
        assertThat(ports.byPart()).hasSize(2 + 2 * 8);
        assertThat(ports.byPart().values()).doesNotHaveDuplicates();
    }

    @Test
    void keepsWhatItRemembersAndReplacesWhatIsTaken() {
        Ports before = Ports.choose(settings, NONE, Set.of(), ALL_FREE);
        int taken = before.of(Ports.KAFKA);
        Ports after = Ports.choose(settings, before, Set.of(), port -> port != taken);
        assertThat(after.of(Ports.KAFKA)).isNotEqualTo(taken);
        assertThat(after.of(Ports.POSTGRES)).isEqualTo(before.of(Ports.POSTGRES));
    }

    @Test
    void refusesATakenPortThatRunningPartsExpect() {
        Ports before = Ports.choose(settings, NONE, Set.of(), ALL_FREE);
        int taken = before.of(Ports.KAFKA);
        assertThatThrownBy(
                        () -> Ports.choose(settings, before, Set.of("etl"), port -> port != taken))
                .isInstanceOf(MeshException.class)
                .hasMessageContaining("./mesh down");
    }

    @Test
    void leavesARunningPartItsPortThoughItIsTaken() {
        Ports before = Ports.choose(settings, NONE, Set.of(), ALL_FREE);
        Ports after =
                Ports.choose(
                        settings, before, Set.of("gateway"), port -> port != before.of("gateway"));
        assertThat(after).isEqualTo(before);
    }

    @Test
    void namesTheSettingOfATakenPort() {
        assertThatThrownBy(() -> Ports.choose(settings, NONE, Set.of(), port -> port != 3000))
                .hasMessageContaining("port 3000")
                .hasMessageContaining("set PORT");
        assertThatThrownBy(() ->
                        Ports.choose(
                                settings(Map.of("ETL_PORT", "8080")),
                                NONE,
                                Set.of(),
                                port -> port != 8080))
                .hasMessageContaining("set ETL_PORT");
    }

    @Test
    void areReadBackAsWritten(@TempDir Path folder) throws Exception {
        var home = new Home(folder);
        Files.createDirectories(home.run());
        Ports ports = Ports.choose(settings, NONE, Set.of(), ALL_FREE);
        ports.write(home);
        assertThat(Ports.read(home)).isEqualTo(ports);
    }

    private static MeshSettings settings(Map<String, String> environment) {
        return MeshSettings.from(environment, Path.of("/checkout"));
    }
}
