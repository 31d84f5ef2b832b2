package io.mirante.etl.features;

import io.mirante.contracts.gateway.RfmBoundaries;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a user's features are compared with: the buyers of a tenant as of a moment. Changes only with a batch run.
 *
 * @param buyers users with a purchase
 * @param quarters boundaries of scores from 1 to 4
 * @param fifths boundaries of scores from 1 to 5, the tenant's own if its settings have them
 * @param tickets boundaries of the thirds of avg_ticket
 * @param lifetime model of repeated purchases; null when there are too few for one
 * @param lifetimeValues percentiles 1 to 99 of the buyers' lifetime values; empty without a model
 */
public record Population(
        Instant asOf,
        long buyers,
        Parts quarters,
        Parts fifths,
        List<Double> tickets,
        @Nullable Lifetime lifetime,
        List<Double> lifetimeValues) {

    public Population {
        tickets = List.copyOf(tickets);
        lifetimeValues = List.copyOf(lifetimeValues);
    }

    /**
     * Boundaries, rising: the values at ranks ⌈n/k⌉, ⌈2n/k⌉ … of the buyers. A value at a boundary belongs to the lower part.
     */
    public record Parts(List<Double> recency, List<Double> frequency, List<Double> monetary) {

        public Parts {
            recency = List.copyOf(recency);
            frequency = List.copyOf(frequency);
            monetary = List.copyOf(monetary);
        }

        static Parts of(RfmBoundaries given) {
            return new Parts(
                    numbers(given.recencyDays()),
                    numbers(given.frequency()),
                    numbers(given.monetary()));
        }

        private static List<Double> numbers(List<BigDecimal> given) {
            return given.stream().map(BigDecimal::doubleValue).toList();
        }
    }
}
