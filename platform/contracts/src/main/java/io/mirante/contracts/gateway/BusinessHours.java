package io.mirante.contracts.gateway;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * When a tenant works, in its own time zone.
 *
 * @param days openings by day; a day that is not named is closed
 * @param holidays days that are closed whatever the week says
 */
public record BusinessHours(Map<Day, List<Opening>> days, List<LocalDate> holidays) {

    public BusinessHours {
        var copy = new EnumMap<Day, List<Opening>>(Day.class);
        if (days != null) {
            days.forEach((day, openings) -> copy.put(day, List.copyOf(openings)));
        }
        days = Collections.unmodifiableMap(copy);
        holidays = holidays == null ? List.of() : List.copyOf(holidays);
    }

    /** Whether the tenant is open; an opening's start is in it, its end is not. */
    public boolean open(Instant at, ZoneId zone) {
        var local = at.atZone(zone);
        return !holidays.contains(local.toLocalDate())
                && days.getOrDefault(Day.of(local.getDayOfWeek()), List.of()).stream()
                        .anyMatch(opening -> opening.contains(local.toLocalTime()));
    }

    /**
     * One opening of a day.
     *
     * @param closes after {@code opens}; {@code 00:00} is the day's end
     */
    public record Opening(
            @JsonFormat(pattern = "HH:mm") LocalTime opens,
            @JsonFormat(pattern = "HH:mm") LocalTime closes) {

        public Opening {
            if (opens == null || closes == null) {
                throw new InvalidSettingException(
                        opens == null ? "/opens" : "/closes",
                        "required",
                        "an opening needs opens and closes, such as 09:00 and 18:00");
            }
            if (!(closes.equals(LocalTime.MIDNIGHT) || closes.isAfter(opens))) {
                throw new InvalidSettingException(
                        "/closes",
                        "out_of_range",
                        "closes must be after opens (%s), or 00:00 for the day's end, was %s"
                                .formatted(opens, closes));
            }
        }

        boolean contains(LocalTime time) {
            return !time.isBefore(opens)
                    && (closes.equals(LocalTime.MIDNIGHT) || time.isBefore(closes));
        }
    }

    /** Days of the week. */
    public enum Day {
        @JsonProperty("monday")
        MONDAY,
        @JsonProperty("tuesday")
        TUESDAY,
        @JsonProperty("wednesday")
        WEDNESDAY,
        @JsonProperty("thursday")
        THURSDAY,
        @JsonProperty("friday")
        FRIDAY,
        @JsonProperty("saturday")
        SATURDAY,
        @JsonProperty("sunday")
        SUNDAY;

        static Day of(DayOfWeek day) {
            return values()[day.ordinal()];
        }
    }
}
