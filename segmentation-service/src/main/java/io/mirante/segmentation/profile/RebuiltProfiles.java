package io.mirante.segmentation.profile;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.rebuild.Rebuild;
import io.mirante.platform.rebuild.SecondGeneration;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.TimeRange;
import io.mirante.segmentation.profile.DayTables.Table;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ObjectNode;

/**
 * Days of users and visitors once more, and how they take the place of those that are shown. What is said about fans, and
 * who is off their list, stays: only traits of events newer than what is said are taken. Thread-safe.
 */
@Component
final class RebuiltProfiles implements SecondGeneration {

    /** What names of the second generation's tables begin with. */
    static final String PREFIX = "rebuilt_";

    private static final String EVENTS = PREFIX + "event";

    private final Tenants tenants;

    RebuiltProfiles(Tenants tenants) {
        this.tenants = tenants;
    }

    @Override
    public TimeRange wholeDays(String tenant, TimeRange asked) {
        var end = asked.end().truncatedTo(ChronoUnit.DAYS);
        return new TimeRange(
                asked.start().truncatedTo(ChronoUnit.DAYS),
                end.equals(asked.end()) || !asked.end().isBefore(TimeRange.LAST)
                        ? asked.end()
                        : end.plus(1, ChronoUnit.DAYS));
    }

    @Override
    public String measures(String tenant) {
        return tenants.settings(tenant).currency();
    }

    @Override
    public List<String> tables() {
        return Stream.of(
                        Stream.of(EVENTS, PREFIX + "profile", PREFIX + "known_as"),
                        DayTables.ofUsers(PREFIX).all().stream().map(Table::name),
                        DayTables.ofVisitors(PREFIX).all().stream().map(Table::name))
                .flatMap(names -> names)
                .toList();
    }

    @Override
    public Mono<Void> add(List<CleanEvent> events, DatabaseClient stream) {
        var sorted = new ArrayList<>(events);
        sorted.sort(Comparator.comparing(CleanEvent::tenantId).thenComparing(CleanEvent::eventId));
        return stream.sql(
                        "INSERT INTO "
                                + EVENTS
                                + " (tenant_id, event_id) SELECT * FROM UNNEST($1::text[], $2::text[])"
                                + " ON CONFLICT DO NOTHING RETURNING tenant_id, event_id")
                .bind(0, sorted.stream().map(CleanEvent::tenantId).toArray(String[]::new))
                .bind(1, sorted.stream().map(CleanEvent::eventId).toArray(String[]::new))
                .map(row -> key(row.get(0, String.class), row.get(1, String.class)))
                .all()
                .collect(Collectors.toCollection(HashSet::new))
                .flatMap(fresh ->
                        count(
                                sorted.stream()
                                        .filter(e -> fresh.remove(key(e.tenantId(), e.eventId())))
                                        .toList(),
                                stream));
    }

    private Mono<Void> count(List<CleanEvent> fresh, DatabaseClient stream) {
        return Profiles.addRows(
                stream,
                ProfileChange.of(fresh, this::measures),
                ProfileChange.ofVisitors(fresh, this::measures),
                PREFIX);
    }

    private static String key(@Nullable String tenant, @Nullable String event) {
        return tenant + "\n" + event;
    }

