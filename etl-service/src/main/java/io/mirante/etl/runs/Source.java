package io.mirante.etl.runs;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.mirante.etl.quality.TableShape;
import io.mirante.etl.remote.Place;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Where a run takes its rows from.
 *
 * @param kind {@code upload}, {@code s3} or {@code postgresql}
 * @param format {@code csv}, {@code ndjson}, {@code json} or {@code parquet}; null = postgresql
 * @param file its name in {@link SourceFiles}; null = not an upload
 * @param fileName as the client calls it; null = not an upload
 * @param bytes null = not an upload
 * @param place where it is, without credentials; null = upload
 * @param credentials sealed; null = upload
 * @param watermarkValue only rows with a greater value in the watermark column are read next; null = all
 * @param shape null = what the rows seem to be
 */
record Source(
        String name,
        String kind,
        @Nullable String format,
        @JsonIgnore @Nullable String file,
        @Nullable String fileName,
        @Nullable Long bytes,
        @Nullable Place place,
        @JsonIgnore @Nullable String credentials,
        @Nullable String watermarkValue,
        @Nullable TableShape shape,
        Instant createdAt) {

    static final String UPLOAD = "upload";
    static final String S3 = "s3";
    static final String POSTGRESQL = "postgresql";
}
