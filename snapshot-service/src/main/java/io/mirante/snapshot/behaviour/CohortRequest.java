package io.mirante.snapshot.behaviour;

import io.mirante.contracts.events.EventTypes;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.TimeRange;
import io.mirante.platform.web.TimeZones;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A cohort question as a client sends it.
 *
 * @param mode {@code first_time}, the default: a person is of the cohort of the period of their first such event ever;
 *     {@code recurring}: of each period in which they have one
 * @param granularity {@code day}, {@code week}, the default, or {@code month}
 * @param periods how many periods each cohort is followed through, its own included; 12 when missing
 * @param startTime cohorts begin from it on; null = so that {@code periods} cohorts fit before the end
 * @param endTime cohorts begin before it; null = now
 * @param timezone of the periods; null = the tenant's
 */
record CohortRequest(
        @Nullable Event cohortEvent,
        @Nullable Event returnEvent,
        @Nullable String mode,
        @Nullable String granularity,
        @Nullable Integer periods,
        @Nullable Instant startTime,
        @Nullable Instant endTime,
        @Nullable String timezone) {

    private static final int DEFAULT_PERIODS = 12;
    private static final int MAX_PERIODS = 366;
    private static final int MAX_COHORTS = 732;

    record Event(@Nullable String type) {}

    /**
     * A question, checked.
     *
     * @param cohorts how many
     * @param following through how many periods each is followed, its own included
     * @param times the cohorts' periods, and those after them that they are followed through
     */
    record Question(
            String begins,
            String returns,
            boolean firstTime,
            TimeRange range,
            CohortPeriods times,
            int cohorts,
            int following) {}

    /**
     * The question it asks.
     *
     * @param zone the tenant's
     * @throws ProblemException 400 that names every field that is wrong
     */
    Question toQuestion(ZoneId zone, Instant now) {
        var errors = new ArrayList<FieldError>();
        var begins = type(cohortEvent, "/cohort_event/type", errors);
        var returns = type(returnEvent, "/return_event/type", errors);
        var way = mode == null ? "first_time" : mode;
        if (!way.equals("first_time") && !way.equals("recurring")) {
            errors.add(
                    new FieldError(
                            "/mode", "unknown_value", "mode must be first_time or recurring"));
        }
        var length =
                CohortPeriods.Length.find(granularity == null ? "week" : granularity)
                        .orElseGet(() -> {
                            errors.add(
                                    new FieldError(
                                            "/granularity",
                                            "unknown_value",
                                            "granularity must be day, week or month"));
                            return CohortPeriods.Length.WEEK;
                        });
        int following = periods == null ? DEFAULT_PERIODS : periods;
        if (!(following >= 1 && following <= MAX_PERIODS)) {
            errors.add(
                    new FieldError(
                            "/periods",
                            "out_of_range",
                            "periods must be from 1 to %d, was %d"
                                    .formatted(MAX_PERIODS, following)));
        }
        var at = TimeZones.of(timezone, zone, "/timezone", errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        var end = endTime == null ? now : endTime;
        var start = startTime == null ? first(end, length, at, following) : startTime;
        var range = TimeRange.ofBody(start, end);
        long cohorts = CohortPeriods.spanned(range.start(), range.end(), length, at);
        if (cohorts > MAX_COHORTS) {
            throw ProblemException.malformed(
                    startTime == null ? "/end_time" : "/start_time",
                    "too_many",
                    "the range has %d cohorts, at most %d are answered; ask for a shorter one or a coarser granularity"
                            .formatted(cohorts, MAX_COHORTS));
        }
        return new Question(
                begins,
                returns,
                way.equals("first_time"),
                range,
                CohortPeriods.from(range.start(), length, at, (int) cohorts + following - 1),
                (int) cohorts,
                following);
    }

    /** So that as many cohorts as periods fit before the end; not before 1970. */
    private static Instant first(
            Instant end, CohortPeriods.Length length, ZoneId zone, int following) {
        var day = end.minusNanos(1).atZone(zone).toLocalDate();
        var start = length.begin(day, 1L - following).atStartOfDay(zone).toInstant();
        return start.isBefore(TimeRange.FIRST) ? TimeRange.FIRST : start;
    }

    private static String type(@Nullable Event event, String pointer, List<FieldError> errors) {
        var given = event == null ? null : event.type();
        var type = given == null ? "" : EventTypes.canonicalName(given);
        if (type.isEmpty()) {
            errors.add(new FieldError(pointer, "required", pointer + " must name an event type"));
        } else if (type.indexOf('\0') >= 0) {
            errors.add(new FieldError(pointer, "invalid", pointer + " must not hold NUL"));
        }
        return type;
    }
}
