package io.mirante.platform.erasure;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.gateway.PersonErased.Removal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobFilesTest {

    private static final PersonFiles ANA = new PersonFiles("ana", () -> {});

    @TempDir Path job;

    @Test
    void rowsThatNameThePersonGoAndOtherFilesGoWhole() throws IOException {
        Files.writeString(job.resolve("report.ndjson"), "{\"a\":\"ana\"}\n{\"a\":\"anabel\"}\n");
        Files.writeString(job.resolve("refused.csv"), "user_id\n\"ana\"\n\"anabel\"\n");
        Files.writeString(job.resolve("state.json"), "{\"done\": 7}");
        Files.write(job.resolve("training.parquet"), new byte[] {1, 2, 3});
        Files.createDirectory(job.resolve("scratch"));
        Files.writeString(job.resolve("scratch/run.duckdb"), "of a run that was killed");

        assertThat(JobFiles.rewrite(job, ANA).removed())
                .containsExactly(
                        new Removal("files of jobs", Removal.BLANKED, 2),
                        new Removal("files of jobs", Removal.DELETED, 1));

        assertThat(job.resolve("report.ndjson")).hasContent("{\"a\":\"anabel\"}\n");
        assertThat(job.resolve("refused.csv")).hasContent("user_id\n\"anabel\"\n");
        try (var files = Files.list(job)) {
            assertThat(files).hasSize(3);
        }
    }

    @Test
    void aJobWithoutFilesIsFine() throws IOException {
        assertThat(JobFiles.rewrite(job.resolve("none"), ANA).removed()).isEmpty();
    }
}
