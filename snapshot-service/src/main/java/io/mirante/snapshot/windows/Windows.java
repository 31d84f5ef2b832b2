package io.mirante.snapshot.windows;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.contracts.snapshot.SnapshotChanged;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Publication;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.Generation;
import io.r2dbc.spi.Readable;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import tools.jackson.core.type.TypeReference;

/** The windows in PostgreSQL; the only SQL for them. Thread-safe. */
@Component
public final class Windows {

    private static final TypeReference<Map<String, String>> TEXTS = new TypeReference<>() {};
    private static final TypeReference<Map<String, BigDecimal>> DECIMALS = new TypeReference<>() {};

    /** A window's row; the metrics as one JSON object. */
    private static final String COLUMNS =
            "w.tenant_id, w.scope, w.granularity, w.starts_at, w.dimensions, w.ends_at, w.as_of, w.revision,"
                    + " (SELECT jsonb_object_agg(v.metric, v.value)::text FROM metric_value v WHERE v.tenant_id ="
                    + " w.tenant_id AND v.scope = w.scope AND v.granularity = w.granularity AND v.starts_at ="
                    + " w.starts_at AND v.dimensions = w.dimensions) AS metrics";

    private static final int FETCH = 1_000;
    private static final Duration LONG = Duration.ofMinutes(10);

    private final TenantDatabase database;
    private final Tenants tenants;

    Windows(TenantDatabase database, Tenants tenants) {
        this.database = database;
        this.tenants = tenants;
    }

    /**
     * Adds what the events measure; each window's revision rises by one.
     *
     * @param asOf every event accepted before it has been added by transactions committed before this one
     */
    public Mono<Void> add(
            Collection<CleanEvent> events,
            Instant asOf,
            Generation generation,
            DatabaseClient stream) {
        var sums = new WindowSums(tenants::settings);
        events.forEach(sums::add);
        return add(sums, asOf, generation, stream);
    }

    /** Adds what ends of etl's runs measure, to the windows that are shown. */
    Mono<Void> addRuns(Collection<RunEnded> ends, Instant asOf, DatabaseClient stream) {
        var sums = new WindowSums(tenants::settings);
        ends.forEach(sums::add);
        return add(sums, asOf, Generation.CURRENT, stream);
    }

    private static Mono<Void> add(
            WindowSums sums, Instant asOf, Generation generation, DatabaseClient stream) {
        if (sums.sums().isEmpty()) {
            return Mono.empty();
        }
        var windows = List.copyOf(sums.sums().keySet());
        var values =
                sums.sums().entrySet().stream()
                        .flatMap(w ->
                                w.getValue().entrySet().stream()
                                        .map(m -> new Value(w.getKey(), m.getKey(), m.getValue())))
                        .toList();
        return touch(windows, asOf, generation, stream).then(sum(values, generation, stream));
    }

    /** The range in whole days of the tenant's: both kinds of windows lie in it or do not. */
    public TimeRange wholeDays(String tenant, TimeRange range) {
        var zone = tenants.settings(tenant).zone();
        var last = range.end().minusNanos(1);
        return new TimeRange(
                Granularity.DAILY.startOf(range.start(), zone),
                range.end().isBefore(TimeRange.LAST)
                        ? Granularity.DAILY.endOf(last, zone)
                        : TimeRange.LAST);
    }

    /** What else than events a window's place and sums follow from: time zone and currency, as one text. */
    public String measures(String tenant) {
        var settings = tenants.settings(tenant);
        return settings.zone() + " " + settings.currency();
    }

    private record Value(Window window, String metric, BigDecimal value) {}

    private static Mono<Void> touch(
            List<Window> windows, Instant asOf, Generation generation, DatabaseClient stream) {
        var spec =
                stream.sql(
                        "INSERT INTO "
                                + generation.windowTable()
                                + " AS w (tenant_id, scope, granularity, starts_at, dimensions,"
                                + " ends_at, as_of, revision) SELECT t, s, g, b, d, e::timestamptz, $7::timestamptz, "
                                + Publication.raised("0")
                                + " FROM"
                                + " UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])"
                                + " AS x(t, s, g, b, d, e) ON CONFLICT (tenant_id, scope, granularity, starts_at,"
                                + " dimensions) DO UPDATE SET revision = "
                                + Publication.raised("w.revision")
                                + ", as_of ="
                                + " greatest(w.as_of, excluded.as_of)");
        return keys(spec, windows)
                .bind(5, windows.stream().map(w -> w.end().toString()).toArray(String[]::new))
                .bind(6, asOf.toString())
                .then();
    }

