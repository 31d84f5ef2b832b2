package io.mirante.alert.metrics;

import io.mirante.alert.metrics.MinuteSums.Bucket;
import io.mirante.alert.metrics.MinuteSums.Series;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.PoisonException;
import io.mirante.platform.messaging.Received;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Adds each end of a run to the minute it ended in, once, however often it comes: a publisher that dies between sending and
 * noting it sends again. Those that ended longer ago than {@link MinuteSums#KEPT} are in no window.
 */
@Configuration(proxyBeanMethods = false)
public class MeasureRuns {

    private static final Parser<RunEnded> JSON = Parser.json(RunEnded.class);

    private final MinuteSums sums;
    private final Clock clock;

    MeasureRuns(MinuteSums sums, Clock clock) {
        this.sums = sums;
        this.clock = clock;
    }

    /** Which end of which run. */
    private record End(String tenant, String run, long revision) {
        static final Comparator<End> ORDER =
                Comparator.comparing(End::tenant)
                        .thenComparing(End::run)
                        .thenComparing(End::revision);

        static End of(RunEnded ended) {
            return new End(ended.tenantId(), ended.executionId(), ended.revision());
        }
    }

    @Bean
    Consumer<Message<List<byte[]>>> measureEndedRuns(BatchRunner runner) {
        return runner.storing("measureEndedRuns", MeasureRuns::parse, this::store);
    }

    private static RunEnded parse(byte[] value, Headers headers) throws PoisonException {
        var ended = JSON.parse(value, headers);
        if (isMissing(ended.tenantId())
                || isMissing(ended.executionId())
                || isMissing(ended.status())
                || isMissing(ended.endedAt())) {
            throw new PoisonException(
                    "missing_field", "tenant_id, execution_id, status and ended_at must be there");
        }
        return ended;
    }

    private static boolean isMissing(@Nullable Object field) {
        return field == null || field.equals("");
    }

    private Mono<Void> store(List<Received<RunEnded>> fresh, DatabaseClient stream) {
        var now = clock.instant();
        var ends =
                fresh.stream()
                        .map(Received::value)
                        .filter(ended -> !ended.endedAt().isBefore(now.minus(MinuteSums.KEPT)))
                        .toList();
        return uncounted(ends, stream)
                .flatMap(uncounted -> sums.add(additions(ends, uncounted), stream));
    }

    /** Notes them; answers those that were not noted yet. */
    private static Mono<Set<End>> uncounted(List<RunEnded> ends, DatabaseClient stream) {
        var sorted = new TreeMap<End, Instant>(End.ORDER);
        ends.forEach(ended -> sorted.put(End.of(ended), ended.endedAt()));
        return stream.sql(
                        """
                        INSERT INTO counted_run (tenant_id, execution_id, revision, ended_at)
                        SELECT * FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::text[]::timestamptz[])
                        ON CONFLICT DO NOTHING RETURNING tenant_id, execution_id, revision\
                        """)
                .bind(0, sorted.keySet().stream().map(End::tenant).toArray(String[]::new))
                .bind(1, sorted.keySet().stream().map(End::run).toArray(String[]::new))
                .bind(2, sorted.keySet().stream().map(End::revision).toArray(Long[]::new))
                .bind(3, sorted.values().stream().map(Instant::toString).toArray(String[]::new))
                .map(row ->
                        new End(
                                Objects.requireNonNull(row.get(0, String.class)),
                                Objects.requireNonNull(row.get(1, String.class)),
                                Objects.requireNonNull(row.get(2, Long.class))))
                .all()
                .collect(HashSet::new, Set::add);
    }

    private static TreeMap<Bucket, BigDecimal> additions(List<RunEnded> ends, Set<End> uncounted) {
        var additions = new TreeMap<Bucket, BigDecimal>();
        for (var ended : ends) {
            if (!uncounted.remove(End.of(ended))) {
                continue;
            }
            var minute = ended.endedAt().truncatedTo(ChronoUnit.MINUTES);
            RunMetrics.of(ended)
                    .forEach((metric, value) ->
                            additions.merge(
                                    new Bucket(
                                            ended.tenantId(),
                                            minute,
                                            new Series(metric, "", "", "")),
                                    value,
                                    BigDecimal::add));
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
