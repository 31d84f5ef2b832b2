package io.mirante.contracts.events;

import java.time.Instant;
import java.time.LocalDate;
import java.time.Year;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads RFC 3339 times with their offset. Written by hand because the formatter of {@code java.time} takes some ten
 * times as long, on a path every event takes. Precision is the microsecond, which PostgreSQL and DuckDB keep: what lies
 * below is cut off, so that every store holds the same instant. A leap second is the first moment of the next minute.
 */
final class Rfc3339 {

    private static final long FIRST_SECOND = 0;
    private static final long LAST_SECOND = Instant.parse("9999-12-31T23:59:59Z").getEpochSecond();

    private Rfc3339() {}

    /** Whether it lies from 1970 to 9999. */
    static boolean inRange(Instant instant) {
        long second = instant.getEpochSecond();
        return second >= FIRST_SECOND && second <= LAST_SECOND;
    }

    /** The instant, from 1970 to 9999; null when the text is none. */
    static @Nullable Instant parse(String text) {
        int length = text.length();
        if (length < 20 || length > 64) {
            return null;
        }
        int year = number(text, 0, 4);
        int month = number(text, 5, 2);
        int day = number(text, 8, 2);
        int hour = number(text, 11, 2);
        int minute = number(text, 14, 2);
        int second = number(text, 17, 2);
        char t = text.charAt(10);
        boolean separated =
                text.charAt(4) == '-'
                        && text.charAt(7) == '-'
                        && (t == 'T' || t == 't' || t == ' ')
                        && text.charAt(13) == ':'
                        && text.charAt(16) == ':';
        if (!separated
                || year < 0
                || month < 1
                || month > 12
                || day < 1
                || day > daysOf(year, month)
                || hour < 0
                || hour > 23
                || minute < 0
                || minute > 59
                || second < 0
                || second > 60) {
            return null;
        }
        int at = 19;
        int micros = 0;
        if (text.charAt(at) == '.') {
            int digits = 0;
            while (++at < length && digit(text, at) >= 0) {
                if (digits < 6) {
                    micros = micros * 10 + digit(text, at);
                }
                digits++;
            }
            if (digits == 0) {
                return null;
            }
            for (; digits < 6; digits++) {
                micros *= 10;
            }
        }
        Integer offset = offsetSeconds(text, at);
        if (offset == null) {
            return null;
        }
        long seconds =
                LocalDate.of(year, month, day).toEpochDay() * 86_400
                        + hour * 3_600L
                        + minute * 60L
                        + second
                        - offset;
        return seconds < FIRST_SECOND || seconds > LAST_SECOND
                ? null
                : Instant.ofEpochSecond(seconds, micros * 1_000L);
    }

    /** The same instant in the precision that every store keeps. */
    static Instant stored(Instant instant) {
        return instant.truncatedTo(ChronoUnit.MICROS);
    }

    private static @Nullable Integer offsetSeconds(String text, int at) {
        int rest = text.length() - at;
        if (rest == 1 && (text.charAt(at) == 'Z' || text.charAt(at) == 'z')) {
            return 0;
        }
        if (rest != 6 || text.charAt(at + 3) != ':') {
            return null;
        }
        char sign = text.charAt(at);
        int hours = number(text, at + 1, 2);
        int minutes = number(text, at + 4, 2);
        if ((sign != '+' && sign != '-')
                || hours < 0
                || hours > 23
                || minutes < 0
                || minutes > 59) {
            return null;
        }
        int seconds = hours * 3_600 + minutes * 60;
        return sign == '-' ? -seconds : seconds;
    }

    private static int daysOf(int year, int month) {
        return switch (month) {
            case 2 -> Year.isLeap(year) ? 29 : 28;
            case 4, 6, 9, 11 -> 30;
            default -> 31;
        };
    }

    /** The digits as a number, -1 when one of them is none. */
    private static int number(String text, int from, int digits) {
        int value = 0;
        for (int i = from; i < from + digits; i++) {
            int digit = digit(text, i);
            if (digit < 0) {
                return -1;
            }
            value = value * 10 + digit;
        }
        return value;
    }

    private static int digit(String text, int at) {
        char c = text.charAt(at);
        return c >= '0' && c <= '9' ? c - '0' : -1;
    }
}
