package io.mirante.etl.runs;

import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which run.
 *
 * @param mode {@code validate_only}, {@code batch}, which makes a feature set of what is left and loads it, or {@code streaming}, which
 *     does so again whenever the source has something new, until it is cancelled
 * @param source name of a source, or {@code events}, the event log
 * @param load how a batch run loads; null = merge
 * @param strict whether a critical check that fails on what was given fails the run; else only on what cleaning leaves
 * @param referenceTime moment that freshness counts from and that features are of; null = now
 * @param intervalSeconds how often a streaming run looks, [10, 3600]; null = 60
 * @param executionId the caller's own name for the run; the same again is answered with the same job
 */
record RunRequest(
        @Nullable String mode,
        @Nullable String source,
        @Nullable Load load,
        @Nullable Boolean strict,
        @Nullable Instant referenceTime,
        @Nullable Integer intervalSeconds,
        @Nullable String executionId) {

    static final String VALIDATE_ONLY = "validate_only";
    static final String BATCH = "batch";
    static final String STREAMING = "streaming";

    private static final int MIN_INTERVAL = 10;
    private static final int MAX_INTERVAL = 3_600;
    private static final int USUAL_INTERVAL = 60;

    /** The source that is always there. */
    static final String EVENTS = "events";

    /**
     * How to load.
     *
     * @param strategy {@code merge}, {@code replace} or {@code append}
     */
    record Load(@Nullable String strategy) {}

    /** A request that is complete. */
    record Valid(
            String mode,
            String source,
            @Nullable LoadStrategy load,
            boolean strict,
            @Nullable Instant referenceTime,
            @Nullable Integer intervalSeconds,
            String executionId) {}

    /**
     * Checks everything that does not need the source.
     *
     * @throws ProblemException 400 with every field that is wrong
     */
    Valid validated() {
        var errors = new ArrayList<FieldError>();
        check(errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return valid();
    }

    /** Adds what is wrong. */
    void check(List<FieldError> errors) {
        boolean streaming = STREAMING.equals(mode);
        boolean loads = streaming || BATCH.equals(mode);
        if (!loads && !VALIDATE_ONLY.equals(mode)) {
            errors.add(
                    new FieldError(
                            "/mode", "unknown", "mode must be validate_only, batch or streaming"));
        }
        checkStreaming(streaming, errors);
        if (strategy().isEmpty()) {
            errors.add(
                    new FieldError(
                            "/load/strategy",
                            "unknown",
                            "strategy must be merge, replace or append"));
        }
        if (load != null && !loads) {
            errors.add(
                    new FieldError(
                            "/load",
                            "invalid",
                            "only runs of mode batch and streaming load; leave load out"));
        }
        if (source == null || source.isBlank()) {
            errors.add(
                    new FieldError(
                            "/source",
                            "required",
                            "source must be events or the name of a source, see GET /api/v1/etl/sources"));
        }
        if (executionId != null && !executionId.matches("[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}")) {
            errors.add(
                    new FieldError(
                            "/execution_id",
                            "invalid",
                            "execution_id must have 1 to 200 letters, digits, dots, colons, dashes, plus signs or underscores"));
        }
    }

    private void checkStreaming(boolean streaming, List<FieldError> errors) {
        if (streaming && strategy().filter(s -> s != LoadStrategy.MERGE).isPresent()) {
            errors.add(
                    new FieldError(
                            "/load/strategy",
                            "invalid",
                            "a streaming run merges; leave load out, or use mode batch"));
        }
        if (streaming && referenceTime != null) {
            errors.add(
                    new FieldError(
                            "/reference_time",
                            "invalid",
                            "a streaming run is of the moment; leave reference_time out"));
        }
        if (intervalSeconds != null
                && (!streaming
                        || intervalSeconds < MIN_INTERVAL
                        || intervalSeconds > MAX_INTERVAL)) {
            errors.add(
                    new FieldError(
                            "/interval_seconds",
                            "invalid",
                            "interval_seconds must be %d to %d, and is for mode streaming alone"
                                    .formatted(MIN_INTERVAL, MAX_INTERVAL)));
        }
    }

    /** What was checked. */
    Valid valid() {
        return new Valid(
                Objects.requireNonNull(mode),
                Objects.requireNonNull(source),
                VALIDATE_ONLY.equals(mode) ? null : strategy().orElseThrow(),
                Boolean.TRUE.equals(strict),
                referenceTime == null ? null : referenceTime.truncatedTo(ChronoUnit.MICROS),
                STREAMING.equals(mode)
                        ? Objects.requireNonNullElse(intervalSeconds, USUAL_INTERVAL)
                        : null,
                Objects.requireNonNullElseGet(executionId, () -> UUID.randomUUID().toString()));
    }

    private Optional<LoadStrategy> strategy() {
        return load == null || load.strategy() == null
                ? Optional.of(LoadStrategy.MERGE)
                : LoadStrategy.of(load.strategy());
    }
}