    private static Mono<Void> sum(
            List<Value> values, Generation generation, DatabaseClient stream) {
        var spec =
                stream.sql(
                        "INSERT INTO "
                                + generation.valueTable()
                                + " AS v (tenant_id, scope, granularity, starts_at, dimensions,"
                                + " metric, value) SELECT t, s, g, b, d, m, n::numeric FROM UNNEST($1::text[],"
                                + " $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS"
                                + " x(t, s, g, b, d, m, n) ON CONFLICT (tenant_id, scope, granularity, starts_at,"
                                + " dimensions, metric) DO UPDATE SET value = v.value + excluded.value");
        return keys(spec, values.stream().map(Value::window).toList())
                .bind(5, values.stream().map(Value::metric).toArray(String[]::new))
                .bind(6, values.stream().map(v -> v.value().toString()).toArray(String[]::new))
                .then();
    }

    private static DatabaseClient.GenericExecuteSpec keys(
            DatabaseClient.GenericExecuteSpec spec, List<Window> windows) {
        return spec.bind(0, windows.stream().map(Window::tenant).toArray(String[]::new))
                .bind(1, windows.stream().map(Window::scope).toArray(String[]::new))
                .bind(
                        2,
                        windows.stream()
                                .map(w -> w.granularity().wireName())
                                .toArray(String[]::new))
                .bind(3, windows.stream().map(w -> w.start().toString()).toArray(String[]::new))
                .bind(4, windows.stream().map(Window::dimensions).toArray(String[]::new));
    }

    /**
     * Which windows are asked for.
     *
     * @param dimensions value by name that a window must have
     * @param after the window before the first one wanted; empty = from the newest on
     * @param limit most windows to read
     */
    record Wanted(
            String scope,
            Granularity granularity,
            TimeRange range,
            Map<String, String> dimensions,
            Optional<Place> after,
            int limit) {}

    /** A window's place among those of one scope and granularity. */
    record Place(String start, String dimensions) {}

    /** A window as stored; metrics are additive. */
    record Stored(
            Instant start,
            Instant end,
            Map<String, String> dimensions,
            Map<String, BigDecimal> metrics,
            long revision) {

        Place place() {
            return new Place(start.toString(), Window.text(dimensions));
        }
    }

    /** The tenant's windows whose start lies in the range's windows, newest first. */
    Mono<List<Stored>> read(String tenant, Wanted wanted) {
        var zone = tenants.settings(tenant).zone();
        var first = wanted.granularity().startOf(wanted.range().start(), zone);
        var arguments = new ArrayList<Object>();
        arguments.add(wanted.scope());
        arguments.add(wanted.granularity().wireName());
        arguments.add(first.toString());
        arguments.add(wanted.range().end().toString());
        var sql =
                new StringBuilder("SELECT ")
                        .append(COLUMNS)
                        .append(
                                " FROM metric_window w WHERE w.scope = $1 AND w.granularity = $2 AND"
                                        + " w.starts_at >= $3");
        // starts_at has whole seconds; compared as text, an end with a fraction would come before
        // it.
        sql.append(" AND w.starts_at::timestamptz < $4::timestamptz");
        for (var dimension : wanted.dimensions().entrySet()) {
            arguments.add(dimension.getKey());
            arguments.add(dimension.getValue());
            sql.append(
                    " AND w.dimensions::jsonb ->> $%d = $%d"
                            .formatted(arguments.size() - 1, arguments.size()));
        }
        wanted.after()
                .ifPresent(place -> {
                    arguments.add(place.start());
                    arguments.add(place.dimensions());
                    sql.append(
                            " AND (w.starts_at, w.dimensions) < ($%d, $%d)"
                                    .formatted(arguments.size() - 1, arguments.size()));
                });
        arguments.add(wanted.limit());
        sql.append(" ORDER BY w.starts_at DESC, w.dimensions DESC LIMIT $")
                .append(arguments.size());
        return database.one(
                tenant,
                db -> {
                    DatabaseClient.GenericExecuteSpec spec = db.sql(sql.toString());
                    for (int i = 0; i < arguments.size(); i++) {
                        spec = spec.bind(i, arguments.get(i));
                    }
                    return spec.map(Windows::stored).all().collectList();
                });
    }

