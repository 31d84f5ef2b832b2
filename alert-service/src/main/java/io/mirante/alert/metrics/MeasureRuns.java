package io.mirante.alert.metrics;

import io.mirante.alert.metrics.MinuteSums.Bucket;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.contracts.metrics.RunMetrics;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.EndedRuns;
import io.mirante.platform.messaging.Received;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Adds each end of a run to the minute it ended in, once, however often it comes. Those that ended longer ago than {@link
 * MinuteSums#KEPT} are in no window.
 */
@Configuration(proxyBeanMethods = false)
public class MeasureRuns {

    private final MinuteSums sums;
    private final Clock clock;

    MeasureRuns(MinuteSums sums, Clock clock) {
        this.sums = sums;
        this.clock = clock;
    }

    @Bean
    Consumer<Message<List<byte[]>>> measureEndedRuns(BatchRunner runner) {
        return runner.storing("measureEndedRuns", EndedRuns::parse, this::store);
    }

    private Mono<Void> store(List<Received<RunEnded>> fresh, DatabaseClient stream) {
        var now = clock.instant();
        var ends =
                fresh.stream()
                        .map(Received::value)
                        .filter(ended -> !ended.endedAt().isBefore(now.minus(MinuteSums.KEPT)))
                        .toList();
        return EndedRuns.uncounted(ends, stream)
                .flatMap(uncounted -> sums.add(additions(uncounted), stream));
    }

    private static TreeMap<Bucket, BigDecimal> additions(List<RunEnded> ends) {
        var additions = new TreeMap<Bucket, BigDecimal>();
        for (var ended : ends) {
            var minute = ended.endedAt().truncatedTo(ChronoUnit.MINUTES);
            for (var measured : RunMetrics.measure(ended)) {
                additions.merge(
                        new Bucket(ended.tenantId(), minute, MeasureEvents.series(measured)),
                        MeasureEvents.rounded(measured.value()),
                        BigDecimal::add);
            }
        }
        return additions;
    }

    /** Deletes the tenant's notes of ends before a time. */
    public static Mono<Long> deleteBefore(Instant time, DatabaseClient db) {
        return db.sql("DELETE FROM counted_run WHERE ended_at < $1")
                .bind(0, time)
                .fetch()
                .rowsUpdated();
    }
}
