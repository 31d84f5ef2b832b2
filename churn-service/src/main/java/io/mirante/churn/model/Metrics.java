package io.mirante.churn.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * How good a model is on rows it has not seen.
 *
 * @param rocAuc area under the ROC curve with a 95 % bootstrap interval
 * @param prAuc average precision
 * @param logLoss mean negative log-likelihood, in nats
 * @param brier mean squared error of the probability
 * @param calibrationError expected calibration error over ten bins of equal count
 * @param liftAt10 rate of positives among the tenth with the highest probability, over the rate of all
 */
public record Metrics(
        Interval rocAuc,
        double prAuc,
        double logLoss,
        double brier,
        double calibrationError,
        @JsonProperty("lift_at_10") double liftAt10) {

    private static final int RESAMPLES = 200;
    private static final int BINS = 10;

    /** A value with the 2.5 % and 97.5 % quantiles of its bootstrap. */
    public record Interval(double value, double low, double high) {}

    /**
     * Compares probabilities with what came.
     *
     * @param labels 0 or 1; both must occur
     * @param seed of the bootstrap
     */
    public static Metrics of(double[] probabilities, float[] labels, long seed) {
        int n = labels.length;
        int[] falling =
                IntStream.range(0, n)
                        .boxed()
                        .sorted(Comparator.comparingDouble((Integer i) -> -probabilities[i]))
                        .mapToInt(Integer::intValue)
                        .toArray();
        double logLoss = 0;
        double brier = 0;
        double positives = 0;
        for (int i = 0; i < n; i++) {
            double p = Math.clamp(probabilities[i], 1e-15, 1 - 1e-15);
            logLoss -= labels[i] > 0.5f ? Math.log(p) : Math.log1p(-p);
            brier += (probabilities[i] - labels[i]) * (probabilities[i] - labels[i]);
            positives += labels[i];
        }
        return new Metrics(
                interval(probabilities, labels, seed),
                averagePrecision(probabilities, labels, falling, positives),
                logLoss / n,
                brier / n,
                calibrationError(probabilities, labels, falling),
                lift(labels, falling, positives));
    }

    /** Probability that a random positive stands above a random negative; ties count half. 0.5 with one class only. */
    public static double rocAuc(double[] scores, float[] labels) {
        int n = scores.length;
        Integer[] index = IntStream.range(0, n).boxed().toArray(Integer[]::new);
        Arrays.sort(index, Comparator.comparingDouble(i -> scores[i]));
        double rankSum = 0;
        double positives = 0;
        for (int from = 0; from < n; ) {
            int to = from;
            double here = 0;
            while (to < n && scores[index[to]] == scores[index[from]]) {
                here += labels[index[to]];
                to++;
            }
            rankSum += here * ((from + 1 + to) / 2.0);
            positives += here;
            from = to;
        }
        double negatives = n - positives;
        if (positives == 0 || negatives == 0) {
            return 0.5;
        }
        return (rankSum - positives * (positives + 1) / 2) / (positives * negatives);
    }

    private static Interval interval(double[] scores, float[] labels, long seed) {
        var random = new SplittableRandom(seed);
        int n = scores.length;
        double[] values = new double[RESAMPLES];
        double[] s = new double[n];
        float[] l = new float[n];
        for (int r = 0; r < RESAMPLES; r++) {
            for (int i = 0; i < n; i++) {
                int j = random.nextInt(n);
                s[i] = scores[j];
                l[i] = labels[j];
            }
            values[r] = rocAuc(s, l);
        }
        Arrays.sort(values);
        return new Interval(
                rocAuc(scores, labels),
                values[(int) (RESAMPLES * 0.025)],
                values[(int) (RESAMPLES * 0.975) - 1]);
    }

    /** Sum over distinct scores of precision times the gain in recall. */
    private static double averagePrecision(
            double[] scores, float[] labels, int[] falling, double positives) {
        double hits = 0;
        double before = 0;
        double sum = 0;
        for (int i = 0; i < falling.length; i++) {
            hits += labels[falling[i]];
            boolean lastOfTie =
                    i + 1 == falling.length || scores[falling[i + 1]] != scores[falling[i]];
            if (lastOfTie) {
                sum += (hits - before) / positives * (hits / (i + 1));
                before = hits;
            }
        }
        return sum;
    }

    private static double calibrationError(double[] p, float[] labels, int[] falling) {
        int n = falling.length;
        double error = 0;
        for (int bin = 0; bin < BINS; bin++) {
            int from = (int) ((long) n * bin / BINS);
            int to = (int) ((long) n * (bin + 1) / BINS);
            double gap = 0;
            for (int i = from; i < to; i++) {
                gap += p[falling[i]] - labels[falling[i]];
            }
            error += Math.abs(gap) / n;
        }
        return error;
    }

    private static double lift(float[] labels, int[] falling, double positives) {
        int top = Math.max(1, falling.length / 10);
        double hits = 0;
        for (int i = 0; i < top; i++) {
            hits += labels[falling[i]];
        }
        return hits / top / (positives / falling.length);
    }
}
