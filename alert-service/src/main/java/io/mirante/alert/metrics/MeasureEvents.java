package io.mirante.alert.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.alert.metrics.MinuteSums.Bucket;
import io.mirante.alert.metrics.MinuteSums.Series;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.metrics.Measurement;
import io.mirante.contracts.metrics.MetricCatalog;
import io.mirante.platform.messaging.Received;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Adds each event to the minutes of its metrics. Runs inside the transaction that advances the position, so a redelivered
 * poll changes nothing. Events whose own time is older than {@link MinuteSums#KEPT}, or further ahead than a day, are in
 * no window: they are skipped and counted as {@code mirante_alert_events_out_of_time}. Thread-safe.
 */
@Component
final class MeasureEvents {

    private static final int MAX_DECIMALS = 9;

    private final MinuteSums sums;
    private final Clock clock;
    private final Counter outOfTime;

    MeasureEvents(MinuteSums sums, Clock clock, MeterRegistry meters) {
        this.sums = sums;
        this.clock = clock;
        this.outOfTime = meters.counter("mirante.alert.events.out.of.time");
    }

    Mono<Void> store(List<Received<CleanEvent>> fresh, DatabaseClient stream) {
        return sums.add(
                additions(fresh.stream().map(Received::value).toList(), clock.instant()), stream);
    }

    SortedMap<Bucket, BigDecimal> additions(List<CleanEvent> events, Instant now) {
        var additions = new TreeMap<Bucket, BigDecimal>();
        for (var event : events) {
            if (event.occurredAt().isBefore(now.minus(MinuteSums.KEPT))
                    || event.occurredAt().isAfter(now.plus(MinuteSums.AHEAD))) {
                outOfTime.increment();
                continue;
            }
            var minute = event.occurredAt().truncatedTo(ChronoUnit.MINUTES);
            for (var measurement : MetricCatalog.measure(event)) {
                additions.merge(
                        new Bucket(event.tenantId(), minute, series(measurement)),
                        rounded(measurement.value()),
                        BigDecimal::add);
            }
        }
        return additions;
    }

    static Series series(Measurement measurement) {
        var dimensions = measurement.dimensions();
        return new Series(
                measurement.scope() + "." + measurement.metric(),
                dimensions.getOrDefault("org_unit", ""),
                dimensions.getOrDefault("channel", ""),
                dimensions.getOrDefault("priority", ""));
    }

    static BigDecimal rounded(BigDecimal value) {
        return value.scale() > MAX_DECIMALS
                ? value.setScale(MAX_DECIMALS, RoundingMode.HALF_EVEN)
                : value;
    }
}
