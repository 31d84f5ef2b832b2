package io.mirante.segmentation.clustering;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A clustering and how it came to be: with the same input, settings and seed the same comes out again. Immutable.
 *
 * @param seed of the start and of the sample
 * @param rows users it was fitted on
 * @param inputHash hex SHA-256 of the users and their features
 * @param features in the order of the coordinates
 * @param scaling how each is standardised, as many
 * @param centroids k points in standardised units
 * @param sizes users of each cluster when it was fitted
 * @param inertia sum of squared distances to the centroids, in standardised units
 * @param silhouette of a sample, [-1, 1]; null with one cluster
 * @param tried silhouette of every k that was tried
 * @param warnings what was left out, and why
 */
public record ClusterModel(
        String id,
        int k,
        long seed,
        int rows,
        String inputHash,
        Instant dataTo,
        List<String> features,
        List<Scaling> scaling,
        List<List<Double>> centroids,
        List<Integer> sizes,
        List<String> labels,
        double inertia,
        @Nullable Double silhouette,
        Map<Integer, Double> tried,
        List<String> warnings) {

    private static final int DEFINING = 3;
    private static final double NOTABLE = 0.5;

    public ClusterModel {
        if (!(k >= 1 && centroids.size() == k && labels.size() == k && sizes.size() == k)) {
            throw new IllegalArgumentException("centroids, labels and sizes must be k, " + k);
        }
        if (scaling.size() != features.size()) {
            throw new IllegalArgumentException("scaling must be as many as features");
        }
        features = List.copyOf(features);
        scaling = List.copyOf(scaling);
        centroids = centroids.stream().map(List::copyOf).toList();
        sizes = List.copyOf(sizes);
        labels = List.copyOf(labels);
        warnings = List.copyOf(warnings);
    }

    /**
     * (transformed value − mean) / deviation; a missing value is the mean, 0 in standardised units.
     *
     * @param log the value is log(1 + value) first, because it is spread out to the right
     * @param deviation more than 0
     */
    public record Scaling(boolean log, double mean, double deviation) {

        public Scaling {
            if (!(deviation > 0 && Double.isFinite(deviation) && Double.isFinite(mean))) {
                throw new IllegalArgumentException("deviation must be above 0, was " + deviation);
            }
        }

        double standardised(@Nullable Double value) {
            return value == null ? 0 : (transformed(value) - mean) / deviation;
        }

        private double transformed(double value) {
            return log ? Math.log1p(Math.max(0, value)) : value;
        }
    }

    /** Where a user belongs. */
    public record Place(int cluster, double distance) {}

    /** A feature that sets a cluster apart: {@code z} is its centroid's place in standard deviations from the mean. */
    public record Defining(String feature, double z, String text) {}

    /** The nearest centroid; of two as near the first. */
    public Place place(Map<String, Double> named) {
        return place(point(named));
    }

    Place place(double[] point) {
        int nearest = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int c = 0; c < k; c++) {
            double sum = 0;
            var centroid = centroids.get(c);
            for (int f = 0; f < point.length; f++) {
                double gap = point[f] - centroid.get(f);
                sum += gap * gap;
            }
            if (sum < least) {
                least = sum;
                nearest = c;
            }
        }
        return new Place(nearest, Math.sqrt(least));
    }

    double[] point(Map<String, Double> named) {
        var point = new double[features.size()];
        for (int f = 0; f < point.length; f++) {
            point[f] = scaling.get(f).standardised(named.get(features.get(f)));
        }
        return point;
    }

    /** What sets a cluster apart, the strongest first. */
    public List<Defining> defining(int cluster) {
        return defining(features, centroids.get(cluster));
    }

    static List<Defining> defining(List<String> features, List<Double> centroid) {
        return IntStream.range(0, features.size())
                .mapToObj(f ->
                        new Defining(
                                features.get(f),
                                centroid.get(f),
                                word(centroid.get(f)) + " " + features.get(f).replace('_', ' ')))
                .sorted(
                        Comparator.comparingDouble((Defining d) -> -Math.abs(d.z()))
                                .thenComparing(Defining::feature))
                .limit(DEFINING)
                .toList();
    }

    /** In plain words: the two features furthest from the average, such as "high revenue, low recency days". */
    static String label(List<String> features, List<Double> centroid) {
        var words = new ArrayList<String>();
        for (var defining : defining(features, centroid)) {
            if (Math.abs(defining.z()) >= NOTABLE && words.size() < 2) {
                words.add(defining.text());
            }
        }
        return words.isEmpty() ? "about average" : String.join(", ", words);
    }

    private static String word(double z) {
        return z >= 1.5
                ? "very high"
                : z >= NOTABLE
                        ? "high"
                        : z <= -1.5 ? "very low" : z <= -NOTABLE ? "low" : "average";
    }
}
