package io.mirante.etl.remote;

import io.mirante.etl.quality.FileFormat;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was fetched.
 *
 * @param files one or more, each plain or gzip
 * @param watermark highest value of the watermark column among the rows; null = there is no such column, or no row
 */
public record Fetched(List<Path> files, FileFormat format, @Nullable String watermark) {

    public Fetched {
        files = List.copyOf(files);
    }
}
