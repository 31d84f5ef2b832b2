package io.mirante.etl.quality;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was found in a table.
 *
 * @param raw as it was given
 * @param transformed after cleaning
 * @param cleaning what cleaning did
 * @param features the feature set that was made of it; null when none was
 * @param rowsWithoutEvent rows that were left and said nothing of a user, so that no feature counts them; null without features
 */
public record QualityReport(
        Part raw,
        Part transformed,
        Cleaning cleaning,
        @Nullable Part features,
        @Nullable Long rowsWithoutEvent) {

    /** With the feature set that was made of what was left. */
    public QualityReport with(long withoutEvent, Part made) {
        return new QualityReport(raw, transformed, cleaning, made, withoutEvent);
    }

    /**
     * One of the two.
     *
     * @param score [0, 1]
     * @param grade A, B, C, D or F
     * @param profile by column
     */
    public record Part(
            long rows,
            double score,
            String grade,
            List<Check> checks,
            Map<String, ColumnProfile> profile) {

        /** Critical checks that failed or could not be made. */
        public List<String> critical() {
            return checks.stream()
                    .filter(check ->
                            check.severity() == Severity.CRITICAL
                                    && (check.status() == Check.Status.FAIL
                                            || check.status() == Check.Status.ERROR))
                    .map(Check::name)
                    .toList();
        }
    }

    /**
     * What cleaning did; nothing is left out without being counted here.
     *
     * @param rows given
     * @param kept left
     * @param changes values that were changed, by rule, with samples
     * @param rejected rows that were left out, by reason, with samples; a row counts for each of its reasons
     */
    public record Cleaning(
            long rows, long kept, Map<String, Counted> changes, Map<String, Counted> rejected) {}

    /** How many, and the first of them. */
    public record Counted(long count, List<String> samples) {}
}