    /** Days that were not kept apart cannot be replaced. */
    @Override
    public Mono<String> refusalToBegin(Rebuild rebuild, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT 'what was counted of events up to ' || (max(last_seen_at) AT TIME ZONE 'UTC')::date
                            || ' is not kept by day, and cannot be made anew; start after that day'
                        FROM (
                            SELECT last_seen_at FROM user_day WHERE tenant_id = $1 AND day = '-infinity'
                            UNION ALL
                            SELECT last_seen_at FROM visitor_day WHERE tenant_id = $1 AND day = '-infinity') d
                        HAVING max(last_seen_at) >= $2\
                        """)
                .bind(0, rebuild.tenantId())
                .bind(1, rebuild.range().start())
                .map(RebuiltProfiles::text)
                .one();
    }

    /** The log has lost what is shown: of a day that it may have lost some of, fewer events are there. */
    @Override
    public Mono<String> refusalToSwap(Rebuild rebuild, DatabaseClient db) {
        return Flux.just("", "visitor_")
                .concatMap(of ->
                        inRange(
                                        db,
                                        """
                                        SELECT 'the event log no longer holds all events of the range, so they would be lost here'
                                            || ' too; start later'
                                        WHERE EXISTS (
                                            SELECT 1 FROM %1$sevent_count c
                                            LEFT JOIN rebuilt_%1$sevent_count n USING (tenant_id, %2$s, day, event_type)
                                            WHERE c.tenant_id = $1 AND c.day >= $2 AND c.day < $3
                                                AND c.events > coalesce(n.events, 0)
                                                AND c.received_from < coalesce((SELECT max(log_begins_at)
                                                    FROM rebuild_part WHERE tenant_id = $1 AND rebuild_id = $4), 'infinity'))\
                                        """
                                                .formatted(
                                                        of,
                                                        of.isEmpty() ? "user_id" : "anonymous_id"),
                                        rebuild)
                                .bind(3, rebuild.id())
                                .map(RebuiltProfiles::text)
                                .one())
                .next();
    }

    @Override
    public Mono<ObjectNode> swap(Rebuild rebuild, DatabaseClient db) {
        var tenant = rebuild.tenantId();
        var shown =
                Stream.concat(
                                DayTables.ofUsers("").all().stream(),
                                DayTables.ofVisitors("").all().stream())
                        .toList();
        var result = Json.mapper().createObjectNode();
        return Flux.fromIterable(shown)
                .concatMap(table -> swap(table, rebuild, db))
                .reduce(Changed::plus)
                .doOnNext(rows -> {
                    result.put("rows_removed", rows.removed());
                    result.put("rows_written", rows.written());
                })
                .then(Mono.defer(() -> takeTraits(tenant, db)))
                .doOnNext(rows -> result.put("profiles_written", rows))
                .then(Mono.defer(() -> sumUp(tenant, db)))
                .doOnNext(rows -> result.put("profiles_corrected", rows))
                .then(Mono.defer(() -> removeEmpty(tenant, db)))
                .doOnNext(rows -> result.put("profiles_removed", rows))
                .then(Mono.defer(() -> Profiles.moveRevision(db, List.of(tenant))))
                .thenReturn(result);
    }

    /** Rows of days. */
    private record Changed(long removed, long written) {
        Changed plus(Changed other) {
            return new Changed(removed + other.removed, written + other.written);
        }
    }

    private static Mono<Changed> swap(Table table, Rebuild rebuild, DatabaseClient db) {
        var update =
                table.values().stream()
                        .map(value -> value + " = excluded." + value)
                        .collect(Collectors.joining(", "));
        return inRange(
                        db,
                        """
                        WITH removed AS (
                            DELETE FROM %1$s WHERE tenant_id = $1 AND day >= $2 AND day < $3 AND NOT EXISTS (
                                SELECT 1 FROM rebuilt_%1$s n WHERE %4$s)
                            RETURNING 1
                        ), written AS (
                            INSERT INTO %1$s (%2$s)
                            SELECT %2$s FROM rebuilt_%1$s WHERE tenant_id = $1
                            EXCEPT
                            SELECT %2$s FROM %1$s WHERE tenant_id = $1 AND day >= $2 AND day < $3
                            ON CONFLICT (%3$s) DO %5$s
                            RETURNING 1
                        )
                        SELECT (SELECT count(*) FROM removed), (SELECT count(*) FROM written)\
                        """
                                .formatted(
                                        table.name(),
                                        table.columns(),
                                        table.keys(),
                                        Stream.of(table.keys().split(", "))
                                                .map(key ->
                                                        "n.%1$s = %2$s.%1$s"
                                                                .formatted(key, table.name()))
                                                .collect(Collectors.joining(" AND ")),
                                        update.isEmpty() ? "NOTHING" : "UPDATE SET " + update),
                        rebuild)
                .map(row ->
                        new Changed(
                                Objects.requireNonNull(row.get(0, Long.class)),
                                Objects.requireNonNull(row.get(1, Long.class))))
                .one();
    }

    /** Profiles that are missing, and traits newer than what is said. */
    private static Mono<Long> takeTraits(String tenant, DatabaseClient db) {
        var knownAs =
                db.sql(
                                "INSERT INTO known_as SELECT * FROM rebuilt_known_as WHERE tenant_id = $1 EXCEPT"
                                        + " SELECT * FROM known_as WHERE tenant_id = $1 ON CONFLICT DO NOTHING")
                        .bind(0, tenant)
                        .then();
        return knownAs.then(
                db.sql(
                                """
                                INSERT INTO profile AS p (tenant_id, user_id, traits, traits_at)
                                SELECT tenant_id, user_id, traits, traits_at FROM rebuilt_profile n
                                WHERE tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM profile p
                                    WHERE p.tenant_id = n.tenant_id AND p.user_id = n.user_id
                                        AND p.traits_at >= n.traits_at)
                                ON CONFLICT (tenant_id, user_id) DO UPDATE
                                SET traits = p.traits || excluded.traits, traits_at = excluded.traits_at
                                WHERE p.traits_at < excluded.traits_at\
                                """)
                        .bind(0, tenant)
                        .fetch()
                        .rowsUpdated());
    }

    /** Makes every profile the sum of its days. */
    private static Mono<Long> sumUp(String tenant, DatabaseClient db) {
        return db.sql(
                        """
                        UPDATE profile p
                        SET first_seen_at = s.first_seen_at, last_seen_at = s.last_seen_at, engagement = s.engagement
                        FROM (SELECT q.user_id, min(d.first_seen_at) AS first_seen_at,
                                max(d.last_seen_at) AS last_seen_at, coalesce(sum(d.engagement), 0)::bigint AS engagement
                            FROM profile q LEFT JOIN user_day d USING (tenant_id, user_id)
                            WHERE q.tenant_id = $1 GROUP BY q.user_id) s
                        WHERE p.tenant_id = $1 AND p.user_id = s.user_id
                            AND (p.first_seen_at, p.last_seen_at, p.engagement)
                                IS DISTINCT FROM (s.first_seen_at, s.last_seen_at, s.engagement)\
                        """)
                .bind(0, tenant)
                .fetch()
                .rowsUpdated();
    }

    /** Profiles of users who never did anything, and of whom nothing was ever said. */
    private static Mono<Long> removeEmpty(String tenant, DatabaseClient db) {
        return db.sql(
                        """
                        WITH empty AS (
                            DELETE FROM profile WHERE tenant_id = $1 AND first_seen_at IS NULL AND traits_at = '-infinity'
                                AND NOT removed
                            RETURNING user_id
                        ), unknown AS (
                            DELETE FROM known_as k USING empty e WHERE k.tenant_id = $1 AND k.user_id = e.user_id
                        )
                        SELECT count(*) FROM empty\
                        """)
                .bind(0, tenant)
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one();
    }

    /** With the tenant and the range's days bound. */
    private static DatabaseClient.GenericExecuteSpec inRange(
            DatabaseClient db, String sql, Rebuild rebuild) {
        return db.sql(sql)
                .bind(0, rebuild.tenantId())
                .bind(1, day(rebuild.range().start()))
                .bind(2, day(rebuild.range().end()));
    }

    private static LocalDate day(Instant at) {
        return at.atZone(ZoneOffset.UTC).toLocalDate();
    }

    private static String text(Readable row) {
        return Objects.requireNonNull(row.get(0, String.class));
    }
}
