package io.mirante.platform.rebuild;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.TimeRange;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** A tenant's rebuild from its beginning to the swap; the only SQL for it but that of consumers. Thread-safe. */
final class RebuildRows {

    static final String CLEARING = "clearing";
    static final String RUNNING = "running";
    static final String SWAPPED = "swapped";
    private static final String ENDED = "ended";

    private static final int CLEARED_AT_ONCE = 20_000;

    private final SecondGeneration second;
    private final TenantDatabase database;

    RebuildRows(SecondGeneration second, TenantDatabase database) {
        this.second = second;
        this.database = database;
    }

    /**
     * How a swap ended.
     *
     * @param refusal why nothing was changed; null when it was
     */
    record Outcome(@Nullable JsonNode result, @Nullable String refusal) {}

    /** Begins a rebuild, or finds it begun; empty while another of the tenant is under way. */
    Mono<Rebuild> begin(String tenant, String id, TimeRange asked) {
        var range = second.wholeDays(tenant, asked);
        return database.one(
                tenant,
                db ->
                        GenerationLock.holdChanges(tenant, db)
                                .then(
                                        db.sql(
                                                        "UPDATE rebuild r SET state = 'ended' WHERE tenant_id = $1 AND state <>"
                                                                + " 'ended' AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id ="
                                                                + " r.rebuild_id AND j.status IN ('pending', 'running'))")
                                                .bind(0, tenant)
                                                .then())
                                .then(
                                        db.sql(
                                                        "INSERT INTO rebuild (tenant_id, rebuild_id, starts_at, ends_at, measures,"
                                                                + " state) VALUES ($1, $2, $3, $4, $5, 'clearing') ON CONFLICT DO"
                                                                + " NOTHING")
                                                .bind(0, tenant)
                                                .bind(1, id)
                                                .bind(2, range.start())
                                                .bind(3, range.end())
                                                .bind(4, second.measures(tenant))
                                                .then())
                                .then(Mono.defer(() -> find(tenant, id, db))));
    }

