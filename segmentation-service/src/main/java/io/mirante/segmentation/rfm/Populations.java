package io.mirante.segmentation.rfm;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.ProblemException;
import io.mirante.segmentation.Rows;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * The tenants' buyers, compared. Every user's score needs all of them, so a population is kept until the tenant's
 * purchases change or others need the room. Thread-safe.
 */
@Component
public final class Populations {

    private static final Duration UNUSED = Duration.ofMinutes(10);
    private static final long MOST_BUYERS = 500_000;

    private final TenantDatabase database;
    private final Clock clock;
    private final Tenants tenants;
    private final AsyncCache<Key, Population> cache =
            Caffeine.newBuilder()
                    .expireAfterAccess(UNUSED)
                    .maximumWeight(MOST_BUYERS)
                    .weigher((Key key, Population population) -> 1 + population.size())
                    .buildAsync();

    Populations(TenantDatabase database, Clock clock, Tenants tenants) {
        this.database = database;
        this.clock = clock;
        this.tenants = tenants;
    }

    private record Key(String tenant, LocalDate at, long revision, String currency) {}

    /**
     * All buyers by a day, with every purchase stored before this was asked.
     *
     * @param asked purchases of this UTC day count, later ones do not; null = the day of {@code asOf}
     * @param asOf what the answer will say it is complete to, read before this is asked
     */
    public Mono<Population> at(String tenant, @Nullable LocalDate asked, Instant asOf) {
        var day = asked == null ? day(asOf) : asked;
        return revision(tenant)
                .map(revision ->
                        new Key(tenant, day, revision, tenants.settings(tenant).currency()))
                .flatMap(key ->
                        Mono.fromFuture(
                                () -> cache.get(key, (k, executor) -> read(key).toFuture()), true));
    }

    /** The day figures speak of; today while nothing is known about completeness yet. */
    private LocalDate day(Instant asOf) {
        var at = asOf.equals(Instant.EPOCH) ? clock.instant() : asOf;
        return at.atZone(ZoneOffset.UTC).toLocalDate();
    }

    /**
     * The day a request's {@code ?at=} names: a date, or the UTC day of an RFC 3339 time; null when it names none.
     *
     * @throws ProblemException 400 when it is neither
     */
    public static @Nullable LocalDate asked(@Nullable String at) {
        if (at == null) {
            return null;
        }
        try {
            return at.length() == 10
                    ? LocalDate.parse(at)
                    : OffsetDateTime.parse(at).withOffsetSameInstant(ZoneOffset.UTC).toLocalDate();
        } catch (DateTimeException e) {
            throw ProblemException.malformed(
                    "?at",
                    "invalid",
                    "at must be a date (2026-11-20) or an RFC 3339 time, was " + at);
        }
    }

    private Mono<Long> revision(String tenant) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        "SELECT coalesce(max(revision), 0) AS revision FROM purchase_revision WHERE tenant_id = $1")
                                .bind(0, tenant)
                                .map(row -> Rows.value(row, "revision", Long.class))
                                .one());
    }

    private Mono<Population> read(Key key) {
        return database.many(
                        key.tenant(),
                        db ->
                                db.sql(
                                                "SELECT user_id, max(day) AS last_day, count(DISTINCT day) AS days, coalesce(sum(amount) FILTER (WHERE currency = $3), 0) AS amount FROM purchase_of_user WHERE tenant_id = $1 AND day <= $2 GROUP BY user_id")
                                        .bind(0, key.tenant())
                                        .bind(1, key.at())
                                        .bind(2, key.currency())
                                        .map(row ->
                                                new Purchases(
                                                        Rows.text(row, "user_id"),
                                                        Rows.value(
                                                                row, "last_day", LocalDate.class),
                                                        Math.toIntExact(
                                                                Rows.value(
                                                                        row, "days", Long.class)),
                                                        Rows.value(
                                                                row, "amount", BigDecimal.class)))
                                        .all())
                .collectList()
                .publishOn(Schedulers.parallel())
                .map(buyers -> Population.of(key.at(), buyers));
    }
}
