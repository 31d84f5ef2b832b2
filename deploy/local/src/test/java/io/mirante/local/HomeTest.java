package io.mirante.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HomeTest {
    @TempDir Path folder;

    @Test
    void isForItsOwnerAloneAndAcceptedAgain() throws Exception {
        var home = new Home(folder.resolve("home"));
        home.prepare();
        home.prepare();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.folder())))
                .isEqualTo("rwx------");
    }

    @Test
    void refusesTheDataOfAnotherVersionWithTheCommandToRun() {
        var home = new Home(folder.resolve("home"));
        home.prepare();
        var other = new Properties();
        other.setProperty("format", Integer.toString(Home.FORMAT + 1));
        other.setProperty("version", "9.9.9");
        Home.store(other, home.folder().resolve("version.properties"));
        assertThatThrownBy(home::prepare)
                .isInstanceOf(MeshException.class)
                .hasMessageContaining("9.9.9")
                .hasMessageContaining("./mesh backup FILE")
                .hasMessageContaining("./mesh restore FILE");
    }

    @Test
    void refusesAFolderWithSomethingElseInIt() throws Exception {
        Files.writeString(folder.resolve("thesis.txt"), "mine");
        assertThatThrownBy(() -> new Home(folder).prepare()).hasMessageContaining("MIRANTE_HOME");
    }

    @Test
    void isLockedByOneAtATime() {
        var home = new Home(folder.resolve("home"));
        try (var lock = HomeLock.take(home)) {
            assertThat(HomeLock.holder(home)).isPresent();
            assertThatThrownBy(() -> HomeLock.take(home))
                    .isInstanceOf(MeshException.class)
                    .hasMessageContaining("process " + ProcessHandle.current().pid());
        }
        assertThat(HomeLock.holder(home)).isEmpty();
        HomeLock.take(home).close();
    }
}
