package io.mirante.alert.metrics;

import io.mirante.contracts.etl.RunEnded;
import io.mirante.contracts.metrics.MetricEntry;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** What ends of runs add to metrics of scope {@code etl}; they have no dimensions. */
public final class RunMetrics {

    private static final String SCOPE = "etl";

    private record Definition(String name, String meaning, ToIntFunction<RunEnded> value) {}

    private static final List<Definition> DEFINITIONS =
            List.of(
                    new Definition("runs", "Runs that ended", run -> 1),
                    new Definition(
                            "failed_runs",
                            "Runs that failed",
                            run -> run.status().equals(RunEnded.FAILED) ? 1 : 0),
                    new Definition(
                            "gate_failures",
                            "Runs whose data did not pass a critical check",
                            run -> "fail".equals(run.gate()) ? 1 : 0),
                    new Definition(
                            "anomalies",
                            "Figures of runs that lay far from those of past runs",
                            run -> run.anomalies().size()));

    private RunMetrics() {}

    /** Every one. */
    public static final List<MetricEntry> ENTRIES =
            DEFINITIONS.stream()
                    .map(d ->
                            new MetricEntry(
                                    SCOPE,
                                    d.name(),
                                    d.meaning(),
                                    "events",
                                    List.of(),
                                    List.of(RunEnded.TYPE)))
                    .toList();

    /** What an end adds, by {@code scope.name}; nothing of 0. */
    static Map<String, BigDecimal> of(RunEnded run) {
        var measured = new LinkedHashMap<String, BigDecimal>();
        for (var definition : DEFINITIONS) {
            int value = definition.value().applyAsInt(run);
            if (value > 0) {
                measured.put(SCOPE + "." + definition.name(), BigDecimal.valueOf(value));
            }
        }
        return measured;
    }
}
