package io.mirante.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcessRecordTest {
    @TempDir Path folder;

    @Test
    void isReadBackAsWritten() {
        var record = ProcessRecord.of(ProcessHandle.current());
        record.write(folder.resolve("pid"));
        assertThat(ProcessRecord.read(folder.resolve("pid"))).contains(record);
        assertThat(record.isAlive()).isTrue();
    }

    @Test
    void isNotAnotherProcessWithTheSameNumber() {
        var self = ProcessRecord.of(ProcessHandle.current());
        var earlier = new ProcessRecord(self.pid(), self.startedAt().minus(Duration.ofMinutes(1)));
        assertThat(earlier.isAlive()).isFalse();
        earlier.signal("KILL");
        assertThat(self.isAlive()).isTrue();
    }

    @Test
    void isEmptyForAMissingOrDamagedFile() throws IOException {
        assertThat(ProcessRecord.read(folder.resolve("none"))).isEmpty();
        Files.writeString(folder.resolve("damaged"), "12x");
        assertThat(ProcessRecord.read(folder.resolve("damaged"))).isEmpty();
    }
}
