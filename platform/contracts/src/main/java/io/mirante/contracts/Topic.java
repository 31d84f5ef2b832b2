package io.mirante.contracts;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One Kafka topic: its full name, partitions, and either how long records stay ({@code retention}) or that only the
 * newest of each key stays ({@code compacted}).
 *
 * @param name full name, with the prefix {@code mirante.}
 * @param partitions 1 or more
 * @param retention how long records stay; null for a compacted topic
 * @param compacted keeps the newest record of each key for ever
 * @param logAppendTime records carry the broker's time; a producer's clock cannot close other tenants' windows
 */
public record Topic(
        String name,
        int partitions,
        @Nullable Duration retention,
        boolean compacted,
        boolean logAppendTime) {

    public Topic {
        if (!(partitions >= 1)) {
            throw new IllegalArgumentException("partitions must be at least 1, was " + partitions);
        }
        if (compacted == (retention != null)) {
            throw new IllegalArgumentException(
                    "topic " + name + " is either compacted or has a retention");
        }
    }

    static Topic kept(String name, int partitions, Duration retention) {
        return new Topic(name, partitions, retention, false, false);
    }

    static Topic appendTime(String name, int partitions, Duration retention) {
        return new Topic(name, partitions, retention, false, true);
    }

    static Topic compacted(String name, int partitions) {
        return new Topic(name, partitions, null, true, false);
    }

    /** By when a record of a compacted topic that was replaced or removed is really gone, give or take a cleaning. */
    public static final Duration MAX_COMPACTION_LAG = Duration.ofDays(7);

    /** Largest record, in bytes: an event of the greatest limit (1 MiB) with what the mesh adds, several times over. */
    public static final int MAX_RECORD_BYTES = 4 * 1024 * 1024;

    /** The topic's settings as Kafka names them. */
    public Map<String, String> configs() {
        var time = logAppendTime ? "LogAppendTime" : "CreateTime";
        var size = Integer.toString(MAX_RECORD_BYTES);
        return retention == null
                ? Map.of(
                        "cleanup.policy",
                        "compact",
                        "max.compaction.lag.ms",
                        Long.toString(MAX_COMPACTION_LAG.toMillis()),
                        "max.message.bytes",
                        size,
                        "message.timestamp.type",
                        time,
                        "min.cleanable.dirty.ratio",
                        "0.1")
                : Map.of(
                        "cleanup.policy",
                        "delete",
                        "max.message.bytes",
                        size,
                        "message.timestamp.type",
                        time,
                        "retention.ms",
                        Long.toString(retention.toMillis()));
    }
}
