package io.mirante.etl.runs;

import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.TimeZones;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.scheduling.support.CronExpression;

/**
 * A schedule to set.
 *
 * @param name of its own; the same again replaces it
 * @param cron five fields: minute, hour, day of month, month, day of week
 * @param timezone IANA; null = the tenant's
 * @param mode as of a run
 * @param source as of a run
 * @param load as of a run
 * @param strict as of a run
 */
record ScheduleRequest(
        @Nullable String name,
        @Nullable String cron,
        @Nullable String timezone,
        @Nullable String mode,
        @Nullable String source,
        RunRequest.@Nullable Load load,
        @Nullable Boolean strict) {

    private static final int FIELDS = 5;

    /** A request that is complete. */
    record Valid(String name, String cron, ZoneId timezone, RunRequest.Valid run) {

        /** The first time after a moment; null = never again. */
        @Nullable Instant next(Instant after) {
            return ScheduleRequest.next(cron, timezone, after);
        }
    }

    /**
     * The first time of an expression after a moment; null = never again.
     *
     * @param cron that was accepted
     */
    static @Nullable Instant next(String cron, ZoneId timezone, Instant after) {
        var next = CronExpression.parse("0 " + cron).next(after.atZone(timezone));
        return next == null ? null : next.toInstant();
    }

    /**
     * Checks everything that does not need the source.
     *
     * @param usual the tenant's time zone
     * @throws ProblemException 400 with every field that is wrong
     */
    Valid validated(ZoneId usual) {
        var errors = new ArrayList<FieldError>();
        var plain = name == null ? "" : name.strip();
        if (!plain.matches("[\\p{L}\\p{N}][\\p{L}\\p{N} ._-]{0,99}")) {
            errors.add(
                    new FieldError(
                            "/name",
                            "invalid",
                            "name must have 1 to 100 letters, digits, spaces, dots, dashes or underscores, and begin with a letter"
                                    + " or digit"));
        }
        checkCron(errors);
        var zone = TimeZones.of(timezone, usual, "/timezone", errors);
        var run = new RunRequest(mode, source, load, strict, null, null, null);
        if (RunRequest.STREAMING.equals(mode)) {
            errors.add(
                    new FieldError(
                            "/mode",
                            "invalid",
                            "a streaming run goes on by itself; schedule mode batch or validate_only"));
        }
        run.check(errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new Valid(plain, Objects.requireNonNull(cron).strip(), zone, run.valid());
    }

    private void checkCron(List<FieldError> errors) {
        var text = cron == null ? "" : cron.strip();
        try {
            if (text.split("\\s+").length == FIELDS) {
                CronExpression.parse("0 " + text);
                return;
            }
        } catch (IllegalArgumentException e) {
            // the same answer as of too many fields
        }
        errors.add(
                new FieldError(
                        "/cron",
                        "invalid",
                        "cron must have minute, hour, day of month, month and day of week, such as 0 3 * * *"));
    }
}
