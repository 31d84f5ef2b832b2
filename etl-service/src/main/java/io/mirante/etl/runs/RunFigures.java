package io.mirante.etl.runs;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.mirante.contracts.etl.RunEnded.Anomaly;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** Tells Prometheus and the log how each attempt of a run ended. Thread-safe. */
@Component
final class RunFigures {

    private static final Logger LOG = LoggerFactory.getLogger(RunFigures.class);

    private final MeterRegistry meters;
    private final DistributionSummary scores;

    RunFigures(MeterRegistry meters) {
        this.meters = meters;
        this.scores =
                DistributionSummary.builder("mirante.etl.run.score")
                        .description("data_quality_score of runs, [0, 1]")
                        .register(meters);
    }

    void tell(String tenant, Run run) {
        var how = Tags.of("mode", run.mode(), "status", run.status());
        meters.counter("mirante.etl.runs", how).increment();
        rows("extracted", run.recordsExtracted());
        rows("cleaned", run.recordsCleaned());
        rows("transformed", run.recordsTransformed());
        rows("loaded", run.recordsLoaded());
        run.anomalies()
                .forEach(anomaly ->
                        meters.counter("mirante.etl.run.anomalies", "metric", anomaly.metric())
                                .increment());
        var seconds = run.durationSeconds();
        if (seconds != null) {
            meters.timer("mirante.etl.run.duration", how)
                    .record(Duration.ofMillis(Math.round(seconds * 1e3)));
        }
        var score = run.dataQualityScore();
        if (score != null) {
            scores.record(score);
        }
        LOG.atInfo()
                .addKeyValue("tenant_id", tenant)
                .addKeyValue("execution_id", run.executionId())
                .addKeyValue("mode", run.mode())
                .addKeyValue("source", run.source())
                .addKeyValue("status", run.status())
                .addKeyValue("records_extracted", run.recordsExtracted())
                .addKeyValue("records_cleaned", run.recordsCleaned())
                .addKeyValue("records_transformed", run.recordsTransformed())
                .addKeyValue("records_loaded", run.recordsLoaded())
                .addKeyValue("data_quality_score", run.dataQualityScore())
                .addKeyValue("success_rate", run.successRate())
                .addKeyValue("anomalies", run.anomalies().stream().map(Anomaly::metric).toList())
                .addKeyValue("duration_seconds", run.durationSeconds())
                .log("run {} is {}", run.executionId(), run.status());
    }

    /** Measures steps of a run, one after the other. */
    Clock clock() {
        return new Clock();
    }

    /** Times of the steps of one attempt. Used by one thread. */
    final class Clock implements AutoCloseable {

        private @Nullable String step;
        private long since;

        /** The step before it, if there was one, is over. */
        void begins(String next) {
            close();
            step = next;
            since = System.nanoTime();
        }

        /** The last step is over. */
        @Override
        public void close() {
            if (step != null) {
                meters.timer("mirante.etl.run.step", "step", step)
                        .record(Duration.ofNanos(System.nanoTime() - since));
                step = null;
            }
        }
    }

    private void rows(String stage, @Nullable Long count) {
        if (count != null) {
            meters.counter("mirante.etl.run.rows", "stage", stage).increment(count);
        }
    }
}
