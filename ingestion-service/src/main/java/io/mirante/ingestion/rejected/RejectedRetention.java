package io.mirante.ingestion.rejected;

import io.mirante.contracts.gateway.Retention;
import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.tenants.Tenants;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneOffset;
import org.springframework.stereotype.Component;

/**
 * Removes rejected events whose time is over: the tenant's retention of originals, 14 days by default, counted from
 * rejection. Every quarter of an hour, on a thread of its own; two replicas do no harm.
 */
@Component
@CrossTenant(
        "asks which tenants have rejected events; each tenant's are removed by its own retention")
public class RejectedRetention extends Periodic {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long PERIOD_MINUTES = 15;

    private final StreamDatabase stream;
    private final Tenants tenants;
    private final Clock clock;

    RejectedRetention(StreamDatabase stream, Tenants tenants, Clock clock) {
        super("rejected-retention", Duration.ofMinutes(1), Duration.ofMinutes(PERIOD_MINUTES));
        this.stream = stream;
        this.tenants = tenants;
        this.clock = clock;
    }

    @Override
    protected void turn() {
        if (tenants.caughtUp()) {
            removeOld();
        }
    }

    /** Removes what is due now; answers how many. Blocks. */
    public long removeOld() {
        var now = clock.instant();
        long removed = 0;
        var owners =
                stream.client()
                        .sql("SELECT DISTINCT tenant_id FROM rejected_event WHERE rejected_at < $1")
                        .bind(0, now.minus(Duration.ofDays(1)))
                        .map(row -> String.valueOf(row.get(0, String.class)))
                        .all()
                        .collectList()
                        .blockOptional(LIMIT)
                        .orElseThrow();
        for (var tenant : owners) {
            removed +=
                    stream.client()
                            .sql(
                                    "DELETE FROM rejected_event WHERE tenant_id = $1 AND rejected_at < $2")
                            .bind(0, tenant)
                            .bind(1, before(now, retention(tenant)))
                            .fetch()
                            .rowsUpdated()
                            .blockOptional(LIMIT)
                            .orElse(0L);
        }
        return removed;
    }

    private Period retention(String tenant) {
        return tenants.knows(tenant)
                ? tenants.settings(tenant).retention().rejected()
                : Retention.DEFAULT.rejected();
    }

    private static Instant before(Instant now, Period period) {
        return now.atOffset(ZoneOffset.UTC).minus(period).toInstant();
    }
}
