package io.mirante.churn.model;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.SplittableRandom;

/** Made-up users whose leaving depends on recency and frequency, with noise: no model can be perfect. */
public final class SyntheticUsers {

    public static final java.util.List<String> FEATURES =
            java.util.List.of("recency_days", "frequency", "noise", "spend");

    private SyntheticUsers() {}

    /** One row per user and date. */
    public static TrainingTable table(int users, int dates, Duration step, long seed) {
        var random = new SplittableRandom(seed);
        var rows = new ArrayList<float[]>();
        var labels = new float[users * dates];
        var ids = new ArrayList<String>();
        var asOf = new ArrayList<Instant>();
        var first = Instant.parse("2026-03-01T00:00:00Z");
        for (int d = 0; d < dates; d++) {
            for (int u = 0; u < users; u++) {
                float recency = random.nextInt(60);
                float frequency = 1 + random.nextInt(12);
                float spend = random.nextInt(10) == 0 ? Float.NaN : frequency * 10;
                double z = 0.09 * (recency - 30) - 0.35 * (frequency - 6);
                double p = 1 / (1 + Math.exp(-z));
                labels[rows.size()] = random.nextDouble() < p ? 1 : 0;
                rows.add(new float[] {recency, frequency, (float) random.nextDouble(), spend});
                ids.add("user-" + u);
                asOf.add(first.plus(step.multipliedBy(d)));
            }
        }
        return new TrainingTable(FEATURES, rows, labels, ids, asOf);
    }

    /** The same rows with labels that belong to others. */
    public static TrainingTable shuffled(TrainingTable table, long seed) {
        var random = new SplittableRandom(seed);
        var labels = table.labels().clone();
        for (int i = labels.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            float kept = labels[i];
            labels[i] = labels[j];
            labels[j] = kept;
        }
        return new TrainingTable(
                table.features(), table.rows(), labels, table.users(), table.asOf());
    }
}