    private static Mono<Rebuild> find(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        "SELECT starts_at, ends_at, measures, state, result::text FROM rebuild WHERE tenant_id = $1"
                                + " AND rebuild_id = $2")
                .bind(0, tenant)
                .bind(1, id)
                .map(row -> {
                    var result = row.get(4, String.class);
                    return new Rebuild(
                            tenant,
                            id,
                            new TimeRange(
                                    Objects.requireNonNull(row.get(0, Instant.class)),
                                    Objects.requireNonNull(row.get(1, Instant.class))),
                            Objects.requireNonNull(row.get(2, String.class)),
                            Objects.requireNonNull(row.get(3, String.class)),
                            result == null ? null : Json.mapper().readTree(result));
                })
                .one();
    }

    /** Moves on from one state to another; from here on consumers see the new one. */
    Mono<Void> move(Rebuild rebuild, String from, String to) {
        return database.one(
                rebuild.tenantId(),
                db ->
                        GenerationLock.holdChanges(rebuild.tenantId(), db)
                                .then(move(rebuild, from, to, db)));
    }

    private static Mono<Void> move(Rebuild rebuild, String from, String to, DatabaseClient db) {
        return db.sql(
                        "UPDATE rebuild SET state = $4 WHERE tenant_id = $1 AND rebuild_id = $2 AND state = $3")
                .bind(0, rebuild.tenantId())
                .bind(1, rebuild.id())
                .bind(2, from)
                .bind(3, to)
                .then();
    }

    /** Why the range cannot be rebuilt at all; empty = it can. */
    Mono<String> refusalToBegin(Rebuild rebuild) {
        return database.one(rebuild.tenantId(), db -> second.refusalToBegin(rebuild, db));
    }

    /** Takes the second generation's rows away, some at a time, while the rebuild is in the given state. */
    Mono<Void> clear(Rebuild rebuild, String state) {
        return Flux.fromIterable(second.tables())
                .concatMap(table -> clear(rebuild, state, table))
                .then();
    }

    private Mono<Long> clear(Rebuild rebuild, String state, String table) {
        return database.one(
                        rebuild.tenantId(),
                        db ->
                                db.sql(
                                                """
                                                DELETE FROM %1$s WHERE ctid = ANY(ARRAY(
                                                    SELECT ctid FROM %1$s WHERE tenant_id = $1 LIMIT $4))
                                                AND tenant_id = $1 AND EXISTS (SELECT 1 FROM rebuild
                                                    WHERE tenant_id = $1 AND rebuild_id = $2 AND state = $3)\
                                                """
                                                        .formatted(table))
                                        .bind(0, rebuild.tenantId())
                                        .bind(1, rebuild.id())
                                        .bind(2, state)
                                        .bind(3, CLEARED_AT_ONCE)
                                        .fetch()
                                        .rowsUpdated())
                .repeat()
                .takeUntil(rows -> rows < CLEARED_AT_ONCE)
                .last();
    }

    /** The end: nothing is left but what was done. */
    Mono<Void> end(Rebuild rebuild) {
        return clear(rebuild, SWAPPED).then(move(rebuild, SWAPPED, ENDED));
    }

    /** The end of one that is given up. */
    Mono<Void> discard(Rebuild rebuild) {
        return move(rebuild, RUNNING, CLEARING)
                .then(Mono.defer(() -> clear(rebuild, CLEARING)))
                .then(Mono.defer(() -> move(rebuild, CLEARING, ENDED)));
    }

    /** On how many partitions everything replayed has been counted. */
    Mono<Long> partsEnded(Rebuild rebuild) {
        return database.one(
                rebuild.tenantId(),
                db ->
                        db.sql(
                                        "SELECT count(*) FROM rebuild_part WHERE tenant_id = $1 AND rebuild_id = $2")
                                .bind(0, rebuild.tenantId())
                                .bind(1, rebuild.id())
                                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                                .one());
    }

    /** Swaps in one transaction. */
    Mono<Outcome> swap(Rebuild rebuild) {
        return database.one(
                rebuild.tenantId(),
                db ->
                        db.sql(
                                        "SELECT set_config('statement_timeout', '600000', true), set_config('enable_nestloop',"
                                                + " 'off', true)")
                                .then()
                                .then(GenerationLock.holdChanges(rebuild.tenantId(), db))
                                .then(
                                        Mono.defer(() ->
                                                swapped(rebuild, db)
                                                        .switchIfEmpty(
                                                                Mono.defer(() ->
                                                                        refusal(rebuild, db)
                                                                                .map(why ->
                                                                                        new Outcome(
                                                                                                null,
                                                                                                why))))
                                                        .switchIfEmpty(
                                                                Mono.defer(() ->
                                                                        swap(rebuild, db))))));
    }

    /** What another worker has done, that seemed to be dead and was not. */
    private static Mono<Outcome> swapped(Rebuild rebuild, DatabaseClient db) {
        return find(rebuild.tenantId(), rebuild.id(), db)
                .flatMap(now -> Mono.justOrEmpty(now.result()))
                .map(result -> new Outcome(result, null));
    }

    private Mono<String> refusal(Rebuild rebuild, DatabaseClient db) {
        if (!second.measures(rebuild.tenantId()).equals(rebuild.measures())) {
            return Mono.just(
                    "the tenant's time zone or currency changed meanwhile; start it once more");
        }
        return incomplete(rebuild, db)
                .switchIfEmpty(Mono.defer(() -> second.refusalToSwap(rebuild, db)));
    }

    private Mono<String> incomplete(Rebuild rebuild, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT CASE
                            WHEN NOT EXISTS (SELECT 1 FROM rebuild r
                                WHERE tenant_id = $1 AND rebuild_id = $2 AND %s)
                            THEN 'the rebuild is not running any more'
                            WHEN (SELECT count(*) FROM rebuild_part WHERE tenant_id = $1 AND rebuild_id = $2) < $3
                            THEN 'the replay has not ended on every partition'
                            WHEN (SELECT count(*) FROM %s WHERE tenant_id = $1)
                                < (SELECT max(events) FROM rebuild_part WHERE tenant_id = $1 AND rebuild_id = $2)
                            THEN 'not every event that was replayed has arrived, see the dead letters; start it once more'
                            END\
                        """
                                .formatted(Rebuilds.RUNNING, second.tables().getFirst()))
                .bind(0, rebuild.tenantId())
                .bind(1, rebuild.id())
                .bind(2, Topics.EVENTS_REPLAY.partitions())
                .map(row -> Optional.ofNullable(row.get(0, String.class)))
                .one()
                .flatMap(Mono::justOrEmpty);
    }

    private Mono<Outcome> swap(Rebuild rebuild, DatabaseClient db) {
        return second.swap(rebuild, db)
                .flatMap(changed -> {
                    var result = Json.mapper().createObjectNode();
                    result.put("start_time", rebuild.range().start().toString());
                    result.put("end_time", rebuild.range().end().toString());
                    result.setAll(changed);
                    return db.sql(
                                    "UPDATE rebuild SET state = 'swapped', result = $3::jsonb WHERE tenant_id = $1 AND"
                                            + " rebuild_id = $2")
                            .bind(0, rebuild.tenantId())
                            .bind(1, rebuild.id())
                            .bind(2, result.toString())
                            .then()
                            .thenReturn(new Outcome(result, null));
                });
    }
}
