package io.mirante.etl.quality;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One check's outcome.
 *
 * @param threshold from which on it passes; {@code atLeast} says on which side
 * @param value what was measured, in the unit of the threshold; null when it could not be
 * @param failingRows rows that are at fault; 0 for checks of whole columns
 * @param samples first rows at fault, {@code row 17: amount = abc}
 * @param details what was measured, by column, pair or rule
 * @param advice what to do; empty when it passed
 */
public record Check(
        String name,
        Severity severity,
        Status status,
        double threshold,
        @JsonIgnore boolean atLeast,
        @Nullable Double value,
        long failingRows,
        List<String> samples,
        List<String> details,
        String advice) {

    /** A check of low or medium severity warns instead of failing. */
    public enum Status {
        PASS,
        WARN,
        FAIL,
        ERROR;

        /** Its name in lower case. */
        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public Check {
        samples = List.copyOf(samples);
        details = List.copyOf(details);
    }

    /** Share of the threshold that was reached, [0, 1]; 1 = passed, 0 = could not be measured. */
    @JsonIgnore
    public double reached() {
        if (status == Status.PASS) {
            return 1;
        }
        if (value == null || status == Status.ERROR) {
            return 0;
        }
        double share = atLeast ? value / threshold : threshold / value;
        return Double.isFinite(share) ? Math.clamp(share, 0, 1) : 0;
    }
}
