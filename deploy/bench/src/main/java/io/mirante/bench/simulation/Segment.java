package io.mirante.bench.simulation;

/**
 * How a customer behaves, by construction. The shares add up to 1.
 *
 * <p>What a churn model has to find is in the last two columns: each kind leaves at its own rate, and slows down, buys
 * less and complains more in the weeks before.
 */
enum Segment {
    LOYAL(0.22, 1.45, 0.36, 84.0, 0.006, 0.55),
    OCCASIONAL(0.34, 0.6, 0.24, 52.0, 0.03, 0.12),
    BARGAIN(0.22, 0.9, 0.13, 23.0, 0.045, 0.05),
    LAPSING(0.22, 0.85, 0.20, 41.0, 0.16, 0.10);

    /** Share of all customers. */
    final double share;

    /** Mean sessions a week while active. */
    final double sessionsPerWeek;

    /** Probability that a session ends in a purchase. */
    final double purchaseChance;

    /** Median price of a product bought, in USD. */
    final double medianPrice;

    /** Probability of leaving for good, per week. */
    final double leavesPerWeek;

    /** Probability of holding a subscription. */
    final double subscribes;

    Segment(
            double share,
            double sessionsPerWeek,
            double purchaseChance,
            double medianPrice,
            double leavesPerWeek,
            double subscribes) {
        this.share = share;
        this.sessionsPerWeek = sessionsPerWeek;
        this.purchaseChance = purchaseChance;
        this.medianPrice = medianPrice;
        this.leavesPerWeek = leavesPerWeek;
        this.subscribes = subscribes;
    }

    static Segment of(double uniform) {
        double reached = 0;
        for (Segment segment : values()) {
            reached += segment.share;
            if (uniform < reached) {
                return segment;
            }
        }
        return OCCASIONAL;
    }
}
