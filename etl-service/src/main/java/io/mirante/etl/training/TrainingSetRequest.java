package io.mirante.etl.training;

import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which training set.
 *
 * @param asOf moments of the past, 1 to 60; each gives a row per user
 * @param label what is to be predicted
 */
record TrainingSetRequest(@Nullable List<Instant> asOf, @Nullable Label label) {

    static final String INACTIVITY = "inactivity";
    private static final int MAX_MOMENTS = 60;
    private static final Duration MIN_HORIZON = Duration.ofHours(1);
    private static final Duration MAX_HORIZON = Duration.ofDays(730);

    /**
     * The label.
     *
     * @param type {@code inactivity}: 1 when the user has no event within the horizon
     * @param horizon ISO 8601 in days or less, {@code P30D}; 1 hour to 730 days
     */
    record Label(@Nullable String type, @Nullable String horizon) {}

    /** A request that is complete and within its limits. */
    record Valid(List<Instant> asOf, Duration horizon) {}

    /**
     * Checks everything that does not need the log.
     *
     * @throws ProblemException 400 with every field that is wrong
     */
    Valid validated() {
        var errors = new ArrayList<FieldError>();
        var moments = asOf == null ? List.<@Nullable Instant>of() : asOf;
        if (moments.isEmpty() || moments.size() > MAX_MOMENTS || moments.contains(null)) {
            errors.add(
                    new FieldError(
                            "/as_of",
                            "out_of_range",
                            "as_of must hold 1 to %d times".formatted(MAX_MOMENTS)));
        }
        if (label == null || !INACTIVITY.equals(label.type())) {
            errors.add(new FieldError("/label/type", "unknown", "label.type must be inactivity"));
        }
        var horizon = label == null ? null : horizon(label.horizon());
        if (horizon == null) {
            errors.add(
                    new FieldError(
                            "/label/horizon",
                            "out_of_range",
                            "label.horizon must be an ISO 8601 duration from PT1H to P730D, such as P30D"));
        }
        if (!errors.isEmpty() || horizon == null) {
            throw ProblemException.malformed(errors);
        }
        return new Valid(
                moments.stream()
                        .map(m -> Objects.requireNonNull(m).truncatedTo(ChronoUnit.MICROS))
                        .distinct()
                        .sorted()
                        .toList(),
                horizon);
    }

    private static @Nullable Duration horizon(@Nullable String text) {
        try {
            var horizon = text == null ? Duration.ZERO : Duration.parse(text);
            return horizon.compareTo(MIN_HORIZON) >= 0 && horizon.compareTo(MAX_HORIZON) <= 0
                    ? horizon
                    : null;
        } catch (DateTimeException e) {
            return null;
        }
    }
}
