package io.mirante.etl.runs;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.remote.Fetched;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FetchedFilesTest {

    private static final Instant AT = Instant.parse("2026-11-20T10:00:00.123456789Z");

    @TempDir Path folder;
    private Fetched fetched = new Fetched(List.of(), FileFormat.CSV, null);

    @BeforeEach
    void fetch() throws IOException {
        fetched =
                new Fetched(
                        List.of(
                                Files.writeString(folder.resolve("a"), "x,y\n1,2\n"),
                                Files.writeString(folder.resolve("b"), "x,y\n3,4\n")),
                        FileFormat.COPIED,
                        "2026-11-20");
        FetchedFiles.complete(folder, "orders 1", fetched, AT);
    }

    @Test
    void whatWasFetchedCompletelyIsFound() throws IOException {
        assertThat(FetchedFiles.find(folder, "orders 1"))
                .isEqualTo(new FetchedFiles.Found(fetched, AT));
    }

    @Test
    void whatIsOfAnotherSourceIncompleteOrChangedIsNot() throws IOException {
        assertThat(FetchedFiles.find(folder, "orders 2")).isNull();
        Files.writeString(folder.resolve("b"), "x,y\n3,5\n");
        assertThat(FetchedFiles.find(folder, "orders 1")).as("another byte").isNull();
        Files.writeString(folder.resolve("b"), "x,y\n");
        assertThat(FetchedFiles.find(folder, "orders 1")).as("cut").isNull();
        Files.delete(folder.resolve("b"));
        assertThat(FetchedFiles.find(folder, "orders 1")).as("gone").isNull();
        Files.writeString(folder.resolve("list.json"), "{\"key\":");
        assertThat(FetchedFiles.find(folder, "orders 1")).as("torn list").isNull();
        Files.delete(folder.resolve("list.json"));
        assertThat(FetchedFiles.find(folder, "orders 1")).as("no list").isNull();
        assertThat(FetchedFiles.find(folder.resolve("none"), "orders 1")).isNull();
    }

    @Test
    void whatNobodyResumedGoesAfterItsTime() throws IOException {
        var now = Instant.now();
        for (var job : List.of("old", "new")) {
            var kept =
                    Files.createDirectories(
                            folder.resolve("jobs").resolve(job).resolve("scratch/fetched"));
            Files.writeString(kept.resolve("rows.csv"), "x");
            Files.writeString(folder.resolve("jobs").resolve(job).resolve("refused.csv"), "x");
            Files.setLastModifiedTime(
                    kept, FileTime.from(now.minus(Duration.ofHours(job.equals("old") ? 49 : 47))));
        }
        var drop = new DropLeftovers(folder, Clock.systemUTC());
        assertThat(drop.drop(now.minus(Duration.ofHours(48)))).isOne();
        assertThat(folder.resolve("jobs/old/scratch/fetched")).doesNotExist();
        assertThat(folder.resolve("jobs/old/refused.csv")).exists();
        assertThat(folder.resolve("jobs/new/scratch/fetched/rows.csv")).exists();
        assertThat(new DropLeftovers(folder.resolve("none"), Clock.systemUTC()).drop(now)).isZero();
    }
}
