package io.mirante.platform.messaging;

import io.mirante.contracts.etl.RunEnded;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * How ends of etl's runs are read, each once: a publisher that dies between sending and noting it sends again. A service that
 * counts them has a table {@code counted_run (tenant_id, execution_id, revision, ended_at)} keyed by the first three.
 */
public final class EndedRuns {

    private static final Parser<RunEnded> JSON = Parser.json(RunEnded.class);

    private EndedRuns() {}

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

    /** Reads a record of {@code mirante.quality}; poison is one without tenant, run, source, status or time. */
    public static RunEnded parse(byte[] value, Headers headers) throws PoisonException {
        var ended = JSON.parse(value, headers);
        if (isMissing(ended.tenantId())
                || isMissing(ended.executionId())
                || isMissing(ended.source())
                || isMissing(ended.status())
                || isMissing(ended.endedAt())) {
            throw new PoisonException(
                    "missing_field",
                    "tenant_id, execution_id, source, status and ended_at must be there");
        }
        return ended;
    }

    private static boolean isMissing(@Nullable Object field) {
        return field == null || field.equals("");
    }

    /** Notes them in {@code counted_run}; answers those that were not noted yet, each once. */
    public static Mono<List<RunEnded>> uncounted(List<RunEnded> ends, DatabaseClient stream) {
        var sorted = new TreeMap<End, RunEnded>(End.ORDER);
        ends.forEach(ended -> sorted.put(End.of(ended), ended));
        return stream.sql(
                        """
                        INSERT INTO counted_run (tenant_id, execution_id, revision, ended_at)
                        SELECT * FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::text[]::timestamptz[])
                        ON CONFLICT DO NOTHING RETURNING tenant_id, execution_id, revision\
                        """)
                .bind(0, sorted.keySet().stream().map(End::tenant).toArray(String[]::new))
                .bind(1, sorted.keySet().stream().map(End::run).toArray(String[]::new))
                .bind(2, sorted.keySet().stream().map(End::revision).toArray(Long[]::new))
                .bind(
                        3,
                        sorted.values().stream()
                                .map(RunEnded::endedAt)
                                .map(Instant::toString)
                                .toArray(String[]::new))
                .map(row ->
                        new End(
                                Objects.requireNonNull(row.get(0, String.class)),
                                Objects.requireNonNull(row.get(1, String.class)),
                                Objects.requireNonNull(row.get(2, Long.class))))
                .all()
                .collect(HashSet<End>::new, Set::add)
                .map(noted ->
                        sorted.entrySet().stream()
                                .filter(end -> noted.contains(end.getKey()))
                                .map(Map.Entry::getValue)
                                .toList());
    }
}
