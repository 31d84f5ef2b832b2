package io.mirante.platform.web;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * A range of event times as requests give it.
 *
 * @param start included
 * @param end not included, after start
 */
public record TimeRange(Instant start, Instant end) {

    /** The earliest and the latest time an event can have. */
    public static final Instant FIRST = Instant.EPOCH;

    public static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

    public TimeRange {
        if (!(start.isBefore(end))) {
            throw new IllegalArgumentException("end must be after start, was " + end);
        }
    }

    /**
     * Reads {@code ?start_time=} and {@code ?end_time=}; one that is missing is open.
     *
     * @throws ProblemException 400 when one is no time, or end is not after start
     */
    public static TimeRange ofQuery(@Nullable String start, @Nullable String end) {
        return of(
                orElse(QueryTimes.of("start_time", start), FIRST),
                orElse(QueryTimes.of("end_time", end), LAST),
                "?end_time");
    }

    /** As {@link #ofQuery}; a missing end is now, a missing start lies the given time before the end. */
    public static TimeRange ofQuery(
            @Nullable String start, @Nullable String end, Instant now, Duration back) {
        var until = orElse(QueryTimes.of("end_time", end), now.truncatedTo(ChronoUnit.MICROS));
        return of(
                orElse(QueryTimes.of("start_time", start), until.minus(back)), until, "?end_time");
    }

    /**
     * A range from a request's body; null = open.
     *
     * @throws ProblemException 400 when end is not after start
     */
    public static TimeRange ofBody(@Nullable Instant start, @Nullable Instant end) {
        return of(orElse(start, FIRST), orElse(end, LAST), "/end_time");
    }

    /** The range of the same length that ends where this begins. */
    public TimeRange before() {
        return new TimeRange(start.minus(Duration.between(start, end)), start);
    }

    private static TimeRange of(Instant start, Instant end, String pointer) {
        if (start.isBefore(FIRST) || end.isAfter(LAST)) {
            throw ProblemException.malformed(
                    pointer, "out_of_range", "times lie between 1970 and 9999");
        }
        if (!end.isAfter(start)) {
            throw ProblemException.malformed(
                    pointer, "not_after_start", "end_time must be after start_time");
        }
        return new TimeRange(start, end);
    }

    private static Instant orElse(@Nullable Instant value, Instant otherwise) {
        return value == null ? otherwise : value;
    }
}
