package io.mirante.ingestion.imports;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SeenIdsTest {

    @TempDir Path folder;

    @Test
    void aLaterLineRepeatsAnEarlierOneAndTheSameLineDoesNot() throws IOException {
        var file = folder.resolve("ids");
        var seen = new SeenIds(file);
        for (int i = 0; i < 200_000; i++) {
            assertThat(seen.repeats("id-" + i, i + 1)).isFalse();
        }
        assertThat(seen.repeats("id-7", 8)).isFalse();
        assertThat(seen.repeats("id-7", 200_001)).isTrue();

        var again = new SeenIds(file);
        assertThat(again.repeats("id-199999", 200_000)).as("the line itself, read again").isFalse();
        assertThat(again.repeats("id-199999", 200_001)).isTrue();
        assertThat(again.repeats("new", 200_002)).isFalse();
        again.delete();
        assertThat(file).doesNotExist();
    }
}
