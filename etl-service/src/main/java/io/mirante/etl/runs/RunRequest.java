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
 * @param mode {@code validate_only}, or {@code batch}, which makes a feature set of what is left and loads it
 * @param source name of a source, or {@code events}, the event log
 * @param load how a batch run loads; null = merge
 * @param strict whether a critical check that fails on what was given fails the run; else only on what cleaning leaves
 * @param referenceTime moment that freshness counts from and that features are of; null = now
 * @param executionId the caller's own name for the run; the same again is answered with the same job
 */
record RunRequest(
        @Nullable String mode,
        @Nullable String source,
        @Nullable Load load,
        @Nullable Boolean strict,
        @Nullable Instant referenceTime,
        @Nullable String executionId) {

    static final String VALIDATE_ONLY = "validate_only";
    static final String BATCH = "batch";

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
        boolean batch = BATCH.equals(mode);
        if (!batch && !VALIDATE_ONLY.equals(mode)) {
            errors.add(
                    new FieldError(
                            "/mode",
                            "unknown",
                            "mode must be validate_only or batch; features of live events are kept current without a run"));
        }
        if (strategy().isEmpty()) {
            errors.add(
                    new FieldError(
                            "/load/strategy",
                            "unknown",
                            "strategy must be merge, replace or append"));
        }
        if (load != null && !batch) {
            errors.add(
                    new FieldError(
                            "/load", "invalid", "only a run of mode batch loads; leave load out"));
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

    /** What was checked. */
    Valid valid() {
        return new Valid(
                Objects.requireNonNull(mode),
                Objects.requireNonNull(source),
                BATCH.equals(mode) ? strategy().orElseThrow() : null,
                Boolean.TRUE.equals(strict),
                referenceTime == null ? null : referenceTime.truncatedTo(ChronoUnit.MICROS),
                Objects.requireNonNullElseGet(executionId, () -> UUID.randomUUID().toString()));
    }

    private Optional<LoadStrategy> strategy() {
        return load == null || load.strategy() == null
                ? Optional.of(LoadStrategy.MERGE)
                : LoadStrategy.of(load.strategy());
    }
}
