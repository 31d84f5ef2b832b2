package io.mirante.platform.rebuild;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.ReplayEnded;
import io.mirante.platform.web.TimeRange;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Rebuilds as consumers see them. Whoever changes derived rows calls {@link #running} first in the transaction, and so
 * holds off a swap until it ends. Thread-safe.
 *
 * <p>Why nothing is missed or counted twice: etl stores an event before it publishes it. What was polled by a transaction
 * that did not see the rebuild yet is therefore in the log before the replay begins, and is replayed; everything else is
 * polled into both generations; and an event has one row in the second, from wherever it comes first.
 */
public final class Rebuilds {

    /** A rebuild of a job that has ended takes nothing in any more. */
    static final String RUNNING =
            "r.state = 'running' AND EXISTS (SELECT 1 FROM job j WHERE j.id = r.rebuild_id AND j.status IN"
                    + " ('pending', 'running'))";

    private final SecondGeneration second;

    Rebuilds(SecondGeneration second) {
        this.second = second;
    }

    /** A rebuild that runs. */
    public record Running(String tenantId, String rebuildId, TimeRange range) {
        boolean takes(CleanEvent event) {
            return !event.occurredAt().isBefore(range.start())
                    && event.occurredAt().isBefore(range.end());
        }
    }

    /** Holds off swaps of those who have events in a poll; answers with the rebuilds that run, by tenant. */
    public Mono<Map<String, Running>> running(Collection<String> tenants, DatabaseClient stream) {
        return GenerationLock.holdSwap(tenants, stream)
                .then(
                        stream.sql(
                                        "SELECT tenant_id, rebuild_id, starts_at, ends_at FROM rebuild r WHERE "
                                                + RUNNING)
                                .map(row ->
                                        new Running(
                                                Objects.requireNonNull(row.get(0, String.class)),
                                                Objects.requireNonNull(row.get(1, String.class)),
                                                new TimeRange(
                                                        Objects.requireNonNull(
                                                                row.get(2, Instant.class)),
                                                        Objects.requireNonNull(
                                                                row.get(3, Instant.class)))))
                                .all()
                                .collectMap(Running::tenantId));
    }

    /** Counts events of rebuilds' ranges into the second generation, those that have no row there yet. */
    public Mono<Void> add(
            List<CleanEvent> polled, Map<String, Running> running, DatabaseClient stream) {
        var taken =
                polled.stream()
                        .filter(e -> {
                            var rebuild = running.get(e.tenantId());
                            return rebuild != null && rebuild.takes(e);
                        })
                        .toList();
        return taken.isEmpty() ? Mono.empty() : second.add(taken, stream);
    }

    /** Notes where the replay has ended. */
    static Mono<Void> end(int partition, ReplayEnded ended, DatabaseClient stream) {
        var insert =
                stream.sql(
                                "INSERT INTO rebuild_part VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
                        .bind(0, ended.tenantId())
                        .bind(1, ended.rebuildId())
                        .bind(2, partition)
                        .bind(3, ended.events());
        var begins = ended.logBeginsAt();
        return (begins == null ? insert.bindNull(4, Instant.class) : insert.bind(4, begins)).then();
    }
}
