package io.mirante.etl.log;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantsOf;
import io.r2dbc.spi.Readable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The time by which retention goes: the earlier of this host's and PostgreSQL's clock, and never further on from what it was than
 * twice the time that has really passed in this process. So clocks that jump ahead, even all at once, make nothing old; after a
 * stand-still it catches up at double speed, also with several replicas: each goes on from what it said last. For one thread; blocks.
 */
@CrossTenant("the newest event of all tenants")
final class RetentionTime {

    /** Clocks further apart than this are not trusted, neither of them. */
    static final Duration TOLERANCE = Duration.ofHours(2);

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final StreamDatabase stream;
    private final Clock clock;
    private final Counter refused;
    private final LongSupplier nanoTime;
    private @Nullable Instant said;
    private long saidAt;

    RetentionTime(StreamDatabase stream, Clock clock, LongSupplier nanoTime, MeterRegistry meters) {
        this.stream = stream;
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.saidAt = nanoTime.getAsLong();
        this.refused = meters.counter("mirante.etl.retention.refused");
    }

    /**
     * What the clocks say.
     *
     * @param reached what it was before, here or else at any replica; null the first time
     * @param newest receipt of the newest event; null when there is none
     */
    record Clocks(
            Instant host, Instant database, @Nullable Instant reached, @Nullable Instant newest) {}

    /**
     * The time now, kept for the next time.
     *
     * @throws IllegalStateException when the clocks are too far apart
     */
    Instant advance() {
        long at = nanoTime.getAsLong();
        var clocks = read();
        if (apart(clocks)) {
            refused.increment();
        }
        var now = next(clocks, said == null ? Duration.ZERO : Duration.ofNanos(at - saidAt));
        stream.client()
                .sql(
                        """
                        INSERT INTO retention_time (reached) VALUES ($1)
                        ON CONFLICT (only_row) DO UPDATE SET reached = excluded.reached\
                        """)
                .bind(0, now)
                .then()
                .block(LIMIT);
        said = now;
        saidAt = at;
        return now;
    }

    /** How far it is behind the host's clock. */
    Duration behind(Instant now) {
        return Duration.between(now, clock.instant());
    }

    private Clocks read() {
        return Objects.requireNonNull(
                stream.client()
                        .sql(
                                TenantsOf.query(
                                        "analytics_event",
                                        """
                                        , reached AS (SELECT max(reached) AS at FROM retention_time)
                                        SELECT clock_timestamp(), r.at, CASE WHEN r.at IS NULL THEN (
                                            SELECT max(n.received_at) FROM tenant t, LATERAL (
                                                SELECT e.received_at FROM analytics_event e WHERE e.tenant_id = t.tenant_id
                                                ORDER BY e.received_at DESC LIMIT 1) n) END
                                        FROM reached r\
                                        """))
                        .map(this::clocks)
                        .one()
                        .block(LIMIT));
    }

    private Clocks clocks(Readable row) {
        return new Clocks(
                clock.instant(),
                Objects.requireNonNull(row.get(0, Instant.class)),
                said == null ? row.get(1, Instant.class) : said,
                row.get(2, Instant.class));
    }

    static Instant next(Clocks clocks, Duration passed) {
        if (apart(clocks)) {
            throw new IllegalStateException(
                    "nothing is removed: it is %s here and %s at PostgreSQL"
                            .formatted(clocks.host(), clocks.database()));
        }
        var most =
                clocks.reached() == null
                        ? clocks.newest()
                        : clocks.reached().plus(passed.multipliedBy(2));
        return Stream.of(clocks.host(), clocks.database(), most)
                .filter(Objects::nonNull)
                .min(Instant::compareTo)
                .orElseThrow();
    }

    private static boolean apart(Clocks clocks) {
        return Duration.between(clocks.host(), clocks.database()).abs().compareTo(TOLERANCE) > 0;
    }
}
