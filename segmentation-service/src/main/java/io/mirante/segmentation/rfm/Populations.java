package io.mirante.segmentation.rfm;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.segmentation.Rows;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * The tenants' buyers, compared. Kept for a few seconds per tenant, day and {@code as_of}, because every user's
 * score needs all of them, and {@code as_of} moves once a second. Thread-safe.
 */
@Component
public final class Populations {

    private static final Duration KEPT = Duration.ofSeconds(3);
    private static final int MOST = 50;

    private final TenantDatabase database;
    private final String currency;
    private final AsyncCache<Key, Population> cache =
            Caffeine.newBuilder().expireAfterWrite(KEPT).maximumSize(MOST).buildAsync();

    Populations(
            TenantDatabase database, @Value("${mirante.segmentation.currency}") String currency) {
        this.database = database;
        this.currency = currency;
    }

    private record Key(String tenant, LocalDate at, Instant asOf) {}

    /**
     * All buyers by a day.
     *
     * @param at purchases of this UTC day count, later ones do not
     * @param asOf what the answer will say it is complete to; a population read for an older one is not used
     */
    public Mono<Population> at(String tenant, LocalDate at, Instant asOf) {
        return Mono.fromFuture(
                () ->
                        cache.get(
                                new Key(tenant, at, asOf),
                                (key, executor) -> read(tenant, at).toFuture()),
                true);
    }

    private Mono<Population> read(String tenant, LocalDate at) {
        return database.many(
                        tenant,
                        db ->
                                db.sql(
                                                "SELECT user_id, max(day) AS last_day, count(DISTINCT day) AS days, coalesce(sum(amount) FILTER (WHERE currency = $3), 0) AS amount FROM purchase_day WHERE tenant_id = $1 AND day <= $2 GROUP BY user_id")
                                        .bind(0, tenant)
                                        .bind(1, at)
                                        .bind(2, currency)
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
                .map(buyers -> Population.of(at, buyers));
    }
}
