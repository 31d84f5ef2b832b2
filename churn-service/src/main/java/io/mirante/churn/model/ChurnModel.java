package io.mirante.churn.model;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.mirante.contracts.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import ml.dmlc.xgboost4j.java.Booster;
import ml.dmlc.xgboost4j.java.DMatrix;
import ml.dmlc.xgboost4j.java.XGBoost;
import ml.dmlc.xgboost4j.java.XGBoostError;

/**
 * A trained model: booster, feature names, calibration and threshold in one immutable object, so that a swap of models
 * can never mix them. Thread-safe: predictions of one model take turns, because the booster's Java binding does not
 * promise more; models do not wait for each other.
 *
 * <p>Rows are {@code float[]} in the order of {@link #features()}, NaN = missing.
 */
public final class ChurnModel {

    private static final int MAGIC = 0x4d434d31; // MCM1
    private static final int FORMAT = 1;

    private final Booster booster;
    private final List<String> features;
    private final Map<String, Integer> columns;
    private final Calibration calibration;
    private final double threshold;

    ChurnModel(Booster booster, List<String> features, Calibration calibration, double threshold) {
        if (!(threshold >= 0 && threshold <= 1)) {
            throw new IllegalArgumentException("threshold must be in [0, 1], was " + threshold);
        }
        this.booster = booster;
        this.features = List.copyOf(features);
        this.calibration = calibration;
        this.threshold = threshold;
        this.columns = HashMap.newHashMap(features.size());
        for (int i = 0; i < features.size(); i++) {
            columns.put(features.get(i), i);
        }
    }

    /** Names of the columns, in their order. */
    public List<String> features() {
        return features;
    }

    /** The same for look-ups. */
    public Set<String> featureNames() {
        return Set.copyOf(columns.keySet());
    }

    /** Probability from which the model says that the customer leaves. */
    public double threshold() {
        return threshold;
    }

    public Calibration calibration() {
        return calibration;
    }

    /** A row from features by name; names the model does not know are left out, missing ones are NaN. */
    public float[] row(Map<String, Double> named) {
        var row = new float[features.size()];
        Arrays.fill(row, Float.NaN);
        named.forEach((name, value) -> {
            var column = columns.get(name);
            if (column != null) {
                row[column] = value.floatValue();
            }
        });
        return row;
    }

    /** Scores rows, in their order. */
    public List<Score> score(List<float[]> rows) {
        if (rows.isEmpty()) {
            return List.of();
        }
        var scores = new ArrayList<Score>(rows.size());
        for (var margin : margins(flat(rows), rows.size())) {
            scores.add(new Score(margin, calibration.probability(margin)));
        }
        return scores;
    }

    /** Exact TreeSHAP of rows, in their order; costs far more than a score. */
    public List<Explanation> explain(List<float[]> rows) {
        if (rows.isEmpty()) {
            return List.of();
        }
        var explanations = new ArrayList<Explanation>(rows.size());
        var shares = withMatrix(flat(rows), rows.size(), m -> booster.predictContrib(m, 0));
        for (int r = 0; r < rows.size(); r++) {
            var contributions = new ArrayList<Contribution>(features.size());
            for (int f = 0; f < features.size(); f++) {
                contributions.add(new Contribution(features.get(f), rows.get(r)[f], shares[r][f]));
            }
            explanations.add(new Explanation(shares[r][features.size()], contributions));
        }
        return explanations;
    }

    /** Gain of each feature as a share of all, the largest first; features never split on are left out. */
    public Map<String, Double> importance() {
        try {
            Map<String, Double> gains;
            synchronized (booster) {
                gains = booster.getScore(features.toArray(String[]::new), "total_gain");
            }
            double sum = gains.values().stream().mapToDouble(Double::doubleValue).sum();
            var shares = new java.util.LinkedHashMap<String, Double>();
            gains.entrySet().stream()
                    .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
                    .forEach(e -> shares.put(e.getKey(), sum == 0 ? 0 : e.getValue() / sum));
            return shares;
        } catch (XGBoostError e) {
            throw new IllegalStateException("importance: " + e.getMessage(), e);
        }
    }

    /** One self-describing piece that {@link #fromBytes} reads, also in later versions. */
    public byte[] toBytes() {
        try {
            byte[] trees;
            synchronized (booster) {
                trees = booster.toByteArray("ubj");
            }
            var header =
                    Json.mapper()
                            .writeValueAsBytes(
                                    new Header(FORMAT, features, calibration, threshold));
            return ByteBuffer.allocate(8 + header.length + trees.length)
                    .putInt(MAGIC)
                    .putInt(header.length)
                    .put(header)
                    .put(trees)
                    .array();
        } catch (XGBoostError e) {
            throw new IllegalStateException("the model cannot be written: " + e.getMessage(), e);
        }
    }

    /**
     * Reads a model.
     *
     * @throws IllegalArgumentException when the bytes are no model of a known format
     */
    public static ChurnModel fromBytes(byte[] bytes) {
        var buffer = ByteBuffer.wrap(bytes);
        if (bytes.length < 8 || buffer.getInt() != MAGIC) {
            throw new IllegalArgumentException("not a model: it does not begin with MCM1");
        }
        int length = buffer.getInt();
        if (!(length > 0 && length <= buffer.remaining())) {
            throw new IllegalArgumentException("not a model: its header is cut off");
        }
        var text = new byte[length];
        buffer.get(text);
        var header = Json.mapper().readValue(text, Header.class);
        if (header.format() != FORMAT) {
            throw new IllegalArgumentException("model format " + header.format() + " is not known");
        }
        var trees = new byte[buffer.remaining()];
        buffer.get(trees);
        try {
            var booster = XGBoost.loadModel(trees);
            booster.setParam("nthread", 1);
            return new ChurnModel(
                    booster, header.features(), header.calibration(), header.threshold());
        } catch (XGBoostError | IOException e) {
            throw new IllegalArgumentException("not a model: " + e.getMessage(), e);
        }
    }

    /** Margins of rows laid one after the other. */
    float[] margins(float[] flat, int rows) {
        var out = withMatrix(flat, rows, m -> booster.predict(m, true));
        var margins = new float[rows];
        for (int r = 0; r < rows; r++) {
            margins[r] = out[r][0];
        }
        return margins;
    }

    private float[][] withMatrix(float[] flat, int rows, Prediction prediction) {
        try {
            var matrix = new DMatrix(flat, rows, features.size(), Float.NaN);
            try {
                synchronized (booster) {
                    return prediction.of(matrix);
                }
            } finally {
                matrix.dispose();
            }
        } catch (XGBoostError e) {
            throw new IllegalStateException("prediction failed: " + e.getMessage(), e);
        }
    }

    private float[] flat(List<float[]> rows) {
        int width = features.size();
        var flat = new float[rows.size() * width];
        for (int r = 0; r < rows.size(); r++) {
            var row = rows.get(r);
            if (row.length != width) {
                throw new IllegalArgumentException(
                        "row must have " + width + " columns, had " + row.length);
            }
            System.arraycopy(row, 0, flat, r * width, width);
        }
        return flat;
    }

    @FunctionalInterface
    private interface Prediction {
        float[][] of(DMatrix matrix) throws XGBoostError;
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Header(
            int format, List<String> features, Calibration calibration, double threshold) {}
}
