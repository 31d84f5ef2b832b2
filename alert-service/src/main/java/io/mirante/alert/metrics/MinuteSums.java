package io.mirante.alert.metrics;

import io.r2dbc.spi.Readable;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Sums of metrics per tenant, minute and dimensions. Thread-safe. */
@Component
public final class MinuteSums {

    /** How long minutes are kept; the longest window is well below it. */
    public static final Duration KEPT = Duration.ofHours(48);

    /** How far ahead of the clock an event may be and still be kept until its time comes. */
    static final Duration AHEAD = Duration.ofHours(24);

    /**
     * What to sum.
     *
     * @param metric {@code scope.name}
     * @param orgUnit empty = any, as the other two
     */
    public record Series(String metric, String orgUnit, String channel, String priority) {}

    /** A row to add to. Sorted, so that two polls never wait for each other in a circle. */
    record Bucket(String tenant, Instant minute, Series series) implements Comparable<Bucket> {
        private static final java.util.Comparator<Bucket> ORDER =
                java.util.Comparator.comparing(Bucket::tenant)
                        .thenComparing(Bucket::minute)
                        .thenComparing(b -> b.series().metric())
                        .thenComparing(b -> b.series().orgUnit())
                        .thenComparing(b -> b.series().channel())
                        .thenComparing(b -> b.series().priority());

        @Override
        public int compareTo(Bucket other) {
            return ORDER.compare(this, other);
        }
    }

    /** Adds to each bucket, within the caller's transaction. */
    Mono<Void> add(SortedMap<Bucket, BigDecimal> additions, DatabaseClient db) {
        if (additions.isEmpty()) {
            return Mono.empty();
        }
        var buckets = List.copyOf(additions.keySet());
        return db.sql(
                        "INSERT INTO metric_minute (tenant_id, minute, metric, org_unit, channel, priority, total)"
                                + " SELECT * FROM UNNEST($1::text[], $2::text[]::timestamptz[], $3::text[],"
                                + " $4::text[], $5::text[], $6::text[], $7::text[]::numeric[])"
                                + " ON CONFLICT (tenant_id, metric, minute, org_unit, channel, priority)"
                                + " DO UPDATE SET total = metric_minute.total + excluded.total")
                .bind(0, column(buckets, Bucket::tenant))
                .bind(1, column(buckets, b -> b.minute().toString()))
                .bind(2, column(buckets, b -> b.series().metric()))
                .bind(3, column(buckets, b -> b.series().orgUnit()))
                .bind(4, column(buckets, b -> b.series().channel()))
                .bind(5, column(buckets, b -> b.series().priority()))
                .bind(6, column(List.copyOf(additions.values()), BigDecimal::toString))
                .then();
    }

    /**
     * First minute of a window that ends now: the one its beginning falls into. So a window covers all of its time and
     * up to one minute more, and what is in it never vanishes early.
     */
    public static Instant firstMinute(Instant now, Duration window) {
        return now.minus(window).truncatedTo(ChronoUnit.MINUTES);
    }

    /** A sum to ask for: minutes from {@link #firstMinute} up to now; later ones are not counted yet. */
    public record Window(Series series, Duration length) {}

    /** The sums of windows that end now, in their order; 0 where nothing was counted. */
    public Mono<List<BigDecimal>> sums(
            String tenant, List<Window> windows, Instant now, DatabaseClient db) {
        if (windows.isEmpty()) {
            return Mono.just(List.of());
        }
        return db.sql(
                        "SELECT w.n, coalesce((SELECT sum(m.total) FROM metric_minute m WHERE m.tenant_id = $1 AND"
                                + " m.metric = w.metric AND m.minute >= w.first AND m.minute <= $2 AND (w.org_unit ="
                                + " '' OR m.org_unit = w.org_unit) AND (w.channel = '' OR m.channel = w.channel) AND"
                                + " (w.priority = '' OR m.priority = w.priority)), 0) FROM UNNEST($3::text[],"
                                + " $4::text[], $5::text[], $6::text[], $7::text[]::timestamptz[]) WITH ORDINALITY AS"
                                + " w(metric, org_unit, channel, priority, first, n)")
                .bind(0, tenant)
                .bind(1, now)
                .bind(2, column(windows, w -> w.series().metric()))
                .bind(3, column(windows, w -> w.series().orgUnit()))
                .bind(4, column(windows, w -> w.series().channel()))
                .bind(5, column(windows, w -> w.series().priority()))
                .bind(6, column(windows, w -> firstMinute(now, w.length()).toString()))
                .map(row -> Map.entry(number(row, 0, Long.class), number(row, 1, BigDecimal.class)))
                .all()
                .collectList()
                .map(rows -> inOrder(rows, windows.size()));
    }

    /** All kept minutes of a series up to now that are not 0. */
    public Mono<SortedMap<Instant, BigDecimal>> history(
            String tenant, Series series, Instant now, DatabaseClient db) {
        return db.sql(
                        "SELECT minute, sum(total) FROM metric_minute WHERE tenant_id = $1 AND metric = $2 AND"
                                + " minute <= $3 AND ($4 = '' OR org_unit = $4) AND ($5 = '' OR channel = $5) AND"
                                + " ($6 = '' OR priority = $6) AND minute >= $7 GROUP BY minute")
                .bind(0, tenant)
                .bind(1, series.metric())
                .bind(2, now)
                .bind(3, series.orgUnit())
                .bind(4, series.channel())
                .bind(5, series.priority())
                .bind(6, now.minus(KEPT))
                .map(row ->
                        Map.entry(number(row, 0, Instant.class), number(row, 1, BigDecimal.class)))
                .all()
                .collect(
                        () -> (SortedMap<Instant, BigDecimal>) new TreeMap<Instant, BigDecimal>(),
                        (sums, row) -> sums.put(row.getKey(), row.getValue()));
    }

    /** Deletes the tenant's minutes before a time. */
    public Mono<Long> deleteBefore(Instant time, DatabaseClient db) {
        return db.sql("DELETE FROM metric_minute WHERE minute < $1")
                .bind(0, time)
                .fetch()
                .rowsUpdated();
    }

    private static List<BigDecimal> inOrder(List<Map.Entry<Long, BigDecimal>> rows, int size) {
        var sums = new ArrayList<>(Collections.nCopies(size, BigDecimal.ZERO));
        rows.forEach(row -> sums.set(Math.toIntExact(row.getKey() - 1), row.getValue()));
        return sums;
    }

    private static <T> T number(Readable row, int column, Class<T> type) {
        return Objects.requireNonNull(row.get(column, type));
    }

    private static <T> String[] column(List<T> rows, Function<T, String> value) {
        return rows.stream().map(value).toArray(String[]::new);
    }
}
