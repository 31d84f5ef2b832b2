package io.mirante.segmentation.clustering;

import io.mirante.segmentation.clustering.ClusterModel.Scaling;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.tribuo.MutableDataset;
import org.tribuo.clustering.ClusterID;
import org.tribuo.clustering.ClusteringFactory;
import org.tribuo.clustering.kmeans.KMeansTrainer;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.distance.L2Distance;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/**
 * KMeans over standardised features (Tribuo, k-means++ start, the best of five starts). Deterministic for the same users,
 * settings and seed. Blocks and uses one core; not for event loops.
 *
 * <p>Missing values count as the feature's mean. A feature that most users lack, or that has one value, is left out. One
 * that is never negative and spread out to the right (skewness above 1) is taken as its logarithm, so that a few heavy
 * buyers do not become clusters of their own. Without a given k, each from {@code kMin} to {@code kMax} is tried and the
 * best mean silhouette of a sample wins.
 */
final class KMeansClustering {

    private static final int ITERATIONS = 100;
    private static final int STARTS = 5;
    private static final int SAMPLE = 800;
    private static final double SKEWED = 1;

    private KMeansClustering() {}

    /**
     * What to make.
     *
     * @param k null = chosen between kMin and kMax
     * @param features null = all there are
     */
    record Settings(
            @Nullable Integer k, int kMin, int kMax, @Nullable List<String> features, long seed) {

        Settings {
            if (k != null && !(k >= 1 && k <= 50)) {
                throw new IllegalArgumentException("k must be 1 to 50, was " + k);
            }
            if (!(kMin >= 2 && kMax >= kMin && kMax <= 50)) {
                throw new IllegalArgumentException(
                        "2 <= k_min <= k_max <= 50, were " + kMin + " and " + kMax);
            }
        }
    }

    /** It cannot be done; the message says why. */
    static final class ImpossibleException extends Exception {
        private static final long serialVersionUID = 1L;

        ImpossibleException(String message) {
            super(message);
        }
    }

    /**
     * Makes a model.
     *
     * @param given each user once
     */
    static ClusterModel fit(String id, List<UserVector> given, Settings settings)
            throws ImpossibleException {
        var users = given.stream().sorted(Comparator.comparing(UserVector::userId)).toList();
        Integer wanted = settings.k();
        int fewest = wanted == null ? settings.kMin() + 1 : wanted;
        if (users.size() < fewest) {
            throw new ImpossibleException(
                    "there are %d users with features; %d clusters need at least %d"
                            .formatted(
                                    users.size(),
                                    wanted == null ? settings.kMin() : wanted,
                                    fewest));
        }
        var warnings = new ArrayList<String>();
        var features = new ArrayList<String>();
        var scaling = new ArrayList<Scaling>();
        for (var feature : candidates(users, settings.features())) {
            var fitted = scaling(feature, users, warnings);
            if (fitted != null) {
                features.add(feature);
                scaling.add(fitted);
            }
        }
        if (features.isEmpty()) {
            throw new ImpossibleException(
                    "no feature tells the users apart: " + String.join("; ", warnings));
        }
        var points = points(users, features, scaling);
        long distinct = Arrays.stream(points).map(Arrays::hashCode).distinct().count();
        if (distinct < fewest) {
            throw new ImpossibleException(
                    "only %d different users among %d; %d clusters cannot be told apart"
                            .formatted(
                                    distinct,
                                    users.size(),
                                    wanted == null ? settings.kMin() : wanted));
        }
        return best(id, users, points, features, scaling, settings, (int) distinct, warnings);
    }

    private static ClusterModel best(
            String id,
            List<UserVector> users,
            double[][] points,
            List<String> features,
            List<Scaling> scaling,
            Settings settings,
            int distinct,
            List<String> warnings) {
        int[] sample = sample(points.length, settings.seed());
        var tried = new TreeMap<Integer, Double>();
        Integer wanted = settings.k();
        int from = wanted == null ? settings.kMin() : wanted;
        int to = wanted == null ? Math.min(settings.kMax(), distinct - 1) : wanted;
        double[][] best = {};
        double bestSilhouette = Double.NEGATIVE_INFINITY;
        for (int k = from; k <= to; k++) {
            var centroids = cluster(points, k, settings.seed());
            double silhouette = silhouette(points, sample, centroids);
            if (k > 1) {
                tried.put(k, silhouette);
            }
            if (silhouette > bestSilhouette) {
                best = centroids;
                bestSilhouette = silhouette;
            }
        }
        return model(
                id,
                users,
                points,
                features,
                scaling,
                settings.seed(),
                best,
                best.length > 1 ? bestSilhouette : null,
                tried,
                warnings);
    }

