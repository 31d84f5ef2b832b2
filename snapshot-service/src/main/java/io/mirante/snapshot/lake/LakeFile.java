package io.mirante.snapshot.lake;

import java.time.Instant;
import java.time.LocalDate;

/**
 * A file as the manifest has it.
 *
 * @param file path below the lake's folder
 * @param day of {@code occurred_at}, in UTC
 */
record LakeFile(
        String file,
        LocalDate day,
        long rows,
        Instant minOccurredAt,
        Instant maxOccurredAt,
        Instant minReceivedAt,
        Instant maxReceivedAt,
        long bytes,
        String sha256) {

    /** Columns, order and types of a file; another number when they change. */
    static final int FORMAT = 1;
}
