package io.mirante.platform.erasure;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.gateway.PersonErased.Removal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobFilesTest {

    @TempDir Path job;

    @Test
    void linesThatNameThePersonGoAndOtherFilesGoWhole() throws IOException {
        Files.writeString(job.resolve("report.ndjson"), "{\"a\":\"ana\"}\n{\"a\":\"bia\"}\n");
        Files.writeString(job.resolve("other.csv"), "bia\n");
        Files.write(job.resolve("training.parquet"), new byte[] {1, 2, 3});

        assertThat(JobFiles.rewrite(job, "ana").removed())
                .containsExactly(
                        new Removal("files of jobs", Removal.BLANKED, 1),
                        new Removal("files of jobs", Removal.DELETED, 1));

        assertThat(job.resolve("report.ndjson")).hasContent("{\"a\":\"bia\"}\n");
        assertThat(job.resolve("other.csv")).hasContent("bia\n");
        try (var files = Files.list(job)) {
            assertThat(files).hasSize(2);
        }
    }

    @Test
    void aJobWithoutFilesIsFine() {
        assertThat(JobFiles.rewrite(job.resolve("none"), "ana").removed()).isEmpty();
    }
}
