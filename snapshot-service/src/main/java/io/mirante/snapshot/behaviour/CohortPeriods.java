package io.mirante.snapshot.behaviour;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Days, weeks or months one after another, in a time zone. Thread-safe. */
final class CohortPeriods {

    /** How long a period is; weeks begin on Monday. */
    enum Length {
        DAY(ChronoUnit.DAYS),
        WEEK(ChronoUnit.WEEKS),
        MONTH(ChronoUnit.MONTHS);

        private final ChronoUnit unit;
        private final String wireName = name().toLowerCase(Locale.ROOT);

        Length(ChronoUnit unit) {
            this.unit = unit;
        }

        static Optional<Length> find(String wireName) {
            return Stream.of(values()).filter(l -> l.wireName.equals(wireName)).findFirst();
        }

        /** The first day of the period that holds a day, or of one some periods later. */
        LocalDate begin(LocalDate day, long later) {
            var first =
                    switch (this) {
                        case DAY -> day;
                        case WEEK -> day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
                        case MONTH -> day.withDayOfMonth(1);
                    };
            return first.plus(later, unit);
        }
    }

    private final List<LocalDate> days;
    private final long[] begins;

    private CohortPeriods(List<LocalDate> days, ZoneId zone) {
        this.days = List.copyOf(days);
        this.begins =
                days.stream()
                        .mapToLong(day ->
                                ChronoUnit.MICROS.between(
                                        Instant.EPOCH, day.atStartOfDay(zone).toInstant()))
                        .toArray();
    }

    /**
     * The periods from the one that holds an instant.
     *
     * @param count how many, 1 or more
     */
    static CohortPeriods from(Instant first, Length length, ZoneId zone, int count) {
        var day = first.atZone(zone).toLocalDate();
        var days = new ArrayList<LocalDate>();
        for (int i = 0; i <= count; i++) {
            days.add(length.begin(day, i));
        }
        return new CohortPeriods(days, zone);
    }

    /** How many periods of a length hold a range; its end is not included. */
    static long spanned(Instant first, Instant end, Length length, ZoneId zone) {
        return length.unit.between(
                        length.begin(first.atZone(zone).toLocalDate(), 0),
                        length.begin(end.minusNanos(1).atZone(zone).toLocalDate(), 0))
                + 1;
    }

    int size() {
        return begins.length - 1;
    }

    /** The first day of a period. */
    LocalDate day(int period) {
        return days.get(period);
    }

    /** µs since 1970 at which a period begins; that of {@link #size()} is the end of all. */
    long begin(int period) {
        return begins[period];
    }

    /** Which period holds a time in µs since 1970; −1 when it is before all, {@link #size()} when it is after. */
    int of(long micros) {
        int at = Arrays.binarySearch(begins, micros);
        return at >= 0 ? at : -at - 2;
    }
}
