package io.mirante.snapshot.windows;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** How long a window is. Hours and days are those of a time zone: a day may have 23 or 25 hours. */
enum Granularity {
    HOURLY(ChronoUnit.HOURS),
    DAILY(ChronoUnit.DAYS);

    private final ChronoUnit unit;
    private final String wireName = name().toLowerCase(Locale.ROOT);

    Granularity(ChronoUnit unit) {
        this.unit = unit;
    }

    String wireName() {
        return wireName;
    }

    /** First instant of the window that holds the instant. */
    Instant startOf(Instant instant, ZoneId zone) {
        return local(instant, zone).toInstant();
    }

    /** First instant after the window that holds the instant. */
    Instant endOf(Instant instant, ZoneId zone) {
        return local(instant, zone).plus(1, unit).toInstant();
    }

    static Optional<Granularity> find(String wireName) {
        return Stream.of(values()).filter(g -> g.wireName.equals(wireName)).findFirst();
    }

    private ZonedDateTime local(Instant instant, ZoneId zone) {
        return instant.atZone(zone).truncatedTo(unit);
    }
}
