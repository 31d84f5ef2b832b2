package io.mirante.etl.runs;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.mirante.etl.quality.TableShape;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Where a run takes its rows from.
 *
 * @param kind {@code upload}
 * @param format {@code csv}, {@code ndjson}, {@code json} or {@code parquet}
 * @param file its name in {@link SourceFiles}
 * @param fileName as the client calls it
 * @param shape null = what the file seems to be
 */
record Source(
        String name,
        String kind,
        String format,
        @JsonIgnore String file,
        String fileName,
        long bytes,
        @Nullable TableShape shape,
        Instant createdAt) {}