    /** All windows that begin in the range, in no order, on a thread that may block. */
    public void each(String tenant, TimeRange range, Consumer<SnapshotChanged> consumer) {
        database.many(
                        tenant,
                        db ->
                                db.sql(
                                                "SELECT "
                                                        + COLUMNS
                                                        + " FROM metric_window w WHERE w.tenant_id = $1 AND w.starts_at::timestamptz >="
                                                        + " $2::timestamptz AND w.starts_at::timestamptz < $3::timestamptz")
                                        .filter(s -> s.fetchSize(FETCH))
                                        .bind(0, tenant)
                                        .bind(1, range.start().toString())
                                        .bind(2, range.end().toString())
                                        .map(Windows::changed)
                                        .all())
                .publishOn(Schedulers.boundedElastic(), FETCH)
                .doOnNext(consumer)
                .then()
                .block(LONG);
    }

    private static Stored stored(Readable row) {
        return new Stored(
                Instant.parse(text(row, "starts_at")),
                instant(row, "ends_at"),
                dimensions(row),
                metrics(row),
                Objects.requireNonNull(row.get("revision", Long.class)));
    }

    private static SnapshotChanged changed(Readable row) {
        return new SnapshotChanged(
                text(row, "tenant_id"),
                text(row, "scope"),
                text(row, "granularity"),
                Instant.parse(text(row, "starts_at")),
                instant(row, "ends_at"),
                dimensions(row),
                metrics(row),
                Objects.requireNonNull(row.get("revision", Long.class)),
                instant(row, "as_of"));
    }

    private static Map<String, String> dimensions(Readable row) {
        return Json.mapper().readValue(text(row, "dimensions"), TEXTS);
    }

    private static Map<String, BigDecimal> metrics(Readable row) {
        return Json.mapper().readValue(text(row, "metrics"), DECIMALS);
    }

    private static String text(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, String.class), column);
    }

    private static Instant instant(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, Instant.class), column);
    }

    @Configuration(proxyBeanMethods = false)
    static class Publishing {

        /** Changed windows go to {@code mirante.snapshots}. */
        @Bean
        Publication windowPublication() {
            return new Publication(
                    "metric_window",
                    List.of("tenant_id", "scope", "granularity", "starts_at", "dimensions"),
                    "SELECT "
                            + COLUMNS
                            + " FROM metric_window w WHERE w.revision > w.published_revision ORDER BY"
                            + " w.tenant_id, w.scope, w.granularity, w.starts_at, w.dimensions LIMIT 1000",
                    Publishing::message);
        }

        /** The key names the whole window: the topic is compacted, and every window's newest state must stay. */
        private static Outgoing message(Readable row) {
            var changed = changed(row);
            return new Outgoing(
                    Topics.SNAPSHOTS.name(),
                    null,
                    Keys.of(
                            changed.tenantId(),
                            changed.scope(),
                            text(row, "dimensions"),
                            changed.granularity(),
                            changed.start().toString()),
                    Json.mapper().writeValueAsBytes(changed),
                    Map.of(
                            CloudHeaders.SPEC_VERSION,
                            "1.0",
                            CloudHeaders.ID,
                            String.join(
                                            "/",
                                            changed.scope(),
                                            changed.granularity(),
                                            changed.start().toString(),
                                            text(row, "dimensions"))
                                    + "@"
                                    + changed.revision(),
                            CloudHeaders.TYPE,
                            "snapshot_changed",
                            CloudHeaders.SOURCE,
                            "/snapshot",
                            CloudHeaders.TENANT,
                            changed.tenantId(),
                            CloudHeaders.TIME,
                            changed.start().toString(),
                            CloudHeaders.REVISION,
                            Long.toString(changed.revision()),
                            CloudHeaders.AS_OF,
                            changed.asOf().toString()));
        }
    }
}