    private static ClusterModel model(
            String id,
            List<UserVector> users,
            double[][] points,
            List<String> features,
            List<Scaling> scaling,
            long seed,
            double[][] centroids,
            @Nullable Double silhouette,
            Map<Integer, Double> tried,
            List<String> warnings) {
        // The largest first, so that numbers mean something and do not depend on the start.
        var sizes = new int[centroids.length];
        double inertia = 0;
        for (var point : points) {
            int c = nearest(point, centroids);
            sizes[c]++;
            inertia += squared(point, centroids[c]);
        }
        var order =
                IntStream.range(0, centroids.length)
                        .boxed()
                        .sorted(
                                Comparator.comparingInt((Integer c) -> -sizes[c])
                                        .thenComparing(c -> centroids[c], Arrays::compare))
                        .toList();
        var sorted = order.stream().map(c -> boxed(centroids[c])).toList();
        return new ClusterModel(
                id,
                centroids.length,
                seed,
                users.size(),
                hash(users),
                users.stream()
                        .map(UserVector::asOf)
                        .max(Comparator.naturalOrder())
                        .orElse(Instant.EPOCH),
                features,
                scaling,
                sorted,
                order.stream().map(c -> sizes[c]).toList(),
                sorted.stream().map(c -> ClusterModel.label(features, c)).toList(),
                inertia,
                silhouette,
                tried,
                warnings);
    }

    private static TreeSet<String> candidates(List<UserVector> users, @Nullable List<String> wanted)
            throws ImpossibleException {
        var all = new TreeSet<String>();
        users.forEach(user -> all.addAll(user.features().keySet()));
        if (wanted == null) {
            return all;
        }
        for (var feature : wanted) {
            if (!all.contains(feature)) {
                throw new ImpossibleException(
                        "no user has a feature " + feature + "; there are " + all);
            }
        }
        return new TreeSet<>(wanted);
    }

    private static @Nullable Scaling scaling(
            String feature, List<UserVector> users, List<String> warnings) {
        var values =
                users.stream()
                        .map(user -> user.features().get(feature))
                        .filter(java.util.Objects::nonNull)
                        .mapToDouble(Double::doubleValue)
                        .toArray();
        if (values.length * 2 < users.size()) {
            warnings.add("feature " + feature + " left out: most users lack it");
            return null;
        }
        boolean log = Arrays.stream(values).allMatch(v -> v >= 0) && skewness(values) > SKEWED;
        var transformed = log ? Arrays.stream(values).map(Math::log1p).toArray() : values;
        double mean = Arrays.stream(transformed).average().orElse(0);
        double deviation =
                Math.sqrt(
                        Arrays.stream(transformed)
                                .map(v -> (v - mean) * (v - mean))
                                .average()
                                .orElse(0));
        if (!(deviation > 1e-12 * Math.max(1, Math.abs(mean)))) {
            warnings.add("feature " + feature + " left out: it has one value only");
            return null;
        }
        return new Scaling(log, mean, deviation);
    }

