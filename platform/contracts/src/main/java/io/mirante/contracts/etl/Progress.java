package io.mirante.contracts.etl;

import java.time.Instant;
import java.util.Map;

/**
 * How far a source partition has been processed: everything accepted before {@code time} on that partition is below
 * {@code sourceOffset}, and what came of it lies below {@code cleanOffsets}. On {@code mirante.progress}, each second at least,
 * also when nothing happens.
 *
 * @param sourceOffset next offset to process
 * @param cleanOffsets by partition of {@code sink}: the offset after the last record published from this source
 * @param sink topic that {@code cleanOffsets} speaks of; the source itself where consumers read it directly
 */
public record Progress(
        String sourceTopic,
        int sourcePartition,
        long sourceOffset,
        String sink,
        Map<Integer, Long> cleanOffsets,
        Instant time) {}
