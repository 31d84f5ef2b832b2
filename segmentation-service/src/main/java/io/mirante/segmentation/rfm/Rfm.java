package io.mirante.segmentation.rfm;

import io.mirante.contracts.etl.RfmSegment;
import java.math.BigDecimal;

/**
 * A user's figures and scores.
 *
 * @param recencyDays days from the last purchase, 0 or more
 * @param frequency days with a purchase, 1 or more
 * @param monetary sum of purchases in the tenant's currency
 * @param r recency score, 1 to 5, 5 the most recent
 * @param f frequency score, 1 to 5
 * @param m monetary score, 1 to 5
 */
public record Rfm(
        long recencyDays,
        int frequency,
        BigDecimal monetary,
        int r,
        int f,
        int m,
        RfmSegment segment) {}
