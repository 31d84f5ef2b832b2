package io.mirante.etl.quality;

import java.util.Collection;

/**
 * One figure for all checks: the mean of how far each reached its threshold ({@link Check#reached}), weighted by severity
 * (critical 4, high 3, medium 2, low 1). A from 0.9, B from 0.8, C from 0.7, D from 0.6, else F.
 */
final class Score {

    private Score() {}

    /** In [0, 1], to four digits. */
    static double of(Collection<Check> checks) {
        double sum = 0;
        double weights = 0;
        for (var check : checks) {
            sum += check.severity().weight() * check.reached();
            weights += check.severity().weight();
        }
        return weights == 0 ? 1 : Math.round(sum / weights * 1e4) / 1e4;
    }

    static String grade(double score) {
        if (score >= 0.9) {
            return "A";
        }
        if (score >= 0.8) {
            return "B";
        }
        if (score >= 0.7) {
            return "C";
        }
        return score >= 0.6 ? "D" : "F";
    }
}
