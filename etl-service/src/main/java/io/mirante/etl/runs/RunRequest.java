package io.mirante.etl.runs;

import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which run.
 *
 * @param mode {@code validate_only}
 * @param source name of a source
 * @param strict whether a critical check that fails on what was given fails the run; else only on what cleaning leaves
 * @param referenceTime moment that freshness counts from; null = now
 * @param executionId the caller's own name for the run; the same again is answered with the same job
 */
record RunRequest(
        @Nullable String mode,
        @Nullable String source,
        @Nullable Boolean strict,
        @Nullable Instant referenceTime,
        @Nullable String executionId) {

    static final String VALIDATE_ONLY = "validate_only";

    /** A request that is complete. */
    record Valid(
            String mode,
            String source,
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
        if (!VALIDATE_ONLY.equals(mode)) {
            errors.add(
                    new FieldError(
                            "/mode",
                            "unknown",
                            "mode must be validate_only: runs check a source, they do not load it yet"));
        }
        if (source == null || source.isBlank()) {
            errors.add(
                    new FieldError(
                            "/source",
                            "required",
                            "source must be the name of a source, see GET /api/v1/etl/sources"));
        }
        var id = Objects.requireNonNullElseGet(executionId, () -> UUID.randomUUID().toString());
        if (!id.matches("[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}")) {
            errors.add(
                    new FieldError(
                            "/execution_id",
                            "invalid",
                            "execution_id must have 1 to 200 letters, digits, dots, colons, dashes, plus signs or underscores"));
        }
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new Valid(
                VALIDATE_ONLY,
                Objects.requireNonNull(source),
                Boolean.TRUE.equals(strict),
                referenceTime == null ? null : referenceTime.truncatedTo(ChronoUnit.MICROS),
                id);
    }
}