    private static double skewness(double[] values) {
        double mean = Arrays.stream(values).average().orElse(0);
        double second = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).average().orElse(0);
        double third =
                Arrays.stream(values)
                        .map(v -> (v - mean) * (v - mean) * (v - mean))
                        .average()
                        .orElse(0);
        return second <= 0 ? 0 : third / Math.pow(second, 1.5);
    }

    private static double[][] points(
            List<UserVector> users, List<String> features, List<Scaling> scaling) {
        var points = new double[users.size()][features.size()];
        for (int u = 0; u < points.length; u++) {
            for (int f = 0; f < features.size(); f++) {
                points[u][f] =
                        scaling.get(f).standardised(users.get(u).features().get(features.get(f)));
            }
        }
        return points;
    }

    /** Centroids of the start with the least inertia. */
    private static double[][] cluster(double[][] points, int k, long seed) {
        var names = new String[points[0].length];
        // Tribuo orders features by name: padded numbers keep ours.
        Arrays.setAll(names, f -> "f%06d".formatted(f));
        var data =
                new MutableDataset<>(
                        new SimpleDataSourceProvenance("features", new ClusteringFactory()),
                        new ClusteringFactory());
        for (var point : points) {
            data.add(new ArrayExample<>(ClusteringFactory.UNASSIGNED_CLUSTER_ID, names, point));
        }
        var random = new SplittableRandom(seed);
        double[][] best = {};
        double least = Double.POSITIVE_INFINITY;
        for (int start = 0; start < STARTS; start++) {
            var centroids = train(data, k, random.nextLong(), points);
            double inertia = 0;
            for (var point : points) {
                inertia += squared(point, centroids[nearest(point, centroids)]);
            }
            if (inertia < least) {
                least = inertia;
                best = centroids;
            }
        }
        return best;
    }

    private static double[][] train(
            MutableDataset<ClusterID> data, int k, long seed, double[][] points) {
        if (k == 1) {
            var mean = new double[points[0].length];
            for (var point : points) {
                for (int f = 0; f < mean.length; f++) {
                    mean[f] += point[f] / points.length;
                }
            }
            return new double[][] {mean};
        }
        var trainer =
                new KMeansTrainer(
                        k,
                        ITERATIONS,
                        new L2Distance(),
                        KMeansTrainer.Initialisation.PLUSPLUS,
                        1,
                        seed);
        return Arrays.stream(trainer.train(data).getCentroidVectors())
                .map(org.tribuo.math.la.DenseVector::toArray)
                .toArray(double[][]::new);
    }

    private static int[] sample(int n, long seed) {
        var all = IntStream.range(0, n).toArray();
        var random = new SplittableRandom(seed);
        for (int i = 0; i < Math.min(SAMPLE, n); i++) {
            int j = i + random.nextInt(n - i);
            int kept = all[i];
            all[i] = all[j];
            all[j] = kept;
        }
        return Arrays.copyOf(all, Math.min(SAMPLE, n));
    }

    /** Mean silhouette (Rousseeuw 1987) of the sample, each compared with the rest of the sample; 0 with one cluster. */
    private static double silhouette(double[][] points, int[] sample, double[][] centroids) {
        int k = centroids.length;
        if (k == 1) {
            return 0;
        }
        var of = new int[sample.length];
        var sizes = new int[k];
        for (int i = 0; i < sample.length; i++) {
            of[i] = nearest(points[sample[i]], centroids);
            sizes[of[i]]++;
        }
        double sum = 0;
        for (int i = 0; i < sample.length; i++) {
            var distances = new double[k];
            for (int j = 0; j < sample.length; j++) {
                distances[of[j]] += Math.sqrt(squared(points[sample[i]], points[sample[j]]));
            }
            if (sizes[of[i]] < 2) {
                continue; // alone: 0 by definition
            }
            double within = distances[of[i]] / (sizes[of[i]] - 1);
            double between = Double.POSITIVE_INFINITY;
            for (int c = 0; c < k; c++) {
                if (c != of[i] && sizes[c] > 0) {
                    between = Math.min(between, distances[c] / sizes[c]);
                }
            }
            double larger = Math.max(within, between);
            sum += Double.isInfinite(between) || larger == 0 ? 0 : (between - within) / larger;
        }
        return sum / sample.length;
    }

    private static int nearest(double[] point, double[][] centroids) {
        int nearest = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int c = 0; c < centroids.length; c++) {
            double distance = squared(point, centroids[c]);
            if (distance < least) {
                least = distance;
                nearest = c;
            }
        }
        return nearest;
    }

    private static double squared(double[] a, double[] b) {
        double sum = 0;
        for (int f = 0; f < a.length; f++) {
            sum += (a[f] - b[f]) * (a[f] - b[f]);
        }
        return sum;
    }

    private static List<Double> boxed(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    private static String hash(List<UserVector> users) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            for (var user : users) {
                digest.update((user.userId() + "\n").getBytes(StandardCharsets.UTF_8));
                new TreeMap<>(user.features())
                        .forEach((name, value) -> {
                            digest.update(name.getBytes(StandardCharsets.UTF_8));
                            digest.update(ByteBuffer.allocate(8).putDouble(value).array());
                        });
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
