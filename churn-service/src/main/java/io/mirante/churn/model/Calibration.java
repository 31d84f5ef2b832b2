package io.mirante.churn.model;

/**
 * Platt scaling: probability = 1 / (1 + exp(-(slope · margin + intercept))). Strictly rising in the margin, so it never
 * changes an order. Fitted with Platt's smoothed targets (Platt 1999; Newton's method as Lin, Lin and Weng 2007).
 *
 * @param slope more than 0
 */
public record Calibration(double slope, double intercept) {

    /** Margins as log-odds, unchanged. */
    public static final Calibration NONE = new Calibration(1, 0);

    private static final double LEAST_SLOPE = 1e-3;
    private static final int STEPS = 100;

    public Calibration {
        if (!(slope > 0 && Double.isFinite(slope) && Double.isFinite(intercept))) {
            throw new IllegalArgumentException(
                    "slope must be above 0 and both finite, were " + slope + " and " + intercept);
        }
    }

    /** [0, 1]. */
    public double probability(double margin) {
        return 1 / (1 + Math.exp(-(slope * margin + intercept)));
    }

    /**
     * Fits both numbers on rows the model was not fitted on.
     *
     * @param margins in log-odds
     * @param labels 0 or 1, as many
     */
    public static Calibration fit(float[] margins, float[] labels) {
        int positives = 0;
        for (float label : labels) {
            positives += label > 0.5f ? 1 : 0;
        }
        int negatives = labels.length - positives;
        if (positives == 0 || negatives == 0) {
            return NONE;
        }
        double high = (positives + 1.0) / (positives + 2.0);
        double low = 1.0 / (negatives + 2.0);
        double slope = 1;
        double intercept = 0;
        double loss = loss(margins, labels, high, low, slope, intercept);
        for (int step = 0; step < STEPS; step++) {
            double h11 = 1e-9;
            double h22 = 1e-9;
            double h21 = 0;
            double g1 = 0;
            double g2 = 0;
            for (int i = 0; i < margins.length; i++) {
                double p = sigmoid(slope * margins[i] + intercept);
                double d1 = p - (labels[i] > 0.5f ? high : low);
                double d2 = p * (1 - p);
                h11 += (double) margins[i] * margins[i] * d2;
                h22 += d2;
                h21 += margins[i] * d2;
                g1 += margins[i] * d1;
                g2 += d1;
            }
            double determinant = h11 * h22 - h21 * h21;
            double moveSlope = -(h22 * g1 - h21 * g2) / determinant;
            double moveIntercept = -(h11 * g2 - h21 * g1) / determinant;
            double stride = 1;
            double next = Double.POSITIVE_INFINITY;
            while (stride > 1e-10) {
                next =
                        loss(
                                margins,
                                labels,
                                high,
                                low,
                                slope + stride * moveSlope,
                                intercept + stride * moveIntercept);
                if (next <= loss) {
                    break;
                }
                stride /= 2;
            }
            if (!(next <= loss)) {
                break;
            }
            slope += stride * moveSlope;
            intercept += stride * moveIntercept;
            boolean settled = loss - next < 1e-12 * labels.length;
            loss = next;
            if (settled) {
                break;
            }
        }
        if (!Double.isFinite(slope) || !Double.isFinite(intercept)) {
            return NONE;
        }
        if (slope >= LEAST_SLOPE) {
            return new Calibration(slope, intercept);
        }
        // A model that orders no better than chance: nearly the base rate for all, but still
        // rising.
        return new Calibration(LEAST_SLOPE, Math.log((double) positives / negatives));
    }

    private static double loss(
            float[] margins,
            float[] labels,
            double high,
            double low,
            double slope,
            double intercept) {
        double sum = 0;
        for (int i = 0; i < margins.length; i++) {
            double z = slope * margins[i] + intercept;
            double target = labels[i] > 0.5f ? high : low;
            // -[t log p + (1 - t) log(1 - p)], written so that it does not overflow
            sum += Math.max(z, 0) - target * z + Math.log1p(Math.exp(-Math.abs(z)));
        }
        return sum;
    }

    private static double sigmoid(double z) {
        return 1 / (1 + Math.exp(-z));
    }
}
