package io.mirante.segmentation.rfm;

import java.math.BigDecimal;
import java.time.LocalDate;

/**
 * A user's purchases up to a day, that day included.
 *
 * @param lastDay UTC day of the last one
 * @param days days with a purchase, zero-value purchases included
 * @param amount sum in the tenant's currency, exact
 */
public record Purchases(String userId, LocalDate lastDay, int days, BigDecimal amount) {

    public Purchases {
        if (!(days >= 1)) {
            throw new IllegalArgumentException("days must be 1 or more, was " + days);
        }
    }
}
