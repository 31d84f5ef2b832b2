package io.mirante.alert.alerting;

import io.mirante.contracts.metrics.MetricCatalog;
import io.mirante.contracts.metrics.MetricEntry;
import io.mirante.platform.web.ProblemException;
import java.util.Comparator;
import java.util.List;

/** Metrics by the names callers use. */
final class MetricNames {

    private static final int CLOSE = 5;

    private MetricNames() {}

    /**
     * The one metric a name stands for.
     *
     * @throws ProblemException 422, with what was probably meant, when it stands for none or for several
     */
    static MetricEntry find(String name) {
        var found = MetricCatalog.find(name);
        if (found.size() == 1) {
            return found.getFirst();
        }
        if (found.size() > 1) {
            throw ProblemException.impossible(
                    "ambiguous-metric",
                    "threshold.metric %s stands for several: %s; name one with its scope"
                            .formatted(
                                    name,
                                    String.join(
                                            ", ", found.stream().map(MetricNames::full).toList())));
        }
        if (!MetricCatalog.findDerived(name).isEmpty()) {
            throw ProblemException.impossible(
                    "ratio-not-offered",
                    "threshold.metric %s is a ratio; rules compare counts and sums so far"
                            .formatted(name));
        }
        throw ProblemException.impossible(
                "unknown-metric",
                "threshold.metric %s is not known; close are %s"
                        .formatted(name, String.join(", ", close(name))));
    }

    static String full(MetricEntry entry) {
        return entry.scope() + "." + entry.name();
    }

    /** The names nearest in spelling, with or without their scope. */
    static List<String> close(String name) {
        return MetricCatalog.entries().stream()
                .sorted(
                        Comparator.comparingInt((MetricEntry e) ->
                                        Math.min(distance(name, e.name()), distance(name, full(e))))
                                .thenComparing(MetricNames::full))
                .limit(CLOSE)
                .map(MetricNames::full)
                .toList();
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(above, row[j - 1]) + 1, diagonal + change);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
