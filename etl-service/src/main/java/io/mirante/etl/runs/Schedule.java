package io.mirante.etl.runs;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A run that begins by itself.
 *
 * @param cron minute, hour, day of month, month, day of week
 * @param timezone that the times are of, IANA
 * @param load null = the run loads nothing
 * @param nextAt null = never again
 * @param skipped times at which the run before was not over
 */
record Schedule(
        String name,
        String cron,
        String timezone,
        String mode,
        String source,
        Run.@Nullable Load load,
        boolean strict,
        Instant createdAt,
        @Nullable Instant nextAt,
        @Nullable Instant lastAt,
        @Nullable String lastExecutionId,
        long skipped) {}
