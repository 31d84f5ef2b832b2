package io.mirante.contracts.metrics;

import io.mirante.contracts.etl.RunEnded;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What ends of etl's runs add to metrics of scope {@code etl}, by the run's source. Thread-safe. */
public final class RunMetrics {

    /** The scope of all of them. */
    public static final String SCOPE = "etl";

    static final List<String> DIMENSIONS = List.of("source");

    private static final String RUNS = "runs";
    private static final String POINTS = "points";
    private static final String SECONDS = "seconds";

    private record Definition(
            String name,
            String meaning,
            String unit,
            Function<RunEnded, @Nullable BigDecimal> value) {}

    private static final List<Definition> DEFINITIONS =
            List.of(
                    count(RUNS, "Runs that ended", run -> 1L),
                    count(
                            "failed_runs",
                            "Runs that failed",
                            run -> run.status().equals(RunEnded.FAILED) ? 1L : 0L),
                    count(
                            "gate_failures",
                            "Runs whose data did not pass a critical check",
                            run -> "fail".equals(run.gate()) ? 1L : 0L),
                    count(
                            "anomalies",
                            "Figures of runs that lay far from those of past runs",
                            run -> (long) run.anomalies().size()),
                    count("rows_extracted", "Rows that sources gave", RunEnded::recordsExtracted),
                    count("rows_cleaned", "Rows that cleaning left", RunEnded::recordsCleaned),
                    count("users_loaded", "Users that were loaded", RunEnded::recordsLoaded),
                    new Definition(
                            "score_sum",
                            "Scores of what cleaning left, summed",
                            POINTS,
                            run -> decimal(score(run))),
                    count(
                            "score_count",
                            "Runs that were judged",
                            run -> score(run) == null ? null : 1L),
                    new Definition(
                            "duration_seconds_sum",
                            "Time that runs took",
                            SECONDS,
                            run -> decimal(run.durationSeconds())),
                    count(
                            "duration_count",
                            "Runs that say how long they took",
                            run -> run.durationSeconds() == null ? null : 1L));

    static final List<MetricEntry> ENTRIES =
            DEFINITIONS.stream()
                    .map(d ->
                            new MetricEntry(
                                    SCOPE,
                                    d.name(),
                                    d.meaning(),
                                    d.unit(),
                                    DIMENSIONS,
                                    List.of(RunEnded.TYPE)))
                    .toList();

    static final List<DerivedMetric> DERIVED =
            List.of(
                    new DerivedMetric(
                            SCOPE,
                            "avg_score",
                            "Mean score of what cleaning left, [0, 1]",
                            POINTS,
                            "score_sum",
                            "score_count"),
                    new DerivedMetric(
                            SCOPE,
                            "failure_rate",
                            "Failed runs per run",
                            "ratio",
                            "failed_runs",
                            RUNS),
                    new DerivedMetric(
                            SCOPE,
                            "avg_duration_sec",
                            "Mean time a run took",
                            SECONDS,
                            "duration_seconds_sum",
                            "duration_count"));

    private RunMetrics() {}

    /** What an end adds; nothing of 0. */
    public static List<Measurement> measure(RunEnded run) {
        var dimensions = Map.of(DIMENSIONS.getFirst(), run.source());
        var measured = new ArrayList<Measurement>();
        for (var definition : DEFINITIONS) {
            var value = definition.value().apply(run);
            if (value != null && value.signum() != 0) {
                measured.add(new Measurement(SCOPE, dimensions, definition.name(), value));
            }
        }
        return measured;
    }

    private static Definition count(
            String name, String meaning, Function<RunEnded, @Nullable Long> value) {
        return new Definition(
                name,
                meaning,
                "events",
                run -> {
                    var counted = value.apply(run);
                    return counted == null ? null : BigDecimal.valueOf(counted);
                });
    }

    private static @Nullable Double score(RunEnded run) {
        var judged = run.transformed();
        return judged == null ? null : judged.score();
    }

    private static @Nullable BigDecimal decimal(@Nullable Double value) {
        return value == null ? null : BigDecimal.valueOf(value);
    }
}
