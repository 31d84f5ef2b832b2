package io.mirante.segmentation.rfm;

import io.mirante.segmentation.Rows;

/** RFM figures as answers show them. */
public record RfmView(
        long recencyDays, int frequency, String monetary, Scores scores, String segment) {

    /** Quintiles, 1 to 5. */
    public record Scores(int r, int f, int m) {}

    /** For an answer. */
    public static RfmView of(Rfm rfm) {
        return new RfmView(
                rfm.recencyDays(),
                rfm.frequency(),
                Rows.money(rfm.monetary()),
                new Scores(rfm.r(), rfm.f(), rfm.m()),
                rfm.segment().wireName());
    }
}
